"""One run by several processes: each learns from its share of every batch, and all make the same update.

torch's DistributedDataParallel adds up the gradients (Li et al. 2020). The config's batch_size is the whole batch; the
shares are weighted by their true sizes, so that the update is the one that a single process would make. Process 0
runs the ordinary loop; the others follow its orders.
"""

import signal
import sys
import warnings
from collections import deque
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from .. import runs
from ..problems import Problem
from . import failures, launch, process, processes, saving
from .config import Config, from_dict, resolve
from .processes import Group
from .recipe import make_optimizer
from .sync_batch_norm import synchronise
from .update import Outcome, Update
from .work import Work, prepare

BEGIN, EPOCH, EXPECT, STEP, TOTAL, END = range(6)  # orders


def share_of(count: int, rank: int, size: int) -> tuple[slice, float, bool]:
    """(part of a batch of `count` pictures, weight of its mean loss, whether its pictures are counted here).

    The weights make the mean over all processes the mean over all pictures, though the parts differ by up to one picture.
    A batch too small for two pictures a process (batch norm needs two) is taken by every process as a whole, which gives
    the same mean; it is counted once.
    """
    if count < 2 * size:
        return slice(0, count), 1.0, rank == 0
    first, end = (rank * count // size, (rank + 1) * count // size)
    return slice(first, end), (end - first) * size / count, True


class SharedUpdate(Update):
    """An update of which every process does its share; process 0 gives the orders as it goes."""

    def __init__(self, work: Work, optimizer: torch.optim.Optimizer, group: Group):
        if work.config.sync_batch_norm:
            synchronise(work.model, work.device)
        super().__init__(work, optimizer)
        self.group, self.weight, self.joined = group, 1.0, False
        if group.rank == 0:
            group.tell(BEGIN)  # only now: what had to be downloaded is there

    def draw(self, epoch: int):
        if self.group.rank == 0:
            self.group.tell(EPOCH, epoch)
        return super().draw(epoch)

    def expect(self, parts: list[Tensor], choices) -> None:
        """The batches of the rest of the epoch: all processes get them at once, so that no step waits for a message."""
        if self.group.rank == 0:
            self.group.tell(EXPECT, sum(map(len, parts)))
            if parts:
                dist.broadcast(torch.cat(parts), 0)
        super().expect([samples[share_of(len(samples), self.group.rank, self.group.size)[0]] for samples in parts], choices)

    def step(self, samples: Tensor, choices, lr: float, watch: bool = False) -> Outcome:
        if self.group.rank == 0:
            self.group.tell(STEP, lr)
        if not self.joined:
            self._join()
        part, self.weight, counted = share_of(len(samples), self.group.rank, self.group.size)
        outcome = super().step(samples[part], choices, lr, watch)
        share = len(samples[part]) / len(samples) if counted else 0.0
        # as process 0's loop adds them up: loss times the size of the whole batch, and right answers
        return replace(outcome, loss=outcome.loss * share, right=outcome.right * float(counted))

    def _join(self) -> None:
        """Only when the weights are those to go on from. Each process's batch norm statistics stay its own: where they
        are not synchronised anyway, those of process 0 count, as in every evaluation."""
        device = [self.work.device] if self.work.device.type == "cuda" else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # the new name of broadcast_buffers is unknown to torch 2.11
            self.network = torch.nn.parallel.DistributedDataParallel(self.work.model, device_ids=device, broadcast_buffers=False)
        for buffer in self.work.model.buffers():
            dist.broadcast(buffer, 0)
        self.joined = True

    def weighted(self, loss: Tensor) -> Tensor:
        return loss * self.weight

    def total(self, sums: Tensor) -> Tensor:
        if self.group.rank == 0:
            self.group.tell(TOTAL)
        dist.all_reduce(sums[:2])
        dist.all_reduce(sums[2:], dist.ReduceOp.MIN)  # steps with a finite loss: until the first process had none
        return sums


# Process 0

@contextmanager
def leading(run: Path, config: Config, status):
    """The arguments by which `train` makes an update that all processes share; ends them when the block ends.

    Problem where another process died; the run is then continued as after a kill.
    """
    group = Group(config.device)

    def give_up(sentence: str) -> None:
        processes.after_grace(lambda: _fail(run, status, f"{group.last_words() or sentence}."))

    group.others.on_death = give_up
    status.note(processes=group.size)
    try:
        yield {"make_update": lambda work, optimizer: SharedUpdate(work, optimizer, group)}
        group.tell(END)
        group.end()
    except RuntimeError as error:
        if not (group.others.dead.wait(processes.GRACE_S / 2) or _of_connection(error)):
            raise
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun says by it that the others have ended
        process.forget_orders(run)
        why = group.last_words() or group.others.sentence or "The connection to another process of this run broke"
        raise Problem(f"{why.rstrip('.')}. Continue the run when all can run again.") from error
    finally:
        group.others.stop()


def _of_connection(error: RuntimeError) -> bool:
    return isinstance(error, dist.DistError) or "gloo" in str(error)


def _fail(run: Path, status, sentence: str) -> None:
    process.forget_orders(run)
    status.update(state="failed", message=sentence, images_per_s=None, eta_s=None)
    print(sentence, file=sys.stderr)
    processes.end_now(2)


# All others

def follow(run: Path) -> int:
    """Do a share of the run's work until process 0 says that it is over; returns the exit code."""
    values = runs.read_config(run)
    if values is None:
        return 2  # process 0 says why
    config = resolve(from_dict(values))
    group = Group(config.device)
    # A stop is for process 0 to give in order, whoever is interrupted. If it dies, this process sees it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    group.others.on_death = lambda sentence: processes.after_grace(lambda: processes.end_now(1))
    try:
        if group.hear()[0] == BEGIN:
            Follower(run, replace(config, threads=max(1, config.threads // launch.here())), group).go()
        group.end()
        return 0
    except (Problem, RuntimeError, OSError, MemoryError) as error:
        if not group.others.dead.wait(2 * processes.LOOK_S) and not _of_connection(error):
            reason = failures.explained(error, run) or f"{type(error).__name__}: {str(error)[:300]}"
            group.say_last_words(f"Process {group.rank} of {group.size} failed: {reason}")
            raise
        return 1
    finally:
        group.others.stop()


class Follower:
    """What process 0's loop is in the other processes: orders in, the same updates made, nothing written."""

    def __init__(self, run: Path, config: Config, group: Group):
        torch.set_num_threads(config.threads)
        self.group, work = group, prepare(config)
        self.update = SharedUpdate(work, make_optimizer(work.model, config), group)
        position = saving.restore(run, self.update)
        torch.manual_seed(config.seed + 1_000_003 * group.rank + position.step)  # dropout differs from process to process
        work.model.train()
        self.choices, self.parts = None, deque()
        self._forget()

    def go(self) -> None:
        while True:
            order, number = self.group.hear()
            if order == EPOCH:
                self.choices = self.update.draw(int(number))
            elif order == EXPECT:
                self._expect(int(number))
            elif order == STEP:
                self._step(self.parts.popleft(), number)
            elif order == TOTAL:
                self.update.total(self.sums)
                self._forget()
            else:
                return

    def _expect(self, count: int) -> None:
        samples = torch.empty(count, dtype=torch.int64, device=self.update.work.device)
        if count:
            dist.broadcast(samples, 0)
        self.parts = deque(samples.split(self.update.config.batch_size))
        self.update.expect(list(self.parts), self.choices)

    def _step(self, samples: Tensor, lr: float) -> None:
        outcome = self.update.step(samples, self.choices, lr)
        self.sums[0] += outcome.loss * len(samples)
        self.sums[1] += outcome.right
        self.sums[2] += torch.isfinite(self.sums[0])

    def _forget(self) -> None:
        self.sums = torch.zeros(3, device=self.update.work.device)
