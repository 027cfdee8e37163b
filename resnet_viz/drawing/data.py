"""How the values of pictures are spread, and how a normalisation moves them."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from .colours import BLUE, GREEN, VERMILLION

CHANNELS = {"red": VERMILLION, "green": GREEN, "blue": BLUE}
ROW = 105  # pixels


def spreads(named: dict[str, tuple[np.ndarray, np.ndarray]]) -> go.Figure:
    """One row a normalisation on one common axis.

    named   title -> (values [3, bins], the middle of each part; shares [3, bins])
    """
    figure = make_subplots(len(named), 1, shared_xaxes=True, vertical_spacing=0.11, subplot_titles=list(named))
    for row, (middles, shares) in enumerate(named.values(), 1):
        for (name, colour), x, y in zip(CHANNELS.items(), middles, shares):
            figure.add_scatter(x=x, y=y, row=row, col=1, name=name, legendgroup=name, showlegend=row == 1, mode="lines",
                               line={"color": colour, "width": 2}, hovertemplate="%{x:.2f}: %{y:.1%}")
    figure.update_yaxes(showticklabels=False, showgrid=False, rangemode="tozero")
    figure.update_xaxes(zeroline=True, zerolinewidth=1)
    figure.update_layout(height=60 + ROW * len(named), margin={"l": 8, "r": 8, "t": 44, "b": 24},
                         legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 1, "xanchor": "right"})
    figure.update_annotations(x=0, xanchor="left", font_size=13)
    return figure
