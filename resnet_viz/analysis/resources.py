"""What training a network costs in memory, from shapes alone, and the largest batch that fits.

The largest moment of a step is the end of its forward pass: weights, the last step's gradients, the optimiser's state
and everything that autograd keeps are all there. In the backward pass what is kept shrinks faster than gradients grow.
"""

import os
from dataclasses import dataclass
from functools import cached_property

import psutil

from ..problems import Problem, one_of
from . import architecture, saved_tensors
from .saved_tensors import COPY, PRECISIONS, Saved

GIB, MIB = 2**30, 2**20
FLOAT_BYTES = 4
MAX_BATCH = 65_536
MAX_MEMORY_GIB = 10_000.0
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}  # numbers that each keeps for every weight, besides its gradient
OPTIMIZER_NAMES = {"sgd": "SGD", "momentum": "SGD with momentum", "adam": "Adam"}
PARTS = {  # in the order of the bar
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "optimiser's state",
    "buffers": "batch norm's running averages",
    "copies": "16-bit copies of the weights",
    "activations": "stored activations",
    "batch": "the batch itself",
    "workspace": "library workspace",
    "process": "process and libraries",
}


@dataclass(frozen=True)
class Allowance:
    """What shapes cannot tell, so that it is allowed for and shown apart. The numbers are rules of thumb.

    process_bytes    of code and libraries, whatever the network
    workspace_bytes  of the libraries for their own products, whatever the batch
    maps             as many of the largest output of a layer for a convolution's scratch
    weights          as many copies of the weights, in the order that the library wants them
    """

    process_bytes: int
    workspace_bytes: int
    maps: int
    weights: float
    words: str

    def workspace(self, found: "Demand", batch: int) -> int:
        """Bytes of scratch that are allowed for a batch."""
        copies = round(self.weights * FLOAT_BYTES * found.params)
        return self.workspace_bytes + copies + self.maps * found.largest_output * batch


ALLOWANCES = {
    # Tried with ResNet-18, -50, -152 and -20 on one machine with two cores, batches of 1 to 256: a process that has
    # imported torch takes 530 MiB, a step 170 to 910 MiB more than can be counted; the whole came within 15 %.
    "cpu": Allowance(530 * MIB, 200 * MIB, 4, 1.25, "Python and PyTorch in memory, and the scratch of oneDNN's "
                                                    "convolutions; tried on one machine"),
    # A CUDA context takes 0.3 to 0.6 GiB; PyTorch gives cuBLAS 2 x 4 MiB + 8 x 16 KiB (32 MiB on Hopper); what cuDNN
    # takes depends on the card and the algorithm it chooses.
    "cuda": Allowance(512 * MIB, 8_519_680, 1, 0, "the CUDA context, cuBLAS's workspace, and the scratch of cuDNN's "
                                                    "convolutions, which depends on the card; no GPU was at hand to "
                                                    "try it"),
}


@dataclass(frozen=True)
class Demand:
    """All that one training step of a network asks for, whatever the batch; see `parts` for a batch.

    saved                what autograd keeps, a row for each tensor
    picture_bytes        one picture as float32
    largest_output       bytes of the largest output of a layer for one picture
    tensors              number of trainable parameters' tensors
    least_batch          2 where batch norm would otherwise see one value only, else 1
    """

    network: str
    input_shape: tuple[int, ...]
    precision: str
    device: str
    params: int
    trainable: int
    tensors: int
    buffers_bytes: int
    saved: tuple[Saved, ...]
    largest_output: int
    least_batch: int

    @cached_property
    def stored_per_picture(self) -> int:
        return sum(one.per_picture for one in self.saved)

    @cached_property
    def copies_bytes(self) -> int:
        return sum(one.fixed for one in self.saved if one.what == COPY)

    @cached_property
    def stored_fixed(self) -> int:
        """What is kept once a batch, without the copies of the weights."""
        return sum(one.fixed for one in self.saved) - self.copies_bytes

    @property
    def picture_bytes(self) -> int:
        """A picture in float32 is kept by the first convolution; under autocast that keeps a 16-bit cast of it."""
        channels, height, width = self.input_shape
        return 0 if self.precision == "fp32" else FLOAT_BYTES * channels * height * width

    def stored(self, batch: int) -> int:
        """Bytes that autograd keeps for a batch: distinct storages, no parameters (torch's saved_tensors_hooks)."""
        return self.stored_per_picture * batch + self.stored_fixed + self.copies_bytes


@dataclass(frozen=True)
class Device:
    """Where training would happen: kind "cuda" or "cpu", its name, and its memory."""

    kind: str
    name: str
    memory_bytes: int


def demand(network: str, arguments: dict | None, size: int, precision: str = "fp32", device: str = "cpu") -> Demand:
    """What training a network on square pictures of `size` pixels a side asks for. Nothing is allocated.

    Raises a Problem where the picture does not fit the network, or is absurdly large.
    """
    one_of("precision", precision, PRECISIONS)
    one_of("device", device, ALLOWANCES)
    table = architecture.summary(network, arguments, size)
    way = saved_tensors.walk(network, arguments or {}, size, precision, device)
    totals = table.totals
    return Demand(network, table.input_shape, precision, device, totals["params"], totals["trainable_params"],
                  way.tensors, totals["buffers_bytes"], tuple(way.saved), way.largest_output, 1 + way.one_value)


def optimizer_bytes(found: Demand, optimizer: str) -> int:
    """State of the optimiser: a number of float32 for every weight; Adam also counts its steps, once a tensor."""
    copies = OPTIMIZERS[one_of("optimiser", optimizer, OPTIMIZERS)]
    return FLOAT_BYTES * (copies * found.trainable + (found.tensors if optimizer == "adam" else 0))


def parts(found: Demand, batch: int, optimizer: str) -> dict[str, int]:
    """Bytes of each of PARTS at the largest moment of a step; they add up to the whole."""
    check_batch(found, batch)
    return _parts(found, batch, optimizer)


def _parts(found: Demand, batch: int, optimizer: str) -> dict[str, int]:
    allowance = ALLOWANCES[found.device]
    return {
        "weights": FLOAT_BYTES * found.params,
        "gradients": FLOAT_BYTES * found.trainable,
        "optimizer": optimizer_bytes(found, optimizer),
        "buffers": found.buffers_bytes,
        "copies": found.copies_bytes,
        "activations": found.stored_per_picture * batch + found.stored_fixed,
        "batch": found.picture_bytes * batch,
        "workspace": allowance.workspace(found, batch),
        "process": allowance.process_bytes,
    }


def per_picture(found: Demand) -> int:
    """Bytes that each further picture of a batch costs."""
    return found.stored_per_picture + found.picture_bytes + ALLOWANCES[found.device].maps * found.largest_output


def fixed(found: Demand, optimizer: str) -> int:
    """Bytes that are there whatever the batch."""
    return sum(_parts(found, 0, optimizer).values())


def largest_batch(found: Demand, optimizer: str, memory_bytes: int) -> int:
    """The most pictures of which a step fits into that memory; 0 where it does not fit at all."""
    room = memory_bytes - fixed(found, optimizer)
    most = min(max(room, 0) // per_picture(found), MAX_BATCH)
    return most if most >= found.least_batch else 0


def check_batch(found: Demand, batch: int) -> None:
    """A Problem for a batch that nobody can train on."""
    if not 1 <= batch <= MAX_BATCH:
        raise Problem(f"The batch must be between 1 and {MAX_BATCH:,} pictures (a larger one is no longer a sample of "
                      f"the data), not {batch:,}.")
    if batch < found.least_batch:
        side = found.input_shape[-1]
        raise Problem(f"{found.network} cannot be trained on one picture of {side} x {side} pixels: batch norm would "
                      "see a single value of each channel; take a batch of 2 or more.")


def check_memory(gib: float) -> int:
    """Bytes of a memory that a person typed in GiB."""
    if not 0 < gib <= MAX_MEMORY_GIB:
        raise Problem(f"The memory must be above 0 and at most {MAX_MEMORY_GIB:,.0f} GiB (no device has more), "
                      f"not {gib:,g}.")
    return round(gib * GIB)


# This machine

CGROUP = "/sys/fs/cgroup"  # a container's own limit stands here, where there is one


def this_device() -> Device:
    """The device that training takes here: the first GPU, else the CPU."""
    import torch

    if torch.cuda.is_available():
        found = torch.cuda.get_device_properties(0)
        return Device("cuda", found.name, found.total_memory)
    limit = _cgroup("memory.max")
    total = psutil.virtual_memory().total
    return Device("cpu", "CPU", total if limit is None else min(total, limit))


def available_bytes() -> int:
    """Memory of this machine that a new process could take now."""
    limit, used = _cgroup("memory.max"), _cgroup("memory.current")
    free = psutil.virtual_memory().available
    return free if limit is None or used is None else max(0, min(free, limit - used))


def _cgroup(name: str) -> int | None:
    try:
        with open(os.path.join(CGROUP, name), encoding="ascii") as file:
            text = file.read().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
