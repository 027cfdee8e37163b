"""The moments of a run at which a convolution's weights can be seen, and the weights at each of them."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from .. import beginnings, runs
from ..checkpoints import Checkpoint
from ..problems import Problem

BEFORE = "before training"


@dataclass(frozen=True)
class Moment:
    """One state of the weights: in a file of the run, or (path None) the checkpoint itself.

    rebuilt  in no file, but drawn again from the run's seed (resnet_viz.beginnings)
    """

    label: str
    epoch: int | None
    step: int | None
    path: Path | None
    rebuilt: bool = False


@dataclass(frozen=True)
class History:
    """What of a layer's past was kept.

    before   the initial weights; None without a run, then `why` says so
    moments  the states to choose from, in order of time; the checkpoint itself is among them
    current  index of the checkpoint itself
    why      one sentence where something was not kept, else ""
    """

    before: Moment | None
    moments: tuple[Moment, ...]
    current: int
    why: str


def history(checkpoint: Checkpoint, layer: str) -> History:
    """The moments at which a layer can be seen: snapshots, else weights kept by epoch, else only before and now."""
    if checkpoint.run is None:
        return History(None, (_itself(checkpoint),), 0, "This is a weights file without its run: what the kernels "
                       "were before training was not kept. Checkpoints that are trained here have it.")
    moments = _snapshots(checkpoint.run, layer)
    before, why = _before(checkpoint, moments)
    if not moments:
        moments = [Moment(f"epoch {epoch}", epoch, None, path) for epoch, path in runs.epoch_weights(checkpoint.run)]
        moments = ([before] if before else []) + moments
        if len(moments) <= 1:
            why = why or "This layer was kept only before training and now; the first two convolutions have snapshots."
    same = [i for i, moment in enumerate(moments) if moment.epoch == checkpoint.epoch and moment is not before]
    if not same:
        return History(before, (*moments, _itself(checkpoint)), len(moments), why)
    current = same[-1]
    moments[current] = _itself(checkpoint, moments[current].step)
    return History(before, tuple(moments), current, why)


def _before(checkpoint: Checkpoint, moments: list[Moment]) -> tuple[Moment | None, str]:
    """The initial weights: the run's file, else drawn again from its seed, else the layer's first snapshot."""
    if initial := runs.weights_file(checkpoint.run, "initial"):
        return Moment(BEFORE, 0, 0, initial), ""
    try:
        beginnings.rebuilt(checkpoint)
    except Problem as problem:
        if moments and moments[0].step == 0:
            return moments[0], ""
        return None, str(problem)
    return Moment(BEFORE, 0, 0, None, rebuilt=True), ""


def _itself(checkpoint: Checkpoint, step: int | None = None) -> Moment:
    label = "this checkpoint" if checkpoint.epoch is None else f"epoch {checkpoint.epoch}, this checkpoint"
    return Moment(label, checkpoint.epoch, step, None)


def _snapshots(run: Path, layer: str) -> list[Moment]:
    found = runs.snapshots(run)
    if not found or f"{layer}.weight" not in _names(found[0].path):
        return []
    ends = {snapshot.epoch: snapshot.step for snapshot in found}  # the last of each epoch is the epoch's end
    return [Moment(_when(s, s.step == ends[s.epoch]), s.epoch, s.step, s.path) for s in found]


def _when(snapshot: runs.Snapshot, whole: bool) -> str:
    """Steps within the first epoch, epochs from then on."""
    if snapshot.step == 0:
        return BEFORE
    return f"epoch {snapshot.epoch}" if snapshot.epoch and whole else f"step {snapshot.step:,}"


@lru_cache(maxsize=64)
def _names(path: Path) -> frozenset[str]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return frozenset(file.keys())


def weights_at(moment: Moment, checkpoint: Checkpoint, layer: str) -> np.ndarray:
    """The layer's weights at that moment, float32; only this tensor is read from the file."""
    from safetensors import SafetensorError, safe_open

    name = f"{layer}.weight"
    if moment.rebuilt:
        return beginnings.rebuilt(checkpoint)[name].numpy()
    if moment.path is None:
        return checkpoint.state[name].numpy().astype(np.float32)
    try:
        with safe_open(moment.path, framework="np") as file:
            return file.get_tensor(name).astype(np.float32)
    except (OSError, SafetensorError) as error:
        raise Problem(f"The weights of {moment.label} cannot be read ({moment.path.name}); "
                      "choose another moment.") from error
