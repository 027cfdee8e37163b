"""What fine-tuning changes: three real ones of forty steps, layer by layer, on the loaded network."""

import streamlit as st

from ..analysis import data_fine_tuning_words as words
from ..analysis import data_questions
from ..drawing import player as drawing
from ..problems import Problem
from ..training import fine_tuning_film as tuning
from ..training.fine_tuning_film import WAYS, Tuned
from . import lesson, player, state
from .learning_scene import Scene

MOST = 30_000_000  # parameters: a larger network would keep the reader waiting for minutes
ROWS = 24  # layers with a bar of their own
COLOURS = dict(zip(WAYS, (drawing.BLUE, drawing.VERMILLION, drawing.GREEN)))


def film() -> None:
    """The part "Fine-tuning"."""
    checkpoint = state.current_checkpoint()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        way = st.segmented_control("What learns", WAYS, default=WAYS[0], required=True, key="way", bind="query-params")
        seed = int(st.number_input("Dice", 0, 999, 0, key="tuning_dice", bind="query-params", width=120, on_change=player.forget,
                                   help="Decides the new last layer's first weights and the order of the pictures"))
    if sum(tensor.numel() for tensor in checkpoint.state.values()) > MOST:
        raise Problem(f"{checkpoint.network} is too large to be fine-tuned three times while you wait; choose a network of at most "
                      f"{MOST:,} parameters in the sidebar.")
    tuned = {name: _tuned(state.current_key(), name, seed, checkpoint) for name in WAYS}
    lesson.show("data", "Fine-tuning", _scene(tuned, way, checkpoint))


@st.cache_data(max_entries=24, show_spinner="Fine-tuning for 40 steps ...")
def _tuned(key: str, way: str, seed: int, _checkpoint) -> Tuned:
    return tuning.tune(_checkpoint, way, seed)


def _scene(tuned: dict[str, Tuned], way: str, checkpoint) -> Scene:
    chosen, steps = tuned[way], tuning.frames()
    said = [words.said(tuned, way, frame, steps) for frame in range(len(steps))]
    names, values = words.grouped(chosen.layers, chosen.moved, ROWS)
    bars = drawing.bars(f"How far each layer has moved: {way}", said[-1], names, values, place="wide",
                        colours=(COLOURS[way], COLOURS[way]))
    lines = [drawing.line(name, steps, [100 * share for share in one.accuracy], COLOURS[name], grows=True, dashed=name != way)
             for name, one in tuned.items()]
    chart = drawing.lines("Right on test digits", words.alt(tuned), lines, (0, steps[-1]), (0, 100), ("step", "% right"), cursor=steps,
                          rule=True, legend=True)
    made = drawing.film([bars, chart], said, [f"step {step} of {steps[-1]}" for step in steps], len(steps) - 1, every=400)
    body = chosen.params - chosen.new
    return Scene(made, words.story(tuned, checkpoint.name), lambda frame: words.formulas(chosen, frame, steps), words.code(way),
                 words.rows(tuned, steps), lambda frame: data_questions.of_fine_tuning(words.features(chosen), 10, body),
                 f"{checkpoint.name} learns scikit-learn's handwritten digits at 8 × 8 pixels: {steps[-1]} steps of {tuning.BATCH} "
                 "pictures, real ones, done for this page.")
