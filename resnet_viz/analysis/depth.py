"""Why depth hurt: how much of the pull at the last convolution is left, layer by layer on the way back to the pictures,
in networks that have learned nothing yet; and two depths in training, with and without shortcuts.

The pull is the L2 norm of the gradient of a layer's weights. A sigmoid lets at most a quarter through (its slope is at
most 0.25); the weights between two sigmoids, batch norm and shortcuts have their part too, so that 0.25^depth is a part
of the product and no law for it (Glorot and Bengio: AISTATS 2010, section 4.2; He et al.: CVPR 2016, sections 1, 4.1
and 4.2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import runs
from . import activations
from .gradient_history import Reader
from .gradient_probe import Combination, Probed
from .gradient_words import LEAST

SLOPE = 0.25  # the most that a sigmoid's derivative is, at 0
DEPTHS = (8, 20, 32, 56, 110)
CURES = (  # in the order in which they were found
    Combination("sigmoid", False, False),
    Combination("relu", False, False),
    Combination("relu", True, False),
    Combination("relu", False, True),
    Combination("relu", True, True),
)
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky-relu", "elu")


@dataclass(frozen=True)
class Way:
    """How one network's gradient fares on its way back.

    back    0, 1, ..., depth - 2: layers back from the last convolution
    shares  float64, of each layer's gradient norm in the last convolution's; 1 at the beginning, 0 where float32 has
            nothing left
    """

    probed: Probed
    shares: np.ndarray

    @property
    def depth(self) -> int:
        return len(self.probed.layers)

    @property
    def back(self) -> np.ndarray:
        return np.arange(len(self.shares))

    def share(self, back: int) -> float:
        """Of the layer so far back, or of the first one where the network ends before."""
        return float(self.shares[min(back, len(self.shares) - 1)])

    def factor(self, back: int) -> float:
        """What a layer lets through in the geometric mean, over so many layers back; 1 before the first."""
        back = min(back, len(self.shares) - 1)
        return float(self.shares[back]) ** (1 / back) if back else 1.0

    @property
    def lost(self) -> int | None:
        """So many layers back float32 has nothing left; None where something arrives."""
        gone = np.flatnonzero(self.shares == 0)
        return int(gone[0]) if len(gone) else None


def way(probed: Probed) -> Way:
    """From the last convolution to the first; the linear layer behind it is left out."""
    norms = np.array(probed.norms[-2::-1], dtype=np.float64)
    return Way(probed, norms / norms[0] if norms[0] else np.zeros_like(norms))


def quarter(back) -> np.ndarray:
    """0.25 to the power of so many layers: what the sigmoids alone would leave, at the most."""
    return SLOPE ** np.asarray(back, dtype=np.float64)


def slope_of(activation: str) -> tuple[np.ndarray, np.ndarray]:
    """(x, derivative) of one of ACTIVATIONS from -6 to 6, to draw."""
    named = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "leaky-relu": "leaky ReLU", "elu": "ELU"}
    x, _, slope = activations.curve(named[activation])
    return x, slope


# Two depths in training

PAIRS = {  # word -> (shallow, deep), bundled runs of one recipe
    "plain": ("plain20-cifar10-jpeg", "plain56-cifar10-jpeg"),
    "residual": ("resnet20-short-cifar10-jpeg", "resnet56-cifar10-jpeg"),
}
TEST_PICTURES = 10_000  # of CIFAR-10, on which these were tested


@dataclass(frozen=True)
class Learned:
    """One finished run, epoch by epoch; errors are shares 0..1 of pictures answered wrongly.

    train    while it learned: its training pictures, cropped and flipped, the mean over the epoch's batches
    held_out validation pictures, after the epoch
    test     once, at the end; pulls: geometric mean over the epoch of the first layer's gradient norm
    reach    of the first layer's gradient in the last convolution's, geometric mean over the epoch
    """

    name: str
    network: str
    config: dict
    epochs: np.ndarray
    train: np.ndarray
    held_out: np.ndarray
    test: float
    pictures: int
    test_pictures: int
    pulls: np.ndarray
    reach: np.ndarray

    @property
    def depth(self) -> int:
        return int("".join(filter(str.isdigit, self.network)))

    @property
    def gap(self) -> float:
        """Held-out error minus training error at the end: what overfitting would make large."""
        return float(self.held_out[-1] - self.train[-1])


def learned(run: Path, test_pictures: int = TEST_PICTURES) -> Learned:
    """Read off a finished run's own files: metrics.jsonl and gradients.jsonl."""
    metrics, config = runs.Metrics(run).refresh(), runs.read_config(run)
    train, val = metrics["train"], metrics["val"]
    epochs = val["epoch"].astype(int)
    covered = np.maximum(np.diff(train["images"], prepend=0.0), 1)
    inside = [train["epoch"] == epoch - 1 for epoch in epochs]  # a row's epoch counts the finished ones
    first, last = _gradients(run, epochs)
    return Learned(
        run.name, config["network"], config, epochs,
        np.array([1 - np.average(train["accuracy"][rows], weights=covered[rows]) for rows in inside]),
        1 - val["accuracy"], float(1 - metrics["test"]["accuracy"][-1]),
        round(float(train["images"][-1]) / len(epochs)), test_pictures, first, first / last,
    )


def _gradients(run: Path, epochs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first layer's and the last convolution's gradient norm in each epoch, geometric means."""
    history = Reader(run).refresh()
    steps = runs.Metrics(run).refresh()["val"]["step"]
    epoch_of = np.searchsorted(steps, history.steps, side="left")
    logs = np.log(history.norm[[0, history.last_convolution]])
    means = np.array([np.exp(logs[:, epoch_of == index].mean(1)) for index in range(len(epochs))])
    return means[:, 0], means[:, 1]


def chance(error: float, pictures: int) -> float:
    """Standard error of a share that was measured on so many pictures: sqrt(p (1 - p) / n)."""
    return math.sqrt(error * (1 - error) / pictures)


def verdicts(shallow: Learned, deep: Learned) -> dict[str, bool]:
    """What could be the matter with the deeper of two -> whether these runs say so.

    degradation   its training error is higher, by more than chance
    overfitting   its training error is not, but its test error is
    vanishing     its first layer is pulled at less than a thousandth as strongly as its last convolution
    """
    worse = deep.train[-1] > shallow.train[-1] + doubt(shallow, deep, "train")
    test = deep.test > shallow.test + doubt(shallow, deep, "test")
    return {"degradation": bool(worse), "overfitting": bool(not worse and test),
            "vanishing": bool(np.median(deep.reach) < LEAST)}


def doubt(shallow: Learned, deep: Learned, which: str) -> float:
    """Two standard errors of the difference of their errors; less than that is chance. which: "train" or "test"."""
    errors = [(one.train[-1], one.pictures) if which == "train" else (one.test, one.test_pictures)
              for one in (shallow, deep)]
    return 2 * math.hypot(*(chance(float(error), pictures) for error, pictures in errors))


def rows(found: Sequence[Learned]) -> list[dict]:
    """One row a run and epoch, errors as shares."""
    return [{"network": one.network, "epoch": int(epoch), "training error": float(one.train[i]),
             "held-out error": float(one.held_out[i]), "gradient of the first layer": float(one.pulls[i]),
             "first / last convolution": float(one.reach[i])}
            for one in found for i, epoch in enumerate(one.epochs)]
