"""The output shape of every kind of layer, by its formula: no tensor, no kernel of torch."""

from collections.abc import Callable
from math import prod

from torch import nn

from ..networks.resnet import ACTIVATIONS, Add, PadShortcut
from ..problems import Problem

Shape = tuple[int, ...]  # without the batch: (channels, height, width) or (features,)


def pair(value) -> Shape:
    """(height, width) of a setting that may be one number for both."""
    return (value, value) if isinstance(value, int) else tuple(value)


def windows(n: int, kernel: int, stride: int, padding: int, dilation: int = 1, ceil: bool = False) -> int:
    """Positions of a window along n pixels: floor((n + 2p - d(k - 1) - 1) / s) + 1; below 1 where it does not fit."""
    room = n + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= n + padding else count  # the last window starts inside the picture


def _slide(module: nn.Module, shape: Shape) -> Shape:
    settings = (pair(getattr(module, key, 1)) for key in ("kernel_size", "stride", "padding", "dilation"))
    ceil = getattr(module, "ceil_mode", False)
    sides = tuple(windows(n, *setting, ceil) for n, *setting in zip(shape[-2:], *settings))
    if min(sides) < 1:
        height, width = shape[-2:]
        raise Problem(f"{height} x {width} pixels are too few for a window of {module.kernel_size}; give a larger picture.")
    return sides


def _conv(module: nn.Conv2d, shape: Shape) -> Shape:
    return module.out_channels, *_slide(module, shape)


def _pool(module: nn.Module, shape: Shape) -> Shape:
    return shape[0], *_slide(module, shape)


def _adaptive(module: nn.AdaptiveAvgPool2d, shape: Shape) -> Shape:
    return shape[0], *(n if side is None else side for n, side in zip(shape[-2:], pair(module.output_size)))


def _linear(module: nn.Linear, shape: Shape) -> Shape:
    if shape[-1] != module.in_features:
        raise Problem(f"A linear layer with {module.in_features:,} inputs cannot take {shape[-1]:,}; change the picture size or the layer.")
    return *shape[:-1], module.out_features


def _flatten(module: nn.Flatten, shape: Shape) -> Shape:
    return (prod(shape),)


def _pad(module: PadShortcut, shape: Shape) -> Shape:
    return shape[0] + sum(module.padding), *(-(-n // module.stride) for n in shape[1:])


def _same(module: nn.Module, shape: Shape, *others: Shape) -> Shape:
    return shape


SHAPES: dict[type[nn.Module], Callable[..., Shape]] = {
    nn.Conv2d: _conv,
    nn.Linear: _linear,
    nn.MaxPool2d: _pool,
    nn.AvgPool2d: _pool,
    nn.AdaptiveAvgPool2d: _adaptive,
    nn.Flatten: _flatten,
    PadShortcut: _pad,
    Add: _same,
    nn.BatchNorm2d: _same,
    nn.Dropout: _same,
    nn.Dropout2d: _same,
    **{type(make()): _same for make in ACTIVATIONS.values()},
}


def output_shape(module: nn.Module, *inputs: Shape) -> Shape:
    """Shape of a leaf's output; Problem where the input does not fit, TypeError for a kind without a formula here."""
    if type(module) not in SHAPES:
        raise TypeError(f"{type(module).__name__} has no output formula; add one to SHAPES in layer_shapes.py")
    return SHAPES[type(module)](module, *inputs)


def macs(module: nn.Module, output: Shape) -> int:
    """Multiply-adds: each output of a convolution or linear layer takes one per weight of its filter; a bias none."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        return prod(output) * prod(module.weight.shape[1:])
    return 0
