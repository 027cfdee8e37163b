"""The activations of a network, each with its derivative: what they do to one number, and what they let back."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..number_text import plain, signed

LEAK = 0.01  # nn.LeakyReLU's own
REACH = 6.0  # the curves are drawn from -REACH to REACH


@dataclass(frozen=True)
class Activation:
    """One function and its derivative (at a kink the value that PyTorch's autograd takes).

    of, slope   numbers [...] -> numbers [...]
    formula     LaTeX
    derivative  LaTeX
    code        the PyTorch line
    say         (x, y) -> how y came about
    note        one sentence on why it is or is not used
    """

    of: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    formula: str
    derivative: str
    code: str
    say: Callable[[float, float], str]
    note: str


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x), without overflow at either end."""
    x = np.asarray(x, dtype=float)
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def _elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


ACTIVATIONS = {
    "ReLU": Activation(
        lambda x: np.maximum(x, 0.0), lambda x: np.where(x > 0, 1.0, 0.0),
        r"\max(0, x)", r"1 \text{ for } x > 0, \text{ else } 0", "F.relu(x)",
        lambda x, y: f"max(0, {plain(x)}) = {plain(y)}",
        "Above 0 its slope is 1, however deep the network: that is why residual networks use it. Below 0 nothing is "
        "learned."),
    "leaky ReLU": Activation(
        lambda x: np.where(x >= 0, x, LEAK * x), lambda x: np.where(x > 0, 1.0, LEAK),
        r"\max(a x, x), \quad a = 0.01", r"1 \text{ for } x > 0, \text{ else } a", "F.leaky_relu(x, 0.01)",
        lambda x, y: f"max(0.01 × {signed(x)}, {plain(x)}) = {plain(y)}",
        "A little of the negative side is let through, so that no unit stops learning."),
    "ELU": Activation(
        _elu, lambda x: np.where(x > 0, 1.0, np.exp(np.minimum(x, 0))),
        r"x \text{ for } x > 0, \text{ else } e^x - 1", r"1 \text{ for } x > 0, \text{ else } e^x", "F.elu(x)",
        lambda x, y: f"{plain(x)}: it is above 0" if x > 0 else f"e^{signed(x)} − 1 = {plain(y)}",
        "Like leaky ReLU, but it bends smoothly and levels off at −1."),
    "sigmoid": Activation(
        sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)),
        r"\sigma(x) = \frac{1}{1 + e^{-x}}", r"\sigma(x) \, (1 - \sigma(x)) \le 0.25", "torch.sigmoid(x)",
        lambda x, y: f"1 / (1 + e^{signed(-x)}) = {plain(y)}",
        "Its slope is at most 0.25: through ten such layers less than a millionth of a gradient is left."),
    "tanh": Activation(
        np.tanh, lambda x: 1 - np.tanh(x) ** 2,
        r"\tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}}", r"1 - \tanh^2(x) \le 1", "torch.tanh(x)",
        lambda x, y: f"tanh({plain(x)}) = {plain(y)}",
        "A sigmoid stretched to −1..1: its slope is 1 at 0, and falls off on both sides."),
    "step": Activation(
        lambda x: np.where(x > 0, 1.0, 0.0), lambda x: np.zeros_like(np.asarray(x, dtype=float)),
        r"1 \text{ for } x > 0, \text{ else } 0", r"0 \text{ everywhere but at } 0", "(x > 0).float()",
        lambda x, y: f"{plain(x)} is {'above' if x > 0 else 'not above'} 0: {plain(y)}",
        "The oldest one. Its slope is 0, so gradient descent learns nothing through it."),
}


def curve(name: str, points: int = 241) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x, y, slope) from -REACH to REACH, to draw."""
    x = np.linspace(-REACH, REACH, points)
    return x, ACTIVATIONS[name].of(x), ACTIVATIONS[name].slope(x)
