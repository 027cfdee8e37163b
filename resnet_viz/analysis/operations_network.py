"""A crop of the reader's own picture through one filter of the loaded network: the same movement with real numbers."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from ..as_found import evaluating
from ..number_text import joined, plain, signed
from ..problems import one_of
from .operations import Worked, slide

OUTPUTS = 6  # of a crop, a side: with a 3x3 kernel that is an input of 8x8
MOST_CELLS = 13  # of the crop's input, a side: larger kernels get fewer outputs
SHOWN = 3  # input channels that are drawn; the others appear as one share
COLOURS = {1: ("grey",), 3: ("red", "green", "blue")}


@dataclass(frozen=True)
class Crop:
    """What a filter makes of a part of its input.

    worked   the operation on that part
    place    (row, column) of the first output in the layer's map
    size     (rows, columns) of outputs in the crop
    shape    (rows, columns) of the layer's whole map
    channels indices of the input channels that are drawn, the most important first where there are more
    """

    worked: Worked
    place: tuple[int, int]
    size: tuple[int, int]
    shape: tuple[int, int]
    channels: tuple[int, ...]


class _Reached(Exception):
    """The layer's input is known; what comes after it is not needed."""


def convolutions(model: nn.Module) -> dict[str, nn.Conv2d]:
    """The convolutions that one window can show: square, without groups or gaps, in the network's order."""
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d)
        and module.groups == 1
        and module.dilation == (1, 1)
        and len({*module.kernel_size}) == len({*module.stride}) == 1
        and not isinstance(module.padding, str)
        and len({*module.padding}) == 1
    }


def input_of(model: nn.Module, tensor: Tensor, layer: str) -> np.ndarray:
    """[C, H, W] that arrives at a layer for one picture [1, C, H, W]. The model is left as it was found."""
    arrived = []

    def keep(module, inputs):
        arrived.append(inputs[0].detach().clone())
        raise _Reached

    module = one_of_modules(model, layer)
    with evaluating(model):
        module.register_forward_pre_hook(keep)
        try:
            model(tensor)
        except _Reached:
            pass
    return arrived[0][0].float().numpy()


def one_of_modules(model: nn.Module, layer: str) -> nn.Conv2d:
    known = convolutions(model)
    return known[one_of("convolution", layer, known)]


def crop(x: np.ndarray, module: nn.Conv2d, filter_: int, place: tuple[int, int] | None) -> Crop:
    """One filter on a part of its input.

    x       [C, H, W], what arrives at the module
    filter_ the output channel
    place   (row, column) of the crop's first output; None is the middle, and one that is too far is brought back
    """
    weights = module.weight[filter_].detach().double().numpy()
    bias = 0.0 if module.bias is None else float(module.bias[filter_])
    kernel, stride, padding = module.kernel_size[0], module.stride[0], module.padding[0]
    padded, places, _ = slide(x, (kernel, kernel), stride, padding, 0.0)
    shape = places.shape[:2]
    most = max(1, min(OUTPUTS, (MOST_CELLS - kernel) // stride + 1))
    size = tuple(min(most, n) for n in shape)
    wanted = place or tuple((n - count) // 2 for n, count in zip(shape, size))
    first = tuple(min(max(at, 0), n - count) for at, n, count in zip(wanted, shape, size))
    top, left = (at * stride for at in first)
    height, width = ((count - 1) * stride + kernel for count in size)
    part = padded[:, top : top + height, left : left + width]
    margins = (
        max(padding - top, 0),
        max(top + height - padding - x.shape[1], 0),
        max(padding - left, 0),
        max(left + width - padding - x.shape[2], 0),
    )
    inside = places[: size[0], : size[1]]
    shares = _shares(part, weights, inside)
    output = shares.sum(axis=0) + bias
    channels = _strongest(shares)
    parts, names = _drawn(shares, channels, len(x))
    said = tuple(_said(names, parts[:, row, column], bias, output[row, column]) for row, column in np.ndindex(size))
    worked = Worked(
        part[list(channels)],
        margins,
        names,
        (kernel, kernel),
        inside,
        output,
        said,
        weights[list(channels)][None],
        parts,
    )
    return Crop(worked, first, size, shape, channels)


def _said(names: tuple[str, ...], shares: np.ndarray, bias: float, output: float) -> str:
    """ "red (−0.175) + green 0.402 + blue (−0.304) = −0.0772"; other channels by their number, with a colon."""
    between = " " if set(names) <= {colour for colours in COLOURS.values() for colour in colours} else ": "
    terms = [f"{name}{between}{signed(share)}" for name, share in zip(names, shares)]
    return f"{joined(terms + [f'bias {signed(bias)}'] * bool(bias))} = {plain(output)}"


def _shares(part: np.ndarray, weights: np.ndarray, places: np.ndarray) -> np.ndarray:
    """[C, rows, columns]: what each input channel gives to each output."""
    kernel = weights.shape[-1]
    found = [
        (part[:, top : top + kernel, left : left + kernel] * weights).sum(axis=(1, 2))
        for top, left in places.reshape(-1, 2)
    ]
    return np.stack(found, axis=-1).reshape(len(part), *places.shape[:2])


def _strongest(shares: np.ndarray) -> tuple[int, ...]:
    """The channels that matter most in this crop; all, in their order, where there are few."""
    if len(shares) <= SHOWN:
        return tuple(range(len(shares)))
    order = np.argsort(-np.abs(shares).sum(axis=(1, 2)), kind="stable")[:SHOWN]
    return tuple(int(i) for i in order)


def _drawn(shares: np.ndarray, channels: tuple[int, ...], count: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """(shares as they are drawn, their names): those of the channels, and all others as one."""
    names = COLOURS.get(count) or tuple(f"channel {i}" for i in channels)
    if len(channels) == count:
        return shares, names
    rest = shares.sum(axis=0) - shares[list(channels)].sum(axis=0)
    return np.concatenate([shares[list(channels)], rest[None]]), (
        *names,
        f"the other {count - len(channels):,} channels",
    )
