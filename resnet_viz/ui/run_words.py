"""A run in words: its state in one line, how long, how much memory, and what is wrong with it in one sentence."""

import time

import streamlit as st

from .. import runs
from ..number_text import duration
from . import state, viewers
from .page import plain
from .runs import GONE, PROBLEM, Watched

CLOCK_S = 5  # further ahead than that, a sign of life means that a clock was set
WORDS = {
    "new": "Starting",
    "queued": "Waiting",
    "running": "Running",
    "paused": "Paused",
    "finished": "Finished",
    "stopped": "Stopped, and kept",
    "failed": "Failed",
    "elsewhere": "No news from its machine",
}


def in_words(watched: Watched) -> str:
    """The state of a run as one line: what, how far, how fast, how long still, on what."""
    status, config, now = watched.status, watched.config, watched.state
    if now == "new":
        now = "Starting its process" if watched.live else "Not started yet"
    else:
        now = "Getting ready" if now == "running" and not status.get("total_steps") else WORDS[now]
    parts = [f"**{now}**" + (_doing(status) if watched.live else "")]
    step, total = status.get("step") or 0, watched.plan.total_steps
    if total:
        epoch, epochs = status.get("epoch") or 0, config.get("epochs") or 0
        parts += [
            f"epoch {min(epoch + 1, epochs) if watched.live else epoch:,} of {epochs:,}",
            f"step {step:,} of {total:,}",
        ]
    if watched.live:
        parts += [f"{status['images_per_s']:,.0f} images/s"] if status.get("images_per_s") else []
        parts += [f"{duration(status['eta_s'])} left"] if status.get("eta_s") else []
        parts += [_memory(status)] if status.get("memory_bytes") else []
    elif "train" in watched.metrics:
        parts.append(f"trained for {duration(float(watched.metrics['train']['elapsed_s'][-1]))}")
    if status.get("device"):
        threads = (
            f", {status['threads']} thread{'s' if status['threads'] != 1 else ''}"
            if status["device"] == "cpu" and status.get("threads")
            else ""
        )
        others = f", {status['processes']} processes that share every batch" if status.get("processes") else ""
        parts.append(f"{status['device']}{threads}{others}")
    return " · ".join(parts + [f"seed {config.get('seed', 0)}"])


def _memory(status: dict) -> str:
    on_gpu = f", {status['gpu_memory_bytes'] / 2**20:,.0f} MiB of the GPU" if status.get("gpu_memory_bytes") else ""
    return f"{status['memory_bytes'] / 2**20:,.0f} MiB memory{on_gpu}"


def _doing(status: dict) -> str:
    message = status.get("message")
    return f": {message}" if message and message not in ("training", "paused") else ""


def progress_line(watched: Watched) -> None:
    """The state in words over a bar, and below it what needs a person: silence, a failure, a clock that was set."""
    if problem := st.session_state.pop(PROBLEM, None):
        st.toast(plain(problem), icon=":material/error:")
    if gone := st.session_state.get(GONE):
        name = plain(gone.removeprefix(state.RUN_PREFIX))
        _warn(f"The run {name} that you watched was deleted or moved; you see another one.", "delete")
    total = watched.plan.total_steps
    step = watched.status.get("step") or 0
    st.progress(min(step / total, 1.0) if total else 0.0, text=in_words(watched))
    _trouble(watched)
    viewers.say_so()
    for note in watched.status.get("notes") or ():
        st.caption(plain(f"{note}."))


def _trouble(watched: Watched) -> None:
    """One sentence where something is wrong with the run, and what to do."""
    status = watched.status
    silent, heartbeat = runs.silent_for_s(watched.run), status.get("heartbeat") or 0
    if watched.state == "failed":
        message = (status.get("message") or "").rstrip(".")
        told = message if status.get("state") == "failed" and message else "its process ended without a word"
        saved = (watched.run / "resume.safetensors").exists()
        after = "What it had saved is kept; Continue goes on from there" if saved else "Nothing was saved yet; Continue begins again"
        st.error(f"This run failed{f' on {moment(heartbeat)}' if heartbeat else ''}: {plain(told)}. {after}.", icon=":material/error:")
    elif watched.state == "elsewhere":
        last = f"since {moment(heartbeat)}" if silent else "at all"
        _warn(
            f"This run was begun on {status.get('host') or 'another machine'}; there has been no news from it {last}."
            " If nothing goes on there any more, continue it here or delete it."
        )
    elif watched.live and silent > runs.NO_NEWS_S:
        _warn(f"No news from this run for {duration(silent)}: its machine may be busy, asleep or gone.")
    elif watched.live and heartbeat - time.time() > CLOCK_S:
        _warn(
            f"The clock of this computer is {duration(heartbeat - time.time())} behind this run's last sign of life:"
            " somebody set it back, or the run's own machine has another time. The curves count steps and seconds of"
            " training, so they stay right.",
            "schedule",
        )


def _warn(sentence: str, icon: str = "hourglass_empty") -> None:
    st.warning(sentence, icon=f":material/{icon}:")


def moment(seconds: float) -> str:
    """A time since 1970 as the server's clock and calendar say it: 21 November 2026, 09:41."""
    return time.strftime("%d %B %Y, %H:%M", time.localtime(seconds)).lstrip("0")
