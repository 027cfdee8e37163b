"""How mistakes look: the matrix of who is taken for whom, bars and lines of classes, reliability, the map."""

import hashlib
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from . import colours
from .time_machine import pack

MOST_BARS = 30  # classes with a bar: the worst ones
RIGHT, WRONG = colours.BLUE, colours.VERMILLION


def matrix(counts: np.ndarray, shown: np.ndarray, classes: Sequence[str], when: Sequence[str], words: Sequence[str],
           frame: int, as_rates: bool, picked: tuple[int, int] | None) -> bytes:
    """The bytes that confusion.js reads.

    counts   int64 [frames, n, n], of all classes; shown: which of them get a row and a column, ascending
    when     one text a frame, "" for a single matrix that is of no moment; words: each finding, for who cannot see
    picked   (true, answered) among all classes
    """
    part = counts[:, shown[:, None], shown]
    kind = np.uint16 if part.max(initial=0) < 2**16 else np.int32
    sums, right = counts.sum(axis=2)[:, shown], np.trace(counts, axis1=1, axis2=2)
    place = {int(number): i for i, number in enumerate(shown)}
    at = [place[i] for i in picked] if picked and set(picked) <= set(place) else None
    head = {"classes": [classes[i] for i in shown], "numbers": [int(i) for i in shown], "when": list(when),
            "words": list(words), "frame": frame, "rates": as_rates, "picked": at, "colours": [RIGHT, WRONG],
            "right": [int(i) for i in right], "all": [int(i) for i in counts.sum(axis=(1, 2))],
            "digest": hashlib.sha256(part.tobytes() + repr((list(classes), list(when))).encode()).hexdigest()[:16]}
    return pack(head, {"counts": part.astype(kind), "sums": sums.astype(np.int32)})


def class_bars(rows: Sequence[dict]) -> go.Figure:
    """Share of each class's pictures that is recognised (bar, with what chance alone may change) and of its name's
    answers that are right (diamond); rows of errors.class_rows, the worst on top."""
    rows = list(rows)[:MOST_BARS][::-1]
    names = [row["class"] for row in rows]
    figure = go.Figure()
    figure.add_bar(x=[row["right"] for row in rows], y=names, orientation="h", name="of its pictures recognised",
                   marker={"color": RIGHT}, error_x={"array": [row["± (95 %)"] for row in rows], "thickness": 1.5,
                                                     "width": 3, "color": colours.GREY},
                   customdata=[[row["pictures"], row["most often taken for"], row["times"]] for row in rows],
                   hovertemplate="%{y}: %{x:.1%} of %{customdata[0]:,} recognised; most often taken for "
                                 "%{customdata[1]} (%{customdata[2]:,})<extra></extra>")
    figure.add_scatter(x=[row["trust"] for row in rows], y=names, mode="markers", name="of its answers right",
                       marker={"symbol": "diamond", "size": 11, "color": colours.ORANGE,
                               "line": {"width": 1, "color": colours.INK}},
                       customdata=[row["answers"] for row in rows],
                       hovertemplate="%{y}: %{x:.1%} of %{customdata:,} answers right<extra></extra>")
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(type="category", automargin=True)
    return _arranged(figure, 90 + 30 * len(rows))


def class_lines(shares: np.ndarray, classes: Sequence[str], when: Sequence[str], ticks: Sequence[str]) -> go.Figure:
    """Share of each class that is recognised, frame by frame: [frames, n], nan for a class without pictures. The
    best and the worst at the end are in colour. when and ticks name each frame, for the mouse and for the axis."""
    figure = go.Figure()
    there = np.flatnonzero(np.isfinite(shares[-1]))
    order = there[np.argsort(shares[-1, there], kind="stable")]
    loud = {int(order[-1]): RIGHT, int(order[0]): WRONG} if len(order) else {}
    for i in sorted(order.tolist(), key=lambda i: i in loud):  # those in colour above the others
        figure.add_scatter(x=np.arange(len(shares)), y=shares[:, i], name=classes[i], mode="lines", text=list(when),
                           line={"color": loud.get(i, colours.GREY), "width": 3 if i in loud else 1},
                           opacity=1 if i in loud else 0.6,
                           hovertemplate=f"{classes[i]}: %{{y:.1%}} at %{{text}}<extra></extra>", showlegend=i in loud)
    places = np.unique(np.linspace(0, len(shares) - 1, min(5, len(shares))).round().astype(int))
    figure.update_xaxes(tickvals=places.tolist(), ticktext=[ticks[i] for i in places], ticklabeloverflow="allow")
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%", title="of its pictures recognised")
    return _arranged(figure, 460).update_layout(margin={"l": 0, "r": 36, "t": 8, "b": 28})


def cell_line(shares: np.ndarray, when: Sequence[str], ticks: Sequence[str], frame: int, right: bool) -> go.Figure:
    """One cell's share of its row, frame by frame [frames], and the frame in view."""
    colour = RIGHT if right else WRONG
    figure = go.Figure()
    figure.add_scatter(x=np.arange(len(shares)), y=shares, mode="lines", text=list(when),
                       line={"color": colour, "width": 2.5}, hovertemplate="%{y:.1%} at %{text}<extra></extra>")
    figure.add_scatter(x=[frame], y=[shares[frame]], mode="markers", marker={"color": colour, "size": 10},
                       hoverinfo="skip")
    figure.update_xaxes(tickvals=[0, len(shares) - 1], ticktext=[ticks[0], ticks[-1]], range=[-0.3, len(shares) - 0.4],
                        ticklabeloverflow="allow")
    figure.update_yaxes(tickformat=".0%", rangemode="tozero", nticks=4)
    return _arranged(figure, 190).update_layout(showlegend=False, margin={"l": 0, "r": 36, "t": 8, "b": 28})


def reliability(count: np.ndarray, confidence: np.ndarray, accuracy: np.ndarray) -> go.Figure:
    """How often answers of a sureness were right, beside what they promised; below, how many answers are of each."""
    parts = len(count)
    centres, filled = (np.arange(parts) + 0.5) / parts, count > 0
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.78, 0.22], vertical_spacing=0.05)
    figure.add_bar(x=centres[filled], y=accuracy[filled], width=0.92 / parts, marker={"color": RIGHT}, name="was right",
                   customdata=np.stack([confidence[filled], count[filled]], axis=1),
                   hovertemplate="said %{customdata[0]:.1%} on average, was right in %{y:.1%} of %{customdata[1]:,}"
                                 "<extra></extra>", row=1, col=1)
    figure.add_scatter(x=centres[filled], y=confidence[filled], mode="markers", name="promised",
                       marker={"symbol": "line-ew", "size": 26, "line": {"width": 3, "color": WRONG}}, hoverinfo="skip",
                       row=1, col=1)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": colours.GREY, "dash": "dash", "width": 1.5},
                       name="as often as promised", hoverinfo="skip", row=1, col=1)
    figure.add_bar(x=centres, y=count / count.sum(), width=0.92 / parts, marker={"color": colours.LIGHT_GREY},
                   showlegend=False, hovertemplate="%{y:.1%} of the answers<extra></extra>", row=2, col=1)
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_xaxes(title="how sure the network was of its answer", row=2, col=1)
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%", title="was right", row=1, col=1)
    figure.update_yaxes(tickformat=".0%", title="answers", nticks=3, rangemode="tozero", row=2, col=1)
    return _arranged(figure, 520)


def _arranged(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 8, "b": 0}, dragmode=False, bargap=0.35,
                         legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0})
    return figure


def feature_map(places: np.ndarray, true: np.ndarray, answered: np.ndarray, middles: np.ndarray, classes: Sequence[str],
                words: Sequence[str], atlas: bytes, tile: int, columns: int, pictures: bool, picked: int | None,
                alt: str) -> bytes:
    """The bytes that picture_map.js reads.

    places   float [n, 2]; middles float [classes, 2], nan where a class has no pictures
    words    what is said of each picture under the mouse
    atlas    a JPEG with the pictures as tiles of `tile` pixels a side, row by row, `columns` in a row
    pictures draw the pictures themselves in place of dots
    """
    low, high = places.min(axis=0), places.max(axis=0)
    span = np.where(high > low, high - low, 1)
    arrays = {"places": ((places - low) / span).astype(np.float32), "true": true.astype(np.uint16),
              "answered": answered.astype(np.uint16), "middles": ((middles - low) / span).astype(np.float32),
              "atlas": np.frombuffer(atlas, dtype=np.uint8)}
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()[:16]
    head = {"classes": list(classes), "words": list(words), "tile": tile, "columns": columns, "pictures": pictures,
            "picked": picked, "alt": alt, "colours": [RIGHT, WRONG, colours.GREY], "digest": digest}
    return pack(head, arrays)
