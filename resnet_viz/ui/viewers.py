"""How often a page looks at a live run: the more browsers look, the more rarely each, so that a class costs no training speed."""

import threading
import time
import uuid

import streamlit as st

LOOKS_PER_S = 0.5  # of several browsers together: they may draw on the very cores that train
PAUSES_S = (1.0, 4.0, 6.0, 8.0, 12.0, 20.0)  # few, for another pause renews the whole page
FORGOTTEN_AFTER = 3  # looks that did not come: the tab was closed


class Viewers:
    """The sessions that look at live runs on this server, and until when each counts without another look."""

    def __init__(self):
        self._until, self._lock = {}, threading.Lock()

    def look(self, who: str, pause_s: float, now: float) -> int:
        """Count `who`, who is going to look again after pause_s; returns how many there are."""
        with self._lock:
            self._until[who] = now + FORGOTTEN_AFTER * pause_s + 2
            self._until = {name: until for name, until in self._until.items() if until > now}
            return len(self._until)


def pause_for(viewers: int) -> float:
    """Seconds between two looks of each of so many browsers; one alone looks every second."""
    if viewers <= 1:
        return PAUSES_S[0]
    return next((pause for pause in PAUSES_S if viewers / pause <= LOOKS_PER_S), PAUSES_S[-1])


@st.cache_resource(show_spinner=False)
def _viewers() -> Viewers:
    return Viewers()


def pause_s() -> float:
    """Seconds until this session should look again; it counts as a viewer from now on."""
    who = st.session_state.setdefault("viewer", uuid.uuid4().hex)
    count = _viewers().look(who, st.session_state.get("viewer_pause", PAUSES_S[0]), time.monotonic())
    st.session_state.viewer_count, st.session_state.viewer_pause = count, pause_for(count)
    return st.session_state.viewer_pause


def say_so() -> None:
    """One line where the page looks more rarely than it would alone; after pause_s."""
    pause, count = st.session_state.get("viewer_pause", PAUSES_S[0]), st.session_state.get("viewer_count", 1)
    if pause > PAUSES_S[0]:
        st.caption(
            f"{count:,} browsers look at runs on this server, so each page asks every {pause:g} s instead of every"
            " second: the training keeps its speed."
        )
