"""Every name, reader and writer of a run directory: the one contract between whoever trains and whoever looks.

The trainer writes, pages and commands read; they share these files and no memory. Every file is either replaced as a
whole (written beside, then os.replace) or grows by whole lines, so a reader at any moment sees the old state or the
new one, at worst followed by half a line, which the readers here leave for later.
"""

import json
import os
import re
import shutil
import socket
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from . import leavings
from .new_lines import NewLines, parse_line
from .problems import Problem, one_of

PROJECT = Path(__file__).resolve().parent.parent
COMMANDS = ("pause", "resume", "stop", "step", "epoch", "lr")
ALIVE_STATES = ("queued", "running", "paused")  # a process is behind them
GONE_S = 600  # of silence, after which nobody is expected behind a run that another machine had begun
NO_NEWS_S = 15  # after that long without a heartbeat a reader says so
COLUMNS = ("epoch", "step", "images", "loss", "accuracy", "lr", "elapsed_s")  # of metrics.jsonl, beside split
WEIGHTS = ("initial", "best", "last")


# Where runs are

def root() -> Path:
    """The folder that holds all runs: RESNET_VIZ_RUNS, or runs/ in the project."""
    return Path(os.environ.get("RESNET_VIZ_RUNS") or PROJECT / "runs").absolute()


def is_run(path: Path) -> bool:
    return (path / "config.json").is_file()


def list_runs() -> list[Path]:
    """All run directories under root(), the newest first; also those one folder deeper, e.g. in runs/results/."""
    found = []
    for path in _folders(root()):
        for run in (path,) if is_run(path) else _folders(path):
            try:
                found.append(((run / "config.json").stat().st_mtime_ns, str(run), run))
            except OSError:
                continue  # a stranger's folder, or a run that was deleted this moment
    return [path for _, _, path in sorted(found, reverse=True)]


def _folders(path: Path) -> list[Path]:
    """The folders in a folder, but none whose name begins with a dot: those hold no runs, or deleted ones."""
    try:
        with os.scandir(path) as entries:
            return [Path(entry.path) for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    except OSError:
        return []


def new_directory(hint: str) -> Path:
    """A run directory that does not exist yet, named after the time and the hint; it is created empty."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{re.sub(r'[^A-Za-z0-9.-]+', '-', hint).strip('-.') or 'run'}"
    for attempt in range(1, 1000):
        path = root() / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise Problem(f"The runs folder {root()} cannot be written ({error.strerror}); set RESNET_VIZ_RUNS to one that can.") from error
        return path
    raise Problem(f"There are too many runs named {name}; delete some under {root()}.")


# Writing

def write_atomic(path: Path, data: bytes) -> None:
    """Replace the file as a whole: a reader sees the old bytes or the new ones, never a mixture."""
    with leavings.replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_json(path: Path, value: dict) -> None:
    write_atomic(path, json.dumps(value, indent=1, allow_nan=False).encode())


def append(path: Path, *rows: dict) -> None:
    """Append rows as whole JSON lines, in one write; half a line that a crash left is ended first."""
    lines = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode()
    with open(path, "ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            lines = lines if file.read(1) == b"\n" else b"\n" + lines
        file.write(lines)


def write_config(run: Path, config: dict) -> None:
    write_json(run / "config.json", config)


def write_race(run: Path, race: dict) -> None:
    write_json(run / "race.json", race)


def send(run: Path, command: str, value: float | None = None) -> None:
    """Leave one command for the trainer, who applies it at the next step and deletes the file."""
    one_of("command", command, COMMANDS)
    if not run.is_dir():
        raise Problem(f"The run {run.name} is not there any more; choose another one.")
    name = f"{_after_all_waiting(run)}-{uuid.uuid4().hex[:8]}.json"
    try:
        write_json(run / "control" / name, {"command": command, "value": value})
    except OSError as error:
        raise Problem(f"The run {run.name} cannot be told to {command}: {error.strerror}; make room on its disk, then try again.") from error


def _after_all_waiting(run: Path) -> int:
    """The time in ns; later than that of any order that waits, where somebody has set the clock back meanwhile."""
    waiting = [int(found[1]) for path in (run / "control").glob("*.json") if (found := re.match(r"(\d{1,19})-", path.name))]
    return max([time.time_ns(), *(number + 1 for number in waiting)])


def cut_after(run: Path, step: int, epoch: int) -> None:
    """Forget what was recorded beyond `step` (and whole epochs beyond `epoch`): a continuation writes it again."""
    for name in ("metrics.jsonl", "gradients.jsonl"):
        path = run / name
        if path.exists():
            kept = [row for row in read_lines(path) if row.get("step", 0) <= step and row.get("epoch", 0) <= epoch
                    and row.get("split") != "test"]
            write_atomic(path, "".join(json.dumps(row) + "\n" for row in kept).encode())
    for snapshot in snapshots(run):
        if snapshot.step > step:
            snapshot.path.unlink()
    for number, path in epoch_weights(run):
        if number > epoch:
            path.unlink()


def delete(run: Path) -> None:
    """Remove a run directory; refused while its process is alive."""
    if state(run) in ALIVE_STATES:
        raise Problem("This run is still going on; stop it first.")
    shutil.rmtree(run)


def clear_leavings(run: Path) -> None:
    """Delete the half-written files of processes that were killed; only for who holds the run."""
    for folder in (run, run / "snapshots", run / "weights"):
        for path in folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)
    leavings.clear_files(run / "control", young_s=0)  # a page may be about to leave an order there


def clear_leavings_everywhere() -> None:
    """The same at a server's start, for runs that nobody continues: one was killed as it said that it is finished."""
    for run in (root(), *list_runs()):
        leavings.clear_files(run)


# Reading

def _read_json(path: Path) -> dict | None:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def read_config(run: Path) -> dict | None:
    """config.json as a dict, or None where it is missing or not JSON."""
    return _read_json(run / "config.json")


def read_status(run: Path) -> dict | None:
    """status.json as the trainer last wrote it, or None."""
    return _read_json(run / "status.json")


def read_lines(path: Path) -> list[dict]:
    """The whole lines of a .jsonl file; a missing file has none, half a last line waits."""
    try:
        data = path.read_bytes()
    except OSError:
        return []
    return [row for row in map(parse_line, data[: data.rfind(b"\n") + 1].splitlines()) if row is not None]


def read_events(run: Path) -> list[dict]:
    """The commands that were applied, in order: id, command, value, step, time."""
    return read_lines(run / "events.jsonl")


def read_gradients(run: Path) -> list[dict]:
    return read_lines(run / "gradients.jsonl")


def read_race(run: Path) -> dict:
    """race.json, which a twin race writes: "with" names the other run's directory, "place" is 1 or 2 of the two; or {}."""
    return _read_json(run / "race.json") or {}


def race_partner(run: Path) -> str | None:
    """The name of the run that this one races with: both go at the same time."""
    name = read_race(run).get("with")
    return name if isinstance(name, str) else None


def process_alive(status: dict) -> bool:
    """Whether the process that wrote this status still runs here (a zombie or a re-used pid does not count)."""
    try:
        process = psutil.Process(int(status["pid"]))
        age = status.get("process_after_boot_s")
        # the time of day moves when somebody sets the clock, the time since the machine's start does not
        same = abs(process.create_time() - status["process_created"]) < 1 if age is None else abs(after_boot_s(process) - age) < 2
        return same and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def after_boot_s(process: psutil.Process) -> float:
    """How long after the machine's start a process began: the same after somebody has set the clock."""
    return process.create_time() - psutil.boot_time()


def state(run: Path) -> str:
    """new, queued, running, paused, finished, stopped, failed or elsewhere.

    A live state without its process means failed. The process of another machine cannot be asked: after ten minutes
    without a heartbeat the run counts as elsewhere, no longer as alive; it can be deleted, or continued here.
    """
    status = read_status(run)
    if status is None:
        return "new"
    said = status.get("state", "failed")
    if said not in ALIVE_STATES:
        return said
    if status.get("host") == socket.gethostname():
        if process_alive(status):
            return said
        # it may have ended between the two looks, with a last word; somebody may even have continued it
        return "failed" if read_status(run) == status else state(run)
    return said if time.time() - _number(status.get("heartbeat")) <= GONE_S else "elsewhere"


def silent_for_s(run: Path) -> float:
    """Seconds since the last heartbeat (0 where there is none, or the clock was set back)."""
    heartbeat = (read_status(run) or {}).get("heartbeat")
    return max(0.0, time.time() - heartbeat) if heartbeat else 0.0


def metrics_csv(run: Path) -> str:
    """metrics.jsonl as CSV with a first line of names; a number that a row lacks stays empty."""
    names = ("split", *COLUMNS)
    rows = read_lines(run / "metrics.jsonl")
    return "".join(",".join(str(part) for part in parts) + "\n"
                   for parts in (names, *([row.get(name, "") for name in names] for row in rows)))


class Metrics:
    """metrics.jsonl as NumPy columns, read on from where the last refresh ended."""

    def __init__(self, run: Path):
        self.lines, self._columns = NewLines(run / "metrics.jsonl"), {}

    def refresh(self) -> dict[str, dict[str, np.ndarray]]:
        """split -> column -> float64 array, all columns of a split equally long; splits that occur only."""
        rows, anew = self.lines.read()
        if anew:
            self._columns = {}
        fresh: dict[str, list[list[float]]] = {}
        for row in rows:
            if isinstance(row.get("split"), str):
                fresh.setdefault(row["split"], []).append([_number(row.get(name)) for name in COLUMNS])
        for split, values in fresh.items():
            new = np.array(values).T
            old = self._columns.get(split)
            self._columns[split] = new if old is None else np.concatenate([old, new], axis=1)
        return {split: dict(zip(COLUMNS, table)) for split, table in self._columns.items()}


def _number(value) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


@dataclass(frozen=True)
class Snapshot:
    """The first kernels and what the network said, at one moment of training."""

    step: int
    epoch: int
    images: int
    lr: float
    path: Path


def snapshots(run: Path) -> list[Snapshot]:
    """All readable snapshots by step; the first epoch has them at 0, 1, 2, 4, ..., then each epoch has one."""
    from safetensors import SafetensorError, safe_open

    found = []
    for path in sorted((run / "snapshots").glob("*.safetensors")):
        try:
            with safe_open(path, framework="np") as file:
                header = file.metadata()
            found.append(Snapshot(int(header["step"]), int(header["epoch"]), int(header["images"]), float(header["lr"]), path))
        except (OSError, SafetensorError, KeyError, TypeError, ValueError):
            continue  # a stranger's file in the folder
    return sorted(found, key=lambda snapshot: snapshot.step)


def read_snapshot(path: Path) -> dict[str, np.ndarray]:
    """Tensors of one snapshot: "<module>.weight" float16 of the first two convolutions, "probabilities" float32
    [10, classes] of ten fixed pictures, "confusion" int64 [classes, classes] (rows: true class of the first head)."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise Problem(f"The snapshot {path.name} cannot be read; choose another moment of the run.") from error


def weights_file(run: Path, which: str) -> Path | None:
    """The initial, best or last weights of a run, or None where that file is not there."""
    path = run / f"{one_of('weights file', which, WEIGHTS)}.safetensors"
    return path if path.is_file() else None


def epoch_weights(run: Path) -> list[tuple[int, Path]]:
    """(epoch, file) of the weights kept after each epoch, by epoch."""
    return sorted((int(p.stem), p) for p in (run / "weights").glob("*.safetensors") if p.stem.isdecimal())
