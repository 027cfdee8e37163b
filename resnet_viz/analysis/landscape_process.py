"""Landscapes that a person asks for: computed by the command in a process of its own, which outlives page and server.

Each is three files in a folder beside the runs: NAME.npz, which the command writes; NAME.log, what it said; NAME.json,
the order and the process. The command ends itself when all points are known; ended earlier, it goes on where it was.
"""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from .. import leavings, runs
from ..problems import Problem

FOLDER = ".landscapes"  # in the runs folder; without a config.json it is nobody's run
SHIPPED = runs.PROJECT / "landscapes"
NICE = 5  # the page that watches comes first
_children: dict[str, subprocess.Popen] = {}  # polled, so that an ended child does not stay a zombie


@dataclass(frozen=True)
class Order:
    """What is to be computed: the options of the command; `weights` is the checkpoint's file, `title` its name."""

    title: str
    weights: str
    data: str
    grid: int
    limit: int
    plane: str
    seed: int


@dataclass(frozen=True)
class Job:
    """An order and what became of it so far. file: where its landscape is, or will be. said: the log's last sentence."""

    name: str
    order: Order
    file: Path
    going: bool
    said: str


def folder() -> Path:
    return runs.root() / FOLDER


def jobs() -> list[Job]:
    """All orders, the newest first; files that cannot be read are left out."""
    found = []
    for path in folder().glob("*.json"):
        try:
            about = _about(path)
            order = Order(**about["order"])
            found.append(
                (
                    path.stat().st_mtime_ns,
                    Job(path.stem, order, path.with_suffix(".npz"), _going(path, about), _said(path)),
                )
            )
        except (TypeError, KeyError, OSError):
            continue
    return [job for _, job in sorted(found, key=lambda pair: pair[0], reverse=True)]


def _about(path: Path) -> dict:
    """What was written down of an order; nothing where it cannot be read."""
    try:
        about = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _going(path: Path, about: dict) -> bool:
    child = _children.get(str(path))
    if child is not None and child.poll() is None:
        return True
    return runs.process_alive(about)


def _said(path: Path) -> str:
    try:
        lines = path.with_suffix(".log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    sentences = [line for line in lines if line.endswith(".")]  # C libraries may add half a line while the process ends
    return (sentences or lines or [""])[-1][:300]


def start(order: Order) -> str:
    """Begin an order, or go on with it, in a process of its own; returns its name. One at a time, whichever server is
    asked: they take all cores."""
    text = json.dumps(asdict(order), sort_keys=True)
    path = folder() / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with leavings.alone(path.parent):
            if busy := next((job for job in jobs() if job.going), None):
                raise Problem(f"The landscape of {busy.order.title} is being computed; stop it first, or wait for its end.")
            _begin(order, path)
    except OSError as error:
        raise Problem(
            f"{folder()} cannot be written ({error.strerror}); set RESNET_VIZ_RUNS to a folder that can."
        ) from error
    return path.stem


def _begin(order: Order, path: Path) -> None:
    with open(path.with_suffix(".log"), "wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "resnet_viz", *_line(order, path.with_suffix(".npz"))],
            cwd=runs.PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _children[str(path)] = child
    process = psutil.Process(child.pid)
    if os.name == "posix":
        process.nice(NICE)
    runs.write_json(
        path,
        {
            "order": asdict(order),
            "pid": child.pid,
            "process_created": process.create_time(),
            "process_after_boot_s": runs.after_boot_s(process),
        },
    )


def _line(order: Order, file: Path) -> list[str]:
    return [
        "landscape",
        order.weights,
        "--data",
        order.data,
        "--grid",
        str(order.grid),
        "--limit",
        str(order.limit),
        "--plane",
        order.plane,
        "--seed",
        str(order.seed),
        "--out",
        str(file),
    ]


def stop(name: str) -> None:
    """Ask its process to end; it keeps what it has."""
    about = _about(folder() / f"{name}.json")
    if runs.process_alive(about):
        psutil.Process(about["pid"]).terminate()
