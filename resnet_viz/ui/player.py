"""The player of the lessons: films of numbers that the browser moves through; where it rests is in the link."""

import streamlit as st

from .component import component

AT = "at"  # name of the frame in the URL
_component = component("player")


def show(name: str, film: dict) -> int:
    """Draw a film of drawing/player.py; returns the frame where it rests, as far as the server knows.

    name  a word for the film's place on the page; another place is another player
    """
    last, first = film["frames"] - 1, film["at"]
    wanted = st.query_params.get(AT, "")
    frame = min(int(wanted), last) if wanted.isdecimal() else first
    key = f"player-{name}"
    _component(key=key, data={**film, "at": frame}, on_at_change=lambda: _rest(key, first), height="content")
    return frame


def _rest(key: str, first: int) -> None:
    """The frame goes into the link, unless it is the one that a link without it shows."""
    frame = st.session_state[key].get("at")
    if frame is None:
        return
    st.query_params[AT] = str(int(frame))
    if int(frame) == first:
        st.query_params.pop(AT)


def forget() -> None:
    """Another film begins where it wants to; from the callback of what chooses it."""
    st.query_params.pop(AT, None)
