"""What the files of a run directory may hold when they come from a stranger: one cleaner for each file of the contract.

A page reads a run's files as its own trainer wrote them. What comes in a zip may be anything; so it is read here once,
kept where it says what a trainer could have said, and refused in one sentence where it does not.
"""

import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from .. import run_marks, runs
from ..new_lines import parse_line
from ..problems import Problem, printable
from .config import from_dict

STATES = ("finished", "stopped", "failed")  # of a run without a process
STATUS_NUMBERS = ("epoch", "step", "total_steps", "heartbeat", "threads", "processes", "last_good_epoch", "memory_bytes",
                  "gpu_memory_bytes", "images_per_s")
STATUS_TEXTS = ("message", "device", "torch")
LONGEST = 500  # characters of a text in status.json
MOST_LINES = 300_000  # of a record: three million steps, a row every ten
LARGEST = 1e15  # of any number: far beyond what a run counts, far below what breaks arithmetic
MOST_HEADER_BYTES = 2**22  # of safetensors: a network of a thousand blocks has 2 MB
SPLITS = ("train", "val", "test")


def number(value, optional: bool = False) -> bool:
    if value is None:
        return optional
    return type(value) in (int, float) and abs(value) < LARGEST  # not a number is not below


def dictionary(data: bytes) -> dict:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Problem("is not JSON") from error
    if not isinstance(values, dict):
        raise Problem("is not a JSON object")
    return values


def config(data: bytes) -> bytes:
    """A recipe that this program could train: every setting known and within its bounds, but data may be anywhere."""
    values = dictionary(data)
    try:
        from_dict(values)
    except Problem as problem:
        raise Problem(f"asks for what no recipe has ({str(problem).rstrip('.'):.120})") from problem
    try:
        return _json(values)
    except ValueError as error:  # NaN or infinity
        raise Problem("holds a number that is none") from error


def status(data: bytes) -> bytes:
    """Where a run stands, without the process and machine that brought it there; one that was going on is stopped."""
    values = dictionary(data)
    state = values.get("state")
    if state not in (*STATES, *runs.ALIVE_STATES):
        raise Problem(f"knows the state {state!r:.40}, which no run can be in")
    for name in STATUS_NUMBERS:
        if not number(values.get(name), optional=True) or (values.get(name) or 0) < 0:
            raise Problem(f"has {values[name]!r:.40} for {name}, where a number belongs")
    kept = {name: values.get(name) for name in STATUS_NUMBERS if values.get(name) is not None}
    kept |= {name: printable(str(values[name]))[:LONGEST] for name in STATUS_TEXTS if values.get(name) is not None}
    notes = values.get("notes")
    kept |= {"notes": [printable(str(note))[:LONGEST] for note in notes[:20]]} if isinstance(notes, list) else {}
    if state in runs.ALIVE_STATES:
        state, kept["message"] = "stopped", "it was still going on when it was exported"
    return _json({"state": state, "epoch": 0, "step": 0, **kept, "pid": None, "process_created": None, "host": None})


def person(data: bytes) -> bytes:
    return _json(asdict(run_marks.from_dict(dictionary(data))))


def card(data: bytes) -> bytes:
    try:
        return data.decode().encode()
    except UnicodeDecodeError as error:
        raise Problem("is not a text in UTF-8") from error


def _json(values: dict) -> bytes:
    return json.dumps(values, indent=1, allow_nan=False).encode()


# Rows: what a line of each .jsonl file must be


def _metrics_row(row: dict) -> bool:
    known = row.get("split") in SPLITS and number(row.get("step"))
    return known and all(number(row.get(name), optional=True) for name in runs.COLUMNS)


def _events_row(row: dict) -> bool:
    return (row.get("command") in runs.COMMANDS and number(row.get("step")) and number(row.get("time"), optional=True)
            and (row.get("value") is None or number(row["value"]) or isinstance(row["value"], str) and row["value"].isprintable()))


def _gradients_row(row: dict) -> bool:
    readings = (row.get("norm"), row.get("update_ratio"))
    return number(row.get("step")) and number(row.get("epoch"), optional=True) and all(
        isinstance(reading, dict) and all(number(value, optional=True) for value in reading.values())
        for reading in readings if reading is not None)


def rows_of(fits: Callable[[dict], bool]) -> Callable[[bytes], bytes]:
    """The cleaner of a .jsonl file whose rows must fit; a line torn by a crash is left out, as readers do."""

    def clean(data: bytes) -> bytes:
        kept = bytearray()
        for place, line in enumerate(io.BytesIO(data), 1):
            if place > MOST_LINES:
                raise Problem(f"has more than {MOST_LINES:,} lines")
            try:
                row = parse_line(line)
            except RecursionError as error:
                raise Problem(f"is no record of a training in line {place:,}") from error
            if row is not None and not fits(row):
                raise Problem(f"is no record of a training in line {place:,}")
            kept += json.dumps(row).encode() + b"\n" if row is not None else b""
        return bytes(kept)

    return clean


CLEANERS: dict[str, Callable[[bytes], bytes]] = {  # name -> function (bytes as they came) -> bytes to keep
    "config.json": config,
    "status.json": status,
    "person.json": person,
    "README.md": card,
    "metrics.jsonl": rows_of(_metrics_row),
    "events.jsonl": rows_of(_events_row),
    "gradients.jsonl": rows_of(_gradients_row),
}


# Tensors


def check_tensors(path: Path, name: str) -> None:
    """A Problem unless the file is safetensors with what its place in the run asks for; only its head is read."""
    from safetensors import SafetensorError, safe_open

    with open(path, "rb") as file:
        announced = int.from_bytes(file.read(8), "little")
    if announced > MOST_HEADER_BYTES:
        raise Problem("is not a readable safetensors file: its head is longer than any network's")
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}
    except (SafetensorError, OSError) as error:
        raise Problem("is not a readable safetensors file") from error
    fits = next(check for pattern, check in TENSORS if re.fullmatch(pattern, name))
    if not fits(header, shapes):
        raise Problem("does not hold what a run keeps there")


def _snapshot(header: dict, shapes: dict) -> bool:
    try:
        moment = [float(header[name]) for name in ("step", "epoch", "images", "lr")]
    except (KeyError, ValueError):
        return False
    kernels = [shape for key, shape in shapes.items() if key.endswith(".weight")]
    other = {key: len(shape) for key, shape in shapes.items() if not key.endswith(".weight")}
    return (all(map(math.isfinite, moment)) and bool(kernels) and all(len(shape) == 4 and all(shape) for shape in kernels)
            and other.get("probabilities", 2) == 2 and other.get("confusion", 2) == 2)


def _weights(header: dict, shapes: dict) -> bool:
    return bool(shapes) and bool(dictionary(header.get("resnet_viz", "").encode()))


def _pictures(header: dict, shapes: dict) -> bool:
    return len(shapes.get("images", ())) == 4 and len(shapes.get("labels", ())) in (1, 2)


def _familiarity(header: dict, shapes: dict) -> bool:
    told = dictionary(header.get("familiarity", "").encode())
    dimensions = {"centre": 1, "inverse": 1, "usual": 2, "validation": 1}
    return ({name: len(shape) for name, shape in shapes.items()} == dimensions and number(told.get("threshold"))
            and number(told.get("false_alarms"), optional=True) and isinstance(told.get("caught"), dict)
            and all(map(number, told["caught"].values())))


TENSORS = (  # (name in the run directory, what its header and shapes must be)
    (r"snapshots/[0-9]{8,12}\.safetensors", _snapshot),
    (r"pictures\.safetensors", _pictures),
    (r"familiarity\.safetensors", _familiarity),
    (r"(initial|best|last|resume)\.safetensors|weights/[0-9]{4,9}\.safetensors", _weights),
)


def known(name: str) -> bool:
    """Whether the contract of a run directory has a file of this name."""
    return name in CLEANERS or any(re.fullmatch(pattern, name) for pattern, _ in TENSORS)
