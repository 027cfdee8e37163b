"""Every network by its name: what it is, how it is built, what it expects."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from ..problems import Problem, one_of
from .grapheme_resnet import GraphemeResNet
from .hw4_resnet import Hw4ResNet
from .picture_sizes import must_fit
from .resnet import ResNet, ResNetSpec, whole_numbers
from .simple_cnn import SimpleCNN

IMAGENET_WIDTHS = (64, 128, 256, 512)
CIFAR_WIDTHS = (16, 32, 64)
IMAGENET_DEPTHS = {  # He et al. table 1
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}
KIN = {  # depth, channels of the first 3x3, expansion, groups: as torchvision publishes them
    "wide-resnet50-2": (50, 128, 2, 1),
    "wide-resnet101-2": (101, 128, 2, 1),
    "resnext50-32x4d": (50, 128, 2, 32),
    "resnext101-32x8d": (101, 256, 1, 32),
    "resnext101-64x4d": (101, 256, 1, 64),
}
CIFAR_NUMBERS = (8, 14, 20, 32, 44, 56, 110)  # 6n + 2 layers: three stages of n basic blocks, section 4.2
PLAIN_ONLY = "has no shortcuts: that is what makes it plain"


@dataclass(frozen=True)
class Network:
    """One entry of the zoo. `make(**arguments)` builds it from JSON values; `spec` is what a ResNet is by default."""

    name: str
    family: str
    description: str
    input_size: int  # pixels a side the network was designed for
    heads: tuple[int, ...]  # default classes of each classifier
    make: Callable[..., nn.Module]
    spec: ResNetSpec | None = None
    in_channels: int = 3
    sizes: tuple[int, int] | None = None  # least and most pixels a side, where its linear layer fixes them


def _resnet(defaults: dict, fixed: dict | None = None) -> Callable[..., ResNet]:
    """A builder that starts from `defaults`, takes any other field of ResNetSpec, and refuses to change `fixed`."""

    def make(**arguments) -> ResNet:
        for key, reason in (fixed or {}).items():
            if key in arguments and arguments[key] != defaults[key]:
                raise Problem(f"A {key} cannot be set here: this network {reason}; leave it out.")
        known = inspect.signature(ResNetSpec).parameters
        for key in arguments:
            one_of("network argument", key, known)
        return ResNet(ResNetSpec(**{**defaults, **arguments}))

    return make


def _course(name: str, network: type[nn.Module], description: str, input_size: int) -> Network:
    """An entry for a network of a course: nothing can be chosen but what its class takes."""
    defaults = {key: parameter.default for key, parameter in inspect.signature(network).parameters.items()}

    def make(**arguments) -> nn.Module:
        for key in arguments:
            if key not in defaults:
                *most, last = defaults
                raise Problem(f"{name} has no {key:.60} to set; it takes {', '.join(most)} and {last}: choose one of them.")
        wanted = {**defaults, **arguments}
        whole_numbers("in_channels", [wanted["in_channels"]])
        if not 0 <= wanted.get("dropout", 0) < 1:
            raise Problem(f"dropout is a share of at least 0 and below 1, not {wanted['dropout']!r:.60}.")
        heads = whole_numbers("heads", wanted["heads"])
        whole_numbers("heads", [sum(heads)])  # together they are one layer
        return network(**{**wanted, "heads": heads})

    return Network(name, "course network", description, input_size, defaults["heads"], make,
                   in_channels=defaults["in_channels"], sizes=network.sizes)


def _imagenet(depth: int, **changes) -> dict:
    block, depths = IMAGENET_DEPTHS[depth]
    return {"block": block, "depths": depths, "widths": IMAGENET_WIDTHS, "heads": (1000,), "stem": "imagenet",
            "stem_width": 64, "shortcut": "B", **changes}


def _kin(depth: int, width: int, expansion: int, groups: int) -> dict:
    return _imagenet(depth, widths=tuple(width * 2**stage for stage in range(4)), expansion=expansion, groups=groups)


def _cifar(depth: int, shortcut: str | None) -> dict:
    n = (depth - 2) // 6
    return {"block": "basic", "depths": (n, n, n), "widths": CIFAR_WIDTHS, "heads": (10,), "stem": "cifar",
            "stem_width": 16, "shortcut": shortcut}


def _entries():
    def entry(name: str, family: str, description: str, defaults: dict, fixed: dict | None = None) -> Network:
        spec = ResNetSpec(**defaults)
        size = 224 if spec.stem == "imagenet" else 32
        return Network(name, family, description, size, spec.heads, _resnet(defaults, fixed), spec)

    for depth, (block, depths) in IMAGENET_DEPTHS.items():
        yield entry(f"resnet{depth}", "ImageNet ResNet", f"{depth} layers, {block} blocks {list(depths)}",
                    _imagenet(depth))
    for name, (depth, width, expansion, groups) in KIN.items():
        family, parted = ("ResNeXt", f", in {groups} groups") if groups > 1 else ("wide ResNet", "")
        yield entry(name, family, f"ResNet-{depth} with {width} to {8 * width:,} channels in its 3x3{parted}",
                    _kin(depth, width, expansion, groups))
    for depth in CIFAR_NUMBERS:
        yield entry(f"resnet{depth}", "CIFAR ResNet", f"{depth} layers, basic blocks {[(depth - 2) // 6] * 3}",
                    _cifar(depth, "A"))
    for depth in CIFAR_NUMBERS:
        yield entry(f"plain{depth}", "CIFAR plain", f"{depth} layers, the twin of resnet{depth} without shortcuts",
                    _cifar(depth, None), {"shortcut": PLAIN_ONLY})
    for depth in (18, 34, 50):
        yield entry(f"resnet{depth}-cifar", "ResNet with CIFAR stem",
                    f"ResNet-{depth} with a 3x3 stem for 32x32 pictures", _imagenet(depth, heads=(10,), stem="cifar"))
    yield _course("simple-cnn", SimpleCNN, "two convolutions and a linear layer, the lab's warm-up", 32)
    yield _course("hw4-resnet", Hw4ResNet, "twelve basic blocks without a ReLU after the sum, for CIFAR-100", 32)
    yield _course("grapheme-resnet", GraphemeResNet, "eight basic blocks and three heads, for Bengali letters", 64)


NETWORKS = {network.name: network for network in _entries()}

CUSTOM = "custom-resnet"  # a network that no name fits: its arguments are a whole ResNetSpec


def find(name: str) -> Network:
    """The zoo's entry of that name; a Problem that lists the names if there is none."""
    return NETWORKS[one_of("network", name, NETWORKS)]


def build(name: str, arguments: dict | None = None, device: str = "cpu") -> nn.Module:
    """A new network in training mode, its weights drawn from torch's global generator.

    name       a key of NETWORKS, or CUSTOM
    arguments  fields of ResNetSpec that differ from the network's own, e.g. {"heads": [10], "stem": "cifar"}
    device     "meta" builds it without any memory, for tables and shape checks
    """
    arguments = dict(arguments or {})
    if name == CUSTOM:
        make = _resnet({})
    else:
        make = find(name).make
    with torch.device(device):
        try:
            return make(**arguments)
        except TypeError as error:  # a missing or mistyped field, e.g. from a hand-written header
            raise Problem(f"{name} cannot be built from {arguments!r:.80} ({error}); change its arguments.") from error


def heads_of(name: str, arguments: dict) -> tuple[int, ...]:
    """Classes of each classifier that build(name, arguments) would have."""
    if "heads" in arguments:
        return tuple(arguments["heads"])
    return find(name).heads


def channels_of(name: str, arguments: dict) -> int:
    """Channels of the pictures that build(name, arguments) would take."""
    return arguments.get("in_channels", 3 if name == CUSTOM else find(name).in_channels)


def dropout_of(name: str) -> float | None:
    """The share that the network of that name drops out by default; None where it has no dropout to set."""
    if find(name).spec:
        return find(name).spec.dropout
    dropout = getattr(build(name, device="meta"), "dropout", None)
    return dropout.p if dropout is not None else None


def size_for(name: str, own: int) -> int:
    """Pixels a side to bring pictures of `own` to: left as they are, unless the network cannot take that size."""
    network = find(name)
    low, high = network.sizes or (1, own)
    return own if low <= own <= high else network.input_size


def check(name: str, arguments: dict, size: int | None) -> None:
    """A Problem where no such network can be built, or where it cannot take pictures of `size` pixels a side."""
    build(name, arguments, device="meta")
    if size and find(name).sizes:
        must_fit(name, find(name).sizes, size, size)


def num_params(model: nn.Module) -> int:
    """Number of weights that training can change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)



