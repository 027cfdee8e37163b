"""Real training steps beside the estimate: asked of a process of its own, so that its memory goes back with it."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import ceil

from .. import runs
from ..problems import Problem
from . import resources
from .resources import Demand

TICK_S = 0.2  # the longest silence of `events`: whoever listens can stop then
MAX_PICTURES = 10**9
PROCESS = (sys.executable, "-m", "resnet_viz.analysis.resource_steps")


@dataclass(frozen=True)
class Measured:
    """One batch size: what was counted and timed on the device, and what the shapes had promised.

    counted         bytes of weights, gradients, optimizer, buffers and stored (what autograd keeps)
    peak_bytes      CPU: the process's largest memory; CUDA: the most that PyTorch's allocator handed out
    reserved_bytes  CUDA: what the allocator holds of the card, its cache included; else None
    outside_bytes   CUDA: what the card holds beside the allocator: the context, and other programs
    seconds         of each timed step
    """

    batch: int
    counted: dict[str, int]
    peak_bytes: int
    reserved_bytes: int | None
    outside_bytes: int
    seconds: tuple[float, ...]
    estimated: dict[str, int]

    @property
    def estimated_counted(self) -> int:
        """The estimate of what is counted: all that shapes can tell."""
        return sum(self.estimated[part] for part in
                   ("weights", "gradients", "optimizer", "buffers", "copies", "activations"))

    @property
    def estimated_peak(self) -> int:
        """The estimate of the peak; PyTorch's allocator on a GPU does not see the CUDA context."""
        outside = 0 if self.reserved_bytes is None else self.estimated["process"]
        return sum(self.estimated.values()) - outside

    @property
    def counted_error(self) -> float:
        """Share by which the estimate of what can be counted is too high (positive) or too low."""
        return self.estimated_counted / sum(self.counted.values()) - 1

    @property
    def peak_error(self) -> float:
        return self.estimated_peak / self.peak_bytes - 1

    @property
    def images_per_s(self) -> float:
        return self.batch * len(self.seconds) / sum(self.seconds)

    def epoch_s(self, pictures: int) -> tuple[float, float]:
        """Seconds of an epoch of that many pictures at the fastest and at the slowest step, without reading them."""
        if not 1 <= pictures <= MAX_PICTURES:
            raise Problem(f"An epoch has between 1 and {MAX_PICTURES:,} pictures, not {pictures:,}.")
        steps = ceil(pictures / self.batch)
        return steps * min(self.seconds), steps * max(self.seconds)

    def parts(self) -> dict[str, int]:
        """The measured bar, in the names of resources.PARTS; what is left of the peak is the libraries'."""
        known = {part: self.counted[part] for part in ("weights", "gradients", "optimizer", "buffers")}
        copies = min(self.estimated["copies"], self.counted["stored"])  # kept by autograd too, drawn apart
        known |= {"copies": copies, "activations": self.counted["stored"] - copies, "batch": self.estimated["batch"]}
        rest = max(0, self.peak_bytes - sum(known.values()))
        return known | ({"process": rest} if self.reserved_bytes is None else {"workspace": rest})


def batches_up_to(found: Demand, most: int) -> list[int]:
    """1, 2, 4, ... and at last `most` itself; from 2 where batch norm cannot do with one."""
    resources.check_batch(found, most)
    powers = [2**k for k in range(most.bit_length()) if found.least_batch <= 2**k < most]
    return [*powers, most]


def request(found: Demand, arguments: dict, optimizer: str, batches: list[int], limit_bytes: int | None = None) -> dict:
    """What the measuring process is asked, on the device of the demand; limit_bytes: as if there were no more."""
    for batch in batches:
        resources.parts(found, batch, optimizer)  # refuses what makes no sense before a process starts
    # as many threads as training takes
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"network": found.network, "arguments": arguments, "size": found.input_shape[-1], "optimizer": optimizer,
            "precision": found.precision, "device": found.device, "batches": list(batches),
            "limit_bytes": limit_bytes, "threads": threads}


def events(asked: dict) -> Iterator[dict]:
    """What the measuring process says, as it says it; {"event": "tick"} in between. See resource_steps.

    Close the iterator to stop: the process is ended, and its memory is free. A process that the system ended (out of
    memory) says "full". Raises a Problem where it failed in another way.
    """
    process = subprocess.Popen(PROCESS, cwd=runs.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    lines: queue.Queue = queue.Queue()
    errors: list[str] = []
    readers = [threading.Thread(target=_read, args=(process.stdout, lines.put), daemon=True),
               threading.Thread(target=_read, args=(process.stderr, errors.append), daemon=True)]
    try:
        for reader in readers:
            reader.start()
        _ask(process, asked)
        yield from _heard(lines, errors, process, readers)
    finally:
        process.kill()
        process.wait()
        for reader in readers:
            reader.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):  # a request that nobody read
                stream.close()


def _ask(process: subprocess.Popen, asked: dict) -> None:
    try:
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        return  # it died at once: what it left on stderr says why


def _read(stream, put) -> None:
    for line in stream:
        put(line)
    put("")


def _heard(lines: queue.Queue, errors: list[str], process: subprocess.Popen, readers) -> Iterator[dict]:
    batch = 0
    while True:
        try:
            line = lines.get(timeout=TICK_S)
        except queue.Empty:
            yield {"event": "tick"}
            continue
        if not line:
            break
        event = json.loads(line)
        batch = event["batch"]
        yield event
    code = process.wait()
    readers[1].join()
    if code < 0:  # the kernel ends who takes too much (9), and some libraries end themselves (6)
        yield {"event": "full", "batch": batch, "why": f"the system ended the process (signal {-code})"}
    elif code:
        last = next((line.strip() for line in reversed(errors) if line.strip()), f"exit code {code}")
        raise Problem(f"The measuring process failed: {last:.200}; try a smaller batch or another precision.")


def measured(found: Demand, optimizer: str, event: dict) -> Measured:
    """A "batch" event beside the estimate for the same batch."""
    keys = ("batch", "counted", "peak_bytes", "reserved_bytes", "outside_bytes")
    return Measured(**{key: event[key] for key in keys}, seconds=tuple(event["seconds"]),
                    estimated=resources.parts(found, event["batch"], optimizer))
