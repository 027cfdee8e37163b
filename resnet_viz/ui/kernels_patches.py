"""The nine patches that excite a filter most, found when asked for and kept for all sessions."""

from dataclasses import replace

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from ..analysis import channels as analysis
from ..analysis import receptive_field
from ..analysis.channels import Patch
from ..checkpoints import Checkpoint
from ..data import downloads, examples, sources
from ..drawing import kernels as drawing
from . import networks, state, walls
from .page import plain

LIMIT = 1_000  # test pictures
WIDE = 72  # css pixels of a patch
ASKED = "patches_asked"  # session key: the checkpoint's key and the layer


def show(checkpoint: Checkpoint, layer: str, filter_: int) -> None:
    """The button; once it was pressed for a layer, the patches of each of its filters."""
    st.markdown(f"**What excites filter {filter_} most**")
    key = state.current_key()
    if st.session_state.get(ASKED) != (key, layer):
        st.button("Find its nine patches", icon=":material/search:", key="find_patches", on_click=_ask, args=(key, layer))
        st.caption(f"Looks through {_what(checkpoint)} for the spots where the filter answers most.")
        return
    found, among = _patches(key, layer, filter_, checkpoint)
    with st.container(horizontal=True, gap="small"):
        for rank, patch in enumerate(found, 1):
            high, wide = patch.pixels.shape[:2]
            pixels = np.repeat(patch.pixels, 3, axis=2) if patch.pixels.shape[2] == 1 else patch.pixels
            with st.container(width="content", gap="small"):
                walls.show(drawing.enlarged(pixels, 4 * WIDE), f"Number {rank} of filter {filter_}: {patch.value:.3g}, "
                           f"{high} x {wide} pixels of picture {patch.picture}", WIDE)
                st.caption(f"{patch.value:.3g}")
    st.caption(plain(f"The strongest answers among {among:,} {_what(checkpoint)}, one a picture; a patch is all that one unit "
                     "of the layer sees."))


def _ask(key: str, layer: str) -> None:
    st.session_state[ASKED] = (key, layer)


def _own(checkpoint: Checkpoint) -> str | None:
    """The data set it learned from, where its pictures are here."""
    source = sources.SOURCES.get(checkpoint.data)
    return checkpoint.data if source and (not source.needs_download or downloads.is_here(source.name)) else None


def _what(checkpoint: Checkpoint) -> str:
    own = _own(checkpoint)
    return f"test pictures of {sources.SOURCES[own].title}" if own else "squares cut from the example photographs"


@st.cache_data(max_entries=64, show_spinner=False)
def _patches(key: str, layer: str, filter_: int, _checkpoint: Checkpoint) -> tuple[list[Patch], int]:
    preprocessing = _checkpoint.preprocessing
    images = _pictures(_own(_checkpoint), preprocessing.size, preprocessing.channels)
    summary = networks.summary_of(networks.Choice(_checkpoint.network, _checkpoint.arguments, preprocessing.size))
    field = next(field for one, field in zip(summary.layers, receptive_field.fields(summary.layers)) if one.name == layer)
    bar = st.progress(0.0, "looking through the pictures")
    try:
        with state.model_of(_checkpoint) as model:
            found = analysis.best_patches(
                model, images, preprocessing, layer, filter_, field,
                progress=lambda done, total: bar.progress(done / total, f"{done:,} of {total:,} pictures"))
    finally:
        bar.empty()
    return found, len(images)


@st.cache_resource(max_entries=2, show_spinner="Reading the pictures ...")
def _pictures(data: str | None, size: int, channels: int) -> Tensor:
    if data is None:
        images = torch.cat([analysis.squares(examples.read(example), size) for example in examples.examples()])
        pictures = sources.Pictures(images, torch.zeros(len(images), 1, dtype=torch.long), (), (), "photographs")
    else:
        pictures = sources.load(data, "test")
    pictures = replace(pictures, images=pictures.images[:LIMIT], labels=pictures.labels[:LIMIT])
    return sources.fit(pictures, channels, min(size, *pictures.images.shape[2:])).images
