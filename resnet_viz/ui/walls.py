"""Composed pictures on the page: as one PNG, with words for who cannot see it; as a download; or as walls to pick from."""

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from ..drawing import tiles
from ..drawing.tiles import Paletted
from . import presenter
from .component import component

MOST = 460  # css pixels of one of several walls; a wall alone may have twice that

_walls = component("wall")


@dataclass(frozen=True)
class Wall:
    """Tiles to pick from: uint8 [n, h, w, 3] or, with a palette uint8 [colours, 4], places in it [n, h, w]."""

    title: str
    tiles: np.ndarray
    alt: str
    palette: np.ndarray | None = None


def png(picture: np.ndarray | Paletted) -> bytes:
    """uint8 [H, W, 3 or 4], or a picture with a palette, as a PNG."""
    from PIL import Image

    data = io.BytesIO()
    if isinstance(picture, Paletted):
        image = Image.fromarray(picture.indices, "P")
        image.putpalette(picture.palette.tobytes(), "RGBA")
    else:
        image = Image.fromarray(picture)
    image.save(data, format="PNG", compress_level=4)
    return data.getvalue()


def show(picture: np.ndarray | Paletted, alt: str, width: str | int = "stretch") -> None:
    """As wide as its place: it was composed larger than that, so that it stays sharp. "content" keeps its own width; a
    number is its width in css pixels."""
    st.image(png(picture), width=width, alt=alt)


def download(picture: np.ndarray | Paletted | Callable[[], np.ndarray | Paletted], file_name: str, key: str | None = None) -> None:
    """A button for a picture; one that is expensive to compose comes as a function, which is called by the click."""
    if presenter.on():
        return
    data = (lambda: png(picture())) if callable(picture) else png(picture)
    st.download_button("Download PNG", data, file_name, "image/png", on_click="ignore", key=key,
                       icon=":material/download:")


# Walls to pick from


def pick(
    key: str,
    walls: Sequence[Wall],
    numbers: Sequence[int],
    names: Sequence[str],
    *,
    label: str,
    first: int | None = None,
    in_url: str | None = None,
    columns: int | None = None,
    most: int | None = None,
) -> int | None:
    """Draw walls of the same tiles in the same order; returns the number of the tile that is picked.

    numbers  what each tile is called inside, e.g. the channel: the pick stays with it when the order changes
    names    what each tile is called on screen, while the mouse or the keyboard is on it
    label    what is picked here, for who cannot see it, e.g. "Kernels of conv1"
    first    the number before anybody picked; None for none
    in_url   the query parameter that carries the pick in a link
    columns  tiles in a row, else as drawing.tiles has it
    most     css pixels a wall may be wide
    """
    chosen = _picked(key, numbers, first, in_url)
    columns = columns or tiles.columns_for(len(numbers))
    head = {"label": f"{label}: arrow keys move, Enter picks", "hint": "Click one for its details.", "after": "",
            "names": list(names), "columns": columns, "tile": [walls[0].tiles.shape[2], walls[0].tiles.shape[1]],
            "most": most or (MOST if len(walls) > 1 else 2 * MOST)}
    place = None if chosen is None else list(numbers).index(chosen)
    _walls(key=key, data=packed(walls, head, place), height="content",
           on_picked_change=partial(_remember, key, tuple(map(int, numbers)), in_url))
    return chosen


def packed(walls: Sequence[Wall], head: dict, chosen: int | None) -> bytes:
    """The bytes that wall.js reads: uint32 head length, JSON head, one PNG a wall."""
    files = [png(_atlas(wall, head["columns"])) for wall in walls]
    described = [{"title": wall.title, "alt": wall.alt, "bytes": len(file)} for wall, file in zip(walls, files)]
    head = {**head, "walls": described}
    digest = hashlib.sha256(json.dumps(head).encode() + b"".join(files)).hexdigest()[:16]
    text = json.dumps({**head, "digest": digest, "chosen": chosen}, ensure_ascii=False).encode()
    return len(text).to_bytes(4, "little") + text + b"".join(files)


def _atlas(wall: Wall, columns: int) -> np.ndarray | Paletted:
    """All tiles of a wall without gaps, pixel by pixel: the browser enlarges them."""
    laid = tiles.atlas(wall.tiles, columns)
    return laid if wall.palette is None else Paletted(laid, wall.palette)


def _picked(key: str, numbers: Sequence[int], first: int | None, in_url: str | None) -> int | None:
    """What was picked here or what the link asks for, where this wall has it; else the first."""
    asked = st.query_params.get(in_url, "") if in_url else ""
    wanted = st.session_state.get(f"{key}_picked", int(asked) if asked.isdecimal() else None)
    return wanted if wanted in numbers else first


def _remember(key: str, numbers: tuple[int, ...], in_url: str | None) -> None:
    place = (st.session_state.get(key) or {}).get("picked")
    if place is None or not 0 <= place < len(numbers):
        return
    st.session_state[f"{key}_picked"] = numbers[place]
    if in_url:
        st.query_params[in_url] = str(numbers[place])
