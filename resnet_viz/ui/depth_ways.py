"""Gradients of networks that have learned nothing: which are compared, the work with its bar, and their film."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ..analysis import depth, depth_questions, depth_words, gradient_probe
from ..analysis.depth import Way
from ..analysis.gradient_probe import NAMES, Combination, Probed
from ..drawing import player
from . import player as shown
from .learning_scene import Scene

STARTS = {"PyTorch's own": "pytorch", "He": "he"}
DATA = "shapes"
COLOURS = (player.VERMILLION, player.ORANGE, player.BLUE, player.GREEN, player.PURPLE)
LOWEST, HIGHEST = 1e-46, 1e8  # of a share that is drawn; beyond, a line leaves the picture
MEASURED = "depth_measured"  # session key: what is known already, so that no bar flashes by


@dataclass(frozen=True)
class Setting:
    """What is compared, and what all networks have in common. networks: (combination, depth)."""

    networks: tuple[tuple[Combination, int], ...]
    by_depth: bool
    start: str
    seed: int


COMPARED: dict[str, Callable] = {  # what the lines differ in -> (activation, norm, skip, depth) -> networks
    "cures": lambda activation, norm, skip, deep: [(cure, deep) for cure in depth.CURES],
    "depth": lambda activation, norm, skip, deep: [(Combination(activation, norm, skip), one) for one in depth.DEPTHS],
    "activation": lambda activation, norm, skip, deep: [
        (Combination(one, norm, skip), deep) for one in depth.ACTIVATIONS
    ],
}


def choose() -> Setting:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        differ = st.segmented_control(
            "Networks that differ in",
            list(COMPARED),
            default="cures",
            required=True,
            key="differ",
            bind="query-params",
            on_change=shown.forget,
        )
        deep = st.select_slider(
            "Layers deep",
            gradient_probe.DEPTHS,
            20,
            key="depth",
            bind="query-params",
            width=220,
            disabled=differ == "depth",
            on_change=shown.forget,
        )
        activation = st.selectbox(
            "Activation",
            list(NAMES),
            key="activation",
            bind="query-params",
            width=130,
            format_func=NAMES.get,
            disabled=differ != "depth",
        )
        norm = st.toggle("Batch norm", key="norm", bind="query-params", disabled=differ == "cures")
        skip = st.toggle("Shortcuts", key="skip", bind="query-params", disabled=differ == "cures")
        with st.popover("More", icon=":material/tune:"):
            start = st.segmented_control(
                "First weights",
                list(STARTS),
                default="PyTorch's own",
                required=True,
                key="start",
                bind="query-params",
                help="He draws wider and with the number of outputs, "
                "so that "
                "ReLU keeps the signal's size (He et al. 2015)",
            )
            seed = st.number_input(
                "Seed",
                0,
                2**31 - 1,
                0,
                key="seed",
                bind="query-params",
                width=120,
                help="The same seed gives the same pictures and the same first weights",
            )
            st.button("Draw again", icon=":material/casino:", key="depth_dice", on_click=_new_dice)
            st.caption(f"{gradient_probe.PICTURES} pictures of the data set {DATA} as one batch, one look, no step.")
    return Setting(tuple(COMPARED[differ](activation, norm, skip, deep)), differ == "depth", STARTS[start], seed)


def _new_dice() -> None:
    st.session_state.seed = random.randrange(1, 10_000)


def scene() -> Scene:
    setting = choose()
    ways = measure(setting)
    names = [depth_words.short_name(way, setting.by_depth) for way in ways]
    frames = max(len(way.shares) for way in ways)
    said = [*(depth_words.said(ways, names, back) for back in range(frames - 1)), depth_words.finding(ways, names)]
    return Scene(
        player.film(
            _panels(setting, ways, names, frames),
            said,
            [_label(back) for back in range(frames)],
            frames - 1,
            max(40, 3500 // frames),
            "Layers back",
        ),
        depth_words.story(ways, names),
        lambda frame: depth_words.formulas(ways, names, frame),
        depth_words.code(ways[0], DATA, setting.seed, setting.start),
        _rows(ways, names, frames),
        lambda frame: depth_questions.of_ways(ways, names),
        "Every line begins at the last convolution and ends at the network's first one. Dashed: 0.25 to the power of "
        "the "
        "layers, which is what sigmoids alone would leave at the most. A line that leaves the picture is lost or "
        "explodes. "
        "Small steps come from layers of other width.",
    )


def measure(setting: Setting) -> list[Way]:
    """All of them, those that were measured before at once; a click on anything ends the work after the one at hand."""
    measured, place, began = st.session_state.setdefault(MEASURED, set()), st.empty(), time.monotonic()
    layers, done, found = sum(deep for _, deep in setting.networks), 0, []
    try:
        for combination, deep in setting.networks:
            if setting not in measured:
                left = f", about {(time.monotonic() - began) * (layers - done) / done:,.0f} s left" if done else ""
                place.progress(done / layers, f"{combination.name}, {deep} layers{left}")
            found.append(depth.way(_probed(combination, deep, setting.start, setting.seed)))
            done += deep
    finally:
        place.empty()
    measured.add(setting)
    return found


@st.cache_data(max_entries=256, show_spinner=False)
def _probed(combination: Combination, deep: int, start: str, seed: int) -> Probed:
    return gradient_probe.probe(combination, deep, *_batch(seed), seed, start)


@st.cache_data(max_entries=16, show_spinner=False)
def _batch(seed: int):
    return gradient_probe.batch(DATA, seed)


def _label(back: int) -> str:
    return "the last convolution" if back == 0 else f"{back} layer{'s' * (back > 1)} back"


def _panels(setting: Setting, ways: list[Way], names: list[str], frames: int) -> list[dict]:
    finding, cursor = depth_words.finding(ways, names), np.arange(frames)
    shares = np.concatenate([way.shares[way.shares > 0] for way in ways])
    low, high = max(LOWEST, float(shares.min()) / 3), min(HIGHEST, max(3.0, float(shares.max()) * 3))
    bound = player.line("0.25 to the power of layers", cursor, depth.quarter(cursor), player.SKY_BLUE, dashed=True)
    drawn = [
        player.line(name, way.back, way.shares, colour, grows=True) for way, name, colour in zip(ways, names, COLOURS)
    ]
    factors = [[min(way.factor(min(back, (way.lost or frames) - 1)), 9.99) for way in ways] for back in range(frames)]
    return [
        player.lines(
            "What is left of the pull on its way back",
            finding,
            [*drawn, bound],
            (0, 1.015 * (frames - 1)),
            (low, high),
            ("layers back from the last convolution", "gradient norm, last convolution = 1 (log scale)"),
            cursor=cursor,
            log=True,
            rule=True,
            ratio=0.62,
            place="wide",
        ),
        player.bars(
            "Factor a layer, on average so far", "1 would let everything through. " + finding, names, factors, limit=1.5
        ),
        _by_depth(ways, finding) if setting.by_depth else _slopes(ways),
    ]


def _slopes(ways: list[Way]) -> dict:
    """The derivatives of the activations at hand: where the 0.25 comes from."""
    shown = list(dict.fromkeys(way.probed.combination.activation for way in ways))
    colours = {way.probed.combination.activation: colour for way, colour in reversed(list(zip(ways, COLOURS)))}
    drawn = [player.line(NAMES[name], *depth.slope_of(name), colours[name]) for name in shown]
    quarter = player.line("0.25", (-6, 6), (depth.SLOPE, depth.SLOPE), player.SKY_BLUE, dashed=True)
    return player.lines(
        "The slope of the activation",
        "A sigmoid's slope is at most 0.25; that of ReLU is 0 or 1.",
        [*drawn, quarter],
        (-6, 6),
        (0, 1.05),
        ("what goes in", "slope"),
        ratio=0.5,
        legend=True,
    )


def _by_depth(ways: list[Way], finding: str) -> dict:
    """The first layer's share over the depth of the network."""
    deep, arrived = [way.depth for way in ways], [float(way.shares[-1]) for way in ways]
    seen = [value for value in arrived if value > 0] or [1.0]
    low, high = max(LOWEST, min(seen) / 10), min(HIGHEST, max(3.0, max(seen) * 3))
    fine = np.arange(deep[0], deep[-1] + 1)
    bound = player.line("0.25 to the power of depth − 2", fine, depth.quarter(fine - 2), player.SKY_BLUE, dashed=True)
    return player.lines(
        "What arrives at the first layer, by depth",
        finding,
        [player.line("measured", deep, arrived, player.VERMILLION), bound],
        (0, deep[-1] + 2),
        (low, high),
        ("layers", "first / last convolution (log scale)"),
        log=True,
        ratio=0.6,
    )


def _rows(ways: list[Way], names: list[str], frames: int) -> list[dict]:
    return [
        {"layers back": back}
        | {name: way.share(back) if back < len(way.shares) else None for way, name in zip(ways, names)}
        | {"0.25^layers": float(depth.quarter(back))}
        for back in range(frames)
    ]
