"""RESULTS.md: what the presets gave here, beside what their sources printed.

Each preset runs in a directory of its own; the document is written from all finished ones, whenever they were run, so
that every figure in it is read from a run's own files.
"""

import os
import platform
import socket
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from .. import runs
from ..problems import Problem
from . import presets, process
from .__main__ import run_here
from .config import Config, with_settings

OF_THE_MACHINE = ("device", "threads", "keep_weights", "tensorboard", "version")  # no part of the recipe
HEAD = (
    "preset",
    "network",
    "data",
    "test accuracy",
    "its source",
    "training accuracy",
    "minutes",
    "images/s",
    "changed",
    "hardware",
)


@dataclass(frozen=True)
class Row:
    """One finished run of a preset. accuracy 0..1; seconds of training steps; changed: what is not the preset's."""

    preset: str
    network: str
    data: str
    accuracy: float
    train_accuracy: float
    epochs: int
    seconds: float
    images_per_s: float
    changed: dict
    hardware: str


def run(names: list[str], folder: Path, data: str | None, settings: list[str], tell) -> None:
    """Run presets one after another, each in folder/NAME; a finished one is left as it is, a begun one goes on.

    data      a name, folder or zip instead of the preset's own, e.g. where CIFAR-100 cannot be had
    settings  KEY=VALUE that differ from the preset; both are said in the document
    """
    for name in names:
        preset, directory = presets.find(name), folder / name
        config = with_settings(replace(preset.config, data=data) if data else preset.config, settings)
        state = runs.state(directory) if directory.exists() else None
        if state == "finished":
            tell(f"{name}: finished before")
            continue
        tell(f"{name}: {preset.title}")
        if state is None:
            process.create(config, directory)
        else:
            process.check_resumable(directory)
        if run_here(directory, lambda text, name=name: tell(f"{name}: {text}")) == "stopped":
            raise Problem(f"{name} was stopped; the same command goes on with it.")


def rows(folder: Path) -> list[Row]:
    """Every finished run of a preset under `folder`, in the presets' order."""
    found = [name for name in presets.PRESETS if runs.is_run(folder / name) and runs.state(folder / name) == "finished"]
    return [_row(name, folder / name) for name in found]


def _row(name: str, directory: Path) -> Row:
    values, status = runs.read_config(directory), runs.read_status(directory)
    metrics = runs.Metrics(directory).refresh()
    train, own = metrics["train"], asdict(presets.PRESETS[name].config)
    known = {field.name for field in fields(Config)} - {*OF_THE_MACHINE, "data"}
    changed = {key: value for key, value in values.items() if key in known and value != _plain(own[key])}
    last = train["epoch"] == train["epoch"][-1]  # the last rows: the average over the last epoch's batches
    seconds = float(train["elapsed_s"][-1])
    return Row(
        name,
        values["network"],
        _data_name(values["data"]),
        float(metrics["test"]["accuracy"][-1]),
        float(train["accuracy"][last].mean()),
        int(status["epoch"]),
        seconds,
        float(train["images"][-1]) / max(seconds, 1e-9),
        changed,
        _hardware(status),
    )


def _plain(value):
    return list(value) if isinstance(value, tuple) else value


def _data_name(data: str) -> str:
    """A path of this machine is nobody else's business: what the data are called instead."""
    return {"cifar10-jpeg": "CIFAR-10 (JPEG)"}.get(Path(data).stem, data if os.sep not in data else Path(data).stem)


def _hardware(status: dict) -> str:
    where = _processor(status) if status.get("host") == socket.gethostname() else "another machine"
    return f"{where}, {status['threads']} threads, torch {status['torch']}"


def _processor(status: dict) -> str:
    if status["device"] == "cuda":
        import torch

        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def document(found: list[Row]) -> str:
    """The rows as Markdown, and which presets were not run."""
    lines = [
        "# Results",
        "",
        "Written by `python -m resnet_viz results` from the files of the runs themselves. *Its source* is what the "
        "paper or the course printed, on its own data and hardware; *changed* is what differs here from the preset. Test "
        "accuracy is measured once, at the end; CIFAR-10 (JPEG) is CIFAR-10 recompressed, which costs accuracy.",
        "",
        f"| {' | '.join(HEAD)} |",
        f"|{'---|' * len(HEAD)}",
    ]
    for row in found:
        reported = presets.PRESETS[row.preset].reported
        cells = (
            row.preset,
            row.network,
            row.data,
            f"**{row.accuracy:.2%}**",
            f"{reported.accuracy:.2%} ({reported.who})" if reported else "",
            f"{row.train_accuracy:.2%}",
            f"{row.seconds / 60:,.1f}",
            f"{row.images_per_s:,.0f}",
            ", ".join(f"{key}={value}" for key, value in row.changed.items()),
            row.hardware,
        )
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    missing = [name for name in presets.PRESETS if name not in {row.preset for row in found}]
    return "\n".join([*lines, "", "Not run here: " + (", ".join(missing) or "none") + ".", ""])


def write(folder: Path, path: Path) -> list[Row]:
    """RESULTS.md at `path` from the runs under `folder`; returns its rows."""
    found = rows(folder)
    try:
        runs.write_atomic(path, document(found).encode())
    except OSError as error:
        raise Problem(f"{path} cannot be written ({error.strerror}); choose another place with --out.") from error
    return found
