"""Dropout by numbers: some inputs of a neuron are silenced by chance while it learns, none when it is asked.

PyTorch (torch.nn.Dropout) divides what is left by 1 - p in training and does nothing afterwards; the slides leave it as
it is in training and multiply by 1 - p afterwards (Srivastava et al.: JMLR 2014, section 4). Both keep the mean of what
the neuron gets. Each input falls out on its own with chance p: how many fall out varies (binomial).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

INPUTS = 12  # connections of the lab's picture, of which it draws 6 after dropout


@dataclass(frozen=True)
class Draws:
    """A neuron's output, draw by draw, with its inputs and weights.

    inputs, weights  float64 [INPUTS]
    kept             bool [draws, INPUTS]
    p                the chance to be silenced
    """

    inputs: np.ndarray
    weights: np.ndarray
    kept: np.ndarray
    p: float

    @property
    def silenced(self) -> np.ndarray:
        """How many of the inputs each draw silenced: int64 [draws]."""
        return (~self.kept).sum(1)

    def training(self, scaled: bool) -> np.ndarray:
        """The output of each draw: as PyTorch does (scaled), or as the slides do."""
        return (self.kept * (self.inputs * self.weights)).sum(1) / ((1 - self.p) if scaled else 1.0)

    def asked(self, scaled: bool) -> float:
        """The output when it is asked: all inputs; the slides' times 1 - p."""
        return float(self.inputs @ self.weights) * (1.0 if scaled else 1 - self.p)

    def left(self, draw: int) -> np.ndarray:
        """The inputs of one draw as PyTorch hands them on: 0, or divided by 1 - p."""
        return np.where(self.kept[draw], self.inputs / (1 - self.p), 0.0)

    def means(self, scaled: bool) -> np.ndarray:
        """The mean output of the draws up to each: float64 [draws]."""
        outputs = self.training(scaled)
        return np.cumsum(outputs) / np.arange(1, len(outputs) + 1)


def draws(p: float, count: int, seed: int = 0) -> Draws:
    """`count` draws for a neuron with made inputs (0.2 to 3) and weights (-1 to 1); p from 0 to below 1."""
    generator = torch.Generator().manual_seed(seed)
    inputs = (0.2 + 2.8 * torch.rand(INPUTS, generator=generator, dtype=torch.float64)).mul(10).round().div(10)
    weights = (2 * torch.rand(INPUTS, generator=generator, dtype=torch.float64) - 1).mul(10).round().div(10)
    kept = torch.rand(count, INPUTS, generator=generator, dtype=torch.float64) >= p
    return Draws(inputs.numpy(), weights.numpy(), kept.numpy(), p)


def chances(p: float, inputs: int = INPUTS) -> np.ndarray:
    """The chance that 0, 1, ..., all of the inputs are silenced: float64 [inputs + 1] (binomial)."""
    return np.array([math.comb(inputs, k) * p**k * (1 - p) ** (inputs - k) for k in range(inputs + 1)])


def spread(found: Draws) -> float:
    """The standard deviation of the output in training as PyTorch scales it: sqrt(p / (1 - p) sum (w x)^2)."""
    return math.sqrt(found.p / (1 - found.p) * float(((found.inputs * found.weights) ** 2).sum()))
