"""One process a run: a lock on a file in the run directory, which the system lets go when its holder ends, however it ends."""

import errno
from contextlib import contextmanager
from pathlib import Path

from .. import runs
from ..problems import Problem

NAME = "lock"


@contextmanager
def held(run: Path):
    """Hold the run for this process; Problem where another one holds it.

    A record lock, not flock: the workers that load pictures must not inherit it, or they would keep the run locked
    for seconds after their parent was killed.
    """
    with open(run / NAME, "ab") as file:
        _lock(file, run)
        yield


def _lock(file, run: Path) -> None:
    try:
        import fcntl
    except ImportError:
        return  # Windows has no such locks: there status.json alone says who is at work
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            return  # a file system that knows no locks: status.json alone says who is at work
        pid = (runs.read_status(run) or {}).get("pid")
        raise Problem(f"{run} is in use by {f'process {pid}' if pid else 'another process'}; stop it first, or choose another directory.") from error
