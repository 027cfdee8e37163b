"""Does the signal reach the first layer before anything is learned? Gradients of one real batch at initialisation.

Eight networks of one depth that differ in three switches: the activation (sigmoid or ReLU), batch norm, and the
shortcuts. Depth alone is what kills a signal: the gradient of the first layer is a product over all the others
(Glorot and Bengio: AISTATS 2010, section 4.2; He et al.: CVPR 2016, section 1 and 4.1).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..data import sources
from ..data.preprocessing import Preprocessing, normalise
from ..networks import zoo
from ..problems import one_of
from . import gradients

DEPTHS = zoo.CIFAR_NUMBERS
NAMES = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU", "leaky-relu": "Leaky ReLU", "elu": "ELU"}  # activations
SIZE, PICTURES = 32, 32  # pixels a side of a picture, pictures of the batch


@dataclass(frozen=True)
class Combination:
    """One position of the three switches."""

    activation: str  # a key of NAMES
    norm: bool
    skip: bool

    @property
    def name(self) -> str:
        """E.g. "ReLU, batch norm, residual"."""
        return f"{NAMES[self.activation]}, {'batch norm' if self.norm else 'no batch norm'}, {'residual' if self.skip else 'plain'}"

    def network(self, depth: int) -> tuple[str, dict]:
        """(name in the zoo, arguments). Every convolution has a bias, whether batch norm follows or not: one switch
        at a time."""
        arguments = {"activation": self.activation, "norm": "batch" if self.norm else "none", "conv_bias": True}
        return f"{'resnet' if self.skip else 'plain'}{one_of('depth', depth, DEPTHS)}", arguments


COMBINATIONS = tuple(Combination(activation, norm, skip) for activation in ("sigmoid", "relu")
                     for norm in (False, True) for skip in (False, True))


@dataclass(frozen=True)
class Probed:
    """L2 norms of the gradient of the mean cross-entropy, of every weight in the order of the layers (the input's
    first): `depth` layers, the last of them the linear one. 0 is what float32 makes of gradients below about 1e-45."""

    combination: Combination
    layers: tuple[str, ...]
    norms: tuple[float, ...]
    loss: float

    @property
    def first(self) -> float:
        """The first convolution's."""
        return self.norms[0]

    @property
    def last(self) -> float:
        """The last convolution's."""
        return self.norms[-2]

    @property
    def reach(self) -> float:
        """First / last; NaN where nothing is left of the last one either."""
        return self.first / self.last if self.last else float("nan")


# Initialisations: each fills one convolution's or linear layer's weights, from a generator of its own

def _pytorch(module: nn.Module, generator: torch.Generator) -> None:
    """What PyTorch does by itself (torch.nn.Conv2d and Linear): uniform within 1 / sqrt(inputs), biases too."""
    bound = 1 / math.sqrt(module.weight[0].numel())
    nn.init.uniform_(module.weight, -bound, bound, generator=generator)
    nn.init.uniform_(module.bias, -bound, bound, generator=generator)


def _he(module: nn.Module, generator: torch.Generator) -> None:
    """He et al. 2015, section 2.2: normal with variance 2 / outputs, biases 0; made for ReLU."""
    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu", generator=generator)
    nn.init.zeros_(module.bias)


STARTS = {"pytorch": _pytorch, "he": _he}


def build(combination: Combination, depth: int, start: str, seed: int) -> nn.Module:
    """The network at initialisation, in training mode; torch's global generator is left alone.

    The draws depend on seed and shapes only: networks of one depth begin with the same weights, whatever the switches.
    """
    fill = STARTS[one_of("initialisation", start, STARTS)]
    model = zoo.build(*combination.network(depth), device="meta").to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fill(module, generator)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    return model.train()


def batch(data: str, seed: int, count: int = PICTURES) -> tuple[Tensor, Tensor]:
    """(pictures float32 [count, 3, 32, 32], normalised by their own mean and deviation; labels int64 [count]).

    data: a key of data.sources.SOURCES with one head. Drawn with the seed from its test pictures, which are read
    faster than the training pictures and are as good here: nothing is learned.
    """
    found = sources.load(data, "test")
    chosen = torch.randperm(len(found.labels), generator=torch.Generator().manual_seed(seed))[:count]
    some = sources.Pictures(found.images[chosen], found.labels[chosen], found.classes, found.heads, found.name)
    images = sources.fit(some, 3, SIZE).images
    values = images.double() / 255
    mean, std = values.mean((0, 2, 3)), values.std((0, 2, 3))
    return normalise(images, Preprocessing(SIZE, SIZE, tuple(mean.tolist()), tuple(std.tolist()))), some.labels[:, 0]


def probe(combination: Combination, depth: int, pictures: Tensor, labels: Tensor, seed: int = 0,
          start: str = "pytorch") -> Probed:
    """Forward and backward once, without a step. Labels must lie below 10, the networks' classes."""
    model = build(combination, depth, start, seed)
    with torch.enable_grad():
        loss = F.cross_entropy(model(pictures), labels)
        loss.backward()
    return Probed(combination, tuple(gradients.weights_of(model)), _norms(model), loss.item())


def _norms(model: nn.Module) -> tuple[float, ...]:
    """In float64: the squares of small gradients vanish in float32 long before the gradients themselves do."""
    return tuple(weight.grad.double().norm().item() for weight in gradients.weights_of(model).values())
