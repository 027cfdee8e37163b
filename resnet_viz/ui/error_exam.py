"""A network asked about labelled pictures: read and answered once for all sessions, stopped and continued."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from ..analysis import errors
from ..analysis.errors import Answers, Exam
from ..checkpoints import Checkpoint
from ..data.place import existing
from ..data.sources import SOURCES
from . import state
from .attribution_maps import Store, announced, under_a_bar
from .measurement import path_of
from .page import plain

KEPT = 3  # exams with their pictures, up to 192 MiB each
READING_S = 60.0  # what is not known before: it only decides that there is a bar


@dataclass
class Sitting:
    """An exam under way: the answers so far, batch by batch. `lock` is held while a batch is asked."""

    key: str
    exam: Exam
    parts: list[Answers] = field(default_factory=list)
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def done(self) -> int:
        return sum(map(len, self.parts))


@st.cache_resource(max_entries=1, show_spinner=False)
def _sittings() -> Store:
    return Store(KEPT)


def sitting(checkpoint: Checkpoint, data: str, split: str, limit: int) -> Sitting | None:
    """The exam with all answers that there are; None where it waits for a click, or was stopped before the first."""
    path = path_of(data)
    key = f"{state.current_key()}|{path}|{_stamp(path)}|{split}|{limit}"
    found = _sittings().get(key)
    if found is None:
        if not _made_here(path) and not _begun(data, split):
            return None
        _read(checkpoint, key, path, split, limit)
        found = _sittings().get(key)
    left = len(found.exam) - found.done
    if left and not found.parts:
        with st.spinner("Asking the first pictures ..."):  # so that it is known how fast it is
            _answer(checkpoint, found, errors.batch_of(checkpoint.preprocessing), lambda fraction, text: None)
        left = len(found.exam) - found.done
    if left and announced(f"{found.done:,} of {len(found.exam):,} pictures are asked; the others take",
                          found.seconds / found.done * left, "exam"):
        _ask(checkpoint, found, left)
    return found


def _made_here(path: str) -> bool:
    """Data that are drawn or come with a dependency: read in under a second."""
    return path in SOURCES and not SOURCES[path].needs_download


def _begun(data: str, split: str) -> bool:
    """Reading many files takes a while and keeps nothing when it is stopped: it waits for a click."""
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Ask the network", type="primary", key="begin_exam", icon=":material/play_arrow:")
        st.markdown(f"Reads the {split} pictures of {plain(data)} and asks what each one is. You can stop at any time.")
    if pressed:
        place.empty()
    return pressed


def _stamp(path: str) -> str:
    """Changes when the data do, as far as names, sizes and times tell."""
    if path in SOURCES or (place := existing(path)) is None:
        return ""
    if place.is_file():
        return f"{place.stat().st_mtime_ns}:{place.stat().st_size}"
    found = [(place, about.st_mtime_ns) for place, _, _ in os.walk(place) if (about := os.stat(place))]
    return f"{len(found)}:{max(time_ for _, time_ in found)}"


def _read(checkpoint: Checkpoint, key: str, path: str, split: str, limit: int) -> None:
    def read(told: Callable) -> None:
        def progress(done: int, total: int, text: str) -> None:
            told(done / total if total else 0, f"{text}: {done:,} of {total:,}")
        _sittings().keep(key, Sitting(key, errors.exam(checkpoint, path, split, limit, progress)))
    under_a_bar(read, 0.0 if _made_here(path) else READING_S, "reading")


def _ask(checkpoint: Checkpoint, sitting: Sitting, count: int) -> None:
    """`count` more pictures, under a bar."""
    under_a_bar(lambda told: _answer(checkpoint, sitting, count, told), sitting.seconds / sitting.done * count,
                "asking")


def _answer(checkpoint: Checkpoint, sitting: Sitting, count: int, told: Callable) -> None:
    """Batch by batch, each kept at once; a second session that waits for the same batch finds it done."""
    recipe, began_at = checkpoint.preprocessing, sitting.done
    step, until = errors.batch_of(recipe), min(began_at + count, len(sitting.exam))
    while (done := sitting.done) < until:
        with sitting.lock, state.model_of(checkpoint) as model:
            if sitting.done == done:
                began = time.monotonic()
                sitting.parts.append(errors.ask(model, sitting.exam.images[done:min(done + step, until)], recipe))
                sitting.seconds += time.monotonic() - began
        told((sitting.done - began_at) / (until - began_at),
             f"{sitting.done:,} of {len(sitting.exam):,} pictures asked")
