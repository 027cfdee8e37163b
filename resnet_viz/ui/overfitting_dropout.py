"""Dropout by numbers, draw by draw; and the variance that a batch norm behind it learns and does not meet."""

import numpy as np
import streamlit as st

from .. import checkpoints
from ..analysis import dropout, dropout_questions, dropout_words, variance_shift
from ..analysis.dropout import INPUTS, Draws
from ..analysis.variance_shift import SHARES, Shift
from ..data import sources
from ..data.preprocessing import normalise
from ..drawing import player
from .learning_scene import Scene
from .page import NothingYet

DRAWS = 200
NETWORK, PICTURES = "resnet20-stem7-shapes", 512


def scene() -> Scene:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        p = st.select_slider(
            "Chance to be silenced, p", (0.1, 0.2, 0.3, 0.5, 0.7, 0.9), 0.5, key="p", bind="query-params", width=240
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="dropout_seed", bind="query-params", width=110)
    found = dropout.draws(p, DRAWS, int(seed))
    words = dropout_words
    return Scene(
        player.film(
            _panels(found),
            [words.said(found, i) for i in range(DRAWS)],
            [f"draw {i + 1} of {DRAWS}" for i in range(DRAWS)],
            DRAWS - 1,
            150,
            "Draw",
        ),
        words.story(found),
        lambda frame: words.formulas(found, frame),
        words.code(p),
        words.rows(found),
        lambda frame: dropout_questions.makers(found, frame),
    )


def _panels(found: Draws) -> list[dict]:
    number = np.arange(1, DRAWS + 1)
    ours, slides = found.training(True), found.training(False)
    ends = [found.asked(True), found.asked(False)]
    seen = np.concatenate([found.means(True)[2:], found.means(False)[2:], ends])
    low, high = float(seen.min()), float(seen.max())
    rim = max(0.15 * (high - low), 0.2)
    finding = (
        f"The means of {DRAWS} draws are {ours.mean():.2f} and {slides.mean():.2f}; asked, the neuron gives "
        f"{ends[0]:.2f} and "
        f"{ends[1]:.2f}."
    )
    counts = np.array([np.bincount(found.silenced[: i + 1], minlength=INPUTS + 1) for i in range(DRAWS)])
    least, most = int(found.silenced.min()), int(found.silenced.max())
    dashed = [
        player.line(name, (1, DRAWS), (end, end), colour, dashed=True)
        for name, end, colour in zip(("PyTorch, asked", "slides, asked"), ends, (player.BLUE, player.VERMILLION))
    ]
    return [
        player.lines(
            "Mean of the neuron's output while it learns",
            finding,
            [
                player.line("PyTorch", number, found.means(True), player.BLUE, grows=True),
                player.line("slides", number, found.means(False), player.VERMILLION, grows=True),
                *dashed,
            ],
            (1, DRAWS),
            (low - rim, high + rim),
            ("draw", "mean so far"),
            cursor=number,
            rule=True,
            place="wide",
            ratio=0.55,
        ),
        player.bars(
            "What PyTorch hands on in this draw",
            f"{INPUTS} inputs; those that are left are divided by 1 − p.",
            [f"x{i + 1} = {value:g}" for i, value in enumerate(found.inputs)],
            [found.left(i) for i in range(DRAWS)],
        ),
        player.bars(
            "How many fell silent, so far",
            f"Between {least} and {most} of {INPUTS}: no fixed number.",
            [f"{k} silenced" for k in range(least, most + 1)],
            counts[:, least : most + 1],
            marks=(found.silenced - least).tolist(),
            place="wide",
        ),
    ]


# The quarrel with batch norm


@st.cache_resource(max_entries=4, show_spinner=False)
def _known(_bundled: str) -> list[Shift]:
    """All that was measured, for every session; empty until somebody has."""
    return []


@st.cache_data(max_entries=1, show_spinner=False)
def _pictures(_bundled: str) -> tuple:
    """(pictures as the network gets them, their labels)."""
    recipe = checkpoints.read(checkpoints.find(NETWORK)).preprocessing
    found = sources.load("shapes", "test")
    some = sources.Pictures(found.images[:PICTURES], found.labels[:PICTURES], found.classes, found.heads, found.name)
    return normalise(sources.fit(some, recipe.channels, recipe.size).images, recipe), some.labels[:, 0]


def quarrel() -> Scene:
    if NETWORK not in checkpoints.bundled():
        raise NothingYet(
            f"The bundled network {NETWORK}, which this part measures, is not installed here; put its "
            "run into checkpoints/."
        )
    found, words = _measured(str(checkpoints.BUNDLED)), dropout_words
    return Scene(
        player.film(
            _shift_panels(found),
            [words.shift_said(one) for one in found],
            [f"p = {one.p:g}" for one in found],
            len(found) - 1,
            700,
            "p",
        ),
        words.shift_story(found, NETWORK),
        lambda frame: words.shift_formulas(found[frame]),
        words.SHIFT_CODE,
        words.shift_rows(found),
        lambda frame: dropout_questions.shift_makers(found, frame),
        f"{NETWORK}, {PICTURES // 2} shapes for the statistics and {PICTURES // 2} others that it is asked: a "
        "difference of "
        f"{200 * np.sqrt(2 * 0.96 * 0.04 / (PICTURES // 2)):.0f} points in right answers is chance.",
    )


def _measured(bundled: str) -> list[Shift]:
    """For each of SHARES, with a bar the first time; torch's own generator is left alone."""
    known = _known(bundled)
    if len(known) == len(SHARES):
        return known
    place, found = st.empty(), []
    try:
        place.progress(0.0, f"{NETWORK} and {PICTURES} pictures")
        model = checkpoints.model(checkpoints.read(checkpoints.find(NETWORK)))
        for shift in variance_shift.measure(model, *_pictures(bundled)):
            found.append(shift)
            place.progress(
                len(found) / len(SHARES), f"Dropout in front of batch norms: {len(found)} of {len(SHARES)} shares"
            )
    finally:
        place.empty()
    known[:] = found
    return found


def _shift_panels(found: list[Shift]) -> list[dict]:
    p = np.array([one.p for one in found])
    finding = dropout_words.shift_said(found[-1])
    top = 1.08 * max(one.trained for one in found)
    shared = {"cursor": p, "rule": True}
    ends = (-0.01, float(p[-1]) + 0.02)
    return [
        player.lines(
            "Variance in front of a batch norm",
            finding,
            [
                player.line(
                    "as it learned it, with dropout", p, [one.trained for one in found], player.VERMILLION, grows=True
                ),
                player.line("as it meets it, dropout off", p, [one.asked for one in found], player.BLUE, grows=True),
                player.line(
                    "with dropout, by the formula", p, [one.expected for one in found], player.ORANGE, dashed=True
                ),
            ],
            ends,
            (0, top),
            ("p", "variance"),
            place="wide",
            ratio=0.6,
            **shared,
        ),
        player.lines(
            "Right answers, dropout off",
            finding,
            [
                player.line(
                    "statistics learned with dropout",
                    p,
                    [100 * one.right for one in found],
                    player.VERMILLION,
                    grows=True,
                ),
                player.line("learned without", p, [100 * one.mended for one in found], player.BLUE, grows=True),
            ],
            ends,
            (min(60.0, 100 * min(one.right for one in found) - 5), 100),
            ("p", "right, %"),
            **shared,
        ),
        player.bars(
            "Behind the batch norm, dropout off",
            "1 is what it was made for.",
            ["variance, 1 is right"],
            [[one.output] for one in found],
            limit=1.1,
        ),
    ]
