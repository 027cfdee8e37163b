"""One line at the foot of a terminal: how far a run is, how fast, how long still. It reads status.json like anybody else."""

import shutil
import sys
import threading
from pathlib import Path

from .. import runs
from ..number_text import duration

EVERY_S = 0.5
BLANK = "\r\033[K"  # to the beginning of the line, and clear it


class ProgressBar:
    """Use as a context manager; `tell` prints a whole line above the bar. Without a terminal there are only those lines."""

    def __init__(self, run: Path, stream=None):
        self.run, self.stream = run, stream or sys.stderr
        self.drawn = self.stream.isatty()
        self._lock, self._done = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="progress bar", daemon=True)

    def __enter__(self) -> "ProgressBar":
        if self.drawn:
            self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        if self.drawn:
            self._thread.join()
            self._write(BLANK)

    def tell(self, text: str) -> None:
        self._write((BLANK if self.drawn else "") + text + "\n")

    def _write(self, text: str) -> None:
        with self._lock:
            self.stream.write(text)
            self.stream.flush()

    def _go_on(self) -> None:
        while not self._done.wait(EVERY_S):
            status = runs.read_status(self.run)
            if status:
                self._write(BLANK + line(status, shutil.get_terminal_size().columns - 1))


def line(status: dict, width: int) -> str:
    """The state of a run in at most `width` characters: a bar as soon as its length is known, then the figures."""
    step, total = status.get("step") or 0, status.get("total_steps") or 0
    words = [] if status.get("state") == "running" and status.get("message") == "training" else [str(status.get("message"))]
    words += [f"step {step:,} of {total:,}"] if total else []
    words += [f"{status['images_per_s']:,.0f} images/s"] if status.get("images_per_s") else []
    words += [f"{duration(status['eta_s'])} left"] if status.get("eta_s") else []
    text = ", ".join(words)
    room = min(30, width - len(text) - 10)
    if total and room >= 5:
        full = min(room, room * step // total)
        text = f"[{'#' * full}{'-' * (room - full)}] {min(1, step / total):4.0%} {text}"
    return text[:width]
