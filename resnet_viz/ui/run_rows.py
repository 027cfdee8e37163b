"""What is known of all runs, in words and figures: read again only where a run's files have changed."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from .. import checkpoints, run_marks, runs
from ..analysis import run_table
from ..problems import Problem
from ..run_marks import Marks
from ..training import settings
from . import access, viewers
from .run_words import WORDS
from .runs import QUIET_S, known_runs, watch

FILES = ("config.json", "status.json", "metrics.jsonl", "person.json")  # by which a change is seen


@dataclass(frozen=True)
class Known:
    """One run: how pages call it, where it is, what a person wrote, its settings and figures."""

    reference: str
    run: Path
    marks: Marks
    row: run_table.Row
    state: str
    data: str

    @property
    def live(self) -> bool:
        return self.state in runs.ALIVE_STATES

    @property
    def own(self) -> bool:
        return self.run.parent != checkpoints.BUNDLED

    @property
    def state_in_words(self) -> str:
        return WORDS[self.state] if self.own else "Finished example"


def all_known() -> dict[str, Known]:
    """Reference -> run: starred ones first, then own ones from the newest, then the bundled."""
    places = known_runs()
    found = {}
    for reference, run in places.items():
        read = _read(run, _stamp(run))
        if read is None:
            continue  # deleted this moment, or no recipe that can be read
        row, marks, data, said = read
        state = runs.state(run) if said in (*runs.ALIVE_STATES, None) else said
        if state in runs.ALIVE_STATES:
            row = run_table.Row(row.name, row.settings, run_table.result_of(watch(run).metrics), row.pictures, row.recipe)
        found[reference] = Known(reference, run, marks, row, state, data)
    return dict(sorted(found.items(), key=lambda pair: not pair[1].marks.star))


def pause_s(known: dict[str, Known]) -> float:
    """Seconds between two looks: twice those of a page that shows one run, for this one reads them all."""
    return 2 * viewers.pause_s() if any(one.live for one in known.values()) else QUIET_S


def styles(shown: list[Known], known: dict[str, Known]) -> dict[str, int]:
    """Reference -> the number of the style that the run got when it was first shown.

    Where nothing may be written all runs are counted, so that a tick more or less changes nobody's colour.
    """
    may = access.may_change()
    return run_marks.style_numbers([one.reference for one in (shown if may else known.values())], keep=may)


def _stamp(run: Path) -> str:
    """The run, and what changes when one of its files does; one text, for the cache takes its time over anything else."""
    found = [str(run)]
    for name in FILES:
        try:
            about = os.stat(f"{run}/{name}")
            found.append(f"{about.st_mtime_ns}-{about.st_size}")
        except OSError:
            found.append("")
    return "|".join(found)


@st.cache_resource(max_entries=1024, show_spinner=False)  # frozen records: shared, not copied for every look
def _read(_run: Path, stamp: str) -> tuple[run_table.Row, Marks, str, str | None] | None:
    config, status = runs.read_config(_run), runs.read_status(_run) or {}
    if config is None:
        return None
    values, said = settings.settings_of(config), status.get("state")
    marks = run_marks.read(_run)
    live = said in runs.ALIVE_STATES
    result = run_table.Result() if live else run_table.result_of(runs.Metrics(_run).refresh())
    row = run_table.Row(
        marks.name or _run.name,
        {name: settings.value_text(name, value) for name, value in values.items()},
        result,
        None if live else _validation_pictures(_run),
        frozenset(name for name in values if settings.decides(name)),
    )
    return row, marks, settings.value_text("data", config.get("data", "shapes")), said


def _validation_pictures(run: Path) -> int | None:
    """How many pictures the accuracy after an epoch was counted on: the confusion matrix holds each of them once."""
    last = next(iter(reversed(runs.snapshots(run))), None)
    if last is None or not last.epoch:
        return None
    try:
        confusion = runs.read_snapshot(last.path).get("confusion")
    except Problem:
        return None  # damaged: then nobody knows how much chance there is, and the rest still stands
    return None if confusion is None else int(np.sum(confusion)) or None


def titles(shown: list[Known]) -> dict[str, str]:
    """setting -> its name in a legend."""
    return {name: settings.in_short(name) for one in shown for name in one.row.settings}


def labels(shown: list[Known]) -> list[str]:
    """A name for each run in a legend: only the settings in which they differ."""
    return run_table.legend([one.row for one in shown], titles(shown))
