"""A convolution's kernels at any moment of training that was kept, and how far they moved.

A kernel is one k x k slice, a filter all slices of one output channel. Weights are float32 NumPy arrays
[filters, inputs, k, k].
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from torch import nn

from .. import runs
from ..checkpoints import Checkpoint
from ..networks import zoo
from ..problems import Problem, one_of


@dataclass(frozen=True)
class Moment:
    """One state of the weights: in a file of the run, or (path None) the checkpoint itself."""

    label: str
    epoch: int | None
    step: int | None
    path: Path | None


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


@dataclass(frozen=True)
class Comparison:
    """The same kernels at two moments, in the same order, and the largest weight of the layer at either.

    before, now  [n, 3, k, k] in colour, else [n, k, k]; before is None where it was not kept
    order        index of the filter or input channel that each kernel belongs to
    limit        largest |weight| of the whole layer before, at that moment and in the checkpoint itself
    """

    before: np.ndarray | None
    now: np.ndarray
    order: np.ndarray
    limit: float
    change: "Change | None"


@dataclass(frozen=True)
class Change:
    """How far weights moved from `before` to `now`, all together and kernel by kernel.

    length    |before|, L2 norm
    moved     |now - before|
    relative  moved / length; 0 = unchanged, 1 = moved as far as they were long; inf from zero
    cosine    of the angle between them: 1 = same direction, 0 = nothing left of it; nan where one is all zero
    """

    length: float
    moved: float
    relative: float
    cosine: float
    relatives: np.ndarray
    cosines: np.ndarray


def convolutions(network: str, arguments: dict) -> dict[str, tuple[int, int, int, int]]:
    """Every convolution and the shape of its weights [filters, inputs, height, width], as the network defines them."""
    model = zoo.build(network, arguments, device="meta")
    return {name: tuple(m.weight.shape) for name, m in model.named_modules() if isinstance(m, nn.Conv2d)}


# When

def history(checkpoint: Checkpoint, layer: str) -> History:
    """The moments at which a layer can be seen: snapshots, else weights kept by epoch, else only the checkpoint."""
    if checkpoint.run is None:
        return History(None, (_itself(checkpoint),), 0, "This is a weights file without its run: what the kernels "
                       "were before training was not kept. Checkpoints that are trained here have it.")
    initial = runs.weights_file(checkpoint.run, "initial")
    moments = _snapshots(checkpoint.run, layer)
    if initial is None and moments and moments[0].step == 0:
        initial = moments[0].path  # a bundle may carry its beginning in the snapshots alone
    before = Moment("before training", 0, 0, initial) if initial else None
    why = "" if initial else ("The run kept this layer's weights of now only; the first two convolutions have snapshots "
                              "from before training on.")
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
        return "before training"
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
    if moment.path is None:
        return checkpoint.state[name].numpy().astype(np.float32)
    try:
        with safe_open(moment.path, framework="np") as file:
            return file.get_tensor(name).astype(np.float32)
    except (OSError, SafetensorError) as error:
        raise Problem(f"The weights of {moment.label} cannot be read ({moment.path.name}); "
                      "choose another moment.") from error


# Which

def _colour(weights: np.ndarray, index: int) -> np.ndarray:
    return weights


def _inputs_of_a_filter(weights: np.ndarray, index: int) -> np.ndarray:
    return weights[index]


def _one_input_of_all_filters(weights: np.ndarray, index: int) -> np.ndarray:
    return weights[:, index]


VIEWS = {"colour": _colour, "filter": _inputs_of_a_filter, "input": _one_input_of_all_filters}


def views(shape: tuple[int, ...]) -> dict[str, int]:
    """What of a convolution can be shown, and for how many indices: view -> number of choices (1 = none to make).

    colour  every filter as a picture, where the inputs are red, green and blue
    filter  the kernels of one filter, one for each input channel
    input   the kernels of all filters for one input channel
    """
    filters, inputs = shape[:2]
    return ({"colour": 1} if inputs == 3 else {}) | ({"filter": filters} if inputs > 1 else {}) | {"input": inputs}


def kernels(weights: np.ndarray, view: str, index: int) -> np.ndarray:
    """The chosen kernels: [n, 3, k, k] in colour, else [n, k, k]."""
    return VIEWS[one_of("view", view, VIEWS)](weights, index)


def norms(tiles: np.ndarray) -> np.ndarray:
    """L2 norm of each kernel."""
    return np.linalg.norm(tiles.reshape(len(tiles), -1), axis=1)


# How far

def change(before: np.ndarray, now: np.ndarray) -> Change:
    """Compare two states of the same kernels [n, ...]."""
    before, now = (x.reshape(len(x), -1).astype(np.float64) for x in (before, now))
    return Change(float(np.linalg.norm(before)), float(np.linalg.norm(now - before)),
                  float(_relative(before.ravel(), now.ravel())), float(_cosine(before.ravel(), now.ravel())),
                  _relative(before, now), _cosine(before, now))


def _relative(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    moved, length = np.linalg.norm(now - before, axis=-1), np.linalg.norm(before, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(moved == 0, 0.0, moved / length)


def _cosine(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return (before * now).sum(-1) / (np.linalg.norm(before, axis=-1) * np.linalg.norm(now, axis=-1))


def _by_index(now: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    return np.arange(len(now))


def _by_norm(now: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    return np.argsort(-norms(now), kind="stable")


def _by_change(now: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    if before is None:
        raise Problem("Without the weights before training there is no change to sort by; sort by index or by norm.")
    return np.argsort(-change(before, now).relatives, kind="stable")


ORDERS = {"index": _by_index, "norm": _by_norm, "change": _by_change}


def order(now: np.ndarray, before: np.ndarray | None, by: str) -> np.ndarray:
    """Indices of the kernels in the order of show: as they are, the strongest now first, the most moved first."""
    return ORDERS[one_of("order", by, ORDERS)](now, before)


def compare(
    checkpoint: Checkpoint, layer: str, past: History, moment: Moment, view: str, index: int, by: str
) -> Comparison:
    """The chosen kernels before training and at a moment.

    The order is that of the checkpoint itself, at all moments: so a kernel keeps its place while time goes by.
    """
    itself = weights_at(past.moments[past.current], checkpoint, layer)
    now = itself if moment.path is None else weights_at(moment, checkpoint, layer)
    before = None if past.before is None else weights_at(past.before, checkpoint, layer)
    limit = max(float(np.abs(weights).max()) for weights in (itself, now, before) if weights is not None)
    before = None if before is None else kernels(before, view, index)
    places = order(kernels(itself, view, index), before, by)
    now = kernels(now, view, index)[places]
    before = None if before is None else before[places]
    return Comparison(before, now, places, limit, None if before is None else change(before, now))


def rows(seen: Comparison) -> list[dict]:
    """One row for each kernel in the order of show: its number, its norms, how far it moved, and its weights."""
    found = []
    for place, number in enumerate(seen.order):
        row = {"kernel": int(number), "norm now": float(norms(seen.now)[place])}
        if seen.change is not None:
            row |= {"norm before": float(norms(seen.before)[place]), "change": float(seen.change.relatives[place]),
                    "cosine": float(seen.change.cosines[place])}
        found.append(row | {"weights now": " ".join(f"{w:.4g}" for w in seen.now[place].ravel())})
    return found


def describe(layer: str, seen: Comparison) -> str:
    """The finding in one sentence, for who cannot see the picture."""
    side = " x ".join(str(n) for n in seen.now.shape[-2:])
    text = f"{len(seen.now)} kernels of {side} of {layer}"
    if seen.change is None:
        strongest = int(norms(seen.now).argmax())
        return f"{text}; number {seen.order[strongest]} has the largest norm, {norms(seen.now)[strongest]:.3g}."
    if seen.change.relative == 0:
        return f"{text}, exactly as they were before training."
    moved = np.where(np.isfinite(seen.change.relatives), seen.change.relatives, -1)
    most, least = (f"number {seen.order[place]}" for place in (moved.argmax(), moved.argmin()))
    return (f"{text}; they moved by {seen.change.relative:.2f} of their length before training "
            f"(cosine {seen.change.cosine:.2f}); "
            f"{most} moved most ({moved.max():.2f}), {least} least ({moved.min():.2f}).")
