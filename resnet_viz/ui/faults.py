"""An unexpected exception: one sentence for the person, and the rest in the server's log."""

import logging
import time
import traceback
import uuid

import streamlit as st

from .. import logs
from ..problems import Problem
from . import access
from .page import plain
from .visitor import visitor

AGAIN_S = 60  # a page that refreshes itself meets the same fault every second: within that it is one
LAST = "last_fault"  # session key: (where, its number, when)

_log = logging.getLogger(__name__)


def tell(error: Exception) -> bool:
    """Called by the server with what a page did not catch; True, for the page shows no traceback then."""
    if isinstance(error, Problem):
        _log.warning("a page let a problem pass: %s", error, extra=visitor())
        st.error(plain(str(error)), icon=":material/error:")
        return True
    number = _number(error)
    kind = type(error).__name__
    if access.open_to_others():
        todo = "if it comes back, tell whoever started this server that number"
    else:
        todo = (f"if it comes back, report it with the lines that say {number} in {logs.without_home(str(logs.place_of('server')))} "
                "and with what `python -m resnet_viz check` prints")
    st.error(plain(f"This page met a fault of the program ({kind}, number {number}). Reload it; {todo}."), icon=":material/bug_report:")
    return True


def _number(error: Exception) -> str:
    """Six letters that the sentence and the log have in common."""
    where = repr((type(error), traceback.extract_tb(error.__traceback__)[-1:]))
    last = st.session_state.get(LAST)
    if last and last[0] == where and time.monotonic() - last[2] < AGAIN_S:
        return last[1]
    number = uuid.uuid4().hex[:6]
    st.session_state[LAST] = (where, number, time.monotonic())
    _log.error("fault %s in a page", number, exc_info=error, extra=visitor())
    return number
