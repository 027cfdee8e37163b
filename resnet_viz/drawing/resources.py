"""How memory looks: stacked bars with the device's memory as a line, and measured points beside an estimated line."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from .colours import ACCENT, BLUE, GREEN, GREY, LIGHT_GREY, ORANGE, PURPLE, SKY_BLUE, VERMILLION, YELLOW

GIB, MIB = 2**30, 2**20
COLOURS = {  # part -> colour; greys are what can only be allowed for
    "weights": ORANGE, "gradients": VERMILLION, "optimizer": PURPLE, "buffers": YELLOW, "copies": GREEN,
    "activations": BLUE, "batch": SKY_BLUE, "workspace": GREY, "process": LIGHT_GREY,
}
ON_COLOUR = {"activations": "white", "weights": "black", "gradients": "black", "optimizer": "black",
             "workspace": "black", "process": "black", "copies": "black"}
LABELLED = 0.05  # share of the axis under which a segment has no room for its number, however wide the screen
FAR = 4.0  # a memory that is so many times the longest bar stands beyond the axis
BAR_PX, FRAME_PX = 62, 52


def unit_of(bytes_: float) -> tuple[int, str]:
    """(divisor, name) of the unit that a chart up to so many bytes is drawn in."""
    return (GIB, "GiB") if bytes_ >= GIB else (MIB, "MiB")


def bars(rows: Mapping[str, Mapping[str, int]], names: Mapping[str, str], memory: int | None = None,
         memory_name: str = "") -> go.Figure:
    """One horizontal stacked bar a row, the first on top; the legend stands outside, where it can wrap.

    rows    label -> part -> bytes; parts by the keys of COLOURS
    names   part -> its name, for the hover
    memory  bytes of the device, drawn as a line; None for none
    """
    longest = max(sum(parts.values()) for parts in rows.values())
    seen = memory is not None and memory <= FAR * longest
    end = max(longest, memory if seen else 0) * 1.04
    divisor, unit = unit_of(longest)
    figure, labels = go.Figure(), list(rows)
    for part, colour in COLOURS.items():
        values = [parts.get(part, 0) for parts in rows.values()]
        if not any(values):
            continue
        figure.add_bar(
            x=[value / divisor for value in values], y=labels, orientation="h", name=names[part],
            marker={"color": colour, "line_width": 0}, width=0.8,
            text=[f"{amount(value / divisor)} {unit}" if value > LABELLED * end else "" for value in values],
            textposition="inside", insidetextanchor="middle", textangle=0, constraintext="inside",
            textfont={"color": ON_COLOUR.get(part, "black"), "size": 14},
            hovertemplate=f"{names[part]}: %{{x:,.3~f}} {unit}<extra></extra>",
        )
    if memory is not None:
        _memory_line(figure, memory / divisor, seen, memory_name)
    figure.update_xaxes(range=[0, end / divisor], title_text=unit, ticks="outside", fixedrange=True, zeroline=False,
                        tickformat=",~g")
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticks="", showgrid=False, visible=len(labels) > 1)
    top = 30 if memory is not None else 4
    figure.update_layout(barmode="stack", height=BAR_PX * len(labels) + FRAME_PX + top, showlegend=False, font_size=14,
                         uniformtext={"minsize": 12, "mode": "hide"},  # on a telephone fewer numbers fit
                        
                         margin={"l": 8, "r": 4, "t": top, "b": 0}, hoverlabel_font_size=14)
    return figure


def _memory_line(figure: go.Figure, memory: float, seen: bool, name: str) -> None:
    if seen:
        figure.add_vline(x=memory, line={"color": VERMILLION, "width": 2.5, "dash": "4px,3px"})
    place = {"x": memory, "xref": "x", "xanchor": "right"} if seen else {"x": 1, "xref": "paper", "xanchor": "right"}
    figure.add_annotation(**place, y=1, yref="paper", yanchor="bottom", showarrow=False, yshift=4,
                          text=name if seen else f"{name} →")


def amount(value: float) -> str:
    """A number of a segment: three digits at most after a hundred, two places below ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def by_batch(batches: Sequence[int], measured_mib: Sequence[float], estimated_mib: Sequence[float],
             card_mib: float, card_name: str, height: int = 340) -> go.Figure:
    """Measured memory as points, estimated as a line, over the batch size; the card's memory as a line across."""
    figure = go.Figure()
    figure.add_scatter(x=list(batches), y=[value / 1024 for value in estimated_mib], mode="lines", name="estimate here",
                       line={"color": ACCENT, "width": 3}, hovertemplate="%{y:,.1f} GiB<extra>estimate</extra>")
    figure.add_scatter(x=list(batches), y=[value / 1024 for value in measured_mib], mode="markers",
                       name="measured by the course (nvidia-smi)",
                       marker={"color": VERMILLION, "size": 10, "symbol": "diamond"},
                       hovertemplate="%{y:,.1f} GiB<extra>measured</extra>")
    figure.add_hline(y=card_mib / 1024, line={"color": GREY, "width": 1.5, "dash": "4px,3px"},
                     annotation={"text": card_name, "xanchor": "left", "x": 0})
    figure.update_xaxes(title_text="batch", showgrid=False, fixedrange=True, zeroline=False, rangemode="tozero")
    figure.update_yaxes(title_text="GiB", fixedrange=True, rangemode="tozero", zeroline=False)
    figure.update_layout(height=height, margin={"l": 0, "r": 8, "t": 8, "b": 0}, hovermode="x unified", font_size=14,
                         legend={"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom", "title_text": ""})
    return figure
