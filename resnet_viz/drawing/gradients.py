"""The gradient thermometer as plain arrays, thinned with a word about it; and the eight networks' lines.

Colours stand for powers of ten within a fixed range, the same for every run and every moment: a scale stretched to
what a run happens to hold makes a healthy network look as if its gradient vanished.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from .colours import BLUE, GREEN, ORANGE, VERMILLION

RANGES = {"norm": (1e-4, 1e2), "update_ratio": (1e-6, 1.0)}  # six powers of ten, what is healthy in the middle
ROUND = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
PROBE_RANGE = (-20, 6)  # powers of ten on the axis of the eight networks
PROBE_COLOURS = {("sigmoid", False): VERMILLION, ("sigmoid", True): ORANGE, ("relu", False): BLUE, ("relu", True): GREEN}


@dataclass(frozen=True)
class Cells:
    """A heat map's columns: each is one moment, or the geometric mean of `each` of them.

    first, last   steps of a column's first and last moment, int [columns]
    values        [layers, columns]; 0 where all were 0, NaN where nothing is known
    """

    first: np.ndarray
    last: np.ndarray
    values: np.ndarray
    each: int


def thin(steps: np.ndarray, values: np.ndarray, most: int) -> Cells:
    """At most `most` values in all: where there are more, neighbouring moments become one column."""
    layers, moments = values.shape
    each = max(1, math.ceil(moments / max(1, most // max(1, layers))))
    starts = np.arange(0, moments, each)
    ends = np.minimum(starts + each, moments) - 1
    known = values > 0
    logs = np.add.reduceat(np.log(np.where(known, values, 1.0)), starts, axis=1)
    counts = np.add.reduceat(known.astype(float), starts, axis=1)
    zeros = np.add.reduceat((values == 0).astype(float), starts, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(counts > 0, np.exp(logs / counts), np.where(zeros > 0, 0.0, np.nan))
    return Cells(steps[starts], steps[ends], means, each)


def caption(cells: Cells, every: int, kept_some: bool = False) -> str:
    """How often was measured, and what was left out: by who bundled the run (kept_some), or here for the eye."""
    parts = [f"a moment every {every:,} steps" if every > 1 else "a moment at every step"]
    parts += ["a finished example keeps some of those that were measured"] if kept_some else []
    parts += [f"every column is the geometric mean of {cells.each:,} moments"] if cells.each > 1 else []
    return "; ".join(parts)


def own_range(maps: Sequence[np.ndarray]) -> tuple[float, float]:
    """Whole powers of ten around what is there; at least one."""
    values = np.concatenate([values.ravel() for values in maps])
    known = values[np.isfinite(values) & (values > 0)]
    if not len(known):
        return 0.1, 1.0
    low, high = math.floor(np.log10(known.min())), math.ceil(np.log10(known.max()))
    return 10.0 ** low, 10.0 ** max(high, low + 1)


def axis_end(last: int, planned: int | None) -> int:
    """Where the steps' axis ends: it grows in round steps up to the plan, so that the picture does not crawl."""
    if planned is None or last >= planned:
        return last
    wanted = max(1.2 * last, planned / 50)
    power = 10 ** math.floor(math.log10(wanted))
    return min(planned, math.ceil(next(m * power for m in ROUND if m * power >= 0.999 * wanted)))


def probe_chart(lines: Sequence[tuple[str, tuple[str, bool, bool], Sequence[str], Sequence[float]]]) -> go.Figure:
    """Gradient norms of networks at initialisation over the number of the layer, on a fixed logarithmic axis.

    lines: (name, (activation, batch norm, skip), layers' names, norms). Colour tells activation and batch norm, a
    solid line has shortcuts, a dotted one is plain. What lies beyond the axis is a triangle at its end.
    """
    low, high = PROBE_RANGE
    figure = go.Figure()
    for name, (activation, norm, skip), layers, values in lines:
        logs = [math.log10(value) if value > 0 else -math.inf for value in values]
        outside = [log < low or log > high for log in logs]
        figure.add_scatter(
            x=list(range(1, len(values) + 1)), y=[10.0 ** min(max(log, low), high) for log in logs], name=name,
            mode="lines+markers", line={"color": PROBE_COLOURS[activation, norm], "width": 3 if skip else 2,
                                        "dash": "solid" if skip else "4px,4px"},
            cliponaxis=False, marker={"size": [8 if out else 3 if len(values) > 30 else 5 for out in outside], "symbol": [
                ("triangle-down" if log < low else "triangle-up") if out else "circle"
                for log, out in zip(logs, outside)]},
            customdata=[[layer, f"{value:.2e}" if value else "0 (below float32's smallest number)"]
                        for layer, value in zip(layers, values)],
            hovertemplate="layer %{x}, %{customdata[0]}: %{customdata[1]}<extra>%{fullData.name}</extra>")
    figure.update_yaxes(type="log", range=[low, high], dtick=4, exponentformat="power", showexponent="all",
                        title_text="gradient norm", fixedrange=True, zeroline=False)
    depth = max(len(values) for _, _, _, values in lines)
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if depth / step <= 12)
    figure.update_xaxes(title_text="layer, from the pictures' end to the classifier", showgrid=False, fixedrange=True,
                        zeroline=False, range=[0.5, depth + 0.5],
                        tickvals=[1, *range(every if every > 3 else 2 * every, depth - every // 2, every), depth])
    figure.update_layout(height=520, margin={"l": 0, "r": 8, "t": 8, "b": 0}, font_size=14, hoverlabel_font_size=14,
                         legend={"orientation": "h", "y": -0.16, "yanchor": "top", "x": 0, "title_text": ""})
    return figure
