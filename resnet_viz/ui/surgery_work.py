"""Answers after an operation, batch by batch: kept for all sessions, stopped and continued, the first ones at once."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import streamlit as st

from ..analysis import surgery
from ..analysis.surgery import Answers
from . import state
from .attribution_maps import Store, announced, under_a_bar
from .surgery_case import Case, Patient

KEPT = 200  # operations; 16 KB each for 1,000 pictures, and as often as there are blocks for EACH
PATIENCE_S = 20.0  # what takes longer waits for a click
EACH = "each block alone"  # instead of an operation: all of them


@dataclass
class Sheet:
    """What was answered so far: one Answers a batch, or for EACH one by block. `lock` is held while a batch is asked."""

    patient: Patient
    operation: tuple[tuple[str, float], ...] | str
    parts: list = field(default_factory=list)
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def step(self) -> int:
        return surgery.batch_of(self.patient.checkpoint.preprocessing)

    @property
    def done(self) -> int:
        return min(len(self.parts) * self.step, len(self.patient.images))

    @property
    def left(self) -> int:
        return len(self.patient.images) - self.done

    def seconds_left(self) -> float:
        """By what is done; endless before the first batch."""
        return self.seconds / self.done * self.left if self.done else float("inf")

    def ask(self) -> None:
        """One more batch; who waited for another session that asked the same finds it done."""
        start = self.done
        with self.lock, state.model_of(self.patient.checkpoint) as model:
            if self.done != start:
                return
            began, checkpoint = time.monotonic(), self.patient.checkpoint
            images = self.patient.images[start:start + self.step]
            if self.operation == EACH:
                part = surgery.each_alone(model, images, checkpoint.preprocessing, checkpoint.heads)
            else:
                part = surgery.answers(model, images, checkpoint.preprocessing, checkpoint.heads, dict(self.operation))
            self.parts.append(part)
            self.seconds += time.monotonic() - began

    def answers(self, block: str | None = None) -> Answers:
        """All so far; of EACH those without a block, "" being the whole network."""
        return surgery.joined([part if block is None else part[block] for part in tuple(self.parts)])


@st.cache_resource(max_entries=1, show_spinner=False)
def _sheets() -> tuple[Store, threading.Lock]:
    return Store(KEPT), threading.Lock()


def sheet(patient: Patient, operation) -> Sheet:
    """The one sheet for an operation; the first batch is on it."""
    store, lock = _sheets()
    with lock:
        if (found := store.get((patient.key, operation))) is None:
            found = Sheet(patient, operation)
            store.keep((patient.key, operation), found)
    if not found.parts:
        with st.spinner("Asking the first pictures ..."):  # so that there is something to see, and the cost is known
            found.ask()
    return found


def finish(sheets: Sequence[Sheet], what: str, key: str) -> None:
    """The rest of their pictures: at once if that is quick, else after a click on what it will cost."""
    cost = sum(one.seconds_left() for one in sheets)
    if not cost or (cost > PATIENCE_S and not announced(what, cost, key)):
        return
    total = sum(one.left for one in sheets)

    def work(told: Callable) -> None:
        for one in sheets:
            while one.left:
                one.ask()
                told(1 - sum(other.left for other in sheets) / total, f"{one.patient.name}: {one.done:,} of {len(one.patient.images):,} pictures")
    under_a_bar(work, cost, key)


def share(case: Case, patient: Patient, answers: Answers, whole: Answers) -> float:
    """What is measured, 0..1: right answers where there are labels, else answers kept; over as many as both have."""
    count = min(len(answers), len(whole))
    if case.labelled:
        return surgery.share_right(answers, patient.labels[:len(answers)].numpy())
    return surgery.share_kept(_first(answers, count), _first(whole, count))


def _first(answers: Answers, count: int) -> Answers:
    return Answers(answers.predicted[:count], answers.sure[:count])
