"""Two weights under a penalty: what descent does to the slides' pairs, with L1 and L2, alone and beside data."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from ..analysis import weight_penalty, weight_penalty_questions, weight_penalty_words
from ..drawing import player
from . import player as shown
from .learning_scene import Scene

STEPS, RATE = 60, 0.1
STRENGTHS = (0.1, 0.2, 0.5, 1.0)
COLOURS = (player.VERMILLION, player.BLUE)


@dataclass(frozen=True)
class Setting:
    penalty: str
    data: bool
    strength: float


def choose() -> Setting:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        penalty = st.segmented_control(
            "Penalty",
            list(weight_penalty.PENALTIES),
            default="L2",
            required=True,
            key="penalty",
            bind="query-params",
            on_change=shown.forget,
        )
        asked = st.segmented_control(
            "Besides",
            ["nothing", "b + c should be 10"],
            default="nothing",
            required=True,
            key="data",
            bind="query-params",
            on_change=shown.forget,
            help="With data the loss also has (b + c − 10)²: how the sum is shared out is left open",
        )
        strength = st.select_slider("Strength a", STRENGTHS, 0.5, key="strength", bind="query-params", width=200)
    return Setting(penalty, asked != "nothing", strength)


def scene() -> Scene:
    setting = choose()
    rate = RATE
    paths = [
        weight_penalty.descend(start, setting.penalty, setting.strength, rate, STEPS, setting.data)
        for start in weight_penalty.STARTS
    ]
    words = weight_penalty_words
    said = [words.said([path[step] for path in paths], step) for step in range(STEPS + 1)]
    return Scene(
        player.film(_panels(setting, paths), said, [f"step {step} of {STEPS}" for step in range(STEPS + 1)], 12, 120),
        words.story(setting.penalty, setting.data, setting.strength, rate, paths),
        lambda frame: words.formulas(setting.penalty, setting.data, setting.strength, rate, paths[0], frame),
        words.code(setting.penalty, setting.data, setting.strength, rate, STEPS),
        [_row(step, paths, setting) for step in range(STEPS + 1)],
        lambda frame: weight_penalty_questions.makers(setting.penalty, setting.data, setting.strength, rate, paths[0][frame]),
        "The slides show (1, 9) and (4, 5) as if one became the other. They never do: 1 + 9 is 10, 4 + 5 is 9.",
    )


def _panels(setting: Setting, paths: list[np.ndarray]) -> list[dict]:
    names = [f"from ({start[0]:g}, {start[1]:g})" for start in weight_penalty.STARTS]
    six = weight_penalty.six(setting.penalty, setting.strength, setting.data)
    top = max(weight_penalty.loss(start, setting.penalty, setting.strength, False) for start in weight_penalty.STARTS)
    steps = np.arange(STEPS + 1)
    ratio = [np.where(path[:, 0] > 0.02, path[:, 1] / np.maximum(path[:, 0], 0.02), np.nan) for path in paths]
    finding = weight_penalty_words.finding(setting.penalty, setting.data)
    shared = {"cursor": steps, "rule": True}
    return [
        player.plane(
            "The loss for each b and c",
            f"Two paths downhill. {finding}",
            [six],
            [player.path(name, path, colour) for name, path, colour in zip(names, paths, COLOURS)],
            (0, 10),
            (0, 10),
            ("b", "c"),
            "above",
            (0.0, 1.3 * top + (20 if setting.data else 0)),
            grey=True,
        ),
        player.lines(
            "c − b",
            finding,
            [
                player.line(name, steps, path[:, 1] - path[:, 0], colour, grows=True)
                for name, path, colour in zip(names, paths, COLOURS)
            ],
            (0, STEPS),
            (-0.5, 8.5),
            ("step", "difference"),
            **shared,
        ),
        player.lines(
            "c ÷ b",
            finding,
            [
                player.line("", steps[np.isfinite(one)], one[np.isfinite(one)], colour, grows=True)
                for one, colour in zip(ratio, COLOURS)
            ],
            (0, STEPS),
            (0, 20),
            ("step", "ratio"),
            **shared,
        ),
        player.bars(
            "b² + c²",
            finding,
            names,
            [[weight_penalty.squares(path[step]) for path in paths] for step in steps],
            limit=90.0,
        ),
    ]


def _row(step: int, paths: list[np.ndarray], setting: Setting) -> dict:
    row = {"step": step}
    for start, path in zip(weight_penalty.STARTS, paths):
        where = f"from ({start[0]:g}, {start[1]:g})"
        row |= {
            f"b, {where}": float(path[step, 0]),
            f"c, {where}": float(path[step, 1]),
            f"b² + c², {where}": weight_penalty.squares(path[step]),
            f"loss, {where}": weight_penalty.loss(path[step], setting.penalty, setting.strength, setting.data),
        }
    return row
