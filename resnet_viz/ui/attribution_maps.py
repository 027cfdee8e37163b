"""Maps that were worked out, for all sessions; the work itself, with its cost before, its bar, and a way to stop it."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor, nn

from ..analysis import attribution_sanity, attribution_words, attributions
from ..analysis.attribution_costs import Speed, passes
from ..analysis.attributions import Anatomy
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from . import state
from .pictures import NamedPicture

LIMIT = 400  # results kept: maps of 224 x 224 take 200 KB
PATIENCE_S = 4.0  # what takes longer is announced, and waits for a click
FEW = 2  # pictures through the network: so cheap a map never waits, so that no page opens empty
LOOK_S = 0.2  # between two looks at the work, as in ui/measurement.py


class Store:
    """Results by a key of contents, the oldest dropped first; one for the server."""

    def __init__(self, limit: int = LIMIT):
        self._limit, self._kept, self._lock = limit, OrderedDict(), threading.Lock()

    def get(self, key: Hashable):
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: Hashable, value) -> None:
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)


@st.cache_resource(max_entries=1, show_spinner=False)
def store() -> Store:
    return Store()


@dataclass(frozen=True)
class Subject:
    """A network and a picture: what every map on the page is of. `key` says both by content."""

    checkpoint: Checkpoint
    key: str
    picture: NamedPicture
    tensor: Tensor
    pixels: np.ndarray
    anatomy: Anatomy
    speed: Speed


def subject_of(checkpoint: Checkpoint, picture: NamedPicture) -> Subject:
    """The checkpoint in view and the picture as it sees it."""
    seen = see(picture.image, checkpoint.preprocessing)
    key = state.current_key()
    anatomy, speed = _anatomy(key, checkpoint, seen.tensor)
    return Subject(checkpoint, f"{key}|{picture.key}", picture, seen.tensor,
                   np.asarray(seen.resized.convert("RGB")), anatomy, speed)


@st.cache_resource(max_entries=16, show_spinner="Looking through the network ...")
def _anatomy(key: str, _checkpoint: Checkpoint, _tensor: Tensor) -> tuple[Anatomy, Speed]:
    """What the network is made of, and how fast it is."""
    with state.model_of(_checkpoint) as model:
        return attributions.anatomy(model, _tensor), attributions.speed(model, _tensor)


@contextmanager
def network_of(subject: Subject, twin: bool = False):
    """The network, or its twin that learned nothing; nobody else uses it meanwhile."""
    if not twin:
        with state.model_of(subject.checkpoint) as model:
            yield model
        return
    shuffled, lock = _twin(subject.key.partition("|")[0], subject.checkpoint)
    with lock:
        yield shuffled


@st.cache_resource(max_entries=2, show_spinner="Shuffling a twin's weights ...")
def _twin(key: str, _checkpoint: Checkpoint) -> tuple[nn.Module, threading.Lock]:
    with state.model_of(_checkpoint) as model:
        return attribution_sanity.twin(model), threading.Lock()


@dataclass(frozen=True)
class Job:
    """One map: by which method, for which output, at which layer, of the network or of its twin."""

    method: str
    target: int
    layer: str | None = None
    twin: bool = False

    def key(self, subject: Subject) -> tuple:
        layer = self.layer if attributions.METHODS[self.method].of_layer else None
        return subject.key, self.method, self.target, layer, self.twin


def heat_of(subject: Subject, job: Job) -> np.ndarray | None:
    """The map, if it is there."""
    return store().get(job.key(subject))


def work_out(subject: Subject, jobs: list[Job]) -> None:
    """All maps that are not there yet: the quick ones at once, the others after a click on what they will cost."""
    height, width = subject.pixels.shape[:2]
    cost_of = {job: attribution_words.seconds(job.method, height, width, subject.speed)
               for job in jobs if heat_of(subject, job) is None}
    slow = sum(cost_of.values()) > PATIENCE_S
    waiting = {job: cost for job, cost in cost_of.items() if slow and passes(job.method, height, width) > FEW}
    _at_once(subject, {job: cost for job, cost in cost_of.items() if job not in waiting}, "maps")
    maps = f"{len(waiting)} more maps take" if len(waiting) > 1 else "One more map takes"
    if waiting and announced(maps, sum(waiting.values()), "maps"):
        _at_once(subject, waiting, "slow_maps")


def _at_once(subject: Subject, cost_of: dict[Job, float], key: str) -> None:
    jobs, costs = list(cost_of), list(cost_of.values())

    def all_maps(told: Callable) -> None:
        done_s = 0.0
        for number, (job, cost) in enumerate(zip(jobs, costs), start=1):
            def tell(done: int, total: int, text: str) -> None:
                told((done_s + cost * done / total) / sum(costs),
                     f"{attributions.METHODS[job.method].title}, map {number} of {len(jobs)}")
            with network_of(subject, job.twin) as model:
                heat = attributions.attribute(model, subject.tensor, job.method, job.target, job.layer, tell)
            store().keep(job.key(subject), heat)
            done_s += cost
    under_a_bar(all_maps, sum(costs), key)


def announced(what: str, cost_s: float, key: str) -> bool:
    """Whether to begin: what is quick begins by itself, the rest says what it costs and waits."""
    if cost_s <= PATIENCE_S:
        return True
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Compute", type="primary", key=f"compute_{key}", icon=":material/play_arrow:")
        st.markdown(f"{what} {attribution_words.duration(cost_s)} on this machine. You can stop; what is done stays.")
    if pressed:
        place.empty()  # what is under way or done is no longer offered
    return pressed


def under_a_bar(work: Callable, cost_s: float, key: str) -> None:
    """work(told) with a bar and a button that stops it: a click on anything ends this run of the script."""
    if cost_s < 0.5:
        work(lambda fraction, text: None)
        return
    place, began, looked = st.empty(), time.monotonic(), time.monotonic()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, "starting", width="stretch")
        st.button("Stop computing", key=f"stop_{key}", icon=":material/stop:")

    def told(fraction: float, text: str) -> None:
        nonlocal looked
        now = time.monotonic()
        if now - looked < LOOK_S or not fraction:
            return
        looked = now
        left = (now - began) * (1 - fraction) / fraction
        bar.progress(min(fraction, 1.0), f"{text}, {left:,.0f} s left")
    try:
        work(told)
    finally:
        place.empty()
