"""The lesson on learning: its parts, the film of the chosen one, and what stands under it."""

import streamlit as st

from . import learning_descent, learning_neuron, learning_slopes, learning_ways, player, questions
from .learning_scene import Scene
from .page import download_table, problems, under_picture

PARTS = {  # name on the screen -> its controls and what they make, for the reader's way from a slope to a training run
    "A neuron": learning_neuron.scene,
    "A mistake": learning_descent.scene,
    "A slope": learning_slopes.tangents,
    "Chain rule": learning_slopes.chain,
    "Momentum and Adam": learning_ways.optimisers,
    "Schedules": learning_ways.plans,
    "Batch size": learning_ways.batches,
}


def choose_part() -> str:
    return st.segmented_control("Part", list(PARTS), default="A mistake", required=True, key="part",
                                bind="query-params", label_visibility="collapsed", on_change=player.forget)


def lesson(part: str) -> None:
    """The part's controls, its film, and under it what is said of the frame where the film rests."""
    with problems():
        scene = PARTS[part]()
        name = part.lower().replace(" ", "-")
        frame = player.show(name, scene.film)
        if scene.note:
            st.caption(scene.note)
        under_picture(
            "view",
            story=lambda: st.markdown("\n".join(f"- {line}" for line in scene.story)),
            formula=lambda: _formula(scene, frame),
            code=lambda: st.code(scene.code),
            numbers=lambda: download_table(scene.rows, f"learning-{name}.csv", alt=scene.film["said"][frame]),
            questions=lambda: questions.ask("learning", scene.makers(frame)),
        )


def _formula(scene: Scene, frame: int) -> None:
    st.caption(f"With the numbers of {scene.film['labels'][frame]}.")
    for line in scene.formula(frame):
        st.latex(line)
