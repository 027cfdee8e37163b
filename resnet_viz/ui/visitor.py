"""What the log says of a visitor: which session it was, and what it was told."""

import logging

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

SAID = "last_problem"  # session key
_log = logging.getLogger(__name__)


def visitor() -> dict[str, str | None]:
    """The first letters of the session's id, as logging's `extra`; None outside a page."""
    context = get_script_run_ctx(suppress_warning=True)
    return {"session": context.session_id[:8] if context else None}


def was_told(sentence: str) -> None:
    """A page showed it as an error; one that refreshes itself says it every second, which is one line here."""
    if st.session_state.get(SAID) != sentence:
        st.session_state[SAID] = sentence
        _log.info("a page says: %s", sentence, stacklevel=2, extra=visitor())
