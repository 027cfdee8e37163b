"""A heat map of layers by steps for data that grow while it is looked at: node and readout stay.

As with the live chart the code travels once a page (`install`, the last thing of the page), a map carries two lines.
"""

import json
import math

import numpy as np

from ..drawing import colours
from ..drawing.gradients import Cells
from .component import Carried

TABLE = colours.SEQUENTIAL.tobytes().hex()
ZERO, UNKNOWN, CODES = 0, 65535, 65533  # of the uint16 values; 1 ... 65534 are logarithms
_map = Carried("gradient_map", table=TABLE)


def install() -> None:
    """Bring the maps' code into the page; until then maps wait, whatever comes first."""
    _map.install()


def gradient_map(layers: tuple[str, ...], cells: Cells, limits: tuple[float, float], *, key: str, title: str, alt: str,
                 reading: str, rest: str, caption: str, x_end: int, every: int, per_epoch: float | None = None,
                 group: str = "") -> None:
    """Draw one; the first layer is on top.

    limits   values of the first and the last colour, whole powers of ten
    rest     what the line above the map says while nothing is pointed at
    x_end    last step of the axis; every: steps from one moment to the next; per_epoch: of an epoch, where known
    group    maps of one group share the cell under the mouse
    """
    head = {"title": title, "alt": alt, "reading": reading, "rest": rest, "caption": caption, "x_end": int(x_end),
            "every": max(every, 1), "per_epoch": per_epoch, "group": group, "range": list(limits),
            "ticks": ticks(limits, cells.values)}
    _map(key=key.replace("__", "--"), data=pack(layers, cells, head))  # Streamlit keeps the double underscore


def ticks(limits: tuple[float, float], values: np.ndarray) -> list[str]:
    """Labels for both ends of the colours and the powers of ten between them, every second where there are many; an
    end that stands for values beyond it says so."""
    low, high = (round(math.log10(limit)) for limit in limits)
    every = 2 if high - low > 3 and (high - low) % 2 == 0 else high - low if high - low > 3 else 1
    first, *between, last = (_power(power) for power in range(low, high + 1, every))
    below, above = "≤\u202f" if (values < limits[0]).any() else "", "≥\u202f" if (values > limits[1]).any() else ""
    return [below + first, *between, above + last]


def _power(exponent: int) -> str:
    if -3 <= exponent <= 3:
        return f"{10.0 ** exponent:,g}"
    return f"10{str(exponent).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"


def pack(layers: tuple[str, ...], cells: Cells, head: dict) -> bytes:
    """The bytes that gradient_map.js reads; the values lose less than 1 part in 1,000 for each ten powers of ten."""
    known = np.isfinite(cells.values) & (cells.values > 0)
    logs = np.log10(np.where(known, cells.values, 1.0))
    low, high = (float(logs[known].min()), float(logs[known].max())) if known.any() else (0.0, 0.0)
    high = max(high, low + 1e-6)
    codes = np.where(known, 1 + np.round((logs - low) / (high - low) * CODES),
                     np.where(cells.values == 0, ZERO, UNKNOWN)).astype("<u2")
    head = {**head, "layers": list(layers), "columns": codes.shape[1], "low": low, "high": high}
    text = json.dumps(head, ensure_ascii=False, allow_nan=False).encode()
    arrays = [np.asarray(values).astype("<i4").tobytes() for values in (cells.first, cells.last)]
    return b"".join([len(text).to_bytes(4, "little"), text, b" " * (-len(text) % 4), *arrays, codes.tobytes()])
