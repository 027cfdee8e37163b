"""Presenter mode: large type and few controls, for a projector. It is in the URL, so a link opens the page that way.

Large is the root's font size, which every size of the theme and of our components is a multiple of. Few: the navigation
moves from the side to one line above the page; files, downloads and the recipe of a new run are not offered.
"""

import streamlit as st

KEY = "present"  # of the switch, and its name in the URL
LARGE = "<style>:root { font-size: clamp(19px, 1.55vw, 40px); }</style>"  # the usual 16 px for a reader at 1 m


def on() -> bool:
    """Known before the switch is drawn: the navigation above the page depends on it."""
    return bool(st.session_state.get(KEY, st.query_params.get(KEY) == "true"))


def large_type() -> None:
    """Before anything is drawn, so that nothing jumps."""
    if on():
        st.html(LARGE)


def switch() -> None:
    """The way in and out, beside every page's title."""
    st.toggle(
        "Present",
        key=KEY,
        bind="query-params",
        help="For a projector: large type and few controls. The link of the page keeps it.",
    )
