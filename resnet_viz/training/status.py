"""status.json: what the trainer is doing, rewritten by a thread of its own so that a long load or evaluation is not silence."""

import os
import socket
import sys
import threading
import time
from pathlib import Path

import psutil

from .. import runs

HEARTBEAT_S = 1.0


class Status:
    """The fields of status.json; `update` changes some and writes, a thread repeats the last ones every second.

    Use as a context manager; on leaving, the thread ends and the last state stays in the file.
    """

    def __init__(self, run: Path):
        self.run = run
        old = runs.read_status(run) or {}
        self.fields = {
            "state": "running", "epoch": old.get("epoch", 0), "step": old.get("step", 0), "total_steps": old.get("total_steps"),
            "message": "starting", "heartbeat": 0.0, "pid": os.getpid(), "process_created": psutil.Process().create_time(),
            "host": socket.gethostname(), "device": None, "threads": None, "torch": None, "images_per_s": None, "eta_s": None,
            "process_after_boot_s": runs.after_boot_s(psutil.Process()), "memory_bytes": None, "gpu_memory_bytes": None,
            "notes": [], "queue_position": None, "last_good_epoch": old.get("last_good_epoch"),
        }
        self._lock, self._done = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Status":
        self.update()
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()
        self._write()

    def update(self, **changes) -> None:
        """Change fields and write them now."""
        self.note(**changes)
        self._write()

    def note(self, **changes) -> None:
        """Change fields; the thread writes them within a second. Cheap enough for every step."""
        with self._lock:
            self.fields.update(changes)

    def _write(self) -> None:
        with self._lock:
            if not runs.is_run(self.run):
                return  # deleted by a person: it must not come back as a folder with nothing but a status
            self.fields |= {"heartbeat": time.time(), **memory()}
            try:
                runs.write_json(self.run / "status.json", self.fields)
            except OSError:
                return  # a full disk must not end the heartbeat, nor hide what failed; the next second tries again

    def _beat(self) -> None:
        while not self._done.wait(HEARTBEAT_S):
            self._write()


def memory() -> dict[str, int | None]:
    """Bytes that this process holds now: resident in the machine's memory, and reserved on its GPUs (None without one)."""
    cuda = getattr(sys.modules.get("torch"), "cuda", None)  # never imported for this: a run that waits has no torch
    begun = cuda is not None and hasattr(cuda, "memory_reserved") and cuda.is_initialized()
    return {
        "memory_bytes": psutil.Process().memory_info().rss,
        "gpu_memory_bytes": sum(map(cuda.memory_reserved, range(cuda.device_count()))) if begun else None,
    }
