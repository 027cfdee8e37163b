"""What a layer makes of one picture: the output of every channel, and which channels say something."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..networks.resnet import ACTIVATIONS, Add
from ..problems import one_of


@dataclass(frozen=True)
class Spot:
    """The largest number of a layer's output, and what it was made from.

    value  at (channel, row, column)
    terms  by name, e.g. {"x": 0.2} of a ReLU; empty for kinds of layers without an entry in TERMS
    """

    channel: int
    row: int
    column: int
    value: float
    terms: dict[str, float]


@dataclass(frozen=True)
class FeatureMaps:
    """The output of one layer for one picture.

    maps              float32 [channels, height, width]; a vector has height and width 1
    mean, maximum, variance  of each channel over its pixels [channels]
    dead              channels without any pattern: the same value everywhere; of a single pixel: exactly 0
    spot              the largest number and what it was made from
    """

    layer: str
    maps: np.ndarray
    mean: np.ndarray
    maximum: np.ndarray
    variance: np.ndarray
    dead: np.ndarray
    spot: Spot


class _Reached(Exception):
    """The layer has answered; what comes after it is not needed."""


def _terms_of_conv(module: nn.Conv2d, inputs: tuple[Tensor, ...], at: tuple[int, int, int]) -> dict[str, float]:
    """The products under the kernel, those that speak for the filter and those against it."""
    channel, *corner = at
    (height, width), (down, right), (top, left) = module.kernel_size, module.stride, module.padding
    patch = F.pad(inputs[0][0], (left, left, top, top))[:, corner[0] * down:, corner[1] * right:][:, :height, :width]
    inputs_seen = module.weight.shape[1]  # fewer than arrive in a grouped convolution: those of the filter's own group
    first = channel // (module.out_channels // module.groups) * inputs_seen
    products = patch[first:first + inputs_seen] * module.weight[channel]
    return {"for": float(products.clamp(min=0).sum()), "against": float(products.clamp(max=0).sum()),
            "bias": 0.0 if module.bias is None else float(module.bias[channel])}


def _terms_of_norm(module: nn.BatchNorm2d, inputs: tuple[Tensor, ...], at: tuple[int, int, int]) -> dict[str, float]:
    names = {"mean": module.running_mean, "var": module.running_var, "gamma": module.weight, "beta": module.bias}
    of_channel = {name: float(values[at[0]]) for name, values in names.items()}
    return {"x": float(inputs[0][0][at]), "eps": module.eps} | of_channel


def _terms_of_activation(module: nn.Module, inputs: tuple[Tensor, ...], at: tuple[int, int, int]) -> dict[str, float]:
    return {"x": float(inputs[0][0][at])}


TERMS = {
    nn.Conv2d: _terms_of_conv,
    nn.BatchNorm2d: _terms_of_norm,
    **{type(make()): _terms_of_activation for make in ACTIVATIONS.values()},
    Add: lambda module, inputs, at: {"residual": float(inputs[0][0][at]), "shortcut": float(inputs[1][0][at])},
}


def _spot(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Spot:
    maps = output[0].reshape(*output.shape[1:], *[1] * (4 - output.ndim))
    at = tuple(int(i) for i in np.unravel_index(int(maps.argmax()), maps.shape))
    terms = TERMS[type(module)](module, inputs, at) if type(module) in TERMS else {}
    return Spot(*at, float(maps[at]), terms)


def _answer_of(model: nn.Module, layer: str, tensor: Tensor) -> tuple[Tensor, Spot]:
    """Output of a layer, stopping there. Mode and hooks of the model are as before afterwards."""
    answers = []

    def keep(module, inputs, output):
        answers.append((output.detach().clone(), _spot(module, inputs, output)))  # a later layer may work in place
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
    output, spot = _answer_of(model, layer, tensor)
    maps = output[0].reshape(*output.shape[1:], *[1] * (4 - output.ndim)).float().numpy()
    flat = maps.reshape(len(maps), -1)
    lowest, highest = flat.min(axis=1), flat.max(axis=1)
    dead = lowest == highest if flat.shape[1] > 1 else flat[:, 0] == 0
    return FeatureMaps(layer, maps, flat.mean(axis=1), highest, flat.var(axis=1), dead, spot)


ORDERS = {
    "channel": lambda seen: np.arange(len(seen.mean)),
    "mean": lambda seen: np.argsort(-seen.mean, kind="stable"),
    "maximum": lambda seen: np.argsort(-seen.maximum, kind="stable"),
    "variance": lambda seen: np.argsort(-seen.variance, kind="stable"),
}


def order(seen, by: str) -> np.ndarray:
    """Channels of FeatureMaps (or of a strip) in the order of show: as they are, or the largest first."""
    return ORDERS[one_of("order", by, ORDERS)](seen)


def zeros(seen: FeatureMaps) -> float:
    """Fraction of the layer's numbers that are exactly 0, as a ReLU leaves them."""
    return float((seen.maps == 0).mean())


def describe(seen: FeatureMaps, picture: str) -> str:
    """The finding in one sentence, for who cannot see the maps."""
    channels, height, width = seen.maps.shape
    strongest, varied = int(seen.mean.argmax()), int(seen.variance.argmax())
    return (f"{channels:,} feature maps of {height} x {width} of {seen.layer} for {picture}: "
            f"{int(seen.dead.sum()):,} dead, channel {strongest} has the largest mean ({seen.mean[strongest]:.3g}), "
            f"channel {varied} varies most.")


def rows(seen: FeatureMaps) -> list[dict]:
    """One row a channel: its number, statistics, and whether it is dead."""
    return [{"channel": i, "mean": float(seen.mean[i]), "maximum": float(seen.maximum[i]),
             "variance": float(seen.variance[i]), "dead": bool(seen.dead[i])} for i in range(len(seen.maps))]
