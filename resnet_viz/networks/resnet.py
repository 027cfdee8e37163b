"""Residual networks on one page: two blocks, one network.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016). Section 3.3 and table 1 describe the
ImageNet family, section 4.2 the CIFAR family and its plain twins. Wide ResNets (Zagoruyko, Komodakis: BMVC 2016) and
ResNeXt (Xie et al.: CVPR 2017) are the same bottleneck with other numbers. Parameters carry torchvision's names, so
torchvision's weights load as they are. Two things differ from torchvision, both for the sake of looking inside:
every call of an activation has a module of its own (a hook on a re-used one cannot tell its calls apart), and the
addition x + F(x) is a module too, so that it can be seen, counted and switched off like any other layer.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..problems import Problem, one_of

ACTIVATIONS = {
    "relu": lambda: nn.ReLU(inplace=False),
    "leaky-relu": lambda: nn.LeakyReLU(0.01),
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
NORMS = {"batch": nn.BatchNorm2d, "none": nn.Identity}
MAX_SIZE = 2**20  # channels or classes of one layer; a file's header may ask for more, no computer holds it
MAX_BLOCKS = 1_000  # the deepest network of the paper has 600


def whole_numbers(name: str, sizes) -> tuple[int, ...]:
    """`sizes` as a tuple (JSON gives a list); a Problem unless all are whole numbers from 1 to MAX_SIZE."""
    whole = isinstance(sizes, list | tuple) and all(type(n) is int and 1 <= n <= MAX_SIZE for n in sizes)
    if not whole or not sizes:
        raise Problem(f"The {name} of a network must be whole numbers from 1 to {MAX_SIZE:,}, not {sizes!r:.60}.")
    return tuple(sizes)


@dataclass(frozen=True)
class ResNetSpec:
    """Everything that decides the shape of a ResNet; plain values only, so that it travels as JSON in a weights file.

    block       "basic" (two 3x3) or "bottleneck" (1x1, 3x3, 1x1)
    depths      blocks in each stage, e.g. (3, 4, 6, 3) for ResNet-34 and ResNet-50
    widths      channels inside the blocks of each stage, i.e. of their 3x3
    heads       classes of each classifier; usually one, e.g. (1000,)
    stem        "imagenet" (7x7 stride 2, then 3x3 max pool stride 2) or "cifar" (3x3 stride 1, no pool)
    stem_width  filters of the first convolution
    shortcut    where the shape changes: "A" pads with zeros, "B" projects by a 1x1 convolution (section 4.1);
                None builds the plain network, without any shortcut
    variant     the stride of a bottleneck: "v1" on its first 1x1 (the paper), "v1.5" on its 3x3 (torchvision)
    conv_bias   biases in the convolutions, as some course code has them
    expansion   outputs of a bottleneck per channel of its 3x3: 4 in the paper, 2 or 1 in wider kin; a basic block has 1
    groups      parts of a bottleneck's 3x3 that do not see each other (ResNeXt, section 3.3)
    dropout     share of the inputs of the linear layer that are silenced in training
    """

    block: str
    depths: tuple[int, ...]
    widths: tuple[int, ...]
    heads: tuple[int, ...]
    stem: str
    stem_width: int
    shortcut: str | None
    in_channels: int = 3
    variant: str = "v1.5"
    conv_bias: bool = False
    activation: str = "relu"
    norm: str = "batch"
    expansion: int = 4
    groups: int = 1
    dropout: float = 0.0

    def __post_init__(self):
        one_of("block", self.block, BLOCKS)
        one_of("stem", self.stem, ("imagenet", "cifar"))
        one_of("shortcut", self.shortcut, ("A", "B", None))
        one_of("variant", self.variant, ("v1", "v1.5"))
        one_of("activation", self.activation, ACTIVATIONS)
        one_of("normalisation layer", self.norm, NORMS)
        for name in ("depths", "widths", "heads"):
            object.__setattr__(self, name, whole_numbers(name, getattr(self, name)))
        for name in ("in_channels", "stem_width", "expansion", "groups"):
            whole_numbers(name, [getattr(self, name)])
        whole_numbers("heads", [sum(self.heads)])  # together they are one layer
        whole_numbers("block outputs", [self.out_channels(width) for width in self.widths])
        if len(self.depths) != len(self.widths):
            raise Problem(f"{len(self.depths)} stages need as many widths, not {len(self.widths)}.")
        if sum(self.depths) > MAX_BLOCKS:
            raise Problem(f"A network of {sum(self.depths):,} blocks is too deep; build at most {MAX_BLOCKS:,}.")
        if type(self.conv_bias) is not bool:
            raise Problem(f"conv_bias must be true or false, not {self.conv_bias!r:.60}.")
        if type(self.dropout) not in (int, float) or not 0 <= self.dropout < 1:
            raise Problem(f"dropout is a share of at least 0 and below 1, not {self.dropout!r:.60}.")
        if self.groups > 1 and self.block == "basic":
            raise Problem("A basic block has no groups; they part the 3x3 convolution of a bottleneck: choose that, or groups 1.")
        if uneven := [width for width in self.widths if width % self.groups]:
            raise Problem(f"{self.groups:,} groups cannot share {uneven[0]:,} channels; choose a divisor.")

    def arguments(self) -> dict:
        """The spec as JSON values."""
        return {key: list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}

    def out_channels(self, width: int) -> int:
        """Channels that a block of this width puts out."""
        return width * self.expansion if self.block == "bottleneck" else width

    # The three kinds of layer that every block is made of.

    def conv(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
        return nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=self.conv_bias)

    def normalise(self, channels: int) -> nn.Module:
        return NORMS[self.norm](channels)

    def activate(self) -> nn.Module:
        return ACTIVATIONS[self.activation]()


class Add(nn.Module):
    """F(x) + x: the residual addition (section 3.2, equation 1)."""

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        return residual + shortcut


class PadShortcut(nn.Module):
    """Shortcut A (section 4.1): take every stride-th pixel and pad the missing channels with zeros; no parameters.

    The zeros go half before and half after, as in the CIFAR repositories whose weights people bring.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        missing = out_channels - in_channels
        if missing < 0:
            raise Problem(f"Shortcut A cannot go from {in_channels} down to {out_channels} channels; use shortcut B.")
        self.stride, self.padding = stride, (missing // 2, missing - missing // 2)

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *self.padding))

    def extra_repr(self) -> str:
        return f"stride={self.stride}, zero_channels={self.padding}"


def make_shortcut(spec: ResNetSpec, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    """The way around a block; None where x itself can be added, or where the network is plain."""
    if spec.shortcut is None or (stride == 1 and in_channels == out_channels):
        return None
    if spec.shortcut == "A":
        return PadShortcut(in_channels, out_channels, stride)
    return nn.Sequential(spec.conv(in_channels, out_channels, 1, stride), spec.normalise(out_channels))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and the way around them (figure 5, left)."""

    def __init__(self, spec: ResNetSpec, in_channels: int, width: int, stride: int):
        super().__init__()
        self.conv1 = spec.conv(in_channels, width, 3, stride)
        self.bn1 = spec.normalise(width)
        self.act1 = spec.activate()
        self.conv2 = spec.conv(width, width, 3)
        self.bn2 = spec.normalise(width)
        self.downsample = make_shortcut(spec, in_channels, width, stride)
        self.add = Add() if spec.shortcut else None
        self.act2 = spec.activate()

    def forward(self, x: Tensor) -> Tensor:
        out = self.act1(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.add is not None:
            out = self.add(out, x if self.downsample is None else self.downsample(x))
        return self.act2(out)


class Bottleneck(nn.Module):
    """1x1 to narrow, 3x3, 1x1 to widen (by four in the paper), and the way around them (figure 5, right)."""

    def __init__(self, spec: ResNetSpec, in_channels: int, width: int, stride: int):
        super().__init__()
        first, second = (stride, 1) if spec.variant == "v1" else (1, stride)
        out_channels = spec.out_channels(width)
        self.conv1 = spec.conv(in_channels, width, 1, first)
        self.bn1 = spec.normalise(width)
        self.act1 = spec.activate()
        self.conv2 = spec.conv(width, width, 3, second, spec.groups)
        self.bn2 = spec.normalise(width)
        self.act2 = spec.activate()
        self.conv3 = spec.conv(width, out_channels, 1)
        self.bn3 = spec.normalise(out_channels)
        self.downsample = make_shortcut(spec, in_channels, out_channels, stride)
        self.add = Add() if spec.shortcut else None
        self.act3 = spec.activate()

    def forward(self, x: Tensor) -> Tensor:
        out = self.act1(self.bn1(self.conv1(x)))
        out = self.act2(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        if self.add is not None:
            out = self.add(out, x if self.downsample is None else self.downsample(x))
        return self.act3(out)


BLOCKS = {"basic": BasicBlock, "bottleneck": Bottleneck}


class ResNet(nn.Module):
    """Stem, stages of blocks, average over the picture, one linear layer.

    Pictures [N, in_channels, H, W], normalised floats -> logits [N, sum(heads)]; the logits of several heads stand
    side by side, in the order of `spec.heads`.
    """

    def __init__(self, spec: ResNetSpec):
        super().__init__()
        self.spec = spec
        if spec.stem == "imagenet":
            self.conv1 = spec.conv(spec.in_channels, spec.stem_width, 7, stride=2)
        else:
            self.conv1 = spec.conv(spec.in_channels, spec.stem_width, 3)
        self.bn1 = spec.normalise(spec.stem_width)
        self.act1 = spec.activate()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if spec.stem == "imagenet" else None

        channels = spec.stem_width
        self.stages = []  # names, in order: layer1 is the paper's conv2_x
        for number, (depth, width) in enumerate(zip(spec.depths, spec.widths), start=1):
            blocks = []
            for index in range(depth):
                stride = 2 if number > 1 and index == 0 else 1
                blocks.append(BLOCKS[spec.block](spec, channels, width, stride))
                channels = spec.out_channels(width)
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            self.stages.append(f"layer{number}")
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else None
        self.fc = nn.Linear(channels, sum(spec.heads))
        self._initialise()

    def _initialise(self):
        """He initialisation (He et al. 2015, section 2.2) for convolutions; batch norm starts as the identity."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.conv1(x)))
        if self.maxpool is not None:
            x = self.maxpool(x)
        for stage in self.stages:
            x = getattr(self, stage)(x)
        x = torch.flatten(self.avgpool(x), 1)
        return self.fc(x if self.dropout is None else self.dropout(x))
