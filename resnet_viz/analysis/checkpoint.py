"""The tensors of a checkpoint, one by one: what each is for, its statistics, and where it is damaged.

Statistics are over the numbers that are finite, in float64; NaN and infinities are counted apart.
"""

import json
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from ..checkpoints import Checkpoint
from ..networks import zoo

BINS = 48  # of a histogram; the tiny one in a table's row shows HALF of them, two put together
CHUNK = 2**20  # numbers that are widened to float64 at a time: 8 MiB, whatever the tensor's size
SHOWN_PLACES = 5  # of numbers that are not finite
KINDS = {  # kind of module, name of the tensor in it -> what it is, on screen
    (nn.Conv2d, "weight"): "convolution", (nn.Conv2d, "bias"): "convolution's bias",
    (nn.Linear, "weight"): "linear", (nn.Linear, "bias"): "linear's bias",
    (nn.BatchNorm2d, "weight"): "batch norm's scale", (nn.BatchNorm2d, "bias"): "batch norm's shift",
    (nn.BatchNorm2d, "running_mean"): "running mean", (nn.BatchNorm2d, "running_var"): "running variance",
    (nn.BatchNorm2d, "num_batches_tracked"): "counter",
}
WEIGHTS = ("convolution", "linear")
LEARNED = WEIGHTS + ("convolution's bias", "linear's bias", "batch norm's scale", "batch norm's shift")


@dataclass(frozen=True)
class Statistics:
    """One tensor in numbers.

    share       of the network's parameters, 0..1; None for what is not learned (running averages, counters)
    std         of all its numbers (divided by n, not by n - 1)
    zeros       share of numbers that are exactly 0
    norm        L2
    nan, inf    how many numbers are not finite
    histogram   int64 [BINS], equally wide from `low` to `high`; of a constant tensor half a unit to both sides
    min, max, mean, std are nan where no number is finite
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    count: int
    share: float | None
    mean: float
    std: float
    min: float
    max: float
    zeros: float
    norm: float
    nan: int
    inf: int
    histogram: np.ndarray
    low: float
    high: float


def kinds(checkpoint: Checkpoint) -> dict[str, str]:
    """Every tensor of the network that the checkpoint has, in the network's order, and what it is."""
    return {name: kind for name, kind in _kinds(checkpoint.network, json.dumps(checkpoint.arguments)).items()
            if name in checkpoint.state}


def statistics(checkpoint: Checkpoint) -> list[Statistics]:
    """All tensors in the network's order."""
    found = kinds(checkpoint)
    learned = sum(checkpoint.state[name].numel() for name, kind in found.items() if kind in LEARNED)
    return [of_tensor(name, checkpoint.state[name], kind, learned) for name, kind in found.items()]


@lru_cache(maxsize=16)
def _kinds(network: str, arguments: str) -> dict[str, str]:
    model = zoo.build(network, json.loads(arguments), device="meta")
    modules = dict(model.named_modules())
    found = {}
    for name in model.state_dict():
        module, _, part = name.rpartition(".")
        found[name] = next((word for (kind, inside), word in KINDS.items()
                            if part == inside and isinstance(modules[module], kind)), "parameter")
    return found


def of_tensor(name: str, tensor: Tensor, kind: str = "parameter", learned: int | None = None) -> Statistics:
    """Statistics of one tensor; `learned` is the number of parameters of the whole network."""
    numbers = tensor.detach().reshape(-1)
    count = numbers.numel()
    nan, infinite = _damage(numbers)
    finite = numbers if not nan + infinite else numbers[torch.isfinite(numbers)]
    share = count / learned if learned and kind in LEARNED else None
    if not finite.numel():
        lost = math.nan
        return Statistics(name, kind, tuple(tensor.shape), count, share, lost, lost, lost, lost, 0.0, lost, nan,
                          infinite, np.zeros(BINS, np.int64), 0.0, 0.0)
    low, high = (float(end) for end in torch.aminmax(finite))
    left, right = (low, high) if low < high else (low - 0.5, high + 0.5)
    mean, std, norm, histogram = _measure(finite, left, right)
    zeros = count - nan - infinite - int(torch.count_nonzero(finite))
    return Statistics(name, kind, tuple(tensor.shape), count, share, mean, std, low, high, zeros / count, norm, nan,
                      infinite, histogram, left, right)


def _damage(numbers: Tensor) -> tuple[int, int]:
    """How many are NaN, and how many infinite."""
    if not numbers.is_floating_point() or bool(torch.isfinite(numbers).all()):
        return 0, 0
    return int(torch.isnan(numbers).sum()), int(torch.isinf(numbers).sum())


def _measure(numbers: Tensor, left: float, right: float) -> tuple[float, float, float, np.ndarray]:
    """(mean, std, L2 norm, histogram); in two passes, so that a small spread about a large mean is not lost."""
    count = numbers.numel()
    mean = float(numbers.sum(dtype=torch.float64)) / count
    spread = squares = 0.0
    histogram = torch.zeros(BINS, dtype=torch.float64)
    for part in numbers.split(CHUNK):
        wide = part.double()
        histogram += torch.histc(wide, BINS, left, right)
        squares += float(wide.square().sum())
        spread += float(wide.sub_(mean).square_().sum())
    return mean, math.sqrt(spread / count), math.sqrt(squares), histogram.long().numpy()


def tiny(histogram: np.ndarray) -> list[int]:
    """Half as many bars, two of the histogram put together."""
    return histogram.reshape(-1, 2).sum(axis=1).tolist()


# Damage

def damage(tensor: Tensor) -> str:
    """Where a tensor is not finite, in one sentence; "" where it is."""
    nan, infinite = _damage(tensor.reshape(-1))
    if not nan + infinite:
        return ""
    places = [tuple(place) for place in (~torch.isfinite(tensor)).nonzero()[:SHOWN_PLACES].tolist()]
    kinds = " and ".join(f"{n:,} {word}" for n, word in ((nan, "NaN"), (infinite, "infinite")) if n)
    total = nan + infinite
    at = "; ".join("[" + ", ".join(map(str, place)) + "]" for place in places)
    more = f", and {total - len(places):,} more" if total > len(places) else ""
    return f"{total:,} of {tensor.numel():,} numbers are not finite ({kinds}): at {at}{more}."


# What the pictures are made of

def matrix(checkpoint: Checkpoint, name: str) -> tuple[np.ndarray, bool] | None:
    """A weight as one number for each pair of output and input, float32 [outputs, inputs], and whether it has a sign.

    Kernels larger than 1 x 1 by their L2 norm; 1 x 1 and linear weights as they are. None for other tensors.
    """
    tensor = checkpoint.state[name]
    if tensor.ndim == 2:
        return tensor.numpy(), True
    if tensor.ndim == 4:
        if tensor.shape[2:] == (1, 1):
            return tensor[:, :, 0, 0].numpy(), True
        return torch.linalg.vector_norm(tensor, dim=(2, 3)).numpy(), False
    return None


@dataclass(frozen=True)
class Strength:
    """How large the weights of a layer are: root of their mean square, and what training usually begins with.

    begun  "he" (He et al., Delving Deep into Rectifiers (2015), equation 14: std = sqrt(2 / n), n = k x k x filters),
           as a ResNet's convolutions; "uniform" within +-1 / sqrt(n), n inputs, so std = 1 / sqrt(3 n), as PyTorch
           begins every other layer
    """

    name: str
    kind: str
    typical: float
    initial: float
    begun: str


def strengths(checkpoint: Checkpoint) -> list[Strength]:
    """Every convolution and linear weight by depth; where training began is known only for this project's networks."""
    is_resnet = checkpoint.network == zoo.CUSTOM or zoo.find(checkpoint.network).spec is not None
    found = []
    for name, kind in kinds(checkpoint).items():
        if kind not in WEIGHTS:
            continue
        tensor = checkpoint.state[name]
        typical = float(torch.linalg.vector_norm(tensor, dtype=torch.float64)) / math.sqrt(tensor.numel())
        if is_resnet and kind == "convolution":
            initial, begun = math.sqrt(2 / (tensor.shape[0] * math.prod(tensor.shape[2:]))), "he"
        else:
            initial, begun = 1 / math.sqrt(3 * math.prod(tensor.shape[1:])), "uniform"
        found.append(Strength(name, kind, typical, initial, begun))
    return found


# Words

def describe(found: Statistics) -> str:
    """The finding of one tensor in a sentence."""
    shape = " x ".join(f"{n:,}" for n in found.shape) or "one number"
    text = f"{found.name}, a {found.kind} of {shape}: "
    if math.isnan(found.mean):
        return text + "none of its numbers is finite."
    text += f"mean {found.mean:.3g}, standard deviation {found.std:.3g}, from {found.min:.3g} to {found.max:.3g}"
    if found.zeros:
        text += f", {100 * found.zeros:.3g} % exactly 0"
    if found.nan + found.inf:
        text += f", {found.nan + found.inf:,} not finite"
    return text + "."


def story(found: list[Statistics]) -> list[str]:
    """What stands out among all tensors, as sentences."""
    weights = [s for s in found if s.kind in WEIGHTS]
    learned = sum(s.count for s in found if s.kind in LEARNED)
    largest = max(weights, key=lambda s: s.count)
    sentences = [f"{len(found):,} tensors hold {learned:,} parameters; {largest.name} alone has {largest.count:,} of "
                 f"them, {100 * largest.count / learned:.0f} %."]
    broken = [s for s in found if s.nan + s.inf]
    if broken:
        sentences.append(f"{len(broken):,} of them hold{'s' * (len(broken) == 1)} numbers that are not finite, "
                         f"the first is {broken[0].name}: with these the network cannot answer.")
    sound = [s for s in weights if s.std > 0]
    if len(sound) > 1:
        wide, narrow = max(sound, key=lambda s: s.std), min(sound, key=lambda s: s.std)
        why = ": the more numbers a layer adds up, the smaller each is" if _inputs(wide) < _inputs(narrow) else ""
        sentences.append(f"The weights spread most in {wide.name} (standard deviation {wide.std:.3g}) and least in "
                         f"{narrow.name} ({narrow.std:.3g}){why}.")
    dead = [s for s in found if s.count > 1 and s.zeros == 1 and s.kind in LEARNED]
    if dead:
        sentences.append(f"{len(dead):,} learned tensor{'s are' if len(dead) > 1 else ' is'} all 0, "
                         f"the first is {dead[0].name}.")
    sentences += _of_scales(found)
    return sentences


def _inputs(found: Statistics) -> int:
    """How many numbers a filter or a neuron adds up."""
    return math.prod(found.shape[1:])


def _of_scales(found: list[Statistics]) -> list[str]:
    scales = [s for s in found if s.kind == "batch norm's scale" and not math.isnan(s.min)]
    if not scales:
        return ["There is no batch norm in it."]
    if all(s.min == s.max == 1 for s in scales):
        return ["Every scale of batch norm is still 1 where it started: this network has not been trained."]
    low = min(scales, key=lambda s: s.min)
    return [f"Batch norm's scales started at 1; they now lie between {low.min:.3g} ({low.name}) and "
            f"{max(s.max for s in scales):.3g}. A channel whose scale is near 0 is nearly switched off."]
