"""The network in view, and another one beside it that is asked about the same pictures.

For pages:
    current()          the network of the sidebar
    choose_beside()    the control; the other network, or None
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from .. import familiarity
from ..checkpoints import Checkpoint
from ..familiarity import Familiarity
from . import beginnings, state

BEFORE = "before training"


@dataclass(frozen=True)
class Network:
    """What to call it on screen, its checkpoint, that content as a short text, and what tells it strange pictures."""

    title: str
    checkpoint: Checkpoint = field(repr=False)
    key: str
    familiar: Familiarity | None = field(repr=False)


def current() -> Network:
    checkpoint, key = state.current_checkpoint(), state.current_key()
    return Network(checkpoint.name, checkpoint, key, _familiar(key, checkpoint))


def choose_beside() -> Network | None:
    """A row's control: nothing, the network itself before its training, or any other checkpoint that is here."""
    others = _others()
    name = st.selectbox("Beside it", list(others), None, key="beside", bind="query-params", width=300,
                        placeholder="no other network")
    return others[name]() if name else None


def _others() -> dict[str, Callable[[], Network]]:
    found: dict[str, Callable[[], Network]] = {}
    start = beginnings.before().checkpoint
    if start is not None:
        name = f"{state.current_checkpoint().name}, {BEFORE}"
        found[BEFORE] = lambda: Network(name, start, beginnings.before_key(), None)
    for reference in state.references():
        if reference != state.current_reference():
            found[reference] = lambda reference=reference: _known(reference)
    return found


def _known(reference: str) -> Network:
    checkpoint, key = state.checkpoint_of(reference), state.key_of(reference)
    return Network(checkpoint.name, checkpoint, key, _familiar(key, checkpoint))


@st.cache_resource(max_entries=8, show_spinner=False)
def _familiar(key: str, _checkpoint: Checkpoint) -> Familiarity | None:
    return familiarity.of(_checkpoint)
