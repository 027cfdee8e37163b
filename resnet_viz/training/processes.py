"""The processes of one run that torchrun started: how they meet, who of them still lives, and how they part.

Nothing here knows of networks. Process 0 leads: it alone reads commands and writes the run directory. It gives orders
over a connection of its own (gloo, on which nobody is ever too late: a run may be paused for a night); the numbers
travel by NCCL between GPUs and by gloo between CPUs.
"""

import os
import socket
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta

import psutil
import torch
import torch.distributed as dist

from ..problems import Problem
from . import launch

PATIENCE = timedelta(hours=1)  # for a process that is late in a step, e.g. because it still loads its pictures
FOR_EVER = timedelta(days=365)
LOOK_S = 0.5  # between two looks at who lives
GRACE_S = 5.0  # for a broken connection to be noticed where it is used, before a process that waits for ever is ended


class Group:
    """This process among those of its run. `end` or `leave` must be called, whichever way the run ends."""

    def __init__(self, device: str):
        self.rank, self.size, local = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
        if device == "cuda":
            if torch.cuda.device_count() < launch.here():
                raise Problem(f"{launch.here()} processes need as many GPUs, here are {torch.cuda.device_count()}; "
                              "give torchrun a smaller --nproc-per-node.")
            torch.cuda.set_device(local)
        elif device != "cpu":
            raise Problem(f"Several processes cannot share a batch on {device}; set the device to cpu, or start one process.")
        dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=PATIENCE)
        self.orders = dist.new_group(backend="gloo", timeout=FOR_EVER)
        self.store = dist.distributed_c10d._get_default_store()
        self.others = Others(self._meet())

    def _meet(self) -> dict[str, psutil.Process]:
        """Everybody else on this machine, by what a person calls them; torchrun itself is among them."""
        self.store.set(f"process {self.rank}", f"{socket.gethostname()} {os.getpid()}")
        found = {}
        if launch.restarts():
            found["torchrun, which had begun this run,"] = psutil.Process(os.getppid())
        for rank in range(self.size):
            host, pid = self.store.get(f"process {rank}").decode().split()
            if rank != self.rank and host == socket.gethostname():
                found[f"process {rank} of the {self.size} that share this run"] = psutil.Process(int(pid))
        return found

    def tell(self, *numbers: float) -> None:
        """An order to all others: up to two numbers, kept to the last bit."""
        dist.broadcast(torch.tensor([*numbers, 0.0][:2], dtype=torch.float64), 0, self.orders)

    def hear(self) -> list[float]:
        """The next order, waited for."""
        order = torch.empty(2, dtype=torch.float64)
        dist.broadcast(order, 0, self.orders)
        return order.tolist()

    def end(self) -> None:
        """Part in peace: nobody looks for the others any more, and nobody goes before all have come."""
        self.others.stop()
        dist.barrier(self.orders)
        dist.destroy_process_group()

    def last_words(self) -> str | None:
        """Why another process ended, if it said so."""
        with suppress(dist.DistError):  # torchrun keeps what was said, and may be what has ended
            for rank in range(self.size):
                if self.store.check([f"end of {rank}"]):
                    return self.store.get(f"end of {rank}").decode()
        return None

    def say_last_words(self, sentence: str) -> None:
        with suppress(dist.DistError):
            self.store.set(f"end of {self.rank}", sentence)


class Others:
    """A look twice a second at whether the other processes on this machine live: a step with a dead one may last for ever.

    on_death(sentence) is called from a thread of its own, once.
    """

    def __init__(self, processes: dict[str, psutil.Process]):
        self.processes, self.dead, self.on_death = processes, threading.Event(), lambda sentence: None
        self._done, self.sentence = threading.Event(), ""
        threading.Thread(target=self._look, name="others", daemon=True).start()

    def stop(self) -> None:
        self._done.set()

    def _look(self) -> None:
        while not self._done.wait(LOOK_S):
            for name, process in self.processes.items():
                if not _lives(process) and not self._done.is_set():
                    self.sentence = f"{name[0].upper()}{name[1:]} has ended before its work was done"
                    self.dead.set()
                    self.on_death(self.sentence)
                    return


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end_now(code: int) -> None:
    """End this process at once: a connection to a dead process can hold up an ordinary end for minutes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def after_grace(action) -> None:
    """Call `action` unless this process ends by itself within the grace."""
    time.sleep(GRACE_S)
    action()
