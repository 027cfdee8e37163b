"""Displays about runs that pages share: which run, what is known of it, and how it goes in words."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from .. import checkpoints, run_marks, runs
from ..drawing.training import Metrics, Plan
from ..problems import Problem
from ..training import process
from ..training.config import Config
from . import access, state
from .page import NothingYet, plain

DEFAULTS = Config().to_dict()
CHOSEN = "run"  # name in the URL
LIVE_S, FIRST_S, QUIET_S = 1.0, 0.5, 5.0  # between two looks: at a live run, until its first point, at one that rests
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


@dataclass(frozen=True)
class Watched:
    """One run as it is at this moment; `state` as runs.state, with "new" only while its process is starting."""

    run: Path
    state: str
    config: dict
    status: dict
    metrics: Metrics
    events: list[dict] = field(default_factory=list)

    @property
    def live(self) -> bool:
        return self.state in runs.ALIVE_STATES or (self.state == "new" and process.running(self.run))

    @property
    def bundled(self) -> bool:
        return self.run.parent == checkpoints.BUNDLED

    @property
    def plan(self) -> Plan:
        total = self.status.get("total_steps")
        if total is None and self.state == "finished" and "train" in self.metrics:
            total = int(self.metrics["train"]["step"][-1])
        return Plan(total, self.config.get("epochs"), self.config.get("batch_size"))


# Which run


def known_runs() -> dict[str, Path]:
    """Reference -> directory: own runs, the newest first, then the bundled ones."""
    own = {state.run_reference(run): run for run in runs.list_runs()}
    names = sorted(checkpoints.bundled(), key=lambda name: (name != state.DEFAULT, name))
    return own | {name: checkpoints.BUNDLED / name for name in names}


def show_run(run: Path) -> None:
    """Make it the run that this session looks at, also in its link."""
    _show(state.run_reference(run))


def _show(reference: str) -> None:
    st.session_state[CHOSEN] = st.query_params[CHOSEN] = reference


def _chosen(known: dict[str, Path]) -> str:
    """The session's run; at its beginning the link's; else the newest that lives or has something to show.

    The link counts only once: a look asked for just before another run was chosen still carries the old address.
    """
    if st.session_state.get(CHOSEN) in known:
        return st.session_state[CHOSEN]
    linked = st.query_params.get(CHOSEN)
    if linked in known:
        return linked
    if linked:
        st.toast(f"The link asks for the run {linked!r}, which is not here; you see another one instead.")
    worth_seeing = (
        name for name, run in known.items() if (run / "metrics.jsonl").exists() or runs.state(run) in runs.ALIVE_STATES
    )
    return next(worth_seeing, next(iter(known)))


def begin_to_look() -> tuple[Path, float]:
    """(the chosen run, seconds between two looks at it); NothingYet where there is no run at all."""
    known = known_runs()
    if not known:
        raise NothingYet("There is no run yet, and no finished example is installed. Press Start.")
    _show(_chosen(known))
    run = known[st.session_state[CHOSEN]]
    return run, seconds_between_looks(watch(run))


def choose_run() -> Path:
    """The picker of runs; there must be one. The URL carries the choice: a link and a reload show the same run."""
    known = known_runs()
    chosen = st.session_state.run_picker = _chosen(known)
    st.selectbox(
        "Run",
        list(known),
        key="run_picker",
        format_func=lambda name: _title(known[name]),
        width=290,
        on_change=lambda: _show(st.session_state.run_picker),
    )
    return known[chosen]


def _title(run: Path) -> str:
    if run.parent == checkpoints.BUNDLED:
        return f"Finished example: {run.name}"
    name, place = run_marks.read(run).name, state.run_reference(run).removeprefix(state.RUN_PREFIX)
    return f"{name} ({place})" if name else place


# What is known of it


@dataclass(frozen=True)
class Reader:
    """A run's metrics, read on by whoever asks; the lock because sessions ask in threads of their own."""

    metrics: runs.Metrics
    lock: threading.Lock


@st.cache_resource(max_entries=32, show_spinner=False)
def _reader(run: str) -> Reader:
    return Reader(runs.Metrics(Path(run)), threading.Lock())


def watch(run: Path) -> Watched:
    """Read what is new; Problem where the run's directory is gone."""
    config = runs.read_config(run)
    if config is None:
        raise Problem(
            f"The run {run.name} cannot be read any more: its folder was deleted, moved or damaged. Choose another one."
        )
    reader = _reader(str(run))
    with reader.lock:
        metrics = reader.metrics.refresh()
    return Watched(run, runs.state(run), config, runs.read_status(run) or {}, metrics, runs.read_events(run))


def snapshot_files(run: Path) -> list[tuple[Path, int]]:
    """(file, time of its last change in ns) of each snapshot, by step; one that vanishes this moment is left out."""
    found = []
    for path in sorted((run / "snapshots").glob("*.safetensors")):
        with suppress(OSError):
            found.append((path, path.stat().st_mtime_ns))
    return [(path, changed) for path, changed in found if path.stem.isdecimal()]


def seconds_between_looks(watched: Watched) -> float:
    if not watched.live:
        return QUIET_S
    return LIVE_S if "train" in watched.metrics else FIRST_S


# In words


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


def _doing(status: dict) -> str:
    message = status.get("message")
    return f": {message}" if message and message not in ("training", "paused") else ""


def duration(seconds: float) -> str:
    """42 s, 3 min 5 s, 2 h 10 min."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def progress_line(watched: Watched) -> None:
    """The state in words over a bar, and below it what needs a person: silence, or a failure."""
    total = watched.plan.total_steps
    step = watched.status.get("step") or 0
    st.progress(min(step / total, 1.0) if total else 0.0, text=in_words(watched))
    silent = runs.silent_for_s(watched.run)
    if watched.state in runs.ALIVE_STATES and silent > runs.NO_NEWS_S:
        st.warning(
            f"No news from this run for {duration(silent)}: its machine may be busy, asleep or gone.",
            icon=":material/hourglass_empty:",
        )
    elif watched.state == "failed":
        message = (watched.status.get("message") or "").rstrip(".")
        told = message if watched.status.get("state") == "failed" and message else "its process ended without a word"
        after = (
            "What it had is kept; Continue goes on from there"
            if step
            else "Nothing was learned yet; Continue tries again"
        )
        st.error(f"This run failed: {told}. {after}.", icon=":material/error:")
    elif watched.state == "elsewhere":
        host = watched.status.get("host") or "another machine"
        last = f"since {time.strftime('%d %B %Y, %H:%M', time.localtime(time.time() - silent))}" if silent else "at all"
        st.warning(
            f"This run was begun on {host}; there has been no news from it {last}."
            " If nothing goes on there any more, continue it here or delete it.",
            icon=":material/hourglass_empty:",
        )
    for note in watched.status.get("notes") or ():
        st.caption(f"{note}.")


# A run from its start to its end


def start_run(config: Config) -> None:
    """Begin a run in a process of its own, and look at it; a recipe that makes no sense leaves nothing behind."""
    access.check_may_change()
    run = runs.new_directory(f"{config.network}-{Path(config.data).stem}")
    try:
        process.start(config, run)
    except Problem:
        if not runs.is_run(run):
            run.rmdir()
        raise
    show_run(run)


def resume_run(run: Path) -> None:
    """Continue a run that has no process."""
    access.check_may_change()
    process.resume(run)


def order(run: Path, command: str, value: float | None = None) -> None:
    """Leave one command for the run's trainer; a button's callback, so what is wrong is said in passing."""
    try:
        access.check_may_change()
        runs.send(run, command, value)
    except Problem as problem:
        st.toast(plain(str(problem)), icon=":material/error:")


def remove_run(run: Path) -> None:
    """Delete it, and look at another one."""
    access.check_may_change()
    runs.delete(run)
    for place in (st.session_state, st.query_params):
        place.pop(CHOSEN, None)
