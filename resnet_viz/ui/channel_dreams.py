"""Pictures made to please channels: of the one in view, and of all in the wall."""

import time

import numpy as np
import streamlit as st

from ..analysis import dreams
from ..analysis.architecture import Layer
from ..analysis.dreams import Dream
from ..checkpoints import Checkpoint
from ..drawing import channels as drawing
from ..drawing import kernels as enlarging
from . import state, walls
from .attribution_maps import Store, announced, under_a_bar
from .page import plain

WIDE = 400  # css pixels
ENOUGH_S = 0.5  # a measurement that took so long is not disturbed by trifles
TOGETHER = 8  # channels that are worked out at once: what is done when one stops
GOALS = {"everywhere": "answer everywhere", "one spot": "answer in the middle"}


@st.cache_resource(max_entries=1, show_spinner=False)
def _store() -> Store:
    return Store()


def controls(layer: Layer, size: int) -> tuple[str, int]:
    """Goal and seed. A unit that sees the whole picture needs no others of its kind; a class has but one."""
    deep = max(layer.receptive_field) >= size
    goal = st.segmented_control("A made picture lets the channel", list(GOALS), format_func=GOALS.get, required=True,
                                default="one spot" if deep else "everywhere", key="goal-deep" if deep else "goal",
                                bind="query-params")
    seed = st.number_input("Seed of made pictures", 0, 999, 0, key="dream-seed", bind="query-params",
                           help="Another beginning leads to another picture: what stays is what the channel looks for")
    return goal, seed


def show(checkpoint: Checkpoint, layer: Layer, goal: str, seed: int, channel: int, best: float) -> None:
    """The picture of one channel, how it grew, and a caution where it says little. best: of the real pictures."""
    st.markdown("**A picture made to please it**" + ("" if layer.kind == "Linear" else f", to {GOALS[goal]}"))
    made = _made(checkpoint, layer, goal, seed, [channel], "one")
    if not made:
        return
    dream = made[channel]
    pixels = drawing.opaque(dream.pixels)
    walls.show(enlarging.enlarged(pixels, 2 * WIDE), f"The picture made for channel {channel} of {layer.name}: it answers "
               f"{dream.value:.3g}, and at most {best:.3g} to real pictures", WIDE)
    st.caption(f"Begun as grey noise; {len(dream.trace) - 1:,} small steps, each in the direction that pleases the channel. "
               f"It answers this picture with {dream.value:.3g}, the best real one with {best:.3g}.")
    if said := dreams.failure(dream, best):
        st.warning(plain(said), icon=":material/warning:")


def wall(checkpoint: Checkpoint, layer: Layer, goal: str, seed: int, shown: list[int], shape: tuple[int, int]) -> np.ndarray:
    """A tile a channel, uint8 [n, *shape, 4]; clear where none is made yet."""
    made = _made(checkpoint, layer, goal, seed, shown, "all")
    blank = np.zeros((*shape, 4), dtype=np.uint8)
    return np.stack([drawing.at_size(drawing.opaque(made[channel].pixels), shape) if channel in made else blank for channel in shown])


def _made(checkpoint: Checkpoint, layer: Layer, goal: str, seed: int, wanted: list[int], key: str) -> dict[int, Dream]:
    """Those that are there; what is missing is made at once if it is quick, else after a click on what it costs."""
    of = state.current_key(), layer.name, goal, seed
    missing = [channel for channel in wanted if _store().get((*of, channel)) is None]
    if missing:
        cost_s = _seconds(state.current_key(), layer.name, checkpoint) * dreams.STEPS * len(missing)
        what = "The picture takes" if len(wanted) == 1 else f"{len(missing):,} pictures take"
        if announced(what, cost_s, f"dreams_{key}"):
            _make(checkpoint, layer, goal, seed, missing, cost_s, key)
    found = {channel: _store().get((*of, channel)) for channel in wanted}
    return {channel: dream for channel, dream in found.items() if dream is not None}


def _make(checkpoint: Checkpoint, layer: Layer, goal: str, seed: int, missing: list[int], cost_s: float, key: str) -> None:
    def work(told) -> None:
        for start in range(0, len(missing), TOGETHER):
            _some(checkpoint, layer, goal, seed, missing, start, told)
    under_a_bar(work, cost_s, f"dreams_{key}")


def _some(checkpoint: Checkpoint, layer: Layer, goal: str, seed: int, missing: list[int], start: int, told) -> None:
    part = missing[start:start + TOGETHER]

    def tell(step: int, steps: int) -> None:
        told((start + len(part) * step / steps) / len(missing), f"picture {start + 1:,} of {len(missing):,}")
    with state.model_of(checkpoint) as model:
        made = dreams.dreams(model, checkpoint.preprocessing, layer.name, part, goal, seed=seed, progress=tell)
    for dream in made:
        _store().keep((state.current_key(), layer.name, goal, seed, dream.channel), dream)


@st.cache_data(max_entries=64, show_spinner="Timing a step ...")
def _seconds(key: str, layer: str, _checkpoint: Checkpoint) -> float:
    """Of one step for one channel."""
    taken = []
    for _ in range(3):  # the first one warms up, and others may be working
        with state.model_of(_checkpoint) as model:
            began = time.monotonic()
            dreams.dreams(model, _checkpoint.preprocessing, layer, [0], steps=2)
            taken.append(time.monotonic() - began)
        if taken[-1] > ENOUGH_S:
            break
    return min(taken) / 3  # two steps and the look at the end
