"""A process that dies, or whose disk fills up, in the middle of one of its own writes: for child processes of tests.

Every raw write(2) and fsync to a file below the watched folder, and every rename, deletion and new folder there, is one
call; `at` says at which of them it happens (1 is the first), `part` whether before it, with half of its bytes
written, or after it.
"""

import atexit
import builtins
import errno
import io
import json
import os
import signal
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "TEST_FAULT"  # read by `from_environment`, in commands that a test starts
PARTS = ("before", "half", "after")


@dataclass(frozen=True)
class Fault:
    """kind: "kill", "full" (no space left, from then on) or "count" (nothing happens; the number of calls is written
    into `report` at the end)."""

    kind: str
    folder: str
    at: int = 0
    part: str = "before"
    report: str = ""

    def text(self) -> str:
        return json.dumps(asdict(self))


_lock, _count, _files = threading.RLock(), [0], set()
_real = {name: getattr(os, name) for name in ("fsync", "replace", "rename", "unlink", "mkdir")}


def from_environment() -> None:
    if VARIABLE in os.environ:
        install(Fault(**json.loads(os.environ.pop(VARIABLE))))  # not for the children of the child
        atexit.register(report)


def report() -> None:
    if _fault.kind == "count":
        Path(_fault.report).write_text(str(_count[0]))


def install(fault: Fault) -> None:
    global _fault
    _fault = fault
    _count[0] = 0
    for name in ("replace", "rename", "unlink", "mkdir"):
        setattr(os, name, _watched(name))
    os.fsync = _fsync
    builtins.open = io.open = _open


def _reach(whole, half=None):
    """One call: do it, unless its time has come."""
    with _lock:
        _count[0] += 1
        if _fault.kind == "full" and _count[0] >= _fault.at and half:
            if _count[0] == _fault.at and _fault.part != "before":
                return half()  # as a disk does: what still fits is taken
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if _fault.kind != "kill" or _count[0] != _fault.at:
            return whole()
        if _fault.part == "half" and half:
            half()
        elif _fault.part == "after":
            whole()
        os.kill(os.getpid(), signal.SIGKILL)


def _below(path) -> bool:
    return isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(_fault.folder + os.sep)


def _watched(name: str):
    def call(path, *rest, **options):
        if options.get("dir_fd") is None and _below(path):
            return _reach(lambda: _real[name](path, *rest, **options))
        return _real[name](path, *rest, **options)

    return call


def _fsync(file) -> None:
    number = file if isinstance(file, int) else file.fileno()
    return _reach(lambda: _real["fsync"](number)) if number in _files else _real["fsync"](number)


class _File(io.FileIO):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        _files.add(self.fileno())

    def write(self, data):
        data = bytes(data)
        return _reach(lambda: super(_File, self).write(data), lambda: super(_File, self).write(data[: len(data) // 2]))

    def close(self):
        if not self.closed:
            _files.discard(self.fileno())
        super().close()


def _open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None,
          real=builtins.open):
    if not _below(file) or not set(mode) & set("wax+"):
        return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
    raw = _File(file, mode.replace("b", "").replace("t", ""), closefd, opener)
    if buffering == 0:
        return raw
    buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
    return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)
