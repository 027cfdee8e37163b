"""Weights that torchvision publishes: choose one, see what it is, and use it, downloaded first where it is not here.

A download runs in a thread of the server: it goes on while the person looks at other pages, until it is stopped here.
"""

import threading
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import streamlit as st

from .. import pretrained
from ..number_text import duration
from ..pretrained import PRETRAINED, Pretrained
from ..problems import Problem
from . import access, state
from .page import plain, problems

LOOK_S = 0.5  # between two looks at a download
WANTED = "pretrained_wanted"  # session key: (reference to use once it is here, what was in use when it was asked for)


@dataclass
class Download:
    """One download as its thread fills it in; `problem` is a sentence for the person."""

    entry: Pretrained
    began: float = field(default_factory=time.monotonic)
    stop: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    total: int = 0
    problem: str | None = None
    thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self.thread is not None and self.thread.is_alive()


class Stopped(Exception):
    """Raised inside the download when somebody has pressed Stop."""


@st.cache_resource
def _downloads() -> dict[str, Download]:
    """Reference -> the last download of it since the server started, whoever asked for it."""
    return {}


def choose_pretrained() -> None:
    """A choice of all entries with accuracy and size, and one button: to use what is here, or to download it first."""
    watching = _any_running()
    st.fragment(_choose, run_every=LOOK_S if watching else None)(watching)


def _any_running() -> bool:
    return any(download.running for download in _downloads().values())


def _choose(watching: bool) -> None:
    here = {entry.reference for entry in pretrained.all_cached()}
    reference = st.selectbox(
        "Trained on ImageNet, published by torchvision",
        list(PRETRAINED()),
        format_func=lambda reference: _line(PRETRAINED()[reference], reference in here),
        key="pretrained",
        persist_state="session",
    )
    entry, download = PRETRAINED()[reference], _downloads().get(reference)
    st.caption(
        f"Names {100 * entry.accuracy:.1f} % of ImageNet's 50,000 validation pictures right among 1,000 classes, says "
        f"torchvision. [How it was trained]({entry.recipe})."
    )
    if download and download.running:
        _show(download)
    elif reference in here:
        _offer_use(reference)
    else:
        _offer_download(entry, download)
    if watching and not _any_running():
        st.rerun()  # there is nothing to look at any more


def _line(entry: Pretrained, here: bool) -> str:
    """resnet50, version 2: 80.9 %, 103 MB."""
    version = entry.version.rpartition("_V")[2]
    where = "here already" if here else _megabytes(entry.size_bytes)
    return f"{entry.network}, version {version}: {100 * entry.accuracy:.1f} %, {where}"


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.0f} MB"


def _offer_use(reference: str) -> None:
    """Use it on a press, or at once where it was downloaded for this session and nothing else was chosen since."""
    if st.session_state.pop(WANTED, None) == (reference, st.session_state.get(state.CHOSEN)):
        state.choose_now(reference)
    if st.button("Use it", key="pretrained_use", icon=":material/visibility:", type="primary"):
        state.choose_now(reference)
    st.caption(f"It is on this machine, in {plain(str(pretrained.folder()))}.")


def _offer_download(entry: Pretrained, last: Download | None) -> None:
    if not access.may_change():
        access.say_why()
        return
    label = f"Download {_megabytes(entry.size_bytes)} and use it"
    if st.button(label, key="pretrained_download", icon=":material/download:", type="primary"):
        st.session_state[WANTED] = entry.reference, st.session_state.get(state.CHOSEN)
        with problems():
            _start(entry)
            st.rerun()  # the whole page: from now on this part of it looks by itself how far the download is
    asked_for = st.session_state.get(WANTED, (None,))[0]
    if last and last.problem and asked_for == entry.reference:  # others need not hear of it
        st.error(plain(last.problem), icon=":material/error:")


def _show(download: Download) -> None:
    """How far, how long still, and the way out."""
    text = f"Asking {urlsplit(download.entry.url).hostname}"
    if download.done:
        left = (time.monotonic() - download.began) * (download.total - download.done) / download.done
        text = f"{download.done / 1e6:,.0f} of {_megabytes(download.total)}, {duration(left)} left"
    st.progress(download.done / max(download.total, 1), text)
    if access.may_change():  # a download is everybody's
        st.button("Stop", key="pretrained_stop", icon=":material/stop:", on_click=_stop, args=(download,))


def _stop(download: Download) -> None:
    if access.may_change():
        download.stop.set()
    st.session_state.pop(WANTED, None)


def _start(entry: Pretrained) -> None:
    access.check_may_change()  # the file is kept for everybody
    download = _downloads()[entry.reference] = Download(entry)
    download.thread = threading.Thread(target=_run, args=(download,), name=entry.reference, daemon=True)
    download.thread.start()


def _run(download: Download) -> None:
    def progress(done: int, total: int, text: str) -> None:
        if download.stop.is_set():
            raise Stopped
        download.done, download.total = done, total

    try:
        pretrained.fetch(download.entry.reference, progress)
    except Stopped:
        pass  # nothing is left of it
    except Problem as problem:
        download.problem = str(problem)
