"""Maps to pick a cell from, beside the picture: the cell's receptive field is drawn on it while the mouse is there."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from ..analysis.receptive_field import Sides, span
from ..drawing.tiles import Paletted
from .component import component
from .walls import png

_cells = component("cells")


@dataclass(frozen=True)
class Panel:
    """A picture uint8 [H, W, 3], or a map of one colour a cell with the numbers behind it, float32 [rows, columns]."""

    title: str
    drawn: np.ndarray | Paletted
    alt: str
    values: np.ndarray | None = None


def pick(
    key: str,
    panels: Sequence[Panel],
    sides: Sides,
    size: tuple[int, int],
    *,
    label: str,
    first: tuple[int, int],
    in_url: str,
    least: int = 165,
) -> tuple[int, int]:
    """Draw pictures and maps, all maps of one shape; returns (row, column) of the cell that is picked.

    sides   what one unit of the layer sees, of height and width
    size    pixels of the pictures, (height, width)
    first   the cell before anybody picked; in_url is the query parameter that carries the pick in a link
    least   css pixels that a panel needs: where two have no room side by side, they stand one under the other
    """
    rows, columns = next(panel.values.shape for panel in panels if panel.values is not None)
    chosen = _picked(key, (rows, columns), first, in_url)
    head = {
        "label": f"{label}: arrow keys move, Enter keeps the cell",
        "rows": rows,
        "columns": columns,
        "size": list(size),
        "least": least,
        "field": [side.size for side in sides],
        "down": [span(sides[0], row, size[0]) for row in range(rows)],
        "along": [span(sides[1], column, size[1]) for column in range(columns)],
    }
    _cells(
        key=key,
        data=packed(panels, head, chosen),
        height="content",
        on_picked_change=partial(_remember, key, (rows, columns), in_url),
    )
    return chosen


def packed(panels: Sequence[Panel], head: dict, chosen: tuple[int, int]) -> bytes:
    """The bytes that cells.js reads: uint32 head length, JSON head, of each panel a PNG and its float32 numbers."""
    files = [png(panel.drawn) for panel in panels]
    numbers = [b"" if panel.values is None else panel.values.astype("<f4").tobytes() for panel in panels]
    described = [
        {"title": panel.title, "alt": panel.alt, "bytes": len(file), "numbers": len(values)}
        for panel, file, values in zip(panels, files, numbers)
    ]
    parts = b"".join(part for pair in zip(files, numbers) for part in pair)
    head = {**head, "panels": described}
    digest = hashlib.sha256(json.dumps(head).encode() + parts).hexdigest()[:16]
    text = json.dumps({**head, "digest": digest, "chosen": list(chosen)}, ensure_ascii=False).encode()
    return len(text).to_bytes(4, "little") + text + parts


def _picked(key: str, shape: tuple[int, int], first: tuple[int, int], in_url: str) -> tuple[int, int]:
    """What was picked here, on a map of this shape, or what the link asks for ("row-column"); else the first."""
    if f"{key}_picked" in st.session_state:
        of, place = st.session_state[f"{key}_picked"]
        if of == shape:
            return place
        del st.session_state[f"{key}_picked"]  # on a map of another shape it would be another place
        st.query_params.pop(in_url, None)
    words = st.query_params.get(in_url, "").split("-")
    asked = tuple(map(int, words)) if len(words) == 2 and all(word.isdecimal() for word in words) else None
    if asked is None or not all(place < length for place, length in zip(asked, shape)):
        return first
    st.session_state[f"{key}_picked"] = shape, asked
    return asked


def _remember(key: str, shape: tuple[int, int], in_url: str) -> None:
    at = (st.session_state.get(key) or {}).get("picked")
    if at is None or not 0 <= at < shape[0] * shape[1]:
        return
    row, column = divmod(at, shape[1])
    st.session_state[f"{key}_picked"] = shape, (row, column)
    st.query_params[in_url] = f"{row}-{column}"
