"""Every network by its name: what it is, how it is built, what it expects."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from ..problems import Problem, one_of
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


def _resnet(defaults: dict, fixed: dict | None = None) -> Callable[..., ResNet]:
    """A builder that starts from `defaults`, takes any other field of ResNetSpec, and refuses to change `fixed`."""

    def make(**arguments) -> ResNet:
        for key, reason in (fixed or {}).items():
            if key in arguments and arguments[key] != defaults[key]:
                raise Problem(f"A {key} cannot be set here: this network {reason}.")
        known = inspect.signature(ResNetSpec).parameters
        for key in arguments:
            one_of("network argument", key, known)
        return ResNet(ResNetSpec(**{**defaults, **arguments}))

    return make


def _simple_cnn(heads=(10,), in_channels: int = 3, dropout: float = 0.5, **unknown) -> SimpleCNN:
    for key in unknown:
        raise Problem(f"simple-cnn has no {key:.60} to set; it takes heads, in_channels and dropout.")
    whole_numbers("in_channels", [in_channels])
    if not 0 <= dropout < 1:
        raise Problem(f"dropout is a share of at least 0 and below 1, not {dropout!r:.60}.")
    return SimpleCNN(whole_numbers("heads", heads), in_channels, dropout)


def _entries():
    for depth, (block, depths) in IMAGENET_DEPTHS.items():
        defaults = {"block": block, "depths": depths, "widths": IMAGENET_WIDTHS, "heads": (1000,),
                    "stem": "imagenet", "stem_width": 64, "shortcut": "B"}
        yield Network(f"resnet{depth}", "ImageNet ResNet", f"{depth} layers, {block} blocks {list(depths)}",
                      224, (1000,), _resnet(defaults), ResNetSpec(**defaults))
    for depth in CIFAR_NUMBERS:
        n = (depth - 2) // 6
        defaults = {"block": "basic", "depths": (n, n, n), "widths": CIFAR_WIDTHS, "heads": (10,),
                    "stem": "cifar", "stem_width": 16, "shortcut": "A"}
        yield Network(f"resnet{depth}", "CIFAR ResNet", f"{depth} layers, three stages of {n} basic blocks",
                      32, (10,), _resnet(defaults), ResNetSpec(**defaults))
    for depth in CIFAR_NUMBERS:
        n = (depth - 2) // 6
        defaults = {"block": "basic", "depths": (n, n, n), "widths": CIFAR_WIDTHS, "heads": (10,),
                    "stem": "cifar", "stem_width": 16, "shortcut": None}
        yield Network(f"plain{depth}", "CIFAR plain", f"{depth} layers, the twin of resnet{depth} without shortcuts",
                      32, (10,), _resnet(defaults, {"shortcut": PLAIN_ONLY}), ResNetSpec(**defaults))
    for depth in (18, 34, 50):
        block, depths = IMAGENET_DEPTHS[depth]
        defaults = {"block": block, "depths": depths, "widths": IMAGENET_WIDTHS, "heads": (10,),
                    "stem": "cifar", "stem_width": 64, "shortcut": "B"}
        yield Network(f"resnet{depth}-cifar", "ResNet with CIFAR stem",
                      f"ResNet-{depth} with a 3x3 stem for 32x32 pictures",
                      32, (10,), _resnet(defaults), ResNetSpec(**defaults))
    yield Network("simple-cnn", "course network", "two convolutions and a linear layer, the lab's warm-up",
                  32, (10,), _simple_cnn)


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
            raise Problem(f"{name} cannot be built from {arguments!r:.80}: {error}.") from error


def heads_of(name: str, arguments: dict) -> tuple[int, ...]:
    """Classes of each classifier that build(name, arguments) would have."""
    if "heads" in arguments:
        return tuple(arguments["heads"])
    return find(name).heads


def num_params(model: nn.Module) -> int:
    """Number of weights that training can change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)



