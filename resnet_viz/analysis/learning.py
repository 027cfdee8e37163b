"""Learning by hand: a weighted sum that learns from its mistakes, a slope, and the chain rule, all with plain numbers.

The sum is f(a, b) = a x + b y + z with the weights x, y, z; its loss is the mean of (f - target)^2 over the samples.
"""

from dataclasses import dataclass

import numpy as np

NAMES = ("x", "y", "z")
START = (3.0, 2.0, -5.0)  # the slides' example: these weights,
SAMPLE = (1.0, 9.0, 4.0)  # this one sample (a, b, target)
TRUE = (2.0, -1.0, -4.0)  # the weights behind samples that are made here
NOISE = 0.5  # standard deviation of what is added to their targets
LOST = 1e9  # a loss beyond this is divergence: the descent ends there


@dataclass(frozen=True)
class State:
    """One moment of a descent.

    weights   (x, y, z)
    outputs   what each sample of the batch gives, float64 [b]
    loss      mean of (f - target)^2 over all samples
    gradient  of the mean loss of the batch by (x, y, z): what the next step follows
    batch     numbers of the samples that made the gradient
    """

    weights: tuple[float, float, float]
    outputs: np.ndarray
    loss: float
    gradient: tuple[float, float, float]
    batch: tuple[int, ...]


def made_samples(count: int, seed: int = 0) -> np.ndarray:
    """Samples around the plane of TRUE: float64 [count, 3], (a, b, target); a and b are standard normal."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(count, 2))
    targets = inputs @ np.array(TRUE[:2]) + TRUE[2] + NOISE * random.normal(size=count)
    return np.column_stack([inputs, targets])


def outputs(weights, samples: np.ndarray) -> np.ndarray:
    """f of every sample: float64 [n]."""
    x, y, z = weights
    return samples[:, 0] * x + samples[:, 1] * y + z


def loss(weights, samples: np.ndarray) -> float:
    return float(np.mean((outputs(weights, samples) - samples[:, 2]) ** 2))


def gradient(weights, samples: np.ndarray) -> tuple[float, float, float]:
    """By x, y and z: the mean of 2 (f - target) times a, b and 1."""
    mistakes = 2 * (outputs(weights, samples) - samples[:, 2])
    return float(np.mean(mistakes * samples[:, 0])), float(np.mean(mistakes * samples[:, 1])), float(np.mean(mistakes))


def descend(weights, samples: np.ndarray, rate: float, steps: int, batch: int | None = None,
            seed: int = 0) -> list[State]:
    """Gradient descent: steps + 1 moments, the first before any step; fewer where the loss passes LOST.

    batch  samples a step, drawn without replacement, each once an epoch; None takes all of them
    """
    order, at = _order(len(samples), batch or len(samples), seed), tuple(map(float, weights))
    found = []
    for _ in range(steps + 1):
        chosen = next(order)
        here = State(at, outputs(at, samples[chosen]), loss(at, samples), gradient(at, samples[chosen]),
                     tuple(chosen.tolist()))
        found.append(here)
        if here.loss > LOST:
            break
        at = tuple(w - rate * g for w, g in zip(at, here.gradient))
    return found


def _order(count: int, batch: int, seed: int):
    """Endlessly: the numbers of the next batch; each epoch in a new order, its last batch may be smaller."""
    random = np.random.default_rng(seed)
    while True:
        shuffled = random.permutation(count) if batch < count else np.arange(count)
        for start in range(0, count, batch):
            yield shuffled[start : start + batch]


def curvatures(samples: np.ndarray) -> np.ndarray:
    """The loss's second derivatives along its own axes, ascending: float64 [3] (of the Hessian 2 X^T X / n)."""
    inputs = np.column_stack([samples[:, :2], np.ones(len(samples))])
    return np.linalg.eigvalsh(2 * inputs.T @ inputs / len(samples))


def largest_rate(samples: np.ndarray) -> float:
    """From this learning rate on, descent with all samples a step diverges: 2 / the largest curvature."""
    return float(2 / curvatures(samples)[-1])


def behaviour(rate: float, samples: np.ndarray) -> str:
    """What a rate does along the steepest axis, where each step multiplies the mistake by 1 - rate * curvature."""
    factor = 1 - rate * curvatures(samples)[-1]
    if abs(factor) >= 1:
        return "diverges"
    return "overshoots" if factor < -1e-9 else "crawls" if factor > 0.95 else "falls"


def slice_at(z: float, samples: np.ndarray) -> list[float]:
    """The loss as a function of x and y at this z: the six numbers of p x^2 + q xy + r y^2 + s x + t y + u."""
    a, b, rest = samples[:, 0], samples[:, 1], z - samples[:, 2]
    terms = (a * a, 2 * a * b, b * b, 2 * a * rest, 2 * b * rest, rest * rest)
    return [float(np.mean(term)) for term in terms]


# A slope


def tangent(x: float, width: float = 1.0) -> tuple[float, float, float, float]:
    """The tangent of y = x^2 at x, as a line from x - width to x + width: (x0, y0, x1, y1)."""
    return x - width, x * x - 2 * x * width, x + width, x * x + 2 * x * width


def secant_slope(x: float, h: float) -> float:
    """Slope of y = x^2 between x and x + h; it comes to 2x as h goes to 0."""
    return ((x + h) ** 2 - x * x) / h


# The chain rule


@dataclass(frozen=True)
class Chain:
    """x = w^2, y = 2 x^3, z = 4 y^2 at one w: the values, the slope of each link, and what flows back."""

    w: float
    x: float
    y: float
    z: float
    dx_dw: float
    dy_dx: float
    dz_dy: float
    dz_dx: float
    dz_dw: float


def chain(w: float) -> Chain:
    x = w**2
    y = 2 * x**3
    z = 4 * y**2
    dx_dw, dy_dx, dz_dy = 2 * w, 6 * x**2, 8 * y
    dz_dx = dz_dy * dy_dx
    return Chain(w, x, y, z, dx_dw, dy_dx, dz_dy, dz_dx, dz_dx * dx_dw)
