"""The recipe of a new run: a preset, and every setting of it that can be changed before Start."""

import random
from dataclasses import replace

import streamlit as st

from ..data.sources import SOURCES
from ..networks.resnet import ACTIVATIONS, NORMS
from ..networks.zoo import NETWORKS
from ..problems import Problem
from ..training.config import Config
from ..training.presets import PRESETS
from ..training.ranges import DEVICES, OPTIMIZERS, SCHEDULES
from . import networks, runs

KEY = "recipe_{}".format  # session key of a setting; persist_state keeps it when the person looks at another page
SETTINGS = (
    "network",
    "data",
    "epochs",
    "seed",
    "batch_size",
    "optimizer",
    "lr",
    "schedule",
    "weight_decay",
    "flip",
    "crop_padding",
    "train_limit",
    "device",
)
ARGUMENTS = {"activation": list(ACTIVATIONS), "norm": list(NORMS)}  # of the network; the first is a ResNet's own
OPTIMIZER_TITLES = {"sgd": "SGD, momentum 0.9", "adam": "Adam", "adamw": "AdamW"}
ALL_PICTURES = 0  # what the field shows where a recipe has no limit


def choose_recipe() -> None:
    """The row of settings that decide a new run; read them with `chosen_recipe`, also in a button's callback."""
    if KEY("preset") not in st.session_state:
        st.session_state[KEY("preset")] = next(iter(PRESETS))
        _fill_in()
    st.selectbox(
        "Recipe",
        list(PRESETS),
        key=KEY("preset"),
        on_change=_fill_in,
        persist_state="session",
        width=215,
        format_func=lambda name: PRESETS[name].title,
        help=PRESETS[st.session_state[KEY("preset")]].description,
    )
    st.selectbox("Network", list(NETWORKS), key=KEY("network"), persist_state="session", width=170)
    st.selectbox(
        "Pictures",
        _sources(),
        key=KEY("data"),
        persist_state="session",
        width=140,
        accept_new_options=True,
        format_func=lambda name: SOURCES[name].title if name in SOURCES else name,
        help="A data set, or the path of a folder or zip on the server: train/<class>/*, test/<class>/*",
    )
    st.number_input("Epochs", 1, 10_000, key=KEY("epochs"), persist_state="session", width=85)
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        key=KEY("seed"),
        persist_state="session",
        width=95,
        help="The same seed and recipe give the same run: the same first weights, the same order of pictures.",
    )
    st.button(
        ":material/casino:",
        key="new_dice",
        on_click=_new_dice,
        help="New dice: another seed, so other first weights and another order of pictures",
    )
    with st.popover("More"):
        _more()


def start_button() -> None:
    """Begin a run with the recipe on the screen and look at it; where it cannot begin, say why."""
    st.button("Start", type="primary", icon=":material/play_arrow:", key="start", on_click=_start)
    if "start_problem" in st.session_state:
        st.error(st.session_state.pop("start_problem"), icon=":material/error:")


def _start() -> None:
    try:
        runs.start_run(chosen_recipe())
    except Problem as problem:
        st.session_state.start_problem = str(problem)


def chosen_recipe() -> Config:
    """The settings on the screen as a config; Problem where they make no sense."""
    base = PRESETS[st.session_state[KEY("preset")]].config
    values = {name: st.session_state[KEY(name)] for name in SETTINGS}
    values["train_limit"] = values["train_limit"] or None
    if not values["data"]:
        raise Problem("Choose the pictures to learn from.")
    if values["network"] != base.network:
        base = replace(base, arguments={})  # they belonged to the preset's network
    if (values["network"], values["data"]) != (base.network, base.data):
        base = replace(base, size=None)
    return replace(base, **values, arguments=_arguments(values["network"], base.arguments))


def _arguments(network: str, arguments: dict) -> dict:
    """The recipe's arguments of the network with the choices on the screen, as far as the network has them."""
    others = {key: value for key, value in arguments.items() if key not in ARGUMENTS}
    chosen = {key: st.session_state[KEY(key)] for key in ARGUMENTS if key in networks.choices_of(network)}
    return others | {key: value for key, value in chosen.items() if value != ARGUMENTS[key][0]}


def _more() -> None:
    own = networks.choices_of(st.session_state[KEY("network")])
    for key, values in ARGUMENTS.items():
        st.segmented_control(
            networks.LABELS[key],
            values,
            key=KEY(key),
            required=True,
            persist_state="session",
            format_func=networks.VALUES.get,
            disabled=key not in own,
            help=None if key in own else "This network has its own.",
        )
    st.number_input(
        "Batch size",
        1,
        65_536,
        key=KEY("batch_size"),
        persist_state="session",
        help="Pictures for each step of the weights",
    )
    st.segmented_control(
        "Optimiser",
        OPTIMIZERS,
        key=KEY("optimizer"),
        required=True,
        persist_state="session",
        format_func=OPTIMIZER_TITLES.get,
    )
    st.number_input(
        "Learning rate, at its highest", 1e-9, 1000.0, step=0.01, format="%.4g", key=KEY("lr"), persist_state="session"
    )
    st.segmented_control(
        "Schedule of the learning rate", SCHEDULES, key=KEY("schedule"), required=True, persist_state="session"
    )
    st.number_input(
        "Weight decay (L2)", 0.0, 10.0, step=1e-4, format="%.4g", key=KEY("weight_decay"), persist_state="session"
    )
    st.slider(
        "Mirrored pictures",
        0.0,
        1.0,
        step=0.05,
        format="percent",
        key=KEY("flip"),
        persist_state="session",
        help="The chance that a training picture is flipped left to right",
    )
    st.number_input("Border before a random crop, pixels", 0, 64, key=KEY("crop_padding"), persist_state="session")
    st.number_input(
        "Learn from the first pictures only (0: from all)",
        0,
        10**9,
        step=1000,
        key=KEY("train_limit"),
        persist_state="session",
        help="Of a shuffle that gives every class its share",
    )
    st.segmented_control("Device", DEVICES, key=KEY("device"), required=True, persist_state="session")


def _sources() -> list[str]:
    own = st.session_state.get(KEY("data"))
    return list(SOURCES) + ([own] if own and own not in SOURCES else [])


def _fill_in() -> None:
    """Put the preset's settings on the screen."""
    config = PRESETS[st.session_state[KEY("preset")]].config
    for name in SETTINGS:
        st.session_state[KEY(name)] = getattr(config, name)
    st.session_state[KEY("train_limit")] = config.train_limit or ALL_PICTURES
    for name, values in ARGUMENTS.items():
        st.session_state[KEY(name)] = config.arguments.get(name, values[0])
    for name in ("lr", "weight_decay", "flip"):
        st.session_state[KEY(name)] = float(getattr(config, name))  # a number field holds one kind of number


def _new_dice() -> None:
    st.session_state[KEY("seed")] = random.randrange(1, 100_000)
