"""f(a, b) = ax + by + z learns by gradient descent: its surface, its three slopes, its loss, step by step."""

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ..analysis import learning, learning_questions
from ..analysis import learning_words as words
from ..analysis.learning import NAMES, State
from ..analysis.learning_words import short
from ..drawing import player
from .learning_scene import Scene

DATA = {"the slides' sample": 1, "8 samples": 8, "64 samples": 64}
RATES = (0.0001, 0.0003, 0.001, 0.003, 0.006, 0.01, 0.0125, 0.03, 0.1, 0.3, 0.6, 0.9, 1.2)
SEEN = {"surface": "surface", "from above": "above"}
STEPS = 40
WIDEST = 6.0  # the most that is drawn to each side of the start, also where a descent is thrown further
FURTHEST = 1e4  # times the first loss: where the chart of the loss ends


@dataclass(frozen=True)
class Setting:
    weights: tuple[float, float, float]
    sample: tuple[float, float, float]
    count: int
    rate: float
    batch: int | None
    seen: str

    def samples(self) -> np.ndarray:
        return np.array([self.sample]) if self.count == 1 else learning.made_samples(self.count)


def choose() -> Setting:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        count = DATA[st.segmented_control("Learns "
            "from", list(DATA), default="the slides' sample", required=True, key="samples",
                                          bind="query-params")]
        rate = st.select_slider("Learning rate", RATES, 0.001, key="rate", bind="query-params", width=240)
        seen = choose_seen("surface")
        with st.popover("More", icon=":material/tune:"):
            batch = None if count == 1 else _choose_batch()
            st.markdown("Where the weights begin")
            weights = _three(NAMES, learning.START, "start")
            sample = learning.SAMPLE
            if count == 1:
                st.markdown("The sample and what f should be")
                sample = _three(("a", "b", "target"), learning.SAMPLE, "sample")
    return Setting(weights, sample, count, rate, batch, seen)


def choose_seen(first: str) -> str:
    """How a loss over two weights is drawn, one of drawing.player.SEEN."""
    return SEEN[st.segmented_control("Seen", list(SEEN), default=first, required=True, key="seen", bind="query-params")]


def _choose_batch() -> int | None:
    each = st.segmented_control("A step "
                                "after", ["one sample", "an epoch"], default="an epoch", required=True, key="each",
                                bind="query-params", help="An epoch: every sample was looked at once")
    return 1 if each == "one sample" else None


def _three(names, values, key: str) -> tuple[float, float, float]:
    with st.container(horizontal=True, gap="small"):
        return tuple(st.number_input(name, -20.0, 20.0, value, 0.5, key=f"{key}_{name}", bind="query-params", width=110)
                     for name, value in zip(names, values))


def scene() -> Scene:
    setting = choose()
    return _scene(setting)


@st.cache_data(max_entries=32, show_spinner=False)
def _states(setting: Setting) -> list[State]:
    steps = STEPS if setting.batch is None else setting.count * (2 if setting.count > 8 else 5)
    return learning.descend(setting.weights, setting.samples(), setting.rate, steps, setting.batch)


def _scene(setting: Setting) -> Scene:
    samples, states = setting.samples(), _states(setting)
    said = [words.descent_said(state, samples, setting.rate) for state in states]
    labels = [_label(i, setting, len(states)) for i in range(len(states))]
    return Scene(
        player.film(_panels(setting, samples, states), said, labels, start=0, every=200),
        _story(setting, samples),
        lambda frame: words.descent_formula(states[frame], samples, setting.rate),
        words.descent_code(samples, setting.weights, setting.rate, len(states) - 1, setting.batch),
        [_row(i, state) for i, state in enumerate(states)],
        lambda frame: learning_questions.of_descent(states[frame].weights, samples, setting.rate),
        words.rate_said(setting.rate, samples),
    )


def _label(step: int, setting: Setting, count: int) -> str:
    where = f"step {step:,} of {count - 1:,}"
    if setting.count == 1:
        return where
    return f"{where}, epoch {step * (setting.batch or setting.count) // setting.count:,}"


def _panels(setting: Setting, samples: np.ndarray, states: list[State]) -> list[dict]:
    points = np.array([state.weights for state in states])
    losses = np.array([state.loss for state in states])
    x, y = _view(points[:, 0]), _view(points[:, 1])
    steps = np.arange(len(states))
    top = float(min(losses.max(), FURTHEST * losses[0]))
    low = float(max(losses.min(), 1e-6 * losses[0], 1e-9))
    sane = losses <= max(4 * losses[0], 1e-9)
    slopes = [state.gradient for state in states]
    most = max(2 * losses[0], min(float(losses.max()), 8 * losses[0]), 1e-6)
    finding = f"The loss goes from {short(losses[0])} to {short(losses[-1])} in {len(states) - 1:,} steps."
    return [
        player.plane("The loss for each x and y, at the z of "
                     "now", f"A valley, and the path of the weights in it. {finding}",
                     [learning.slice_at(state.weights[2], samples) for state in states],
                     [player.path("weights", points[:, :2], player.VERMILLION)], x, y, ("weight "
                         "x", "weight y"), setting.seen,
                     (0.0, most), z_label=f"height and colour: the loss, 0 to {short(most, 3)}"),
        player.bars("The three "
                    "slopes", "How steep the loss is along x, y and z.",
                    [f"∂L/∂{name}" for name in NAMES], slopes,
                    limit=_limit(states, sane)),
        player.lines("Loss", finding, [player.line("loss", steps, losses, player.VERMILLION, grows=True)],
                     (0, max(len(states) - 1, 1)),
                     (low * 0.8, top * 1.2 + 1e-9), ("step", "loss (log "
                         "scale)"), cursor=steps, log=True),
    ]


def _limit(states: list[State], sane: np.ndarray) -> float:
    """The slope of a bar of full length: the largest while the loss is at most four times the first."""
    return max(max(map(abs, state.gradient)) for state, fine in zip(states, sane) if fine) or 1.0


def _view(values: np.ndarray) -> tuple[float, float]:
    """Ends of an axis around where a weight goes, at least 4 wide and no further from the start than WIDEST."""
    low, high = max(values.min(), values[0] - WIDEST), min(values.max(), values[0] + WIDEST)
    middle, half = (low + high) / 2, max(0.6 * (high - low), 2.0)
    return math.floor(2 * (middle - half)) / 2, math.ceil(2 * (middle + half)) / 2


def _row(step: int, state: State) -> dict:
    return ({"step": step} | dict(zip(NAMES, state.weights)) | {"loss": state.loss}
            | {f"dL/d{name}": slope for name, slope in zip(NAMES, state.gradient)})


def _story(setting: Setting, samples: np.ndarray) -> list[str]:
    told = [
        "A neuron without its activation: f = a x + b y + z. **a and b are the data**, x, y and z are the weights, "
        "and only the weights "
        "may change.",
        "The loss is the square of the mistake. Seen over the weights it is a valley; a step goes straight down it, "
        "against the slope, and "
        "is the learning rate times as long.",
        words.rate_said(setting.rate, samples),
    ]
    if setting.count == 1:
        told.append("One sample cannot say what all three weights should be: every point on the valley's floor gives "
                    "the right f. Choose 8 or 64 "
                    "samples, and the valley becomes a bowl with one lowest point.")
    else:
        told.append(f"The samples lie around f = {learning.TRUE[0]:g} a − {-learning.TRUE[1]:g} b − "
                    f"{-learning.TRUE[2]:g}, with noise of standard "
                    f"deviation {learning.NOISE}; descent has to find these three numbers. The surface falls as z "
                    f"gets better.")
    if setting.sample == learning.SAMPLE and setting.weights == learning.START and setting.count == 1:
        right = learning.descend(learning.START, samples, 0.001, 1)
        slopes, after = ", ".join(short(g) for g in right[0].gradient), short(right[1].outputs[0], 5)
        told.append(f"The slides print the slopes {', '.join(map(str, words.PRINTED))} here and, after one step with "
                    f"rate 0.001, f = "
                    f"{words.PRINTED_AFTER}: they drop the −4 when they expand (f − 4)². Right are {slopes} and f = "
                    f"{after}.")
    return told


