"""Whose turn it is: runs on one device go one after another, in the order they came.

Every run holds a ticket from its arrival to its end: a numbered file in the runs folder that its process keeps locked
(flock). The lock dies with the process, whatever kills it; a ticket that anybody can lock belongs to nobody any more.
The first tickets in order may train, as many as the device has slots; all others wait. So no server and no daemon is
needed, and runs started from different servers, or by hand, meet in the same queue.

Processes that a run forks (they load pictures) share its lock: the device is given on when the last of them has gone.

The two runs of a race (training.race) share one place: whoever comes second takes a second ticket of the first's number,
so both train at the same time, and for everybody behind them they are one.
"""

import json
import os
import re
import socket
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .. import runs
from ..problems import Problem
from . import failures
from .config import Config
from .control import Control

try:
    import fcntl
except ImportError:  # Windows has no such locks: there every run begins at once
    fcntl = None

SLOTS = "RESNET_VIZ_SLOTS"  # runs at a time on each device
POLL_S = 0.25
SECOND = "-2"  # in the name of the ticket of a race's second run
FOLDER = ".queue"  # in the runs folder; without a config.json it is nobody's run


def slots() -> int:
    """How many runs may train on one device at the same time: RESNET_VIZ_SLOTS, or 1."""
    text = os.environ.get(SLOTS) or "1"
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise Problem(f"{SLOTS} is the number of runs at a time on one device: a whole number from 1, not {text!r}.")
    return int(text)


def device_name(device: str, index: int = 0) -> str:
    """The device as the whole machine knows it: of GPUs their number, also where a process is shown only some of them."""
    if device != "cuda":
        return device
    shown = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return f"cuda-{shown[index] if index < len(shown) else index}"


def in_words(before: int, now: str) -> str:
    """`now` by name, so that whoever waits can look at it: it may be paused, and forgotten."""
    return f"{before:,} run{'s' if before != 1 else ''} before this one, now {now}"


def places() -> dict[str, list[list[str]]]:
    """Device of this machine -> its places in order, each the names of the runs that hold it (two in a race).

    Only a look: it takes nothing, and needs no right to write. As many places as there are slots train, the others wait.
    """
    found, host = {}, f"{_safe(socket.gethostname())}-"
    for folder in sorted((runs.root() / FOLDER).glob(f"{host}*")) if fcntl else ():
        held = {}
        for path in sorted(_tickets(folder), key=lambda path: path.stem):
            if (name := _held_by(path)) is not None:
                held.setdefault(_number(path), []).append(name)
        if held:
            found[folder.name.removeprefix(host)] = list(held.values())
    return found


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name)


def _held_by(path: Path) -> str | None:
    """The name in a ticket, None where its process is gone; a dead one is left to whoever takes the next."""
    try:
        with open(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read()
    except OSError:
        pass  # given back this moment
    return None


@contextmanager
def turn(run: Path, config: Config, devices: list[str], status, tell):
    """Wait until `run` may use all these devices; they are its own until the block ends. Yields False where a person
    stopped it while it waited.

    devices  names as device_name gives them; taken in sorted order, so that two runs never wait for each other
    status   told the state "queued", the message and queue_position: how many runs must end before
    tell(text)  called whenever that number has changed
    """
    limit = slots()
    with ExitStack() as held:
        ours = not fcntl or all(_take(held, run, config, device, limit, status, tell) for device in sorted(devices))
        if ours:
            status.update(state="running", queue_position=None, message="starting")
        yield ours


def _take(held: ExitStack, run: Path, config: Config, device: str, limit: int, status, tell) -> bool:
    """One device's ticket, waited for; False where the run was stopped meanwhile."""
    folder, said = runs.root() / FOLDER / _safe(f"{socket.gethostname()}-{device}"), ""
    try:
        number = held.enter_context(_ticket(folder, run))
        while (before := len(ahead := _earlier(folder, number)) - limit + 1) > 0:
            if _stopped(run, config):
                status.update(state="stopped", queue_position=None, message="stopped while it waited for its turn")
                tell("stopped while it waited for its turn; continue with --resume")
                return False
            if (words := in_words(before, ahead[0])) != said:
                status.update(state="queued", queue_position=before, message=words)
                tell(f"waiting for {device}: {words}")
                said = words
            time.sleep(POLL_S)
    except OSError as error:
        raise Problem(f"The queue of runs in {runs.root()} cannot be kept ({error.strerror}); set RESNET_VIZ_RUNS to a folder "
                      "that can be written.") from error
    return True


@contextmanager
def _ticket(folder: Path, run: Path):
    """A place, held until the block ends; yields its number. It is at the end of the queue, or the partner's in a race."""
    folder.mkdir(parents=True, exist_ok=True)
    partner = runs.race_partner(run)
    with _door(folder):  # number, file and lock in one: nobody sees a ticket that is not locked yet
        shared = next((path for path in _tickets(folder) if partner and _holder(path) == partner), None)
        number = _number(shared) if shared else max(map(_number, _tickets(folder)), default=0) + 1
        path = folder / f"{number:09d}{SECOND * (shared == folder / f'{number:09d}.ticket')}.ticket"
        file = open(path, "w")
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(run.resolve().name)
        file.flush()
    with file:
        try:
            yield number
        finally:
            path.unlink(missing_ok=True)


def _earlier(folder: Path, number: int) -> list[str]:
    """Who came before and lives, a run for each place, the first first; tickets of the dead are thrown away."""
    found = {}
    with _door(folder):
        for path in sorted(_tickets(folder)):
            if _number(path) < number and (name := _holder(path)) is not None:
                found.setdefault(_number(path), name)
    return list(found.values())


@contextmanager
def _door(folder: Path):
    """One process at a time, for the moment of a look."""
    with open(folder / "door", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _tickets(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.ticket") if path.stem.removesuffix(SECOND).isdecimal()]


def _number(ticket: Path) -> int:
    return int(ticket.stem.removesuffix(SECOND))


def _holder(path: Path) -> str | None:
    """The name of the run that holds this ticket; None where its process is gone. Called behind the door."""
    try:
        with open(path) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read()
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        pass  # given back this moment
    return None


def _stopped(run: Path, config: Config) -> bool:
    """Whether a stop is among the waiting commands: then all are recorded and taken away, as between two steps."""
    if not run.is_dir():
        raise failures.gone(run)
    if not any(_asks_to_stop(path) for path in (run / "control").glob("*.json")):
        return False  # a pause or a learning rate waits for the first step
    Control(run, config, 1).read((runs.read_status(run) or {}).get("step") or 0)
    return True


def _asks_to_stop(path: Path) -> bool:
    try:
        return json.loads(path.read_bytes())["command"] == "stop"
    except (OSError, ValueError, KeyError, TypeError):
        return False
