"""The current checkpoint as it was before training, found once for all sessions.

For pages:
    before()      a Beginning: its checkpoint (None where it is not known, then `why` says so), good for state.model_of
    before_key()  its content as a short text: the key for a page's own cached functions
"""

import streamlit as st

from .. import beginnings, runs
from ..beginnings import Beginning
from ..checkpoints import Checkpoint
from . import state


def before() -> Beginning:
    """Where the current checkpoint's run began."""
    checkpoint = state.current_checkpoint()
    if checkpoint.run and (initial := runs.weights_file(checkpoint.run, "initial")):
        return Beginning(state.checkpoint_at(initial))
    return _rebuilt(state.current_key(), checkpoint)


def before_key() -> str:
    return f"before:{state.current_key()}"


@st.cache_resource(max_entries=4, show_spinner="Drawing the weights before training again ...")
def _rebuilt(key: str, _checkpoint: Checkpoint) -> Beginning:
    return beginnings.of(_checkpoint)
