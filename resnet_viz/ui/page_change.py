"""What does not come along from one page to another: the choice of a control whose name means something else there.

Streamlit keeps the value of a widget that is bound to the URL, by its key, when its page is left, and gives it to whatever
widget has that key next: another page's "beside" would begin with a network's name, or with nothing at all.
"""

import streamlit as st

LAST = "page_before"  # session key
OF_EACH_PAGE = ("beside", "data", "depth", "look", "momentum", "most", "norm", "of", "order", "part", "pictures", "rate", "scale",
                "second", "seed", "seen", "skip", "start")


def arrive(page: str) -> None:
    """Once a run, before the page draws anything; page: its word in the URL. What a link brings is not touched."""
    if st.session_state.get(LAST, page) != page:
        for key in OF_EACH_PAGE:
            if key in st.session_state:
                del st.session_state[key]
    st.session_state[LAST] = page
