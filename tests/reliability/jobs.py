"""What children of the tests of faults do. Loaded once, in a process that forks them: importing torch takes seconds."""

import io
import itertools
import json
import os
import signal
import time
from pathlib import Path

import torch

from resnet_viz import checkpoints, export, run_bin, run_marks, runs
from resnet_viz.data import sources
from resnet_viz.problems import Problem
from resnet_viz.training import __main__ as training
from resnet_viz.training import loop, process, run_archive  # noqa: F401  (loop: loaded here, not in every child)

from . import dying

JUMPS_S = (0, 86_400, -31_536_000, 3_600, -1)
torch.set_num_threads(1)  # no pool of threads that a fork would lose
sources.load("digits", "train")  # brings what reads them
"".encode("cp437")  # of names in zips; a child that is another user may not be allowed to read Python's own folder
torch.optim.SGD([torch.zeros(1)], 0.1)  # the first optimiser of a process brings a compiler


def train(run: str) -> int:
    """As `_spawn` of training.process starts it, but forked: output into train.log."""
    with open(Path(run) / "train.log", "ab") as log:
        for number in (1, 2):
            os.dup2(log.fileno(), number)
    return training.main([run])


def write_weights(source: str, format: str, target: str) -> int:
    export.export(checkpoints.read(Path(source)), format, Path(target))
    return 0


def write_zip(run: str, target: str) -> int:
    run_archive.export(Path(run), target)
    return 0


def read_zip(source: str) -> int:
    run_archive.add(source, Path(source).name)
    return 0


def refusals(run: str, archive: str, said: str) -> int:
    """What is told of a run, and of a folder of runs, that may only be read; name of the deed -> sentence or what came."""
    place = Path(run)
    deeds = {
        "continue": lambda: process.resume(place),
        "train": lambda: training.run_here(place),
        "order": lambda: runs.send(place, "stop"),
        "note": lambda: run_marks.write(place, run_marks.Marks("mine")),
        "delete": lambda: run_bin.throw_away(place),
        "new run": lambda: runs.new_directory("new"),
        "import": lambda: run_archive.add(archive, "run.zip"),
        "weights": lambda: export.export(checkpoints.read(place / "last.safetensors"), "safetensors", place / "x.safetensors"),
        "zip": lambda: run_archive.export(place, place / "x.zip"),
    }
    found = {}
    for name, deed in deeds.items():
        try:
            found[name] = f"it was done: {deed()}"
        except Problem as problem:
            found[name] = str(problem)
    reads = [runs.state(place), runs.read_config(place)["network"], len(runs.snapshots(place)), len(runs.list_runs()),
             len(runs.read_lines(place / "metrics.jsonl"))]
    run_archive.export(place, io.BytesIO())
    Path(said).write_text(json.dumps({"refused": found, "read": reads}))
    return 0


def train_with_jumping_clock(run: str) -> int:
    """The time of day jumps a day forwards, a year back and so on, each tenth time that anybody asks for it."""
    real, asked = time.time_ns, itertools.count()
    time.time_ns = lambda: real() + JUMPS_S[next(asked) // 10 % len(JUMPS_S)] * 10**9
    time.time = lambda: time.time_ns() / 1e9
    return train(run)


def together(moment: str, job: str, *arguments: str) -> int:
    """A job that several processes begin at one moment of the machine's own clock, which all of them share."""
    while time.monotonic() < float(moment):
        pass
    return JOBS[job](*arguments)


def delete(run: str) -> int:
    run_bin.throw_away(Path(run))
    return 0


def bring_back(name: str) -> int:
    run_bin.bring_back(next(one for one in run_bin.deleted() if one.place.name == name))
    return 0


def new_run(hint: str) -> int:
    runs.new_directory(hint)
    return 0


JOBS = {job.__name__: job for job in (train, write_weights, write_zip, read_zip, refusals, train_with_jumping_clock, together,
                                      delete, bring_back, new_run)}


def child(job: str, arguments: tuple[str, ...], fault: dying.Fault | None, variables: dict[str, str]) -> None:
    """The whole life of a child, in a process group of its own. It ends with 2 where it was refused; why is in TEST_SAID."""
    os.setsid()
    torch.set_num_threads = lambda count: None  # it has its one thread; after a fork torch fails to renew its pool once in 400 jobs
    os.environ |= variables
    if "TEST_USER" in variables and not os.geteuid():  # nothing is forbidden to root
        os.setgroups([])
        os.setgid(int(variables["TEST_USER"]))
        os.setuid(int(variables["TEST_USER"]))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    if fault:
        dying.install(fault)
    try:
        code = JOBS[job](*arguments)
    except Problem as problem:
        Path(variables["TEST_SAID"]).write_text(str(problem))
        code = 2
    if fault:
        dying.report()
    raise SystemExit(code)
