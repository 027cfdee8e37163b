"""A residual block by numbers: one channel of each operation, how every number comes from those before it, and the sum.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016), equation 1 and figures 2 and 5.
A convolution adds up all its input channels; the one that gives most is followed back, the others are one number.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..as_found import evaluating
from ..evaluation import probabilities
from ..networks.resnet import PadShortcut
from ..problems import Problem, one_of
from .residual_view import blocks, way_of


@dataclass(frozen=True)
class Conv:
    """How a convolution makes its map: `share` comes from the input channel `source`, the rest from the others.

    kernel           float32 [k, k] from `source`
    arriving         float32 [H, W] that channel as it arrives
    share            float32 [H, W] what it gives
    others           how many other input channels there are
    bias, stride, padding
    """

    source: int
    kernel: np.ndarray = field(repr=False)
    arriving: np.ndarray = field(repr=False)
    share: np.ndarray = field(repr=False)
    others: int
    bias: float
    stride: int
    padding: int


@dataclass(frozen=True)
class Norm:
    """Batch norm in evaluation, of one channel."""

    mean: float
    variance: float
    scale: float
    shift: float
    eps: float


@dataclass(frozen=True)
class Step:
    """One operation on the way: float32 [H, W] of one channel.

    kind   input, convolution, batch norm, activation, padding, nothing (an operation that changes nothing)
    scale  cells of this map for one cell of the block's output, a side: 2 before a stride of 2
    """

    name: str
    kind: str
    channel: int
    map: np.ndarray = field(repr=False)
    scale: int
    conv: Conv | None = None
    norm: Norm | None = None


@dataclass(frozen=True)
class Walk:
    """One channel of a block's output, and where it comes from.

    layers     from what arrives to F(x), the last step's map
    around     from what arrives to the x that is added
    total      F(x) + x; after: behind the activation that follows (None where none does)
    without    the same as `after` (or total) with F(x) alone: the skip switched off
    activation its name, "" where none follows
    """

    block: str
    way: str
    channel: int
    channels: int
    layers: tuple[Step, ...]
    around: tuple[Step, ...]
    total: np.ndarray = field(repr=False)
    after: np.ndarray | None = field(repr=False)
    without: np.ndarray = field(repr=False)
    activation: str

    @property
    def residual(self) -> np.ndarray:
        return self.layers[-1].map

    @property
    def shortcut(self) -> np.ndarray:
        return self.around[-1].map

    @property
    def end(self) -> np.ndarray:
        return self.total if self.after is None else self.after


@dataclass(frozen=True)
class Passed:
    """What a block did with one picture: float32 [C, H, W] in and out of each of its operations, by name."""

    block: str
    way: str
    module: nn.Module = field(repr=False)
    arriving: Tensor = field(repr=False)
    outputs: dict[str, Tensor] = field(repr=False)
    shortcut: Tensor = field(repr=False)

    @property
    def channels(self) -> int:
        return len(self.shortcut)


class _Reached(Exception):
    """The block has answered; what comes after it is not needed."""


def kinds(model: nn.Module) -> dict[str, str]:
    """The residual blocks and the way around each: identity, padding, projection; a Problem for a plain network."""
    return {name: way_of(model.get_submodule(name)) for name in blocks(model)}


def passed(model: nn.Module, tensor: Tensor, block: str) -> Passed:
    """One picture float32 [1, C, H, W] through the block. The model is left as it was found.

    The module in the answer is the model's own: to be read, not to be called without the model's lock.
    """
    one_of("block", block, blocks(model))
    module, outputs, arriving, around = model.get_submodule(block), {}, [], []

    def keep(name):
        return lambda layer, inputs, out: outputs.update({name: out[0].detach().clone()})

    def end(whole, inputs, out):
        raise _Reached

    try:
        with evaluating(model), torch.no_grad():
            module.register_forward_pre_hook(lambda whole, inputs: arriving.append(inputs[0][0].detach().clone()))
            module.add.register_forward_pre_hook(lambda add, parts: around.append(parts[1][0].detach().clone()))
            for name, layer in module.named_modules():
                if name and not list(layer.children()):
                    layer.register_forward_hook(keep(name))
            module.register_forward_hook(end)
            model(tensor)
    except _Reached:
        pass
    return Passed(block, way_of(module), module, arriving[0], outputs, around[0])


def telling_channel(model: nn.Module, block: str) -> int:
    """The channel that the block's own weights make loudest, of those that the shortcut reaches; no picture asked."""
    one_of("block", block, blocks(model))
    module = model.get_submodule(block)
    main = [layer for name, layer in module.named_children() if name != "downsample" and layer is not module.add]
    norms = [layer for layer in main if isinstance(layer, nn.BatchNorm2d) and layer.weight is not None]
    last = [layer for layer in main if isinstance(layer, nn.Conv2d)][-1]
    loud = norms[-1].weight.detach().abs() if norms else last.weight.detach().flatten(1).norm(dim=1)
    return int((loud * _reached(module.downsample, len(loud))).argmax())


def _reached(way: nn.Module | None, channels: int) -> Tensor:
    """[channels] 1 where the shortcut brings something, else 0; of a projection the tenth that it adds most to."""
    reached = torch.ones(channels)
    if isinstance(way, PadShortcut):
        reached[: way.padding[0]] = 0
        reached[channels - way.padding[1] :] = 0
    elif way is not None:
        conv = next(layer for layer in way.modules() if isinstance(layer, nn.Conv2d))
        sums = conv.weight.detach().flatten(1).sum(dim=1)  # what arrives is not negative behind a ReLU
        reached[sums < sums.quantile(0.9)] = 0
    return reached


def walk(found: Passed, channel: int) -> Walk:
    """One channel of the block's output, back to what arrives."""
    if not 0 <= channel < found.channels:
        raise Problem(f"{found.block} has the channels 0 to {found.channels - 1:,}, not {channel:,}.")
    names = list(dict(found.module.named_children()))
    place = names.index("add")
    main = [name for name in names[:place] if name != "downsample"]
    behind = names[place + 1 :]
    layers = _back(found, main, channel)
    around = _around(found, channel)
    total = found.outputs["add"][channel]
    activate = getattr(found.module, behind[0]) if behind else None
    residual = torch.from_numpy(layers[-1].map)
    return Walk(
        found.block,
        found.way,
        channel,
        found.channels,
        layers,
        around,
        total.numpy(),
        found.outputs[behind[0]][channel].numpy() if behind else None,
        residual.numpy() if activate is None else activate(residual).detach().numpy(),
        type(activate).__name__ if behind else "",
    )


def _back(found: Passed, names: list[str], channel: int) -> tuple[Step, ...]:
    """The steps of a chain of operations that ends with this channel, from what arrives on."""
    steps, scale = [], 1
    for place in range(len(names) - 1, -1, -1):
        name, module = names[place], found.module.get_submodule(names[place])
        arriving = found.outputs[names[place - 1]] if place else found.arriving
        out = found.outputs[name][channel].numpy()
        if isinstance(module, nn.Conv2d):
            conv = _conv(module, arriving, channel)
            steps.append(Step(name, "convolution", channel, out, scale, conv=conv))
            channel, scale = conv.source, scale * conv.stride
        elif isinstance(module, nn.BatchNorm2d):
            steps.append(Step(name, "batch norm", channel, out, scale, norm=_norm(module, channel)))
        else:
            kind = "nothing" if isinstance(module, nn.Identity) else "activation"
            steps.append(Step(name, kind, channel, out, scale))
    steps.append(Step("x", "input", channel, found.arriving[channel].numpy(), scale))
    return tuple(reversed(steps))


def _around(found: Passed, channel: int) -> tuple[Step, ...]:
    way = found.module.downsample
    if way is None:
        return (Step("x", "input", channel, found.arriving[channel].numpy(), 1),)
    if isinstance(way, PadShortcut):
        source, out = channel - way.padding[0], found.shortcut[channel].numpy()
        end = Step("downsample", "padding", channel, out, 1)
        if not 0 <= source < len(found.arriving):
            return (end,)
        return Step("x", "input", source, found.arriving[source].numpy(), way.stride), end
    inner = [name for name, layer in way.named_modules() if not list(layer.children())]
    return _back(found, [f"downsample.{name}" if name else "downsample" for name in inner], channel)


def _conv(module: nn.Conv2d, arriving: Tensor, channel: int) -> Conv:
    with torch.no_grad():
        weights = module.weight[channel]  # [inputs of its group, k, k]
        first = channel // (module.out_channels // module.groups) * len(weights)
        shares = F.conv2d(
            arriving[None, first : first + len(weights)],
            weights[:, None],
            stride=module.stride,
            padding=module.padding,
            groups=len(weights),
        )[0]
        most = int(shares.abs().mean(dim=(1, 2)).argmax())
        bias = 0.0 if module.bias is None else module.bias[channel].item()
        return Conv(
            first + most,
            weights[most].detach().numpy(),
            arriving[first + most].numpy(),
            shares[most].numpy(),
            len(weights) - 1,
            bias,
            module.stride[0],
            module.padding[0],
        )


def _norm(module: nn.BatchNorm2d, channel: int) -> Norm:
    scale, shift = (1.0, 0.0) if module.weight is None else (module.weight[channel].item(), module.bias[channel].item())
    return Norm(module.running_mean[channel].item(), module.running_var[channel].item(), scale, shift, module.eps)


def answers(model: nn.Module, tensor: Tensor, heads: tuple[int, ...], block: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the first head, float32 [classes]: of the whole network, and without the skip of this block."""
    one_of("block", block, blocks(model))
    with evaluating(model), torch.no_grad():
        whole = probabilities(model(tensor), heads)[0, : heads[0]].numpy()
        switch_off(model, [block])
        return whole, probabilities(model(tensor), heads)[0, : heads[0]].numpy()


def switch_off(evaluated: nn.Module, names: list[str]) -> None:
    """The shortcuts of these blocks add nothing from now on; only inside `evaluating`, which takes the hooks away."""
    for name in names:
        evaluated.get_submodule(name).add.register_forward_pre_hook(
            lambda add, parts: (parts[0], torch.zeros_like(parts[1]))
        )
