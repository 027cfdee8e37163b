"""Runs on the screen: which one a session looks at, what is known of it, and its start, its orders and its end."""

import random
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st

from .. import checkpoints, run_marks, runs
from ..drawing.training import Metrics, Plan
from ..problems import Problem
from ..training import process
from ..training.config import Config, from_dict, resolve
from . import access, state, viewers
from .page import NothingYet, plain

DEFAULTS = Config().to_dict()
CHOSEN = "run"  # name in the URL
PROBLEM = "run_problem"  # session key: what went wrong in a callback, which may not draw
GONE = "run_gone"  # session key: the run that was watched until it was deleted
LIVE_S, FIRST_S, QUIET_S = viewers.PAUSES_S[0], 0.5, 5.0  # between looks: at a live run, until its first point, at a resting one


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
    """Look at it from now on."""
    st.session_state[CHOSEN] = st.query_params[CHOSEN] = reference


def _chosen(known: dict[str, Path]) -> str:
    """The session's run; at its beginning the link's; else the newest that lives or has something to show.

    The link counts only once: a look asked for just before another run was chosen still carries the old address.
    """
    watched = st.session_state.get(CHOSEN)
    if watched in known:
        return watched
    if watched:
        st.session_state[GONE] = watched
    linked = st.query_params.get(CHOSEN)
    if linked in known:
        return linked
    if linked and linked != watched:
        st.toast(plain(f"The link asks for the run {linked!r:.80}, which is not here; you see another one instead."))
    worth_seeing = (
        name for name, run in known.items() if (run / "metrics.jsonl").exists() or runs.state(run) in runs.ALIVE_STATES
    )
    return next(worth_seeing, next(iter(known)))


def begin_to_look() -> tuple[Path, float]:
    """(the chosen run, seconds between two looks at it); NothingYet where there is no run at all."""
    known = known_runs()
    if not known:
        how = " Press Start." if access.may_change() else " Wait for the first."
        raise NothingYet(f"There is no run yet, and no finished example is installed.{how}")
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
        on_change=_picked,
    )
    return known[chosen]


def _picked() -> None:
    st.session_state.pop(GONE, None)
    _show(st.session_state.run_picker)


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
    """Of this session; the more of them look at live runs, the longer."""
    if not watched.live:
        return QUIET_S
    pause = viewers.pause_s()
    return FIRST_S if pause == LIVE_S and "train" not in watched.metrics else pause


# A run from its start to its end


def start_run(config: Config) -> None:
    """Begin a run in a process of its own, and look at it; a recipe that makes no sense leaves nothing behind."""
    access.check_may_change()
    access.check_recipe(config.to_dict())
    run = runs.new_directory(f"{config.network}-{Path(config.data).stem}")
    try:
        process.start(config, run)
    except Problem:
        if not runs.is_run(run):
            run.rmdir()
        raise
    st.session_state.pop(GONE, None)
    show_run(run)


def new_seed() -> int:
    return random.randrange(1, 100_000)


def start_again(config: dict, seed: int | None = None) -> None:
    """Begin a new run with a run's very recipe, with its seed or another one; a button's callback."""
    try:
        recipe = from_dict(config)
        start_run(_possible(recipe if seed is None else replace(recipe, seed=seed)))
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)


def _possible(recipe: Config) -> Config:
    """The recipe on its own device, else on the one that is here: the run may have been trained on another machine."""
    try:
        return resolve(recipe)
    except Problem:
        return resolve(replace(recipe, device="auto"))


def resume_run(run: Path) -> None:
    """Continue a run that has no process."""
    access.check_may_change()
    access.check_recipe(runs.read_config(run))
    process.resume(run)


def order(run: Path, command: str, value: float | None = None) -> None:
    """Leave one command for the run's trainer; a button's callback, so what is wrong is said by the next look."""
    try:
        access.check_may_change()
        runs.send(run, command, value)
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)


def remove_run(run: Path) -> None:
    """Delete it, and look at another one."""
    access.check_may_change()
    runs.delete(run)
    for place in (st.session_state, st.query_params):
        place.pop(CHOSEN, None)
