"""The error court: whose mistake is it, the label's, the picture's or the network's? Votes of all who look."""

import threading
from uuid import uuid4

import streamlit as st

from . import access

VERDICTS = {"label": "The label is wrong", "unclear": "Unclear", "model": "The network is wrong"}
MOST_PICTURES = 5_000  # with votes on one server; who votes for more drops the oldest


class Court:
    """Votes by (exam, picture) and voter; one for the server, in memory only: the CSV keeps them."""

    def __init__(self):
        self._votes, self._lock = {}, threading.Lock()

    def vote(self, exam: str, picture: int, voter: str, verdict: str | None) -> None:
        """One vote a person: the last one counts, None takes it back."""
        with self._lock:
            votes = self._votes.setdefault((exam, picture), {})
            votes.pop(voter, None)
            if verdict:
                votes[voter] = verdict
            if not votes:
                del self._votes[(exam, picture)]
            while len(self._votes) > MOST_PICTURES:
                del self._votes[next(iter(self._votes))]

    def of(self, exam: str, picture: int) -> dict[str, int]:
        """How many votes each verdict has."""
        with self._lock:
            votes = list(self._votes.get((exam, picture), {}).values())
        return {verdict: votes.count(verdict) for verdict in VERDICTS}

    def pictures(self, exam: str) -> list[int]:
        """Those with a vote, ascending."""
        with self._lock:
            return sorted(picture for name, picture in self._votes if name == exam)


def court() -> Court:
    """The votes of everybody; where visitors may change nothing, everybody has a court of their own."""
    if access.may_change():
        return _everybodys()
    return st.session_state.setdefault("own_court", Court())


@st.cache_resource(max_entries=1, show_spinner=False)
def _everybodys() -> Court:
    return Court()


def ballot(exam: str, picture: int) -> None:
    """The three choices, and how all have voted."""
    key = f"vote_{hash(exam)}_{picture}"
    st.segmented_control("Whose mistake is it?", list(VERDICTS), format_func=VERDICTS.get, key=key,
                         on_change=_cast, args=(key, exam, picture), persist_state="session")
    counted = court().of(exam, picture)
    if any(counted.values()):
        st.caption("Votes: " + ", ".join(f"{VERDICTS[name].lower()} {count}"
                                         for name, count in counted.items() if count))


def _cast(key: str, exam: str, picture: int) -> None:
    voter = st.session_state.setdefault("voter", uuid4().hex)
    court().vote(exam, picture, voter, st.session_state[key])
