"""What every lesson of films has in common: its chosen part, and what is said of the frame where the film rests."""

import streamlit as st

from . import player, questions
from .learning_scene import Scene
from .page import download_table, under_picture


def choose_part(parts, default: str) -> str:
    return st.segmented_control("Part", list(parts), default=default, required=True, key="part", bind="query-params",
                                label_visibility="collapsed", on_change=player.forget)


def show(lesson: str, part: str, scene: Scene) -> None:
    """The film, the caption under it, and the five views."""
    name = part.lower().replace(" ", "-")
    frame = player.show(name, scene.film)
    if scene.note:
        st.caption(scene.note)
    under_picture(
        "view",
        story=lambda: st.markdown("\n".join(f"- {line}" for line in scene.story)),
        formula=lambda: _formula(scene, frame),
        code=lambda: st.code(scene.code),
        numbers=lambda: download_table(scene.rows, f"{lesson}-{name}.csv", alt=scene.film["said"][frame]),
        questions=lambda: questions.ask(lesson, scene.makers(frame)),
    )


def _formula(scene: Scene, frame: int) -> None:
    st.caption(f"With the numbers of {scene.film['labels'][frame]}.")
    for line in scene.formula(frame):
        st.latex(line)
