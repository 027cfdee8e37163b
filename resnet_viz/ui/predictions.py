"""Predictions on the screen: cached verdicts, their bars, and the stations of a picture."""

import numpy as np
import streamlit as st

from ..analysis import predictions
from ..analysis.prediction_words import NO_CAUTION, reliability, spoken, sureness, warning
from ..analysis.predictions import Verdict, Views
from ..data.preprocessing import Preprocessing
from ..drawing import predictions as drawing
from ..drawing.colours import DIVERGING
from ..familiarity import Caution
from ..number_text import percent
from . import beside, state
from .beside import Network
from .page import plain
from .pictures import NamedPicture
from .walls import png

TOP = 5
TILE = 180  # at most so many pixels a side on the screen: five beside each other; sent at twice that, for fine screens
FRAMED = 600  # a picture of few pixels is sent enlarged, so that its pixels stay sharp
SLOW = 3  # from so many pictures on, the work shows how far it is
CHANNELS = {1: ("Grey",), 3: ("Red", "Green", "Blue")}
FIXED = {"displayModeBar": False, "staticPlot": True}


def verdicts(pictures: list[NamedPicture]) -> list[tuple[Verdict, ...]]:
    """What the current checkpoint says of each picture, one verdict a head; worked out once for each picture."""
    return [said for said, _ in answers(pictures, beside.current())]


def answers(pictures: list[NamedPicture], network: Network) -> list[tuple[tuple[Verdict, ...], Caution | None]]:
    """What a network says of each picture, one verdict a head, and how strange it looks; worked out once."""
    progress = st.progress(0.0) if len(pictures) > SLOW else None
    found = []
    for i, picture in enumerate(pictures):
        if progress:
            progress.progress(i / len(pictures), f"Picture {i + 1} of {len(pictures)}")
        found.append(_verdict(network.key, picture.key, network, picture))
    if progress:
        progress.empty()
    return found


@st.cache_data(max_entries=512, show_spinner=False)
def _verdict(
    network_key: str, picture_key: str, _network: Network, _picture: NamedPicture
) -> tuple[tuple[Verdict, ...], Caution | None]:
    with state.model_of(_network.checkpoint) as model:
        return predictions.answers(model, _network.checkpoint, [_picture.image], _network.familiar)[0]


def views(picture: NamedPicture, preprocessing: Preprocessing) -> Views:
    """The stations of the picture on its way into a network with this preprocessing."""
    return _views(picture.key, preprocessing, picture)


@st.cache_data(max_entries=32, show_spinner=False)
def _views(picture_key: str, preprocessing: Preprocessing, _picture: NamedPicture) -> Views:
    return predictions.what_the_network_saw(_picture.image, preprocessing)


def show_framed(picture: NamedPicture, seen: Views, caption: bool = True) -> None:
    """The person's picture with the part that the network gets."""
    left, top, right, bottom = seen.crop_box
    height, width = seen.original.shape[:2]
    share = (right - left) * (bottom - top) / (width * height)
    kept = "all of it" if share == 1 else f"its middle, {percent(share)} of it"
    st.image(
        _framed(picture.key, seen.crop_box, seen.original),
        width="stretch",
        alt=f"{picture.name}; the network gets {kept}",
    )
    if not caption:
        return
    note = f" Note: {picture.note}." if picture.note else ""
    st.caption(plain(f"{picture.name}, {width:,} x {height:,} pixels. The network gets {kept}.{note}"))


@st.cache_data(max_entries=32, show_spinner=False)
def _framed(picture_key: str, box: tuple[int, int, int, int], _original: np.ndarray) -> np.ndarray:
    return drawing.enlarge(drawing.framed(_original, box), FRAMED)


def show_verdicts(verdicts: tuple[Verdict, ...], key: str = "verdict") -> None:
    """For each classifier the likeliest class as a headline, how sure the network is, and bars."""
    for number, verdict in enumerate(verdicts, start=1):
        if len(verdicts) > 1:
            st.caption(f"Classifier {number} of {len(verdicts)}, {len(verdict.answers):,} classes")
        first, top = verdict.answers[0], verdict.answers[:TOP]
        st.header(plain(f"{first.label}, {percent(first.probability)}"), anchor=False)
        st.markdown(plain(sureness(verdict)))
        st.plotly_chart(
            drawing.bars([a.label for a in top], [a.probability for a in top]),
            config=FIXED,
            key=f"{key}_{number}",
            alt=f"Probabilities: {spoken(verdict, TOP)}",
        )


def show_caution(caution: Caution | None, network: Network) -> None:
    """Whether the picture is anything like what the network learned from, and how far that can be trusted."""
    if caution is None:
        st.caption(NO_CAUTION)
    elif caution.unlike:
        st.warning(plain(warning(caution)), icon=":material/help:")
        st.caption(plain(reliability(network.familiar)))
    else:
        st.caption(plain(warning(caution)), help=plain(reliability(network.familiar)))


def show_stations(seen: Views, preprocessing: Preprocessing) -> None:
    """The strip from the cut-out to the numbers that the first layer reads, all tiles of one size."""
    size = preprocessing.size
    planes, limit = drawing.planes(seen.normalised)
    side = size * (TILE // size) or TILE
    cut_height, cut_width = seen.cropped.shape[:2]
    tiles = [
        (seen.cropped, f"Cut out: {cut_width:,} × {cut_height:,}"),
        (seen.resized, f"For the network: {size} × {size}"),
    ]
    tiles += [(plane, f"{name}, normalised") for name, plane in zip(CHANNELS[len(planes)], planes)]
    with st.container(horizontal=True, gap="small"):
        for number, (pixels, caption) in enumerate(tiles):
            with st.container(width=side, gap=None):
                st.image(png(pixels if number == 0 else drawing.enlarge(pixels, 2 * side)), width=side, alt=caption)
                st.caption(caption)
    scale_bar(limit)


def scale_bar(limit: float) -> None:
    """The scale of the normalised planes."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"−{limit:.2f}", width="content")
        st.image(
            png(DIVERGING[None].repeat(12, axis=0)),
            width=192,
            alt=f"Colour scale from minus {limit:.2f}, blue, over 0, white, to {limit:.2f}, red",
        )
        st.caption(f"+{limit:.2f}; white is 0, the mean that training subtracted", width="content")
