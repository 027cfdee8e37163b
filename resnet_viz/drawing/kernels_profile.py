"""How far the convolutions of a network moved, over its depth."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .checkpoint import stages
from .colours import ACCENT, VERMILLION


def profile(names: Sequence[str], relatives: Sequence[float], cosines: Sequence[float], chosen: str) -> go.Figure:
    """Over depth, two panels on one axis: how far every layer moved, and how much of its direction is left.

    What cannot be told (nan) or began at zero (inf) has no mark.
    """
    places = list(range(len(names)))
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.12)
    marks = [VERMILLION if name == chosen else ACCENT for name in names]
    for row, (values, word) in enumerate(((relatives, "moved %{y:.3g} times its length"), (cosines, "cosine %{y:.3f}")), 1):
        heights = np.where(np.isfinite(values), values, np.nan)
        figure.add_bar(x=places, y=heights, marker_color=marks, customdata=list(names), row=row, col=1, showlegend=False,
                       hovertemplate="%{customdata}: " + word + "<extra></extra>")
    figure.update_yaxes(title_text="moved, in its own lengths", row=1, col=1, rangemode="tozero")
    figure.update_yaxes(title_text="cosine with before", row=2, col=1, range=[min(0, np.nanmin([*cosines, 0])), 1])
    figure.update_xaxes(fixedrange=True, showgrid=False, zeroline=False)
    figure.update_yaxes(fixedrange=True)
    at, words = stages(names)
    figure.update_xaxes(tickvals=at, ticktext=words, ticklabelposition="outside right", ticks="outside", tickangle=0, row=2, col=1)
    return figure.update_layout(height=340, margin={"l": 0, "r": 8, "t": 8, "b": 0}, bargap=0.15)
