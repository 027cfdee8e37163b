"""The weights before training: from the run's own file or, where it stayed behind, drawn again from the run's seed.

A run that began from random weights draws them as its config says (training/work.py): the seed, then the network, layer
by layer. The same numbers can be drawn again at any time; they are believed only after the first convolutions were
compared with the run's snapshot from before training.
"""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from . import checkpoints, runs
from .checkpoints import Checkpoint
from .networks import zoo
from .problems import Problem

NO_RUN = "This is a weights file without its run: what it was before training was not kept. Runs that are trained here have it."


@dataclass(frozen=True)
class Beginning:
    """A run before its first step, or why it is not known.

    checkpoint  the same network with its initial weights, epoch 0; None where they are not known
    rebuilt     drawn again from the seed, and found equal to the run's first snapshot
    why         one sentence where checkpoint is None, else ""
    """

    checkpoint: Checkpoint | None
    rebuilt: bool = False
    why: str = ""


def of(checkpoint: Checkpoint) -> Beginning:
    """Where the checkpoint's run began. A rebuilt one shares its tensors with later callers: nobody writes into them."""
    if checkpoint.run is None:
        return Beginning(None, why=NO_RUN)
    if path := runs.weights_file(checkpoint.run, "initial"):
        return Beginning(checkpoints.read(path))
    try:
        state = rebuilt(checkpoint)
    except Problem as problem:
        return Beginning(None, why=str(problem))
    return Beginning(replace(checkpoint, state=state, epoch=0, metrics={}), rebuilt=True)


def rebuilt(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """The initial weights of a checkpoint's run, float32 by name, drawn again from its seed; Problem where they cannot be.

    torch's own random numbers are left as they were.
    """
    config = runs.read_config(checkpoint.run) or {}
    if reference := config.get("start_from"):
        raise Problem(f"This run began from the weights {Path(reference).name}, which did not travel with it; "
                      "only its first two convolutions were kept from before training; look at those, or choose another run.")
    first = next((s for s in runs.snapshots(checkpoint.run) if s.step == 0), None)
    if first is None or not isinstance(config.get("seed"), int):
        raise Problem("The run kept neither its weights from before training nor a snapshot to check them against; choose another run.")
    return _drawn(config["seed"], checkpoint.network, json.dumps(checkpoint.arguments, sort_keys=True),
                  first.path, first.path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _drawn(seed: int, network: str, arguments: str, snapshot: Path, stamp: int) -> dict[str, Tensor]:
    with _Draws(torch.Generator().manual_seed(seed)):
        model = zoo.build(network, json.loads(arguments))
    state = {name: tensor.detach() for name, tensor in model.state_dict().items()}
    kept = {name: value for name, value in runs.read_snapshot(snapshot).items() if name.endswith(".weight")}
    same = [name in state and tuple(state[name].shape) == value.shape
            and bool((state[name].to(torch.float16).numpy() == value).all()) for name, value in kept.items()]
    if not same or not all(same):
        raise Problem("The weights before training cannot be drawn again: the run's first snapshot holds other numbers "
                      "than its seed gives here, as after a change of PyTorch's or this project's version; choose another run.")
    return state


class _Draws(TorchDispatchMode):
    """Random numbers from a generator of its own: other threads may draw at the same time and must not notice."""

    def __init__(self, generator: torch.Generator):
        super().__init__()
        self.generator = generator

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        drawn = any(argument.name == "generator" for argument in func._schema.arguments)
        return func(*args, **{**(kwargs or {}), **({"generator": self.generator} if drawn else {})})
