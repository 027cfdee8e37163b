"""The lesson on overfitting: its parts; the first trains live, the others are films."""

import streamlit as st

from . import lesson, live_chart, overfitting_dropout, overfitting_penalty, overfitting_runs
from .page import problems

LIVE = "By heart"
FILMS = {"L1 and L2": overfitting_penalty.scene, "Dropout": overfitting_dropout.scene,
         "Dropout and batch norm": overfitting_dropout.quarrel}


def choose_part() -> str:
    return lesson.choose_part([LIVE, *FILMS], LIVE)


def show(part: str) -> None:
    if part == LIVE:
        pause = overfitting_runs.pause()
        st.fragment(_look, run_every=pause)(pause)
        live_chart.install()
    else:
        st.fragment(_film)(part)


def _look(pause: float) -> None:
    """One look at what is trained; where it begins or ends, the whole page is renewed at its new pace."""
    with problems():
        overfitting_runs.look()
    if overfitting_runs.pause() != pause:
        st.rerun()


def _film(part: str) -> None:
    with problems():
        lesson.show("overfitting", part, FILMS[part]())
