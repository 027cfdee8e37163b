"""Whether a network that says 90 % is right nine times of ten, and the one number that can mend it.

Guo, Pleiss, Sun, Weinberger 2017, "On Calibration of Modern Neural Networks": the reliability diagram and the expected
calibration error (section 2), temperature scaling (section 4.2).
"""

from dataclasses import dataclass, field

import numpy as np

BINS = 10  # 0 to 10 %, 10 to 20 %, ...
COLDEST, HOTTEST = 0.1, 10.0


@dataclass(frozen=True)
class Calibration:
    """How sure answers were against how often they were right, in BINS equal parts of 0..1.

    count           int64 [BINS], answers in each part
    confidence      float64 [BINS], their mean probability; accuracy the share that was right; nan where count is 0
    error           expected calibration error, 0..1: the mean distance of the two, each part weighing by its answers
    overconfidence  mean probability minus share that was right, -1..1: above 0 it promises too much
    """

    count: np.ndarray = field(repr=False)
    confidence: np.ndarray = field(repr=False)
    accuracy: np.ndarray = field(repr=False)
    error: float
    overconfidence: float


def calibration(confidence: np.ndarray, right: np.ndarray) -> Calibration:
    """confidence [n] in 0..1, right bool [n], n > 0; a part holds its upper end (as in the paper), the first also 0."""
    parts = np.clip(np.ceil(confidence.astype(np.float64) * BINS).astype(int) - 1, 0, BINS - 1)
    count = np.bincount(parts, minlength=BINS)
    with np.errstate(invalid="ignore"):
        sure = np.bincount(parts, confidence, BINS) / count
        share = np.bincount(parts, right, BINS) / count
    filled = count > 0
    error = float((count[filled] * np.abs(sure - share)[filled]).sum() / count.sum())
    return Calibration(count, sure, share, error, float(confidence.mean() - right.mean()))


def softened(logits: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(logits / temperature), float64 [n, classes]: above 1 less sure, below 1 surer, the same answers."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def loss(logits: np.ndarray, true: np.ndarray, temperature: float) -> float:
    """Mean cross entropy of softened answers, in nats."""
    scaled = logits.astype(np.float64) / temperature
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    return float((np.log(np.exp(scaled).sum(axis=1)) - scaled[np.arange(len(true)), true]).mean())


def best_temperature(logits: np.ndarray, true: np.ndarray) -> float:
    """The temperature of the least loss on these pictures, COLDEST..HOTTEST."""
    from scipy.optimize import minimize_scalar

    ends = np.log(COLDEST), np.log(HOTTEST)
    found = minimize_scalar(lambda power: loss(logits, true, np.exp(power)), bounds=ends, method="bounded")
    return float(np.exp(found.x))
