"""The measuring process: real training steps at rising batch sizes, `python -m resnet_viz.analysis.resource_steps`.

The request is one line of JSON on stdin; every event is one line of JSON on stdout. When stdin closes, whoever asked is
gone, and so is this process, with all its memory.

    {"event": "step", "batch", "step", "steps"}     before each step
    {"event": "batch", "batch", "counted": {...}, "peak_bytes", "reserved_bytes", "outside_bytes", "seconds": [...]}
    {"event": "full", "batch", "why"}               this batch did not fit; the last event
"""

import ctypes
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import torch
from torch import nn
from torch.nn import functional as F

from ..networks import zoo
from . import resources
from .arithmetic import size
from .saved_tensors import PRECISIONS

TIMED, LONG_S = 3, 15.0  # steps that are timed; one is enough where a step takes that long
SAMPLE_S = 0.005  # between two looks at the memory of the process
KEPT_FREE = 0.9  # share of the free memory that a measurement may take: the app and the desktop need the rest
FULL_WORDS = ("can't allocate", "failed to allocate", "bad_alloc", "bad allocation", "out of memory", "alloc_failed",
              "could not create", "could not execute", "unable to find an engine")  # of torch, oneDNN and cuDNN


class CpuMeter:
    """Memory of this process, as the operating system sees it, sampled in a thread."""

    def __init__(self, limit: int | None):
        self.me, self.peak, self.limit = psutil.Process(), 0, limit
        self.limit_address_space()
        threading.Thread(target=self._watch, daemon=True).start()

    def limit_address_space(self) -> None:
        """A second guard behind `room`: the kernel refuses more (Linux), instead of ending some other process."""
        try:
            import resource

            used = int(_status_kib("VmData")) * 1024
        except (ImportError, OSError, ValueError):
            return
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        limit = used + self.room() + resources.ALLOWANCES["cpu"].process_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit if hard < 0 else min(limit, hard), hard))

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, self.me.memory_info().rss)
            time.sleep(SAMPLE_S)

    def room(self) -> int:
        """Bytes that this process may hold in all."""
        free = self.me.memory_info().rss + int(resources.available_bytes() * KEPT_FREE)
        return free if self.limit is None else min(self.limit, free)

    def start(self) -> None:
        """What smaller batches left in the C library's pool (Linux) goes back first: it is not this batch's need."""
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).malloc_trim(0)
        self.peak = 0

    def read(self) -> dict:
        return {"peak_bytes": max(self.peak, self.me.memory_info().rss), "reserved_bytes": None, "outside_bytes": 0}

    def wait(self) -> None:
        """The CPU's work is done when a call returns."""


class CudaMeter:
    """What PyTorch's allocator handed out and reserved on the first GPU, and what the card holds besides."""

    def __init__(self, limit: int | None):
        self.total = torch.cuda.get_device_properties(0).total_memory
        self.limit = self.total if limit is None else min(limit, self.total)
        outside = resources.ALLOWANCES["cuda"].process_bytes if limit else 0  # a smaller card has a context too
        torch.cuda.set_per_process_memory_fraction(max(self.limit - outside, 0) / self.total, 0)

    def room(self) -> int:
        """The allocator itself says when it is full: only what cannot be is refused beforehand."""
        return 2 * self.limit

    def start(self) -> None:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(0)

    def read(self) -> dict:
        free, total = torch.cuda.mem_get_info(0)
        reserved = torch.cuda.max_memory_reserved(0)
        return {"peak_bytes": torch.cuda.max_memory_allocated(0), "reserved_bytes": reserved,
                "outside_bytes": max(0, total - free - torch.cuda.memory_reserved(0))}

    def wait(self) -> None:
        torch.cuda.synchronize(0)


METERS = {"cpu": CpuMeter, "cuda": CudaMeter}
OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=1e-4, fused=True),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=1e-4, momentum=0.9, fused=True),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=1e-4, fused=True),
}


def _status_kib(key: str) -> str:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(line.split()[1] for line in file if line.startswith(f"{key}:"))


class Step:
    """A network and its optimiser, and one training step of them on pictures of noise."""

    def __init__(self, request: dict):
        self.device, self.precision = request["device"], request["precision"]
        self.heads = zoo.heads_of(request["network"], request["arguments"])
        self.shape = (zoo.channels_of(request["network"], request["arguments"]), request["size"], request["size"])
        model = zoo.build(request["network"], request["arguments"])
        self.model = model.to(self.device, memory_format=torch.channels_last).train()
        self.optimizer = OPTIMIZERS[request["optimizer"]](self.model.parameters())
        self.scaler = torch.amp.GradScaler(self.device, enabled=self.precision == "fp16")

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        pictures = torch.randn((count, *self.shape), device=self.device)
        labels = torch.zeros((count, len(self.heads)), dtype=torch.long, device=self.device)
        return pictures.contiguous(memory_format=torch.channels_last), labels

    def loss(self, pictures: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with torch.autocast(self.device, PRECISIONS[self.precision], enabled=self.precision != "fp32"):
            logits = self.model(pictures)
        answers = logits.float().split(list(self.heads), dim=1)
        return sum(F.cross_entropy(answer, labels[:, head]) for head, answer in enumerate(answers))

    def __call__(self, pictures: torch.Tensor, labels: torch.Tensor) -> None:
        loss = self.loss(pictures, labels)
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def counted(self, stored: dict[str, int]) -> dict[str, int]:
        """Bytes of every part that can be counted, by the names of resources.PARTS."""
        parameters = list(self.model.parameters())
        state = [value for values in self.optimizer.state.values() for value in values.values()]
        return {"weights": _bytes(parameters), "gradients": _bytes(p.grad for p in parameters),
                "optimizer": _bytes(state), "buffers": _bytes(self.model.buffers()), **stored}


def _bytes(tensors) -> int:
    return sum(t.numel() * t.element_size() for t in tensors if torch.is_tensor(t))


def count_saved(model: nn.Module, forward) -> dict[str, int]:
    """Bytes that autograd keeps while forward() runs: {"stored"}; distinct storages, no parameters and no buffers."""
    seen = {tensor.untyped_storage().data_ptr(): 0 for tensor in (*model.parameters(), *model.buffers())}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        seen.setdefault(storage.data_ptr(), storage.nbytes())
        # The storage stays, so that no other takes its address; an output itself would keep its own graph for ever.
        return tensor.detach()

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = forward()
    del loss
    return {"stored": sum(seen.values())}


def measure(request: dict) -> Iterator[dict]:
    """The events of a request, whose keys resource_measurement.request names."""
    torch.set_num_threads(request["threads"])
    found = resources.demand(*(request[key] for key in ("network", "arguments", "size", "precision", "device")))
    meter = METERS[request["device"]](request["limit_bytes"])
    step = None
    for batch in request["batches"]:
        if reason := _too_large(found, batch, request["optimizer"], meter):
            yield {"event": "full", "batch": batch, "why": reason}
            return
        try:
            step = step or Step(request)
            yield from _at(step, batch, meter)
        except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
            if not is_full(error):
                raise
            yield {"event": "full", "batch": batch, "why": "the device refused more memory"}
            return


def _too_large(found: resources.Demand, batch: int, optimizer: str, meter) -> str | None:
    """Why a batch is not even tried; None where it may fit."""
    needed, room = sum(resources.parts(found, batch, optimizer).values()), meter.room()
    if needed <= room:
        return None
    return f"it needs about {size(needed)}, and {size(room)} may be used"


def is_full(error: Exception) -> bool:
    """Whether an error says that memory is at its end."""
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or any(word in str(error).lower() for word in FULL_WORDS)


def _at(step: Step, batch: int, meter) -> Iterator[dict]:
    """One batch size: a step under the hooks (it also warms up), then the timed ones."""
    yield _begun(batch, 0, 1 + TIMED)
    meter.start()
    pictures, labels = step.batch(batch)
    stored = count_saved(step.model, lambda: step.loss(pictures, labels))
    seconds, timed = [], TIMED
    for number in range(1, 2 + TIMED):
        yield _begun(batch, number, 1 + timed)
        if number == 2:
            meter.start()  # the peak is that of a step that finds gradients and state in place
        meter.wait()
        began = time.perf_counter()
        step(pictures, labels)
        meter.wait()
        seconds.append(time.perf_counter() - began)
        if seconds[0] > LONG_S:
            timed = 1
        if len(seconds) == 1 + timed:
            break
    yield {"event": "batch", "batch": batch, "counted": step.counted(stored), **meter.read(),
           "seconds": [round(second, 4) for second in seconds[1:]]}


def _begun(batch: int, number: int, steps: int) -> dict:
    return {"event": "step", "batch": batch, "step": number, "steps": 1 + steps}


def _end_with_the_asker() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_asker, daemon=True).start()
    for event in measure(request):
        print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main()
