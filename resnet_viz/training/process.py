"""Start a training process that outlives the page, the browser and the server that asked for it."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from .. import leavings, runs
from ..data.place import existing
from ..data.sources import SOURCES
from ..networks import zoo
from ..problems import Problem
from . import fine_tuning
from .config import Config, from_dict, resolve

LOG_LIMIT_BYTES = 2**20
NICE = 5  # a third of the share of the server that shows it, so that thirty who look do not wait for one that learns
_children: dict[str, subprocess.Popen] = {}  # polled, so that an ended child does not stay a zombie


def create(config: Config, run: Path) -> None:
    """Write config.json into an empty or new directory: that alone is a valid run."""
    zoo.find(config.network)  # what has a name here can be trained; a custom network only be looked at
    zoo.check(config.network, config.arguments, config.size)
    if config.data not in SOURCES and (place := existing(config.data)):
        config = replace(config, data=str(place.absolute()))  # a continuation may start from another folder
    if config.start_from:
        config = replace(config, start_from=fine_tuning.find(config))
    config = resolve(config)
    try:
        run.mkdir(parents=True, exist_ok=True)
        leavings.clear_files(run, young_s=0)  # of an earlier attempt that was killed
        if any(run.iterdir()):
            raise Problem(f"{run} is not empty; choose a new directory, or continue that run with --resume.")
        runs.write_config(run, config.to_dict())
    except OSError as error:
        raise Problem(f"The run directory {run} cannot be written ({error.strerror}); choose another place.") from error


def start(config: Config, run: Path) -> None:
    """A new run in a process of its own; returns at once."""
    create(config, run)
    _spawn(run)


def resume(run: Path) -> None:
    """Continue a stopped or failed run in a process of its own."""
    check_resumable(run)
    _spawn(run)


def check_resumable(run: Path) -> None:
    """Problem where there is no run, where a process is at work on it, or where nothing is left to do."""
    values = runs.read_config(run)
    if values is None:
        raise Problem(f"{run} is not a run: it has no readable config.json; choose another directory.")
    from_dict(values)
    now = runs.state(run)
    if now in runs.ALIVE_STATES:
        raise Problem("This run is still going on; stop it first.")
    if now == "finished":
        raise Problem("This run is finished; start a new one with more epochs.")


def running(run: Path) -> bool:
    """Whether a process works on this run now."""
    child = _children.get(str(run.resolve()))
    if child is not None and child.poll() is None:
        return True  # also in the moment before it has written its first status
    _children.pop(str(run.resolve()), None)
    return runs.state(run) in runs.ALIVE_STATES


def forget_orders(run: Path) -> None:
    """Delete the commands that nobody applied: they were meant for the process that is gone."""
    for order in (run / "control").glob("*.json"):
        order.unlink(missing_ok=True)


def _spawn(run: Path) -> None:
    log = run / "train.log"
    try:
        forget_orders(run)
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(run / "train.log.1")
        with open(log, "ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "resnet_viz.training", str(run.resolve())],
                cwd=runs.PROJECT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        _children[str(run.resolve())] = child
        if hasattr(os, "setpriority"):  # not on Windows
            os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
    except OSError as error:
        raise Problem(f"The run {run.name} cannot be started: {error.strerror}; make room, or allow writing in {run}.") from error
