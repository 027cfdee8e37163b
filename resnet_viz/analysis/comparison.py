"""Two checkpoints, tensor by tensor: what moved, how far, and what only one of them has."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .checkpoint import CHUNK, LEARNED, WEIGHTS

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Movement:
    """One tensor's way from `before` to `now`.

    length      |before|, L2 norm
    moved       |now - before|
    relative    moved / length; 0 = unchanged, 1 = moved as far as it was long, inf from all zero
    cosine      of the angle between both: 1 = same direction, 0 = nothing left of it; nan where one is all zero
    difference  largest |now - before| of one number
    All are nan where a number is not finite.
    """

    name: str
    kind: str
    shape: Shape
    length: float
    moved: float
    relative: float
    cosine: float
    difference: float


@dataclass(frozen=True)
class Comparison:
    """Tensors that both have with one shape, in the network's order, and those that cannot be compared.

    apart     (name, shape here, shape there), None where that side has no such tensor
    total     over all learned tensors together; None where none can be compared
    """

    tensors: tuple[Movement, ...]
    apart: tuple[tuple[str, Shape | None, Shape | None], ...]
    total: Movement | None


def compare(now: Mapping[str, Tensor], before: Mapping[str, Tensor], kinds: Mapping[str, str]) -> Comparison:
    """From `before` to `now`; `kinds` (analysis.checkpoint.kinds of now) gives the order and what each tensor is."""
    counters = {name for name, kind in kinds.items() if kind == "counter"}
    names = [name for name in kinds if name in now] + [name for name in before if name not in now]
    found, apart, sums = [], [], [0.0] * 4
    for name in names:
        here, there = (tuple(state[name].shape) if name in state else None for state in (now, before))
        if name in counters or name.endswith("num_batches_tracked"):
            continue  # how many batches were seen: no weight
        if here != there:
            apart.append((name, here, there))
            continue
        parts = _products(now[name], before[name])
        found.append(_movement(name, kinds[name], here, parts))
        if kinds[name] in LEARNED:
            sums = [*(a + b for a, b in zip(sums, parts[:3])), max(sums[3], parts[3])]
    learned = [m for m in found if m.kind in LEARNED]
    shape = (sum(math.prod(m.shape) for m in learned),)
    return Comparison(tuple(found), tuple(apart),
                      _movement("all learned tensors", "", shape, sums) if learned else None)


def _products(now: Tensor, before: Tensor) -> list[float]:
    """[|before|^2, |now|^2, |now - before|^2, largest |now - before|] in float64; all nan where one is not finite."""
    sums = [0.0] * 4
    for new, old in zip(now.reshape(-1).split(CHUNK), before.reshape(-1).split(CHUNK)):
        new, old = new.double(), old.double()
        away = new - old
        parts = [*(float(x.dot(x)) for x in (old, new, away)), float(torch.linalg.vector_norm(away, math.inf))]
        sums = [*(a + b for a, b in zip(sums, parts[:3])), max(sums[3], parts[3])]
        if not all(map(math.isfinite, parts)):
            return [math.nan] * 4
    return sums


def _movement(name: str, kind: str, shape: Shape, parts: list[float]) -> Movement:
    old, new, away, difference = parts
    if math.isnan(away):
        return Movement(name, kind, shape, *[math.nan] * 5)
    length, moved = math.sqrt(old), math.sqrt(away)
    relative = 0.0 if moved == 0 else moved / length if length else math.inf
    cosine = math.nan
    if length and new:
        # from the three lengths (law of cosines): the fourth sum would be another pass over the memory
        cosine = min(1.0, max(-1.0, (old + new - away) / (2 * length * math.sqrt(new))))
    return Movement(name, kind, shape, length, moved, relative, cosine, difference)


def weights(found: Comparison) -> list[Movement]:
    """The convolutions and linear weights by depth: what a picture of the movement shows."""
    return [m for m in found.tensors if m.kind in WEIGHTS]


def rows(found: Comparison) -> list[dict]:
    """One row a tensor, as plain values."""
    return [{"tensor": m.name, "what": m.kind, "shape": " x ".join(map(str, m.shape)), "change": m.relative,
             "cosine": m.cosine, "moved": m.moved, "largest difference": m.difference} for m in found.tensors]


def describe(found: Comparison) -> str:
    """The finding in a sentence or two."""
    total = found.total
    if total is None:
        return "The two have no learned tensor in common: they are different networks."
    if all(m.moved == 0 for m in found.tensors):
        return f"All {len(found.tensors):,} tensors are exactly the same in both."
    if math.isnan(total.moved):
        broken = next(m.name for m in found.tensors if math.isnan(m.moved))
        return f"One of the two holds numbers that are not finite, the first in {broken}: there is no sum."
    moving = [m for m in weights(found) if math.isfinite(m.relative)] or list(found.tensors)
    most, least = (choose(moving, key=lambda m: m.relative) for choose in (max, min))
    text = (f"All learned numbers together moved by {_times(total.relative)} (cosine {total.cosine:.2f})")
    if len(moving) > 1 and most.relative < 1.05 * least.relative:
        text += "; every convolution and linear weight moved about as far"
    elif len(moving) > 1:
        text += (f"; of the convolutions and linear weights {most.name} moved most, {_times(most.relative)}, "
                 f"and {least.name} least, {_times(least.relative)}")
    same = sum(m.moved == 0 for m in found.tensors)
    return text + "." + (f" {same:,} of {len(found.tensors):,} tensors are exactly the same." if same else "")


def _times(relative: float) -> str:
    return f"{relative:.2g} times their length" if relative else "nothing"
