"""What children of the tests of faults do. Loaded once, in a process that forks them: importing torch takes seconds."""

import os
import signal
from pathlib import Path

import torch

from resnet_viz import checkpoints, export
from resnet_viz.data import sources
from resnet_viz.training import __main__ as training
from resnet_viz.training import loop, run_archive  # noqa: F401  (loop: loaded here, not in every child)

from . import dying

torch.set_num_threads(1)  # no pool of threads that a fork would lose
sources.load("digits", "train")  # brings what reads them
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


JOBS = {job.__name__: job for job in (train, write_weights, write_zip, read_zip)}


def child(job: str, arguments: tuple[str, ...], fault: dying.Fault | None, variables: dict[str, str]) -> None:
    """The whole life of a child, in a process group of its own."""
    os.setsid()
    os.environ |= variables
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    if fault:
        dying.install(fault)
    code = JOBS[job](*arguments)
    if fault:
        dying.report()
    raise SystemExit(code)
