"""How tensors look: kernels as tiles, weights as a matrix of a screenful, vectors and layers as lines and bars."""

from collections.abc import Sequence
from math import ceil

import numpy as np
import plotly.graph_objects as go

from . import colours, kernels, tiles
from .colours import ACCENT, GREY, VERMILLION

CELLS = (256, 512)  # rows and columns of a screenful; a larger matrix is reduced to at most that
WIDTH = 1024  # pixels: twice what a matrix takes on screen, so that it stays sharp
FEW = 128  # channels that are drawn as bars; more become a line
HEIGHT = 230


# Weights

def first_kernels(weights: np.ndarray, width: int = kernels.WIDTH) -> np.ndarray:
    """The filters of a first convolution, [n, 1 or 3, k, k], as tiles uint8 [H, W, 4], each on a scale of its own."""
    slices = weights if weights.shape[1] == 3 else weights[:, 0]
    limits = np.nan_to_num(kernels.limits(slices), nan=0, posinf=0)
    return tiles.wall(kernels.coloured(slices, limits), tiles.columns_for(len(slices)), width)


def block(shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of a matrix that become one cell; (1, 1) where it fits on a screen."""
    return ceil(shape[0] / CELLS[0]), ceil(shape[1] / CELLS[1])


def reduced(matrix: np.ndarray) -> np.ndarray:
    """A matrix brought to a screenful that keeps every extreme: a cell is its block's value farthest from 0.

    A block with a number that is not finite becomes NaN, so that damage stays visible too.
    """
    high, wide = block(matrix.shape)
    rows, columns = ceil(matrix.shape[0] / high), ceil(matrix.shape[1] / wide)
    padded = np.zeros((rows * high, columns * wide), matrix.dtype)
    padded[: matrix.shape[0], : matrix.shape[1]] = np.where(np.isfinite(matrix), matrix, np.nan)
    blocks = padded.reshape(rows, high, columns, wide)
    low, top = blocks.min(axis=(1, 3)), blocks.max(axis=(1, 3))  # NaN where one is NaN
    return np.where(-low > top, low, top)


def limit_of(matrix: np.ndarray) -> float:
    """The largest |number| that is finite; 0 where there is none."""
    finite = matrix[np.isfinite(matrix)]
    return float(np.abs(finite).max()) if finite.size else 0.0


def matrix(values: np.ndarray, signed: bool, width: int = WIDTH) -> np.ndarray:
    """A matrix [outputs, inputs] as uint8 [H, W, 3], one square a cell; the colours end at its largest |number|."""
    cells = reduced(values)
    colour = colours.signed if signed else colours.unsigned
    multiple = max(1, min(width // cells.shape[1], width // 2 // cells.shape[0]))
    return colour(cells, limit_of(values) or 1).repeat(multiple, axis=0).repeat(multiple, axis=1)


def scale_bar(signed: bool, width: int = 256, height: int = 12) -> np.ndarray:
    """The colours of `matrix` from its least to its largest number, uint8 [height, width, 3]."""
    line = colours.signed(np.linspace(-1, 1, width), 1) if signed else colours.unsigned(np.linspace(0, 1, width), 1)
    return np.ascontiguousarray(np.broadcast_to(line, (height, width, 3)))


# Charts

def _laid_out(figure: go.Figure, x: str, y: str, height: int = HEIGHT) -> go.Figure:
    figure.update_xaxes(title_text=x, showgrid=False, fixedrange=True, zeroline=False)
    figure.update_yaxes(title_text=y, fixedrange=True, rangemode="tozero")
    figure.update_layout(height=height, margin={"l": 0, "r": 8, "t": 8, "b": 0}, bargap=0.15, hovermode="x unified",
                         legend={"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom", "title_text": ""})
    return figure


def histogram(counts: np.ndarray, low: float, high: float, height: int = HEIGHT) -> go.Figure:
    """Counts [bins] of equally wide bins from low to high, as touching bars."""
    width = (high - low) / len(counts)
    figure = go.Figure(go.Bar(x=low + width * (np.arange(len(counts)) + 0.5), y=counts, width=width,
                              marker={"color": ACCENT, "line_width": 0},
                              hovertemplate="%{y:,} numbers near %{x:.3g}<extra></extra>"))
    figure = _laid_out(figure, "value", "numbers", height)
    return figure.update_layout(bargap=0, hovermode="closest")


def by_channel(values: np.ndarray, height: int = HEIGHT) -> go.Figure:
    """A vector [channels]: bars where there are few, else a line; what is not finite is a gap."""
    values = np.where(np.isfinite(values), values, np.nan)
    places = np.arange(len(values))
    figure = go.Figure(go.Bar(x=places, y=values, marker={"color": ACCENT, "line_width": 0}) if len(values) <= FEW else
                       go.Scatter(x=places, y=values, mode="lines", line={"color": ACCENT, "width": 1}))
    figure.update_traces(hovertemplate="%{y:.4g}<extra></extra>")
    return _laid_out(figure, "channel", "value", height)


def stages(names: Sequence[str]) -> tuple[list[int], list[str]]:
    """Where each part of the network begins among names such as layer2.0.conv1.weight: places and labels.

    A part so short that its label would run into the next one has none.
    """
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        first.setdefault(name.split(".")[0], place)
    ends = [*list(first.values())[1:], len(names) + len(names)]
    kept = {part: place for (part, place), end in zip(first.items(), ends) if end - place >= len(names) / 16}
    return list(kept.values()), list(kept)


def _by_depth(figure: go.Figure, names: Sequence[str], y: str) -> go.Figure:
    places, labels = stages(names)
    _laid_out(figure, "", y).update_xaxes(tickvals=places, ticktext=labels, ticklabelposition="outside right",
                                          ticks="outside", tickangle=0, range=[-0.6, len(names) - 0.4])
    return figure


def strengths(names: Sequence[str], typical: Sequence[float], initial: Sequence[float]) -> go.Figure:
    """For each layer a bar for how large its weights are, and a mark for how large they begin."""
    figure = go.Figure(go.Bar(x=list(range(len(names))), y=list(typical), marker_color=ACCENT, name="in this file",
                              customdata=list(names), hovertemplate="%{customdata}: %{y:.3g}<extra></extra>"))
    figure.add_scatter(x=list(range(len(names))), y=list(initial), mode="markers", name="where training usually begins",
                       marker={"color": VERMILLION, "symbol": "line-ew-open", "size": 9, "line_width": 2},
                       hovertemplate="begins at %{y:.3g}<extra></extra>")
    return _by_depth(figure, names, "typical weight")


def movements(names: Sequence[str], relatives: Sequence[float]) -> go.Figure:
    """For each layer a bar as high as it moved, in units of its length before; the one that moved most in the accent.

    What cannot be told (nan) or began at zero (inf) has no bar.
    """
    heights = np.array(relatives, dtype=float)
    heights[~np.isfinite(heights)] = np.nan
    most = int(np.nanargmax(heights)) if np.isfinite(heights).any() else -1
    figure = go.Figure(go.Bar(x=list(range(len(names))), y=heights, customdata=list(names),
                              marker_color=[ACCENT if place == most else GREY for place in range(len(names))],
                              hovertemplate="%{customdata}: %{y:.3g} times its length<extra></extra>"))
    return _by_depth(figure, names, "moved, in its own lengths")
