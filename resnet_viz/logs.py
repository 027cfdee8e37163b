"""What happened, for whoever looks for a fault later: one JSON object a line, in files that rotate.

    time        UTC, ISO 8601              process   server, training or command; pid is its number
    level       INFO, WARNING, ERROR       where     file:function:line that said it
    session     the first letters of a visitor's session, or null; the same word in every line of one visitor
    what        a sentence                 error     only of an exception: {"kind", "message", "trace"}

One file a kind of process in data/logs/ (RESNET_VIZ_LOGS moves them), which all processes of that kind share: FILE_BYTES
each with OLD older ones beside it, so all of them together stay under 15 MiB. Never the content of a file: messages
are cut, and a trace names lines of code, not the values in them.
"""

import json
import logging
import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

from . import leavings
from .data.place import data_folder

PACKAGE = "resnet_viz"
PROCESSES = ("server", "training", "command")
FOLDER = "RESNET_VIZ_LOGS"
FILE_BYTES = 2**20
OLD = 4
LONGEST_LINE = 500  # characters of a message, and of each line of a trace
LONGEST_TRACE = 8_000
TOP = Path(__file__).resolve().parents[1]


def folder() -> Path:
    return Path(os.environ.get(FOLDER) or data_folder() / "logs").absolute()


def place_of(process: str) -> Path:
    """The file that processes of this kind write."""
    return folder() / f"{process}.log"


def without_home(text: str) -> str:
    """The text with ~ for this person's own folder, whose name is often a person's."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text


def begin(process: str) -> None:
    """Keep what this process says from now on, also what ends it or one of its threads unexpectedly."""
    if process not in PROCESSES:
        raise ValueError(f"unknown process {process!r}; known are {PROCESSES}")
    handler = _Shared(place_of(process), maxBytes=FILE_BYTES, backupCount=OLD, encoding="utf-8", delay=True)
    handler.setFormatter(_Lines(process))
    for name in (PACKAGE, "asyncio"):  # asyncio tells what nobody waited for
        logger = logging.getLogger(name)
        for old in [one for one in logger.handlers if isinstance(one, _Shared)]:
            logger.removeHandler(old)
        logger.addHandler(handler)
    ours = logging.getLogger(PACKAGE)
    ours.setLevel(logging.INFO)
    ours.propagate = False
    sys.excepthook = _also(sys.excepthook, lambda kind, error, trace: error)
    threading.excepthook = _also(threading.excepthook, lambda about: about.exc_value)


def _also(hook, error_of):
    """The hook that was there, and before it a line in the log; never one upon the other."""
    before = getattr(hook, "before", hook)

    def logged(*about):
        error = error_of(*about)
        if isinstance(error, Exception):
            logging.getLogger(PACKAGE).error("ended unexpectedly", exc_info=error)
        before(*about)

    logged.before = before
    return logged


class _Lines(logging.Formatter):
    def __init__(self, process: str):
        super().__init__()
        self.process = process

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": _utc(record.created), "level": record.levelname, "process": self.process, "pid": record.process,
                "session": getattr(record, "session", None), "where": f"{_inside(record.pathname)}:{record.funcName}:{record.lineno}",
                "what": without_home(record.getMessage())[:LONGEST_LINE]}
        if record.exc_info and record.exc_info[1]:
            line["error"] = _told(record.exc_info[1])
        return json.dumps(line)  # ASCII: nothing in a name can end the line, or turn it round


def _utc(seconds: float) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(seconds % 1 * 1000):03d}Z"


def _inside(path: str) -> str:
    return Path(path).relative_to(TOP).as_posix() if Path(path).is_relative_to(TOP) else without_home(path)


def _told(error: BaseException) -> dict:
    lines = [line[:LONGEST_LINE] for part in traceback.format_exception(error) for line in part.splitlines()]
    return {"kind": type(error).__name__, "message": without_home(str(error))[:LONGEST_LINE],
            "trace": without_home("\n".join(lines))[-LONGEST_TRACE:]}


class _Shared(RotatingFileHandler):
    """A rotating file that several processes append to: each line is one write, and only one of them turns it over.

    A log that cannot be written, on a full disk or in a read-only folder, never stops what it would tell of.
    """

    def _open(self):
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        return super()._open()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self.stream and not self._ours():
                self._let_go()  # another process turned it over, or a person deleted it
            super().emit(record)
        except OSError:
            self.handleError(record)

    def doRollover(self) -> None:
        with leavings.alone(Path(self.baseFilename).parent):
            if self._ours():
                super().doRollover()
            else:
                self._let_go()

    def handleError(self, record: logging.LogRecord) -> None:
        self._let_go()

    def _ours(self) -> bool:
        """Whether the file that is open is the one of that name."""
        with suppress(OSError, ValueError):
            return os.path.samestat(os.stat(self.baseFilename), os.fstat(self.stream.fileno()))
        return False

    def _let_go(self) -> None:
        stream, self.stream = self.stream, None
        with suppress(OSError, ValueError):
            stream and stream.close()
