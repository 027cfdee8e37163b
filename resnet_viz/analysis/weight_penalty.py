"""What a penalty on weights does to two of them, b and c, under gradient descent: L1, L2, alone and beside data.

L1 adds a (|b| + |c|), L2 adds (a / 2)(b^2 + c^2) (slides, "Regularisation"). Their pulls: a sign(w), and a w. The data
here only ask that b + c be 10, with the loss (b + c - 10)^2: how the sum is shared out is left to the penalty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

STARTS = ((1.0, 9.0), (4.0, 5.0))  # the slides' pairs; their sums are 10 and 9
FAIR = (5.0, 5.0)  # what the slides should have put beside (1, 9): the same sum
SUM = 10.0


@dataclass(frozen=True)
class Penalty:
    """One penalty of strength a.

    pull    (weights, a) -> its gradient
    six     a -> the numbers of p b^2 + q bc + r c^2 + s b + t c + u, for b and c of at least 0
    """

    value: Callable[[np.ndarray, float], float]
    pull: Callable[[np.ndarray, float], np.ndarray]
    six: Callable[[float], np.ndarray]


PENALTIES = {
    "L2": Penalty(
        lambda w, a: a / 2 * float((w**2).sum()), lambda w, a: a * w, lambda a: np.array([a / 2, 0, a / 2, 0, 0, 0])
    ),
    "L1": Penalty(
        lambda w, a: a * float(np.abs(w).sum()), lambda w, a: a * np.sign(w), lambda a: np.array([0, 0, 0, a, a, 0])
    ),
}
DATA_SIX = np.array([1, 2, 1, -2 * SUM, -2 * SUM, SUM**2])


def loss(weights, penalty: str, strength: float, data: bool) -> float:
    """The penalty, and with data the square of what b + c lacks of SUM."""
    weights = np.asarray(weights, float)
    return PENALTIES[penalty].value(weights, strength) + (float((weights.sum() - SUM) ** 2) if data else 0.0)


def gradient(weights, penalty: str, strength: float, data: bool) -> np.ndarray:
    """Of `loss` along b and c; a penalty's kink at 0 has the slope 0, as in torch.sign."""
    weights = np.asarray(weights, float)
    return PENALTIES[penalty].pull(weights, strength) + (2 * (weights.sum() - SUM) if data else 0.0)


def descend(start: Sequence[float], penalty: str, strength: float, rate: float, steps: int, data: bool) -> np.ndarray:
    """b and c before each step and after the last: float64 [steps + 1, 2]."""
    path = [np.asarray(start, float)]
    for _ in range(steps):
        path.append(path[-1] - rate * gradient(path[-1], penalty, strength, data))
    return np.array(path)


def six(penalty: str, strength: float, data: bool) -> np.ndarray:
    """`loss` as the numbers of a quadratic in b and c, where neither is negative."""
    return PENALTIES[penalty].six(strength) + (DATA_SIX if data else 0.0)


def squares(pair: Sequence[float]) -> float:
    """b^2 + c^2: 82 for (1, 9), 41 for (4, 5), 50 for (5, 5)."""
    return float(sum(value**2 for value in pair))
