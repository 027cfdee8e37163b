"""How predictions look: probabilities as bars, and the stations of a picture on its way into the network."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from .colours import ACCENT, GREY, rgb, signed

BAR_PX = 34  # height of one bar with its gap
LONGEST_LABEL = 26  # characters; ImageNet has "Greater Swiss Mountain dog"
DIMMED = 0.75  # how far the cut-away part moves towards grey


def bars(labels: Sequence[str], probabilities: Sequence[float], accent: str = ACCENT) -> go.Figure:
    """Horizontal bars, the first on top in the accent, the others grey; fractions 0..1, shown in percent."""
    places = list(range(len(labels)))
    texts = ["<0.1 %" if 0 < p < 0.0005 else f"{100 * p:.1f} %" for p in probabilities]
    figure = go.Figure()
    for part, colour in ((slice(0, 1), accent), (slice(1, None), GREY)):
        figure.add_bar(
            x=list(probabilities[part]),
            y=places[part],
            text=texts[part],
            orientation="h",
            marker_color=colour,
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
            width=0.62,
        )
    shown = [label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…" for label in labels]
    figure.update_yaxes(
        tickvals=places,
        ticktext=shown,
        autorange="reversed",
        showgrid=False,
        ticks="",
        fixedrange=True,
        tickfont_size=15,
    )
    figure.update_xaxes(range=[0, 1], visible=False, fixedrange=True)
    figure.update_layout(
        height=BAR_PX * len(labels) + 8,
        margin={"l": 0, "r": 64, "t": 4, "b": 4, "pad": 8},
        showlegend=False,
        barmode="overlay",
        font_size=14,
    )
    return figure


def framed(picture: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The picture, uint8 [H, W, 3], with a line around `box` (left, top, right, bottom) and the rest faded."""
    left, top, right, bottom = box
    faded = picture.astype(np.float32) * (1 - DIMMED) + np.array(rgb(GREY), np.float32) * DIMMED
    result = faded.round().astype(np.uint8)
    result[top:bottom, left:right] = picture[top:bottom, left:right]
    if (right - left, bottom - top) == picture.shape[1::-1]:
        return result  # nothing is cut away
    line = max(1, max(picture.shape[:2]) // 300)
    for offset, value in ((0, 0), (line, 255)):  # black outside, white inside: one of them is seen on any ground
        inner = (left + offset, top + offset, right - offset, bottom - offset)
        _outline(result, inner, line, value)
    return result


def _outline(picture: np.ndarray, box: tuple[int, int, int, int], line: int, value: int) -> None:
    left, top, right, bottom = box
    for part in (
        np.s_[top : top + line, left:right],
        np.s_[bottom - line : bottom, left:right],
        np.s_[top:bottom, left : left + line],
        np.s_[top:bottom, right - line : right],
    ):
        picture[part] = value


def enlarge(pixels: np.ndarray, width: int) -> np.ndarray:
    """Nearest neighbour by the largest whole multiple that stays within `width` (at least 1); uint8 [h, w, 3]."""
    multiple = max(1, width // pixels.shape[1])
    return pixels.repeat(multiple, axis=0).repeat(multiple, axis=1)


def planes(normalised: np.ndarray) -> tuple[list[np.ndarray], float]:
    """Each channel of [C, h, w] on the diverging map: pictures uint8 [h, w, 3], and the limit of their one scale."""
    limit = float(np.abs(normalised).max())
    return [signed(plane, limit) for plane in normalised], limit
