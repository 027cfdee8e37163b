"""What a network is worth without each of its blocks: bars over the depth, one colour a network."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from .colours import BLUE, GREY, VERMILLION

COLOURS = (BLUE, VERMILLION)
HEIGHT = 340
FEW = 16  # blocks whose names are all written


@dataclass(frozen=True)
class Series:
    """One network: its share without each block, 0..1 in the order of the blocks, and the share when it is whole."""

    name: str
    alone: Sequence[float]
    whole: float


def profile(blocks: Sequence[str], series: Sequence[Series], measure: str, chosen: Sequence[str] = (),
            guessing: float | None = None) -> go.Figure:
    """Bars for at most two networks whose blocks have the same names; lines for both whole, and for guessing.

    measure  what the height is, e.g. "right"
    chosen   blocks that are operated on now: they have a mark above their bars
    """
    figure, places = go.Figure(), list(range(len(blocks)))
    for one, colour in zip(series, COLOURS):
        figure.add_bar(x=places, y=[100 * share for share in one.alone], name=one.name, marker={"color": colour, "line_width": 0},
                       customdata=list(blocks), hovertemplate="without %{customdata}: %{y:.1f} %<extra>" + one.name + "</extra>")
        figure.add_hline(100 * one.whole, line={"color": colour, "width": 1.5, "dash": "dash"})
    if guessing:
        figure.add_hline(100 * guessing, line={"color": GREY, "width": 1.5, "dash": "dot"},
                         annotation={"text": "guessing", "font_color": GREY}, annotation_position="right")
    at = [place for place in places if blocks[place] in chosen]
    if at:
        figure.add_scatter(x=at, y=[104] * len(at), mode="markers", name="operated on now", hoverinfo="skip",
                           marker={"symbol": "triangle-down", "size": 11, "color": GREY})
    figure.update_xaxes(title_text="the block that is switched off, all others whole", fixedrange=True, showgrid=False,
                        zeroline=False, range=[-0.6, len(blocks) - 0.4], **_ticks(blocks))
    figure.update_yaxes(title_text=f"{measure}, %", fixedrange=True, range=[0, 108], tickvals=[0, 25, 50, 75, 100])
    return figure.update_layout(height=HEIGHT, margin={"l": 0, "r": 64 if guessing else 8, "t": 8, "b": 0}, bargap=0.25, bargroupgap=0.05, barmode="group",
                                legend={"orientation": "h", "y": 1.04, "x": 0, "yanchor": "bottom", "title_text": ""},
                                showlegend=True)


def _ticks(blocks: Sequence[str]) -> dict:
    """Every name where they are few, else where each stage begins."""
    if len(blocks) <= FEW:
        return {"tickvals": list(range(len(blocks))), "ticktext": list(blocks)}
    starts = [place for place, name in enumerate(blocks) if not place or name.split(".")[0] != blocks[place - 1].split(".")[0]]
    return {"tickvals": starts, "ticktext": [blocks[place].split(".")[0] for place in starts]}
