"""A line chart for data that change every second: its node, zoom and readout stay while the server replaces the arrays.

Streamlit sends a component's whole script with every update. So the chart's code travels once a page, in a component of
its own (`install`, called once outside the fragment, best as the last thing of the page); a chart carries two lines.
"""

from __future__ import annotations

import json
import math

import numpy as np
import streamlit as st

from ..drawing.curves import MAX_POINTS, Event, Level, Line, downsample
from .component import Carried

_chart = Carried("live_chart")


def install() -> None:
    """Bring the charts' code into the page; until then charts wait, whatever comes first."""
    _chart.install()


def live_chart(
    lines: list[Line],
    *,
    key: str,
    title: str,
    alt: str,
    x_label: str = "step",
    y_label: str = "",
    percent: bool = False,
    log_y: bool = False,
    events: list[Event] = (),
    levels: list[Level] = (),
    height: int = 260,
    group: str = "",
    x_end: float | None = None,
    empty: str = "No points yet.",
    max_points: int = MAX_POINTS,
) -> None:
    """Draw lines over ascending x; charts of one `group` share the x zoom and the readout.

    alt is the finding as a sentence; percent: y is a fraction 0..1; log_y leaves out y <= 0; height in pixels; x_end is
    the planned end of x, towards which the axis grows; at most max_points a line are sent, and the chart says so; a
    part that is zoomed into gets that many for itself.
    """
    key = key.replace("__", "--")  # Streamlit keeps the double underscore for itself
    view = (st.session_state.get(key) or {}).get("view")
    head = {
        "title": title,
        "alt": alt,
        "x_label": x_label,
        "y_label": y_label,
        "percent": percent,
        "log_y": log_y,
        "height": height,
        "group": group,
        "x_end": x_end,
        "empty": empty,
        "events": [{"x": float(event.x), "text": event.text} for event in events],
        "levels": [{"y": float(level.y), "text": level.text} for level in levels],
    }
    _chart(key=key, data=pack(lines, head, view, max_points), on_view_change=lambda: None)


def pack(lines: list[Line], head: dict, view: list[float] | None = None, max_points: int = MAX_POINTS) -> bytes:
    """The bytes that live_chart.js reads: uint32 head length, JSON head padded to 4 bytes, each line's x, y (float32).

    view: the [first, last] x that the browser looks at; its points are thinned apart from the rest.
    """
    described, arrays = [], []
    for line in lines:
        kept = _kept(line, view, max_points)
        described.append(
            {
                "name": line.name,
                "colours": line.colours,
                "style": line.style,
                "dash": line.dash,
                "points": len(kept),
                "total": len(line.y),
            }
        )
        arrays += [np.asarray(values)[kept].astype("<f4").tobytes() for values in (line.x, line.y)]
    thinned = any(line["points"] < line["total"] for line in described)
    head = {**head, "lines": described, "thinned": thinned, "caption": _caption(described, view)}
    text = json.dumps(head, ensure_ascii=False, allow_nan=False).encode()
    return len(text).to_bytes(4, "little") + text + b" " * (-len(text) % 4) + b"".join(arrays)


def _kept(line: Line, view: list[float] | None, max_points: int) -> np.ndarray:
    # a smoothed line has no peaks to lose: a quarter of the points draws the same curve
    limit = max(4, max_points // 4) if line.style == "smooth" else max_points
    if view is None or len(line.y) <= limit or not all(math.isfinite(end) for end in view):
        return downsample(line.x, line.y, limit)
    first, last = np.searchsorted(line.x, view[0], "left"), np.searchsorted(line.x, view[1], "right")
    first, last = max(int(first) - 1, 0), min(int(last) + 1, len(line.y))
    inside = first + downsample(line.x[first:last], line.y[first:last], limit)
    return np.union1d(inside, downsample(line.x, line.y, max(4, limit // 4)))


def _caption(described: list[dict], view: list[float] | None) -> str:
    if not described:
        return ""
    # the measured values count; a smoothed line only where it stands alone
    measured = [line for line in described if line["style"] != "smooth"] or described
    most = max(measured, key=lambda line: line["total"])
    if most["points"] == most["total"]:
        return ""
    advice = "the zoomed part in more detail" if view else "every peak is kept, a zoom brings the rest"
    return f"{most['points']:,} of {most['total']:,} points drawn; {advice}"
