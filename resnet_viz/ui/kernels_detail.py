"""One kernel in detail: its weights as numbers, the waves it answers, and what it makes of the picture in view."""

import numpy as np
import streamlit as st

from ..analysis import feature_maps, kernels_patterns, kernels_words
from ..analysis.kernels import Comparison
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from ..drawing import colours
from ..drawing import kernels as drawing
from . import beginnings, kernels_patches, state, walls
from .page import plain
from .pictures import NamedPicture, picture_in_view

PARTS = {"now": "Now", "before": "Before training", "difference": "Difference"}
SLICES = ("Red", "Green", "Blue")
WIDE = 136  # css pixels of a map
WAVES = 99  # pixels of a frequency response


def show(checkpoint: Checkpoint, layer: str, view: str, index: int, number: int, seen: Comparison) -> None:
    """The picked kernel under its walls."""
    filter_ = index if view == "filter" else number
    source = number if view == "filter" else index
    title = f"Filter {filter_} of {layer}" + ("" if view == "colour" else f", input {source}")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(title, anchor=False, width="content")
        parts = list(PARTS) if seen.before is not None else ["now"]
        part = "now"
        if len(parts) > 1:
            part = st.segmented_control("Weights", parts, default="now", required=True, format_func=PARTS.get, key="weights",
                                        bind="query-params", label_visibility="collapsed")
    place = seen.place(number)
    st.caption(kernels_words.sentence(seen, place))
    versions = _versions(seen, place)
    _numbers(versions[part], max(float(np.abs(w).max()) for w in versions.values()), f"{title}, {PARTS[part].lower()}")
    left, right = st.columns(2, gap="large")
    with left:
        _waves(versions[part], title)
    with right:
        _on_the_picture(checkpoint, layer, filter_)
    kernels_patches.show(checkpoint, layer, filter_)


def _versions(seen: Comparison, place: int) -> dict[str, np.ndarray]:
    """The kernel at each moment, [slices, k, k]."""
    now = seen.now[place]
    found = {"now": now}
    if seen.before is not None:
        found |= {"before": seen.before[place], "difference": now - seen.before[place]}
    return {name: w if w.ndim == 3 else w[None] for name, w in found.items()}


def _numbers(kernel: np.ndarray, limit: float, title: str) -> None:
    with st.container(horizontal=True, gap="medium"):
        for name, weights in zip(SLICES if len(kernel) == 3 else ("",), kernel):
            with st.container(width="content", gap="small"):
                if name:
                    st.markdown(f"**{name}**")
                strongest = float(weights.ravel()[np.abs(weights).argmax()])
                st.image(drawing.numbers(weights, limit), width="content",
                         alt=f"{title}{', ' + name.lower() if name else ''}: {weights.size} weights, the strongest {strongest:.3g}")


def _waves(kernel: np.ndarray, title: str) -> None:
    """The frequency response of each slice, and of all together."""
    st.markdown("**Which waves it answers**")
    if kernel.shape[-1] == 1:
        st.caption("A single weight answers all waves alike: it mixes channels and looks at no neighbours.")
        return
    found = kernels_patterns.responses(kernel)
    limit = max(float(one.magnitude.max()) for one in found)
    with st.container(horizontal=True, gap="small"):
        for name, one in zip(("All" if len(found) > 1 else "", *SLICES), found):
            picture = drawing.enlarged(colours.unsigned(one.magnitude, limit), WAVES)
            with st.container(width="content", gap="small"):
                walls.show(picture, f"{title}{', ' + name.lower() if name else ''}: answers {kernels_words.wave(one)}", "content")
                if name:
                    st.caption(name)
    st.caption(f"It answers {kernels_words.wave(found[0])}. In the middle of a square is a flat area, towards its border "
               "stripes of ever finer waves, across the direction from the middle; bright is a strong answer"
               + (". All: what a grey picture gets, where red, green and blue are the same." if len(found) > 1 else "."))


def _on_the_picture(checkpoint: Checkpoint, layer: str, filter_: int) -> None:
    """The picture in view, and the filter's map of it before training and now."""
    picture = picture_in_view()
    if picture is None:
        return
    st.markdown(f"**What filter {filter_} makes of {plain(picture.name)}**")
    before = beginnings.before().checkpoint
    maps = {"before training": _map(beginnings.before_key(), picture.key, layer, filter_, before, picture)} if before else {}
    maps["this checkpoint"] = _map(state.current_key(), picture.key, layer, filter_, checkpoint, picture)
    pixels = np.array(see(picture.image, checkpoint.preprocessing).resized.convert("RGB"))
    drawn = {"the picture": pixels} | {when: colours.signed(found, float(np.abs(found).max())) for when, found in maps.items()}
    with st.container(horizontal=True, gap="small"):
        for name, pixels in drawn.items():
            with st.container(width="content", gap="small"):
                high, wide = pixels.shape[:2]
                walls.show(drawing.enlarged(pixels, 4 * WIDE), f"{picture.name}, {name}: {high} x {wide} pixels", WIDE)
                st.caption(name)
    strongest = maps["this checkpoint"]
    st.caption(f"Red where the filter answers, blue where the picture is its opposite; each map on its own scale, the last one up to "
               f"{np.abs(strongest).max():.3g}. Another picture is chosen on the page of feature maps.")


@st.cache_data(max_entries=64, show_spinner=False)
def _map(key: str, picture_key: str, layer: str, channel: int, _checkpoint: Checkpoint, _picture: NamedPicture) -> np.ndarray:
    with state.model_of(_checkpoint) as model:
        seen = feature_maps.feature_maps(model, see(_picture.image, _checkpoint.preprocessing).tensor, layer)
        return seen.maps[channel].copy()
