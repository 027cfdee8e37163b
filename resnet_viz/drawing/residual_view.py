"""How much every residual block adds, over the depth of the network."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from .colours import ACCENT, GREY, VERMILLION


def ratios(names: Sequence[str], now: Sequence[float], before: Sequence[float] | None, chosen: str) -> go.Figure:
    """|F(x)| / |x| of every block: bars now, points before training; a line where both are equally long.

    A ratio that is not finite (x all zero) has no mark.
    """
    places = list(range(len(names)))
    figure = go.Figure(
        go.Bar(
            x=places,
            y=_finite(now),
            customdata=list(names),
            name="now",
            showlegend=before is not None,
            marker_color=[VERMILLION if name == chosen else ACCENT for name in names],
            hovertemplate="%{customdata}: F(x) is %{y:.2f} times as long as x<extra></extra>",
        )
    )
    if before is not None:
        figure.add_scatter(
            x=places,
            y=_finite(before),
            customdata=list(names),
            name="before training",
            mode="markers",
            marker={"color": GREY, "size": 9, "symbol": "diamond"},
            hovertemplate="%{customdata} before training: %{y:.2f}<extra></extra>",
        )
    figure.add_hline(
        y=1,
        line={"color": GREY, "width": 1, "dash": "dot"},
        annotation_text="as long as x",
        annotation_position="top left",
        annotation_font_color=GREY,
    )
    figure.update_xaxes(
        tickvals=places if len(names) <= 16 else None,
        ticktext=list(names) if len(names) <= 16 else None,
        title_text="block, from the picture to the answer" if len(names) > 16 else None,
        fixedrange=True,
        showgrid=False,
        zeroline=False,
        tickangle=0,
    )
    figure.update_yaxes(title_text="|F(x)| / |x|", fixedrange=True, rangemode="tozero")
    return figure.update_layout(
        height=260,
        margin={"l": 0, "r": 8, "t": 24, "b": 0},
        bargap=0.3,
        legend={"orientation": "h", "y": 1.02, "x": 1, "xanchor": "right", "yanchor": "bottom"},
    )


def _finite(values: Sequence[float]) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
