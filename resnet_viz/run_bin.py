"""Deleted runs, for as long as a person may want them back: moved into .deleted/ of the runs folder, gone after a week."""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from . import runs
from .problems import Problem

FOLDER = ".deleted"
KEPT_S = 7 * 24 * 3600


@dataclass(frozen=True)
class Deleted:
    """One deleted run: where it was under the runs folder, when it was deleted (seconds since 1970), where it is now."""

    place: Path
    when: float
    path: Path


def throw_away(run: Path) -> Deleted:
    """Delete a run so that it can come back; refused while its process is alive. What lies there too long is removed."""
    if not runs.is_run(run):
        raise Problem(f"The run {run.name} is not there any more; choose another one.")
    if runs.state(run) in runs.ALIVE_STATES:
        raise Problem("This run is still going on; stop it first.")
    empty(before=time.time() - KEPT_S)
    place = run.relative_to(runs.root())
    target = runs.root() / FOLDER / str(time.time_ns()) / place
    try:
        target.parent.mkdir(parents=True)
        os.rename(run, target)
    except OSError as error:
        raise Problem(f"The run {run.name} cannot be deleted ({error.strerror}); allow writing in its folder and try again.") from error
    return _deleted(target)


def deleted() -> list[Deleted]:
    """What can come back, the newest first."""
    folder = runs.root() / FOLDER
    times = [path for path in folder.glob("*") if path.name.isdecimal()]
    found = [config.parent for path in times for config in (*path.glob("*/config.json"), *path.glob("*/*/config.json"))]
    return sorted(map(_deleted, found), key=lambda one: one.when, reverse=True)


def bring_back(one: Deleted) -> Path:
    """Undo: the run stands where it was; Problem where another one of its name stands there now."""
    target = runs.root() / one.place
    if target.exists():
        raise Problem(f"Another run is called {one.place} now; delete or move it, then bring this one back.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(one.path, target)
    except OSError as error:
        raise Problem(f"The run {one.place} cannot be brought back ({error.strerror}); make room or allow writing there, and try again.") from error
    _forget(one)
    return target


def empty(before: float = float("inf")) -> None:
    """Remove for good what was deleted before that time; also what a process that was killed in here left of it."""
    for folder in (runs.root() / FOLDER).glob("*"):
        if folder.name.isdecimal() and int(folder.name) / 1e9 < before:
            shutil.rmtree(folder, ignore_errors=True)


def _deleted(path: Path) -> Deleted:
    parts = path.relative_to(runs.root() / FOLDER).parts
    return Deleted(Path(*parts[1:]), int(parts[0]) / 1e9, path)


def _forget(one: Deleted) -> None:
    shutil.rmtree(runs.root() / FOLDER / one.path.relative_to(runs.root() / FOLDER).parts[0], ignore_errors=True)
