"""Ways downhill: plain descent, momentum and Adam on a ravine and a saddle; schedules and batch sizes under noise.

Each optimiser is written out, one line a rule; tests hold every one to torch.optim.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from . import learning


@dataclass(frozen=True)
class Ground:
    """A loss of two weights, (p x^2 + r y^2) / 2.

    curves  (p, r), the second derivatives along x and y
    start   where every optimiser begins
    view    what is drawn: half the width along x, and along y
    """

    curves: tuple[float, float]
    start: tuple[float, float]
    view: tuple[float, float]
    story: str

    def loss(self, at) -> float:
        return 0.5 * (self.curves[0] * at[0] ** 2 + self.curves[1] * at[1] ** 2)

    def gradient(self, at) -> tuple[float, float]:
        return self.curves[0] * at[0], self.curves[1] * at[1]

    def six(self) -> list[float]:
        """The numbers of p x^2 + q xy + r y^2 + s x + t y + u."""
        return [self.curves[0] / 2, 0.0, self.curves[1] / 2, 0.0, 0.0, 0.0]


GROUNDS = {
    "ravine": Ground((1.0, 20.0), (-2.5, 0.8), (3.0, 1.2), "20 times steeper across than along"),
    "saddle": Ground((1.0, -1.0), (-2.5, 0.001), (3.0, 2.0), "a minimum along x, a maximum along y"),
}
GONE = 1e6  # a weight beyond this has left for good


def plain(gradients, rate: float, momentum: float) -> float:
    """One weight's next change from all its gradients so far, the newest last."""
    return -rate * gradients[-1]


def with_momentum(gradients, rate: float, momentum: float) -> float:
    """v <- momentum v + g, as torch.optim.SGD does it (no damping)."""
    velocity = 0.0
    for one in gradients:
        velocity = momentum * velocity + one
    return -rate * velocity


def adam(gradients, rate: float, momentum: float, squares: float = 0.999, tiny: float = 1e-8) -> float:
    """Kingma and Ba 2015, algorithm 1: a mean of the gradients over the root of a mean of their squares, both corrected
    for having begun at 0. `momentum` is its beta 1."""
    first = second = 0.0
    for one in gradients:
        first = momentum * first + (1 - momentum) * one
        second = squares * second + (1 - squares) * one * one
    count = len(gradients)
    first, second = first / (1 - momentum**count), second / (1 - squares**count)
    return -rate * first / (math.sqrt(second) + tiny)


OPTIMISERS: dict[str, Callable[..., float]] = {"plain descent": plain, "momentum": with_momentum, "Adam": adam}
CODE = {
    "plain descent": "torch.optim.SGD([w], lr={rate:g})",
    "momentum": "torch.optim.SGD([w], lr={rate:g}, momentum={momentum:g})",
    "Adam": "torch.optim.Adam([w], lr={rate:g}, betas=({momentum:g}, 0.999))",
}


def walk(optimiser: str, ground: Ground, rate: float, momentum: float, steps: int) -> np.ndarray:
    """Where the two weights are at every step: float64 [steps + 1, 2]; it stays where it left GONE."""
    rule, at = OPTIMISERS[optimiser], list(ground.start)
    path, gradients = [tuple(at)], ([], [])
    for _ in range(steps):
        if max(map(abs, at)) < GONE:
            for i, slope in enumerate(ground.gradient(at)):
                gradients[i].append(slope)
            at = [value + rule(gradients[i], rate, momentum) for i, value in enumerate(at)]
        path.append(tuple(at))
    return np.array(path)


# Schedules

NOISY = Ground((0.05, 1.0), (6.0, 1.0), (7.0, 2.0), "20 times steeper across than along, with noisy gradients")
DRAWS = 200  # runs with different noise, whose losses are averaged: what remains is the schedule
SIGMA = 0.6  # standard deviation of the noise on each gradient


def noisy_losses(rates: np.ndarray, seed: int = 0) -> np.ndarray:
    """Mean loss on NOISY over DRAWS runs before and after each step, float64 [steps + 1]; all meet the same noise.

    rates  learning rate of every step, float64 [steps]
    """
    noise = np.random.default_rng(seed).normal(scale=SIGMA, size=(len(rates), DRAWS, 2))
    at, curves = np.tile(NOISY.start, (DRAWS, 1)), np.array(NOISY.curves)
    found = [float(np.mean(0.5 * at**2 @ curves))]
    for rate, push in zip(rates, noise):
        at = at - rate * (at * curves + push)
        found.append(float(np.mean(0.5 * at**2 @ curves)))
    return np.array(found)


def expected_losses(rates: np.ndarray) -> np.ndarray:
    """The same without drawing: of each axis mean and variance are known at every step. float64 [steps + 1]."""
    mean, variance, curves = np.array(NOISY.start), np.zeros(2), np.array(NOISY.curves)
    found = [float(0.5 * curves @ (mean**2 + variance))]
    for rate in rates:
        mean, variance = (1 - rate * curves) * mean, (1 - rate * curves) ** 2 * variance + (rate * SIGMA) ** 2
        found.append(float(0.5 * curves @ (mean**2 + variance)))
    return np.array(found)


# Batch size

COUNT, EPOCHS = 64, 4
BATCHES = (1, 4, 16, 64)


@dataclass(frozen=True)
class Batched:
    """One descent by batches.

    seen   samples seen before each moment, int [m]
    path   (x, y) at each, float64 [m, 2]
    loss   over all samples, float64 [m]
    """

    seen: np.ndarray
    path: np.ndarray
    loss: np.ndarray


def known_offset(seed: int = 0) -> np.ndarray:
    """COUNT samples whose offset z is known to be 0, so that the loss is a surface over x and y alone."""
    samples = learning.made_samples(COUNT, seed).copy()
    samples[:, 2] -= learning.TRUE[2]
    return samples


def by_batches(samples: np.ndarray, batch: int, rate: float, start=(-1.5, 2.5), seed: int = 0) -> Batched:
    """Descent on x and y through EPOCHS epochs of the samples, every epoch in a new order."""
    random, at = np.random.default_rng(seed), np.array(start, dtype=float)
    seen, path = [0], [at]
    for _ in range(EPOCHS):
        shuffled = random.permutation(len(samples))
        for first in range(0, len(samples), batch):
            chosen = samples[shuffled[first : first + batch]]
            at = at - rate * np.array(learning.gradient((*at, 0.0), chosen)[:2])
            seen.append(seen[-1] + len(chosen))
            path.append(at)
    return Batched(np.array(seen), np.array(path), np.array([learning.loss((*one, 0.0), samples) for one in path]))


def noise_of(samples: np.ndarray, at, batch: int, draws: int = 400, seed: int = 0) -> float:
    """How far a batch's gradient lies from that of all samples, measured: root of the mean squared distance."""
    random, whole = np.random.default_rng(seed), np.array(learning.gradient((*at, 0.0), samples)[:2])
    squares = []
    for _ in range(draws):
        chosen = samples[random.permutation(len(samples))[:batch]]
        squares.append(float(np.sum((np.array(learning.gradient((*at, 0.0), chosen)[:2]) - whole) ** 2)))
    return math.sqrt(float(np.mean(squares)))


def expected_noise(samples: np.ndarray, at, batch: int) -> float:
    """The same by the law of draws without replacement: sigma / sqrt(B) * sqrt((N - B) / (N - 1))."""
    mistakes = 2 * (learning.outputs((*at, 0.0), samples) - samples[:, 2])
    each = mistakes[:, None] * samples[:, :2]
    sigma, count = math.sqrt(float(np.sum(each.var(axis=0)))), len(samples)
    return sigma / math.sqrt(batch) * math.sqrt((count - batch) / (count - 1))
