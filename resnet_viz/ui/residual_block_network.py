"""Whose block is looked at: the loaded network's, or that of a bottleneck network that nobody has trained."""

from dataclasses import dataclass

import streamlit as st
import torch

from ..checkpoints import Checkpoint
from ..data.preprocessing import NORMALISATIONS, Preprocessing
from ..networks import zoo
from . import state

LOADED, UNTRAINED = "the loaded network", "a bottleneck network, untrained"
ARGUMENTS = {"depths": [2, 2, 2, 2]}  # two blocks a stage show all that ResNet-50's blocks do
SIZE = 112


@dataclass(frozen=True)
class Network:
    """A network whose blocks are looked at; `key` says it by content."""

    name: str
    key: str
    checkpoint: Checkpoint
    trained: bool


def choose_network() -> Network:
    name = st.selectbox(
        "Network",
        [LOADED, UNTRAINED],
        key="network-of-block",
        bind="query-params",
        width=240,
        on_change=_forget,
        help="The second one has ResNet-50's kinds of blocks and random weights: for its projections",
    )
    if name == UNTRAINED:
        return Network("bottleneck", "untrained bottleneck", _untrained(), False)
    return Network("loaded", state.current_key(), state.current_checkpoint(), True)


def _forget() -> None:
    st.query_params.pop("at", None)


@st.cache_resource(max_entries=1, show_spinner="Building the network ...")
def _untrained() -> Checkpoint:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = zoo.build("resnet50", ARGUMENTS).state_dict()
    mean, std = NORMALISATIONS["imagenet"]
    return Checkpoint(
        "bottleneck, untrained", "resnet50", ARGUMENTS, weights, None, (1000,), Preprocessing(SIZE, SIZE, mean, std)
    )
