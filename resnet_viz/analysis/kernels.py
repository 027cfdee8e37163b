"""A convolution's kernels at any moment of training that was kept, and how far they moved.

A kernel is one k x k slice, a filter all slices of one output channel. Weights are float32 NumPy arrays
[filters, inputs, k, k].
"""

from dataclasses import dataclass

import numpy as np
from torch import nn

from ..checkpoints import Checkpoint
from ..networks import zoo
from ..problems import Problem, one_of
from .kernels_history import History, Moment, weights_at
from .kernels_patterns import Patterns, patterns


@dataclass(frozen=True)
class Comparison:
    """The same kernels at two moments, in the same order, and the largest weight of the layer at either.

    before, now  [n, 3, k, k] in colour, else [n, k, k]; before is None where it was not kept
    order        index of the filter or input channel that each kernel belongs to
    limit        largest |weight| of the whole layer before, at that moment and in the checkpoint itself
    patterns     direction and colour of each, now
    """

    before: np.ndarray | None
    now: np.ndarray
    order: np.ndarray
    limit: float
    change: "Change | None"
    patterns: Patterns

    def place(self, number: int) -> int:
        """Where the kernel of that index stands in the order of show."""
        return int(np.flatnonzero(self.order == number)[0])


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


def finite(relatives: np.ndarray) -> np.ndarray:
    """For a choice of the largest: what began at zero, and so moved infinitely far, does not count."""
    return np.where(np.isfinite(relatives), relatives, -1)


def _by_index(now: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    return np.arange(len(now))


def _by_norm(now: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    return np.argsort(-norms(now), kind="stable")


def _by_change(now: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    if before is None:
        raise Problem("Without the weights before training there is no change to sort by; sort by index or by norm.")
    return np.argsort(-change(before, now).relatives, kind="stable")


def _by_hue(now: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    if now.ndim != 4:
        raise Problem("These kernels have no colours to sort by; sort by number or by norm.")
    found = patterns(now)
    return np.lexsort((np.where(found.coloured, found.hue, -found.colour), ~found.coloured))


def _by_orientation(now: np.ndarray, before: np.ndarray | None) -> np.ndarray:
    found = patterns(now)
    return np.lexsort((np.where(found.oriented, found.angle, -found.coherence), ~found.oriented))


ORDERS = {"index": _by_index, "norm": _by_norm, "change": _by_change, "hue": _by_hue, "orientation": _by_orientation}


def orders(view: str, side: int, has_before: bool) -> list[str]:
    """Which orders make sense of kernels of `side` pixels."""
    fits = {"change": has_before, "hue": view == "colour", "orientation": side > 1}
    return [by for by in ORDERS if fits.get(by, True)]


def order(now: np.ndarray, before: np.ndarray | None, by: str) -> np.ndarray:
    """Indices of the kernels in the order of show: as they are, the strongest now first, the most moved first; round
    the circle of colours and then the grey ones; by the direction of their lines and then those that have none."""
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
    return Comparison(before, now, places, limit, None if before is None else change(before, now), patterns(now))


def rows(seen: Comparison) -> list[dict]:
    """One row for each kernel in the order of show: its number, norms, how far it moved, what it is, and its weights."""
    strengths, found = norms(seen.now), seen.patterns
    before = None if seen.before is None else norms(seen.before)
    table = []
    for place, number in enumerate(seen.order):
        row = {"kernel": int(number), "norm now": float(strengths[place])}
        if before is not None:
            row |= {"norm before": float(before[place]), "change": float(seen.change.relatives[place]),
                    "cosine": float(seen.change.cosines[place])}
        if seen.now.shape[-1] > 1:
            row |= {"angle": float(found.angle[place]), "direction": float(found.coherence[place])}
        if found.hue is not None:
            row |= {"hue": float(found.hue[place]), "colour": float(found.colour[place])}
        table.append(row | {"weights now": " ".join(f"{w:.4g}" for w in seen.now[place].ravel())})
    return table
