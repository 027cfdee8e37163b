"""Is a map about what the network learned? The same map of a twin that learned nothing, and what deleting shows.

twin()      Adebayo et al.: Sanity Checks for Saliency Maps (NeurIPS 2018), section 3: the model randomisation test
likeness()  their measure: Spearman's rank correlation of the absolute maps
deletion()  Petsiuk, Das, Saenko: RISE (BMVC 2018), section 4.1: delete what the map calls important, watch the class
gap()       Sundararajan, Taly, Yan: Axiomatic Attribution (ICML 2017), section 3: completeness
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..as_found import evaluating
from ..data.preprocessing import Preprocessing, denormalise
from .attribution_costs import batch_of, window_of

STEPS = 20
RANDOM_ORDERS = 3  # of each kind; their mean is the line that a map has to beat
PIXELS, PATCHES = "random pixels", "random patches"


def twin(model: nn.Module, seed: int = 0) -> nn.Module:
    """A network of the same kind, in which every tensor has its own numbers in another order: it has learned nothing.

    Shuffled rather than drawn anew, so that activations keep their size in any network. The model stays as it is.
    """
    generator = torch.Generator().manual_seed(seed)
    shuffled = copy.deepcopy(model)
    with torch.no_grad():
        for tensor in shuffled.state_dict().values():
            if tensor.numel() > 1:
                order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
                tensor.copy_(tensor.flatten()[order].reshape(tensor.shape))
    return shuffled


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's rank correlation of two maps' absolute values: 1 the same order, 0 nothing in common or flat."""
    first, second = (_ranks(np.abs(heat).ravel()) for heat in (one, other))
    spread = first.std() * second.std()
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread) if spread else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    """Places from 0; equal values share the mean of theirs."""
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count + 1) / 2)[group]


@dataclass(frozen=True)
class Deletion:
    """Probability of a class while a picture is painted grey, the pixels with the largest values of a map first.

    shares  float [STEPS + 1], of the pixels, from 0 to 1; curves by map
    chance  the mean of random orders: of PIXELS, and of PATCHES as large as occlusion's square. Strewn pixels confuse a
            network more than patches of the same area do, so each kind of map has its own chance to beat
    """

    shares: np.ndarray
    curves: dict[str, np.ndarray]
    chance: dict[str, np.ndarray]

    def area(self, name: str) -> float:
        """Mean height of a map's or a chance's curve, 0..1: the lower, the better it hit what counts."""
        curve = (self.curves | self.chance)[name]
        return float(((curve[1:] + curve[:-1]) / 2).mean())


def deletion(model: nn.Module, inputs: Tensor, heats: Mapping[str, np.ndarray], target: int,
             heads: Sequence[int] | None = None, progress: Callable | None = None) -> Deletion:
    """Paint the picture grey (0, the mean of training) in the order of each map, in STEPS steps.

    inputs  float [1, C, H, W]; heats by name, [H, W]; target the output whose probability is watched
    heads   classes of each classifier: the softmax runs within the target's own; None is one classifier
    """
    orders = {name: np.argsort(-heat.ravel(), kind="stable") for name, heat in heats.items()}
    orders |= _random_orders(*inputs.shape[2:])
    shares = np.linspace(0, 1, STEPS + 1)
    curves = {}
    with evaluating(model), torch.no_grad():
        for done, (name, order) in enumerate(orders.items()):
            if progress:
                progress(done, len(orders), "maps put to the test")
            curves[name] = _probabilities(model, _deleted(inputs, order, shares), target, heads)
    chance = {kind: np.mean([curves.pop((kind, number)) for number in range(RANDOM_ORDERS)], axis=0)
              for kind in (PIXELS, PATCHES)}
    return Deletion(shares, curves, chance)


def _random_orders(height: int, width: int) -> dict[tuple[str, int], np.ndarray]:
    """Orders of all pixels by (kind, number)."""
    dice, orders = np.random.default_rng(0), {}
    for kind, side in ((PIXELS, 1), (PATCHES, window_of(height, width)[0])):
        rows, columns = np.arange(height)[:, None] // side, np.arange(width) // side
        patch = rows * (columns[-1] + 1) + columns
        for number in range(RANDOM_ORDERS):
            orders[kind, number] = np.argsort(dice.permutation(patch.max() + 1)[patch].ravel(), kind="stable")
    return orders


def _deleted(inputs: Tensor, order: np.ndarray, shares: np.ndarray) -> Tensor:
    """The picture at each share [STEPS + 1, C, H, W]."""
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order))
    kept = place >= np.round(shares * len(order)).astype(int)[:, None]
    return inputs * torch.from_numpy(kept.reshape(len(shares), 1, *inputs.shape[2:])).to(inputs)


def stages(inputs: Tensor, heat: np.ndarray, shares: Sequence[float], preprocessing: Preprocessing) -> np.ndarray:
    """The picture as it was deleted at each of these shares, for the eye: uint8 [n, H, W, 3]."""
    deleted = _deleted(inputs, np.argsort(-heat.ravel(), kind="stable"), np.asarray(shares))
    return denormalise(deleted, preprocessing).expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()


def _probabilities(model, pictures: Tensor, target: int, heads: Sequence[int] | None) -> np.ndarray:
    device, size = next(model.parameters()).device, batch_of(*pictures.shape[2:])
    logits = torch.cat([model(pictures[i:i + size].to(device)).cpu() for i in range(0, len(pictures), size)]).double()
    start = 0
    for classes in heads or (logits.shape[1],):
        if target < start + classes:
            return logits[:, start:start + classes].softmax(1)[:, target - start].numpy()
        start += classes
    raise ValueError(f"no head has output {target}")


@dataclass(frozen=True)
class Gap:
    """What a complete map should add up to, and does: the score of the picture above that of flat grey."""

    score: float
    of_grey: float
    total: float

    @property
    def missing(self) -> float:
        """What the map leaves unexplained of score - of_grey."""
        return self.score - self.of_grey - self.total


def gap(model: nn.Module, inputs: Tensor, heat: np.ndarray, target: int) -> Gap:
    """How far the sum of a complete map (Method.complete) is from the difference that it explains."""
    device = next(model.parameters()).device
    with evaluating(model), torch.no_grad():
        both = model(torch.cat([inputs, torch.zeros_like(inputs)]).to(device))[:, target].double().tolist()
    return Gap(*both, float(heat.sum(dtype=np.float64)))
