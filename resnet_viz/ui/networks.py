"""A network to look at without weights: the choice of one, and its cached summary."""

import json
from dataclasses import dataclass

import streamlit as st

from ..analysis import architecture, kernels
from ..analysis.architecture import Summary
from ..checkpoints import Checkpoint
from ..networks.zoo import NETWORKS
from ..problems import Problem
from . import state

CURRENT = "current checkpoint"
FALLBACK = "resnet18"  # shown where there is no checkpoint
LABELS = {"activation": "Activation", "norm": "Normalisation layer", "stem": "Stem",
          "shortcut": "Shortcut where the shape changes", "variant": "Stride of a bottleneck",
          "conv_bias": "Biases in the convolutions"}
VALUES = {"relu": "ReLU", "leaky-relu": "leaky ReLU", "elu": "ELU", "tanh": "tanh", "sigmoid": "sigmoid",
          "batch": "batch norm", "none": "none", "imagenet": "imagenet: 7x7, stride 2, pool",
          "cifar": "cifar: 3x3, stride 1", "A": "A: zeros", "B": "B: 1x1 convolution", "v1": "v1: on the first 1x1",
          "v1.5": "v1.5: on the 3x3", False: "no", True: "yes"}


@dataclass(frozen=True)
class Choice:
    """A network of the zoo, how it is built, pixels a side of the picture, whether it is the current checkpoint's."""

    network: str
    arguments: dict
    size: int
    of_checkpoint: bool = False


def choose_network(first: str | None = None) -> Choice:
    """One row of controls: network, picture size, and More for what else can be chosen; the URL carries them.

    first   the network before anybody chooses; None for the current checkpoint's
    """
    try:
        checkpoint = state.current_checkpoint()
    except Problem:
        checkpoint = None
    names = ([CURRENT] if checkpoint else []) + list(NETWORKS)
    left, middle, right = st.columns([3, 2, 1], vertical_alignment="bottom")
    start = first or (CURRENT if checkpoint else FALLBACK)
    name = left.selectbox("Network", names, index=names.index(start), key="network",
                          bind="query-params",
                          format_func=lambda name: f"{CURRENT}: {checkpoint.name}" if name == CURRENT else name)
    of_checkpoint = name == CURRENT
    network = checkpoint.network if of_checkpoint else name
    own_size = checkpoint.preprocessing.size if of_checkpoint else NETWORKS[name].input_size
    size = middle.number_input("Picture, pixels a side", 1, architecture.MAX_SIZE, own_size,
                               key=f"size-{name.replace(' ', '-')}", bind="query-params")
    with right.popover("More", width="stretch"):
        if of_checkpoint:
            st.caption("A checkpoint's network is as its weights need it. "
                       "Choose a network by name to change its classes, channels or layers.")
        arguments = checkpoint.arguments if of_checkpoint else _arguments(name)
    if network in NETWORKS:
        st.caption(f"{network} ({NETWORKS[network].family}): {NETWORKS[network].description}.")
    return Choice(network, arguments, size, of_checkpoint)


def _arguments(name: str) -> dict:
    """The controls behind More; only what differs from the network's own."""
    arguments = {}
    own = NETWORKS[name]
    left, right = st.columns(2)
    classes = left.text_input("Classes", ", ".join(map(str, own.heads)), key=f"classes-{name}", bind="query-params",
                              help="One number; or one for each of several heads, e.g. 168, 11, 7")
    channels = right.number_input("Input channels", 1, architecture.LIMITS["in_channels"][0], own.in_channels,
                                  key=f"channels-{name}", bind="query-params", help="Grey pictures have 1, coloured 3")
    arguments |= {"in_channels": channels} if channels != own.in_channels else {}
    for key, values in choices_of(name).items():
        value = st.segmented_control(LABELS[key], values, default=values[0], required=True, format_func=VALUES.get,
                                     key=f"{key}-{name}", bind="query-params")
        arguments |= {key: value} if value != values[0] else {}
    heads = architecture.heads_in(classes)  # last: where it is refused, all other controls are still there
    return arguments | ({"heads": heads} if tuple(heads) != own.heads else {})


@st.cache_data(max_entries=64, show_spinner=False)
def choices_of(name: str) -> dict[str, tuple]:
    """What can be chosen of a network's layers: argument -> its values, the network's own first."""
    return architecture.choices(name)


def summary_of(choice: Choice) -> Summary:
    """The table of a choice, worked out once."""
    return _summary(choice.network, json.dumps(choice.arguments, sort_keys=True), choice.size)


@st.cache_data(max_entries=64, show_spinner=False)
def _summary(network: str, arguments: str, size: int) -> Summary:
    return architecture.summary(network, json.loads(arguments), size)


def weights_of(choice: Choice) -> Checkpoint | None:
    """The checkpoint whose network was chosen; None where one was chosen by its name."""
    return state.current_checkpoint() if choice.of_checkpoint else None


def convolutions_of(checkpoint: Checkpoint) -> dict[str, tuple[int, int, int, int]]:
    """Every convolution of a checkpoint's network and the shape of its weights."""
    return _convolutions(checkpoint.network, json.dumps(checkpoint.arguments, sort_keys=True))


@st.cache_data(max_entries=64, show_spinner=False)
def _convolutions(network: str, arguments: str) -> dict[str, tuple[int, int, int, int]]:
    return kernels.convolutions(network, json.loads(arguments))


def shape_text(shape: tuple[int, ...] | None) -> str:
    """(64, 112, 112) -> "64 × 112 × 112"; nothing where there is none."""
    return " × ".join(f"{n:,}" for n in shape or ())


def shape_or_absent(shape: tuple[int, ...] | None) -> str:
    """The same for a tensor that may not be there, or have no dimensions."""
    return "not there" if shape is None else shape_text(shape) or "one number"
