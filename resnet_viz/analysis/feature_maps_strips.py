"""A whole network on one picture: of every chosen layer the maps that say most, from a single forward pass."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor, nn

from ..as_found import evaluating
from ..problems import one_of
from .architecture import FOLDS, Layer, Summary
from .feature_maps import ORDERS, order

KEPT, KEPT_NUMBERS = 12, 64  # maps of a strip: of many pixels, and of a single one
SIDE = 64  # pixels a side of a map as it is kept; larger ones become means of blocks


@dataclass(frozen=True)
class Strip:
    """One layer's output for one picture, of which only those maps are kept that come first in some order.

    shape                    (channels, height, width); a vector has height and width 1
    mean, maximum, variance  of each channel over its pixels [channels]; dead as in FeatureMaps
    channels                 int64 [kept], ascending: the numbers of the maps that are kept
    maps                     float32 [kept, h, w], h and w at most SIDE: means of blocks of larger ones
    limits                   largest |value| of each map that is kept, before means were taken [kept]
    lowest, limit            smallest value and largest |value| of the layer
    """

    layer: str
    shape: tuple[int, int, int]
    mean: np.ndarray
    maximum: np.ndarray
    variance: np.ndarray
    dead: np.ndarray
    channels: np.ndarray
    maps: np.ndarray
    limits: np.ndarray
    lowest: float
    limit: float

    def first(self, by: str, count: int) -> np.ndarray:
        """Places in `maps` of the first `count` in an order, int64; as many as are kept."""
        most = KEPT if self.shape[1:] != (1, 1) else KEPT_NUMBERS
        return np.searchsorted(self.channels, order(self, by)[: min(count, most)])


@dataclass(frozen=True)
class Strips:
    """The strips of a network in forward order; limit: the largest |value| of all layers, shown or not."""

    strips: tuple[Strip, ...]
    limit: float


def ends(summary: Summary) -> tuple[Layer, ...]:
    """The layers at which a short look stops: the end of the stem, of each block, and of what follows; in a network
    without blocks all."""
    if not summary.containers:
        return summary.layers
    groups = groupby(summary.layers, key=lambda layer: FOLDS["block"](layer.name, summary.containers))
    return tuple(list(layers)[-1] for _, layers in groups)


def strips(model: nn.Module, tensor: Tensor, layers: list[str]) -> Strips:
    """What a network makes of a picture, layer by layer, in one pass.

    tensor  float32 [1, C, H, W], normalised as the network expects
    layers  names of leaf modules in forward order; an unknown one raises Problem. The model is left as it was found.
    """
    leaves = {name: module for name, module in model.named_modules() if not list(module.children())}
    for layer in layers:
        one_of("layer", layer, leaves)
    found: dict[str, Strip] = {}
    largest = [0.0]

    def keep(name: str, output: Tensor) -> None:
        maps = output[0].detach().float().reshape(*output.shape[1:], *[1] * (4 - output.ndim))
        low, high = (float(end) for end in torch.aminmax(maps))
        largest.append(max(-low, high))
        if name in wanted:
            found[name] = _strip(name, maps, low, largest[-1])

    wanted = set(layers)
    with evaluating(model), torch.no_grad():
        for name, module in leaves.items():
            module.register_forward_hook(lambda module, inputs, output, name=name: keep(name, output))
        model(tensor)
    return Strips(tuple(found[layer] for layer in layers), max(filter(np.isfinite, largest)))


def _strip(layer: str, maps: Tensor, low: float, limit: float) -> Strip:
    flat = maps.flatten(1)
    lowest, highest = flat.amin(1).numpy(), flat.amax(1).numpy()
    dead = lowest == highest if flat.shape[1] > 1 else highest == 0
    mean = flat.mean(1)
    # torch.var_mean takes ten times as long along rows as the same in two steps
    variance, mean = (torch.linalg.vector_norm(flat - mean[:, None], dim=1) ** 2 / flat.shape[1]).numpy(), mean.numpy()
    whole = Strip(
        layer, tuple(maps.shape), mean, highest, variance, dead, np.arange(0), np.zeros(0), np.zeros(0), low, limit
    )
    most = KEPT if flat.shape[1] > 1 else KEPT_NUMBERS
    channels = np.unique(np.concatenate([order(whole, by)[:most] for by in ORDERS]))
    limits = np.maximum(-lowest, highest)[channels]
    return Strip(
        layer, whole.shape, mean, highest, variance, dead, channels, _small(maps[channels].numpy()), limits, low, limit
    )


def _small(maps: np.ndarray) -> np.ndarray:
    """Blocks of pixels become their mean where a side is longer than SIDE; what does not fill a block is left out."""
    factor = -(-max(maps.shape[1:]) // SIDE)
    if factor == 1:
        return maps
    high, wide = (max(1, length // factor) for length in maps.shape[1:])
    cut = maps[:, : high * factor, : wide * factor]
    return cut.reshape(len(maps), high, factor, wide, factor).mean(axis=(2, 4))
