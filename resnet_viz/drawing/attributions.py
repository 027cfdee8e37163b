"""How attribution maps look: on one signed scale, over the picture, and as curves of what their order is worth."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from . import colours, tiles

END = 99.5  # percentile of |map| where the colours end: a single pixel must not pale all others
GREY_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R 601, as everywhere else here


def limit(maps: Sequence[np.ndarray]) -> float:
    """Where the colours of these maps end, one number for all: the END percentile of their |values|, else the largest.

    0 only where every map is 0 everywhere.
    """
    values = np.abs(np.concatenate([np.ravel(heat) for heat in maps]))
    return float(np.percentile(values, END) or values.max())


def grey(picture: np.ndarray) -> np.ndarray:
    """The picture without its colours, uint8 [H, W, 3]: on it, colour belongs to the map."""
    luma = picture.astype(np.float32) @ np.array(GREY_WEIGHTS, np.float32)
    return np.repeat(luma.round().astype(np.uint8)[..., None], 3, axis=2)


def overlay(picture: np.ndarray, heat: np.ndarray, end: float, opacity: float) -> np.ndarray:
    """The map over the picture in grey, uint8 [H, W, 3].

    opacity  0 shows the picture alone, 1 the map alone; between them strong pixels cover sooner than weak ones
    """
    if opacity == 0:
        return picture
    strength = np.clip(np.abs(heat) / end, 0, 1) if end > 0 else np.zeros(heat.shape)
    cover = (opacity ** (2 - 1.5 * strength))[..., None]
    return (grey(picture) * (1 - cover) + colours.signed(heat, end) * cover).round().astype(np.uint8)


def enlarged(picture: np.ndarray, width: int) -> np.ndarray:
    """By the largest whole multiple within `width`, nearest neighbour: the network's own pixels stay visible."""
    multiple = max(1, width // picture.shape[1])
    return picture.repeat(multiple, axis=0).repeat(multiple, axis=1)


def plate(picture: np.ndarray, heat: np.ndarray, opacity: float = 0.6, side: int = 448) -> np.ndarray:
    """For a file: what the network saw, the map over it, and the map alone, beside each other; uint8 [H, W, 4]."""
    end = limit([heat])
    parts = [picture, overlay(picture, heat, end, opacity), overlay(picture, heat, end, 1)]
    return tiles.wall(np.stack(parts), 3, 3 * (side + 12))


def scale_bar(width: int = 192, height: int = 12) -> np.ndarray:
    """The colours from against to for, uint8 [height, width, 3]."""
    line = colours.signed(np.linspace(-1, 1, width), 1)
    return np.ascontiguousarray(np.broadcast_to(line, (height, width, 3)))


def deletion_curves(shares: np.ndarray, curves: Mapping[str, np.ndarray], chance: Mapping[str, np.ndarray],
                    target: str) -> go.Figure:
    """Probability of a class as more and more of the picture is painted grey, one line for each map.

    shares  of the pixels, 0..1; chance by kind: the same in random order, in grey, dashed and dotted
    """
    figure = go.Figure()
    drawn = [(name, curve, colour, "solid") for (name, curve), colour in
             zip(curves.items(), colours.CATEGORIES * (1 + len(curves) // len(colours.CATEGORIES)))]
    drawn += [(name, curve, colours.GREY, dash) for (name, curve), dash in zip(chance.items(), ("dash", "dot"))]
    for name, curve, colour, dash in drawn:
        figure.add_scatter(x=shares, y=curve, name=name, mode="lines",
                           line={"color": colour, "width": 2.5, "dash": dash},
                           hovertemplate=f"{name}: %{{y:.1%}} at %{{x:.0%}}<extra></extra>")
    figure.update_xaxes(title="pixels painted grey, the strongest first", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title=f"probability of {target}", tickformat=".0%", rangemode="tozero")
    figure.update_layout(height=400, margin={"l": 0, "r": 0, "t": 8, "b": 0}, hovermode="x",
                         legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0})
    return figure
