"""What a process that was killed leaves half done, and how it goes away: the next one that works in that place clears it.

A half-written file has its writer's process number in its name; a folder is locked (flock) by the process that fills it,
and the lock dies with that. What is younger than a minute stays: its writer may be about to lock it, or be a process that
is not seen from here, as in another container.
"""

import os
import re
import shutil
import tempfile
import time
import uuid
import weakref
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from .problems import Problem

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

HALF = re.compile(r"\..*\.(\d{1,9})\.[0-9a-f]{8}\.tmp|.+\.(\d{1,9})-[0-9a-f]{8}\.part", re.DOTALL)  # .part: data.fetching
YOUNG_S = 60
OLD_S = 3600  # no file takes that long to write, and no upload to be read: its process number belongs to another by now
SESSION = "resnet-viz-"  # folders in the system's own for temporary files, with what people opened
_writing: set[str] = set()  # names that threads of this process write now: theirs whatever the clock says


@contextmanager
def replacing(path: Path):
    """A new path beside `path`, for the block to write to; it then replaces `path`. Where the block fails, it is deleted.

    So a reader sees the old file or the new one. The folder is made; what killed processes left in it goes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    clear_files(path.parent)
    # a name as long as a file system takes leaves no room for more
    temporary = path.with_name(f".{path.name[:50]}.{os.getpid()}.{uuid.uuid4().hex[:8]}.tmp")
    _writing.add(temporary.name)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        _writing.discard(temporary.name)


def clear_files(folder: Path, young_s: float = YOUNG_S) -> None:
    """Delete the half-written files of processes that are gone; a folder that cannot be read has none."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name not in _writing and (half := HALF.fullmatch(entry.name)):
                with suppress(OSError):  # another process was quicker
                    age = _age_s(entry.stat(follow_symlinks=False))
                    if age > OLD_S or age >= young_s and not psutil.pid_exists(int(half[1] or half[2])):
                        os.unlink(entry.path)


def _age_s(about: os.stat_result) -> float:
    return abs(time.time() - about.st_mtime)  # of the future, after somebody set the clock: old as well


@contextmanager
def alone(place: Path):
    """Only one process at a time works in a folder; the lock is on the folder itself, so that nothing is left lying."""
    try:
        held = os.open(place, os.O_RDONLY) if fcntl else None
    except OSError:
        held = None
    if held is None:  # Windows: there an open file is not renamed by others either
        yield
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


@contextmanager
def new_folder(place: Path, prefix: str):
    """A folder in `place` that exists as long as the block, at most; moved elsewhere by then, it stays there."""
    folder = place / f"{prefix}{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    lock = _locked(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def session_folder() -> tempfile.TemporaryDirectory:
    """A folder for what a person opened: gone with the object, or with the process; killed, with the next server's start."""
    folder = tempfile.TemporaryDirectory(prefix=SESSION)
    lock = _locked(Path(folder.name))
    if lock is not None:
        weakref.finalize(folder, os.close, lock)
    return folder


def keep(name: str, data: bytes) -> tempfile.TemporaryDirectory:
    """What a person dropped, as the file `name` in a folder of its own; Problem where there is no room."""
    try:
        folder = session_folder()
        (Path(folder.name) / name).write_bytes(data)
    except OSError as error:
        raise Problem(f"{name:.80} cannot be kept on this machine ({error.strerror}); make room and try again.") from error
    return folder


def clear_session_folders() -> None:
    clear_folders(Path(tempfile.gettempdir()), SESSION)


def clear_folders(place: Path, prefix: str) -> None:
    """Delete the folders of that name whose process is gone."""
    for folder in place.glob(f"{prefix}*"):
        with suppress(OSError):  # another process was quicker, or it is another person's
            age = _age_s(folder.lstat())
            if age < YOUNG_S:
                continue
            lock = _locked(folder)
            try:
                if lock is not None or age > OLD_S:
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                if lock is not None:
                    os.close(lock)


def _locked(folder: Path) -> int | None:
    """Hold the folder until the number is closed, or this process ends; BlockingIOError where another one does. None where
    there are no locks: on Windows, and on some file systems."""
    if fcntl is None:
        return None
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return number
    except BlockingIOError:
        os.close(number)
        raise
    except OSError:
        os.close(number)
        return None
