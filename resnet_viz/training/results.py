"""RESULTS.md: what the presets gave here, beside what their sources printed.

Each preset runs in a directory of its own. What finished runs gave is kept in RESULTS.json, row by row from the runs'
own files, also of runs on other machines; RESULTS.md and the training page are drawn from that file.
"""

import json
import os
import platform
import re
import socket
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from .. import runs
from ..problems import Problem
from . import presets, process
from .__main__ import run_here
from .config import Config, with_settings
from .settings import data_name

KEPT = runs.PROJECT / "RESULTS.json"  # what came with the project, or was found here since
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
    """Run presets one after another, each in a directory of `folder` that is named after it and after what was changed;
    a finished one is left as it is, a begun one goes on.

    data      a name, folder or zip instead of the preset's own, e.g. where CIFAR-100 cannot be had
    settings  KEY=VALUE that differ from the preset; both are said in the document
    """
    for name in names:
        preset, directory = presets.find(name), folder / directory_name(name, settings)
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
            raise Problem(f"{name} was stopped; give the same command to go on with it.")


def directory_name(preset: str, settings: list[str]) -> str:
    """E.g. "lab-baseline,network=resnet20": another recipe is another run."""
    recipe = [setting for setting in settings if setting.partition("=")[0] not in OF_THE_MACHINE]
    return ",".join([preset, *(re.sub(r"[^A-Za-z0-9=._+-]+", "-", setting) for setting in recipe)])[:200]


def rows(folder: Path) -> list[Row]:
    """Every finished run of a preset under `folder`, in the presets' order."""
    found = [(path.name.partition(",")[0], path) for path in (sorted(folder.iterdir()) if folder.is_dir() else ())]
    return [_row(name, path) for name, path in sorted(found, key=lambda pair: _place(pair[0]))
            if name in presets.PRESETS and runs.is_run(path) and runs.state(path) == "finished"]


def _place(preset: str) -> int:
    names = list(presets.PRESETS)
    return names.index(preset) if preset in names else len(names)


def _row(name: str, directory: Path) -> Row:
    values, status = runs.read_config(directory), runs.read_status(directory)
    metrics = runs.Metrics(directory).refresh()
    train, own = metrics["train"], asdict(presets.PRESETS[name].config)
    known = {field.name for field in fields(Config)} - {*OF_THE_MACHINE, "data"}
    values |= {"start_from": _without_folders(values.get("start_from"))}
    changed = {key: value for key, value in values.items() if key in known and value != _plain(own[key])}
    last = train["epoch"] == train["epoch"][-1]  # the last rows: the average over the last epoch's batches
    seconds = float(train["elapsed_s"][-1])
    return Row(
        name,
        values["network"],
        data_name(values["data"]),
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


def _without_folders(start_from: str | None) -> str | None:
    """Weights of a run by the run's name, a file by its own."""
    if not start_from or not os.path.isabs(start_from):
        return start_from
    path = Path(start_from)
    return path.parent.name if path.stem in runs.WEIGHTS else path.name


def _hardware(status: dict) -> str:
    where = _processor(status) if status.get("host") == socket.gethostname() else "another machine"
    threads = status["threads"]
    return f"{where}, {threads} thread{'s' * (threads != 1)}, torch {status['torch']}"


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
            _changes(row),
            row.hardware,
        )
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    missing = [name for name in presets.PRESETS if name not in {row.preset for row in found}]
    return "\n".join([*lines, "", "Not run here: " + (", ".join(missing) or "none") + ".", ""])


def kept(path: Path = KEPT) -> list[Row]:
    """The rows of a RESULTS.json; none where there is no such file."""
    try:
        return [Row(**values) for values in json.loads(path.read_bytes())]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, TypeError) as error:
        raise Problem(f"{path} cannot be read; delete it, and write it again with the command `results`.") from error


def stamp(path: Path = KEPT) -> int:
    """A number that changes when the file does; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def in_words(name: str, found: list[Row]) -> list[str]:
    """What the preset's source printed, and what it gave in each of these rows: a sentence each."""
    reported = presets.PRESETS[name].reported
    said = [f"The source ({reported.who}) printed {reported.accuracy:.1%} of the test pictures right."] if reported else []
    for row in (row for row in found if row.preset == name):
        data = f" with {row.data}" if row.data != presets.PRESETS[name].config.data else ""
        changed = f" (changed: {_changes(row)})" if row.changed else ""
        said.append(f"Measured{data}{changed}: {row.accuracy:.1%} after {row.epochs:,} epoch{'s' * (row.epochs != 1)}, "
                    f"{row.seconds / 60:,.0f} min on {row.hardware}.")
    return said


def _changes(row: Row) -> str:
    return ", ".join(f"{key}={value}" for key, value in row.changed.items())


def write(folder: Path, path: Path) -> list[Row]:
    """RESULTS.md at `path`, and RESULTS.json beside it: the rows that were there, with those of the runs under `folder`
    put over the same recipe on the same machine. Returns all rows."""
    beside, fresh = path.with_suffix(".json"), rows(folder)
    known = {_recipe(row): row for row in (*kept(beside), *fresh)}
    found = sorted(known.values(), key=lambda row: _place(row.preset))
    try:
        runs.write_atomic(beside, (json.dumps([asdict(row) for row in found], indent=1) + "\n").encode())
        runs.write_atomic(path, document(found).encode())
    except OSError as error:
        raise Problem(f"{path} cannot be written ({error.strerror}); choose another place with --out.") from error
    return found


def _recipe(row: Row) -> str:
    return json.dumps([row.preset, row.data, row.changed, row.hardware], sort_keys=True)
