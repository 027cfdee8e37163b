"""How far every convolution moved, over the depth of the network."""

import streamlit as st

from ..analysis import checkpoint as analysis
from ..analysis import comparison
from ..analysis.comparison import Movement
from ..checkpoints import Checkpoint
from ..drawing import kernels_profile as drawing
from . import beginnings, networks, state
from .page import plain
from .tensors import CHART


def show(checkpoint: Checkpoint, layer: str) -> None:
    """Two panels over depth, the layer in view marked; nothing but a sentence where the beginning is not known."""
    st.subheader("How far every layer moved", anchor=False)
    before = beginnings.before()
    if before.checkpoint is None:
        st.caption(plain(before.why))
        return
    moved = _movements(state.current_key(), tuple(networks.convolutions_of(checkpoint)), checkpoint, before.checkpoint)
    most, least = (choose(moved, key=lambda m: m.relative) for choose in (max, min))
    names = [m.name.removesuffix(".weight") for m in moved]
    finding = (f"From before training to this checkpoint {names[moved.index(most)]} moved most, {most.relative:.2f} times its "
               f"length (cosine {most.cosine:.2f}), {names[moved.index(least)]} least, {least.relative:.2f} (cosine {least.cosine:.2f}).")
    st.plotly_chart(drawing.profile(names, [m.relative for m in moved], [m.cosine for m in moved], layer), config=CHART,
                    key="profile", alt=finding)
    st.caption(plain(f"{finding} {layer} is marked. A cosine of 1 is the old direction, 0 has nothing to do with it."))


@st.cache_data(max_entries=16, show_spinner="Comparing layer by layer ...")
def _movements(key: str, layers: tuple[str, ...], _checkpoint: Checkpoint, _before: Checkpoint) -> list[Movement]:
    weights = [f"{layer}.weight" for layer in layers]
    found = comparison.compare({name: _checkpoint.state[name] for name in weights},
                               {name: _before.state[name] for name in weights}, analysis.kinds(_checkpoint))
    return list(found.tensors)
