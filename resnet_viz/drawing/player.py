"""Films of numbers as plain records: what the player of the lessons draws; it makes no number.

Panels: plane (a loss over two weights, with paths), lines, bars, graph (a chain of functions), cells (small matrices of
numbers), pictures (one and those that come with it). A list with one entry a
frame may be shorter: its last entry then stands for the rest. Colours are numbers in CATEGORIES.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from . import colours

BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY_BLUE = range(6)
ON_LIGHT = colours.CATEGORIES[:6]
ON_DARK = [colours.SKY_BLUE, *colours.CATEGORIES[1:5], colours.BLUE]  # the two blues change places on dark ground
TABLE = colours.SEQUENTIAL.tobytes().hex()
PALETTE = ["#{:02X}{:02X}{:02X}".format(*colour) for colour in colours.DIVERGING[::3]]
PLACES = ("wide", "side", "full")  # the large one at the left; beside it, one under another; the whole width
SEEN = ("surface", "above")


def film(panels: list[dict], said: Sequence[str], labels: Sequence[str], start: int, every: int = 250,
         slider: str = "Step") -> dict:
    """A film of len(labels) frames.

    said    a sentence a frame; labels: where each frame is, in few words
    start   the frame that is shown first; every: ms from frame to frame at the usual speed
    """
    if not labels or len(said) != len(labels):
        raise ValueError(f"{len(labels)} labels and {len(said)} sentences; a film has one of each a frame")
    found = {"panels": panels, "said": list(said), "labels": list(labels), "frames": len(labels), "every": every,
             "slider": slider}
    text = json.dumps(found, allow_nan=False)
    return {**found, "id": hashlib.sha256(text.encode()).hexdigest()[:12], "at": min(max(start, 0), len(labels) - 1),
            "colours": [ON_LIGHT, ON_DARK], "table": TABLE}


def _panel(kind: str, title: str, alt: str, place: str, **more) -> dict:
    if place not in PLACES:
        raise ValueError(f"unknown place {place!r}; known are {', '.join(PLACES)}")
    return {"kind": kind, "title": title, "alt": alt, "place": place, **more}


def plain(values) -> list[float]:
    """Numbers for JSON with six digits; one that is not finite, or beyond 1e12, is the largest that is drawn."""
    limited = np.clip(np.nan_to_num(np.asarray(values, float), nan=1e12, posinf=1e12, neginf=-1e12), -1e12, 1e12)
    return [float(f"{value:.6g}") for value in limited]


def path(name: str, points, colour: int) -> dict:
    """Where one descent is at each frame: points float [frames, 2]."""
    points = np.asarray(points, float)
    return {"name": name, "x": plain(points[:, 0]), "y": plain(points[:, 1]), "colour": colour}


def plane(title: str, alt: str, six: Sequence[Sequence[float]], paths: list[dict], x: Sequence[float],
          y: Sequence[float], names: tuple[str, str], seen: str = "surface",
          value_range: tuple[float, float] = (0.0, 1.0), grey: bool = False, place: str = "wide",
          z_label: str = "loss (height and colour)") -> dict:
    """A loss of two weights.

    six          a frame: the numbers of p x^2 + q xy + r y^2 + s x + t y + u
    x, y         ends of the axes; value_range: the loss of the first and of the last colour
    """
    if seen not in SEEN:
        raise ValueError(f"unknown view {seen!r}; known are {', '.join(SEEN)}")
    return _panel("plane", title, alt, place, six=[plain(one) for one in six], paths=paths, x=plain(x), y=plain(y),
                  x_label=names[0], y_label=names[1], seen=seen, range=plain(value_range), grey=grey, z_label=z_label)


def line(name: str, x, y, colour: int, grows: bool = False, dashed: bool = False, scatter: float = 0) -> dict:
    """One line; with `grows` only the part up to the frame's cursor is drawn, with `scatter` dots of that radius."""
    return {"name": name, "x": plain(x), "y": plain(y), "colour": colour, "grows": grows, "dashed": dashed,
            "scatter": scatter}


def lines(title: str, alt: str, drawn: list[dict], x: Sequence[float], y: Sequence[float], names: tuple[str, str],
          cursor=None, rule: bool = False, pieces: list | None = None, dots: list | None = None, log: bool = False,
          log_x: bool = False, ratio: float = 0.55, place: str = "side", legend: bool = False) -> dict:
    """Lines on common axes.

    cursor   a frame: where on x it is; rule draws a line there
    pieces   a frame: straight pieces {"from", "to", "colour", "dashed"}; dots: {"at", "colour", "text"}
    """
    return _panel("lines", title, alt, place, lines=drawn, x=plain(x), y=plain(y), x_label=names[0], y_label=names[1],
                  cursor=None if cursor is None else plain(cursor), rule=rule, pieces=pieces, dots=dots, log=log,
                  log_x=log_x, ratio=ratio, legend=legend)


def bars(title: str, alt: str, names: Sequence[str], values: Sequence[Sequence[float]],
         marks: Sequence[int] | None = None, colours: tuple[int, int] = (BLUE, VERMILLION),
         place: str = "side", limit: float | None = None) -> dict:
    """Bars whose lengths change: values [frames][names].

    marks   the bar that each frame speaks of (-1: none)
    limit   values beyond it, either way, have bars of full length; their numbers stay
    """
    every = np.array([plain(row) for row in values])
    low, high = min(float(every.min()), 0.0), max(float(every.max()), 0.0)
    if limit is not None:
        low, high = max(low, -limit), min(high, limit)
    return _panel("bars", title, alt, place, names=list(names), values=every.tolist(), marks=marks,
                  range=[low, high if high > low else low + 1.0], colours=list(colours))


def graph(title: str, alt: str, nodes: list[dict], links: list[dict], place: str = "full") -> dict:
    """A chain: nodes {"rule", "value", "slope", "back"}, links {"rule", "slope"} between them. Frame i shows the values
    up to node i, later frames the slopes that have come back."""
    return _panel("graph", title, alt, place, nodes=nodes, links=links)


def cells(title: str, alt: str, rows: Sequence[str], columns: Sequence[str], values: Sequence[np.ndarray],
          marks: Sequence[int] | None = None, place: str = "wide") -> dict:
    """Small matrices, one a row and column: values a frame [rows, columns, h, w]; what is not finite stays empty.

    marks   the row that each frame speaks of (-1: all of them)
    """
    every = [np.asarray(one, float) for one in values]
    limit = max(float(np.abs(one[np.isfinite(one)]).max(initial=0)) for one in every) * 1.5 or 1.0
    flat = [[[float(f"{v:.6g}") if np.isfinite(v) else None for v in row.reshape(-1)] for row in one] for one in every]
    return _panel("cells", title, alt, place, rows=list(rows), columns=list(columns), values=flat, marks=marks,
                  sides=list(every[0].shape[2:]), limit=limit, palette=PALETTE)


def pictures(title: str, alt: str, src: str, side: int, across: int, shown: Sequence[Sequence[int]],
             names: tuple[str, str], ratio: float = 0.45, place: str = "wide") -> dict:
    """One picture at the left and the others beside it.

    src     address of a sheet with `across` tiles a row, each `side` pixels square
    shown   a frame: the tile of the picture, then those of the others; names: what stands above both
    """
    return _panel("pictures", title, alt, place, src=src, side=side, across=across,
                  shown=[[int(i) for i in row] for row in shown], names=list(names), ratio=ratio)
