"""What happens once, when the server starts: torch is loaded beside it, and the installation is checked."""

import atexit
import ctypes
import gc
import logging
import os
import threading
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st
from starlette.middleware import Middleware
from streamlit.runtime.pages_manager import PagesManager

from .. import leavings, logs, runs, versions
from .door import PASSWORD, Door, on_this_machine


@dataclass
class WarmUp:
    """Filled in by the thread: `problem` is a sentence for the person, if the installation does not work."""

    thread: threading.Thread | None = None
    problem: str | None = None


M_ARENA_MAX = -8  # glibc's malloc.h
_log = logging.getLogger(__name__)
_lock = threading.Lock()
_warm: WarmUp | None = None


def before_the_first_visitor() -> None:
    """Called by app.py when the server imports it.

    Streamlit takes any folder named pages/ for its older kind of app until st.navigation has run once, and greets the
    first visitor of a link such as /kernels with a dialog "Page not found". The folder is not of that kind.
    """
    PagesManager.uses_pages_directory = False
    logs.begin("server")
    leavings.clear_session_folders()
    runs.clear_leavings_everywhere()
    _log.info("the server starts: listens on %s, %s, %s", st.get_option("server.address") or "every address",
              "with a password" if os.environ.get(PASSWORD) else "without a password",
              "this machine only" if on_this_machine(st.get_option("server.address")) else "others can reach it")
    _share_pools()
    warm_up()


def _share_pools() -> None:
    """glibc gives nearly each thread a pool of memory, and a pool keeps what it once took. Streamlit has a thread a page's
    run, so a class would leave its largest pictures in each: with two pools for all it took 12 % less, and stayed flat."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def around_the_app() -> dict:
    """What app.py gives st.App beside its script: who comes in, and what becomes of an exception that no page caught."""
    return {"middleware": [Middleware(Door)], "on_script_error": _fault}


def _fault(error: Exception) -> bool:
    from . import faults  # the pages' modules bring torch, which loads beside the server's start

    return faults.tell(error)


def warm_up() -> WarmUp:
    """Start loading torch in a thread; once a process. The import takes 2 to 3 s, the first forward pass 1 s."""
    global _warm
    with _lock:
        if _warm is None:
            _warm = WarmUp(problem=versions.pair_problem())
            if _warm.problem is None:
                _warm.thread = threading.Thread(target=_load, args=(_warm,), name="warm-up", daemon=True)
                _warm.thread.start()
    return _warm


def _load(warm: WarmUp) -> None:
    import torch

    from ..networks import zoo

    with torch.inference_mode():
        zoo.build("resnet8").eval()(torch.zeros(1, 3, 32, 32))
    warm.problem = versions.import_problem()  # torchvision last: most pages do without it
    gc.collect()
    gc.freeze()  # Streamlit collects after every run of a page: looking through all of torch takes 200 ms, without it 5
    atexit.register(gc.unfreeze)  # else the libraries complain of leaks at the end


def installation_problem() -> str | None:
    """What the person has to mend in the installation, as far as known by now."""
    return warm_up().problem
