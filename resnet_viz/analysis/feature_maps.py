"""What a layer makes of one picture: the output of every channel, and which channels say something."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..problems import one_of


@dataclass(frozen=True)
class FeatureMaps:
    """The output of one layer for one picture.

    maps              float32 [channels, height, width]; a vector has height and width 1
    mean, maximum, variance  of each channel over its pixels [channels]
    dead              channels without any pattern: the same value everywhere (after a ReLU: 0); of a single pixel: exactly 0
    """

    layer: str
    maps: np.ndarray
    mean: np.ndarray
    maximum: np.ndarray
    variance: np.ndarray
    dead: np.ndarray


class _Reached(Exception):
    """The layer has answered; what comes after it is not needed."""


def _output_of(model: nn.Module, layer: str, tensor: Tensor) -> Tensor:
    """Output of a layer, stopping there. Mode, hooks and random numbers of the model are as before afterwards."""
    answers = []

    def keep(module, inputs, output):
        answers.append(output.detach().clone())  # a later layer may work in place
        raise _Reached

    modes = {module: module.training for module in model.modules()}
    handle = model.get_submodule(layer).register_forward_hook(keep)
    try:
        model.eval()
        with torch.no_grad():
            model(tensor)
    except _Reached:
        pass
    finally:
        handle.remove()
        for module, training in modes.items():
            module.training = training
    return answers[0]


def feature_maps(model: nn.Module, tensor: Tensor, layer: str) -> FeatureMaps:
    """What `layer` makes of a picture.

    tensor  float32 [1, C, H, W], normalised as the network expects
    layer   name of a leaf module; an unknown one raises Problem. The model is left as it was found.
    """
    one_of("layer", layer, dict(model.named_modules()))
    output = _output_of(model, layer, tensor)[0]
    maps = output.reshape(*output.shape, *[1] * (3 - output.ndim)).float().numpy()
    flat = maps.reshape(len(maps), -1)
    lowest, highest = flat.min(axis=1), flat.max(axis=1)
    dead = lowest == highest if flat.shape[1] > 1 else flat[:, 0] == 0
    return FeatureMaps(layer, maps, flat.mean(axis=1), highest, flat.var(axis=1), dead)


ORDERS = {
    "channel": lambda seen: np.arange(len(seen.maps)),
    "mean": lambda seen: np.argsort(-seen.mean, kind="stable"),
    "maximum": lambda seen: np.argsort(-seen.maximum, kind="stable"),
    "variance": lambda seen: np.argsort(-seen.variance, kind="stable"),
}


def order(seen: FeatureMaps, by: str) -> np.ndarray:
    """Channels in the order of show: as they are, or the largest first."""
    return ORDERS[one_of("order", by, ORDERS)](seen)


def zeros(seen: FeatureMaps) -> float:
    """Fraction of the layer's numbers that are exactly 0, as a ReLU leaves them."""
    return float((seen.maps == 0).mean())


def describe(seen: FeatureMaps, picture: str) -> str:
    """The finding in one sentence, for who cannot see the maps."""
    channels, height, width = seen.maps.shape
    strongest, varied = int(seen.mean.argmax()), int(seen.variance.argmax())
    return (f"{channels:,} feature maps of {height} x {width} of {seen.layer} for {picture}: {int(seen.dead.sum()):,} dead, "
            f"channel {strongest} has the largest mean ({seen.mean[strongest]:.3g}), channel {varied} varies most.")


def rows(seen: FeatureMaps) -> list[dict]:
    """One row a channel: its number, statistics, and whether it is dead."""
    return [{"channel": i, "mean": float(seen.mean[i]), "maximum": float(seen.maximum[i]), "variance": float(seen.variance[i]),
             "dead": bool(seen.dead[i])} for i in range(len(seen.maps))]
