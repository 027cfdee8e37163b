"""What people ask of a running trainer, applied between two steps, and the learning rate that follows from it."""

import json
import math
import os
import time
from pathlib import Path

from .. import runs
from .config import Config
from .schedules import learning_rate


class Control:
    """Commands of one run. `read` applies what lies in control/, `paused` and `stopping` say what it means now.

    A continuation that begins at step `start`, earlier than the run had come, applies the recorded changes at the same
    steps again: the learning rate is a function of the step and of the events alone, and a pause beyond `start` is
    kept. A pause or stop at or before it is answered by the continuing itself.
    """

    def __init__(self, run: Path, config: Config, steps_per_epoch: int, start: int = 0):
        self.run, self.config, self.steps_per_epoch = run, config, steps_per_epoch
        self.total_steps = steps_per_epoch * config.epochs
        self.stopping = False
        self._pause_at: int | None = None  # pause once that many updates are done
        events = [e for e in runs.read_events(run) if isinstance(e.get("step"), int)]
        self._changes = [e for e in events if e.get("command") == "lr" and _positive(e.get("value"))]
        self._applied = {e.get("id") for e in events}  # a crash may have left the file of a command that was applied
        self._again = sorted(events, key=lambda event: event["step"])
        self._replay(start)
        if self._pause_at is not None and self._pause_at <= start:
            self._pause_at = None

    def paused(self, step: int) -> bool:
        return self._pause_at is not None and step >= self._pause_at and not self.stopping

    def lr(self, step: int) -> float:
        """The rate of update number `step`: the schedule, times value / schedule of the last change by hand."""
        changes = [e for e in self._changes if e["step"] <= step]
        factor = 1.0
        if changes:
            change = max(reversed(changes), key=lambda event: event["step"])  # of several at one step, the last given
            planned = learning_rate(self.config, change["step"], self.total_steps)
            factor = change["value"] / planned if planned > 0 else 1.0
        return learning_rate(self.config, step, self.total_steps) * factor

    def read(self, step: int) -> None:
        """Apply, record and delete every waiting command, in the order of their names."""
        self._replay(step)
        for path in self._waiting():
            if path.stem in self._applied:
                path.unlink(missing_ok=True)
                continue
            try:
                order = json.loads(path.read_bytes())
                command, value = order["command"], order.get("value")
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                command, value = "unreadable", None
            self._apply(command, value, step)
            if isinstance(value, float) and not math.isfinite(value):
                value = str(value)  # JSON has no word for it
            event = {"id": path.stem, "command": command, "value": value, "step": step, "time": time.time()}
            runs.append(self.run / "events.jsonl", event)
            if command == "lr" and _positive(value):
                self._changes = [*self._changes, event]
            path.unlink(missing_ok=True)

    def _waiting(self) -> list[Path]:
        folder = self.run / "control"
        try:
            names = os.listdir(folder)  # asked before every step
        except OSError:
            return []
        return [folder / name for name in sorted(names) if name.endswith(".json")]

    def _replay(self, step: int) -> None:
        """Apply again what was recorded up to this step, without recording it again."""
        while self._again and self._again[0]["step"] <= step:
            event = self._again.pop(0)
            if event.get("command") == "stop":
                self._pause_at = None
            else:
                self._apply(event.get("command"), event.get("value"), event["step"])

    def _apply(self, command: str, value, step: int) -> None:
        if command == "stop":
            self.stopping = True
        elif command == "pause":
            self._pause_at = step
        elif command == "resume":
            self._pause_at = None
        elif command == "step":
            self._pause_at = step + 1
        elif command == "epoch":
            self._pause_at = (step // self.steps_per_epoch + 1) * self.steps_per_epoch
        # "lr" is kept by read(); anything else is only recorded


def _positive(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0
