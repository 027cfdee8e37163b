"""Batch norm in its two moods: one picture's answer among different batch mates, and how the running statistics come.

Ioffe, Szegedy: Batch Normalization (ICML 2015), algorithm 1 (training) and algorithm 2 (what is used afterwards).
In training a channel is normalised by the mean and variance of the batch it is in, so that a picture's answer depends
on the other pictures; in evaluation by running statistics, which every training step has moved a little.
"""

import copy
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..as_found import evaluating
from ..evaluation import probabilities
from ..problems import Problem, one_of

NO_BATCH_NORM = (
    "This network has no batch norm: it answers alike in training and in evaluation. Choose a network "
    "with "
    "batch norm, such as resnet20-cifar10-jpeg."
)
SIZES = (2, 4, 8, 16, 32, 64)
SHUFFLES = 20  # of the batch size that is looked at
WORK = 320  # pictures that the other sizes are asked about, at most; the large ones get fewer shuffles
FEWEST = 5
LARGE, LARGEST_BATCH = 96, 8  # networks that read more pixels a side take their time: batches up to this
EPS = 1e-5  # nn.BatchNorm2d's own


@dataclass(frozen=True)
class Normalised:
    """What one batch-norm channel does to one number of the picture: the middle of its map.

    value            the number as it arrives, one a shuffle
    mean, variance   of the batch that it is normalised with, one a shuffle; the variance is the biased one
    count            numbers that both are taken from
    """

    value: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    count: int


@dataclass(frozen=True)
class Wobble:
    """One picture's answers in training mode, every time with other batch mates.

    size     pictures in a batch, the picture itself included
    mates    int64 [shuffles, size - 1] places in the pool
    answers  float32 [shuffles, classes] probabilities of the first head
    first    the first batch norm's first channel, shuffle by shuffle
    """

    size: int
    mates: np.ndarray
    answers: np.ndarray
    first: Normalised


@dataclass(frozen=True)
class Channel:
    """One channel of one batch norm: what it learned, and the running statistics that it uses in evaluation."""

    layer: str
    mean: float
    variance: float
    scale: float
    shift: float
    eps: float

    def normalise(self, value, mean, variance):
        """algorithm 1, the last two lines."""
        return (value - mean) / np.sqrt(variance + self.eps) * self.scale + self.shift


def norms(model: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """The batch norms with running statistics, by name, in the network's order; a Problem for a network without."""
    found = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.BatchNorm2d) and module.track_running_stats
    }
    if not found:
        raise Problem(NO_BATCH_NORM)
    return found


def channel_of(model: nn.Module, layer: str | None = None, channel: int = 0) -> Channel:
    """One channel of a batch norm; of the first one without a name."""
    known = norms(model)
    name = next(iter(known)) if layer is None else one_of("batch norm", layer, known)
    norm = known[name]
    if not 0 <= channel < norm.num_features:
        raise Problem(f"{name} has the channels 0 to {norm.num_features - 1:,}, not {channel:,}.")
    scale, shift = (1.0, 0.0) if norm.weight is None else (norm.weight[channel].item(), norm.bias[channel].item())
    return Channel(name, float(norm.running_mean[channel]), float(norm.running_var[channel]), scale, shift, norm.eps)


# Two moods


def sizes(picture_size: int, pool: int) -> tuple[int, ...]:
    """The batch sizes that can be looked at: of large pictures only small ones, and no more mates than there are."""
    most = min(LARGEST_BATCH if picture_size > LARGE else SIZES[-1], pool + 1)
    return tuple(size for size in SIZES if size <= most)


def shuffles(size: int, chosen: bool, picture_size: int) -> int:
    """How many shuffles a batch size gets."""
    if picture_size > LARGE:
        return FEWEST
    return SHUFFLES if chosen else max(FEWEST, min(SHUFFLES, WORK // (2 * size)))


def in_evaluation(model: nn.Module, picture: Tensor, heads: tuple[int, ...]) -> np.ndarray:
    """float32 [classes of the first head]: what the network answers alone, and in any company."""
    with evaluating(model), torch.no_grad():
        return probabilities(model(picture), heads)[0, : heads[0]].numpy()


def wobble(
    model: nn.Module, picture: Tensor, pool: Tensor, heads: tuple[int, ...], size: int, count: int, seed: int = 0
) -> Wobble:
    """The picture among `size` - 1 others drawn from the pool, `count` times, with batch norm in training mode.

    picture  float32 [1, C, H, W], pool float32 [N, C, H, W], both normalised; N at least size - 1
    Only batch norm is in training mode (dropout would wobble too). All on a copy: the network's running statistics
    stay as they are.
    """
    if not 2 <= size <= len(pool) + 1:
        raise Problem(
            f"A batch of {size:,} needs at least 2 pictures and at most the {len(pool):,} others and this "
            f"one; choose another size."
        )
    random = np.random.default_rng([seed, size])
    mates = np.stack([random.choice(len(pool), size - 1, replace=False) for _ in range(count)])
    practised, seen, answers = copy.deepcopy(model).eval(), [], []
    for norm in norms(practised).values():
        norm.train()

    def look(module, inputs):
        channel = inputs[0][:, 0].double()
        height, width = channel.shape[1:]
        seen.append(
            (
                float(channel[0, height // 2, width // 2]),
                float(channel.mean()),
                float(channel.var(correction=0)),
                channel.numel(),
            )
        )

    next(iter(norms(practised).values())).register_forward_pre_hook(look)
    with torch.no_grad(), _alone(picture.shape[-1] <= LARGE):
        for others in mates:
            batch = torch.cat([picture, pool[others]]).contiguous(memory_format=torch.channels_last)
            answers.append(probabilities(_asked(practised, batch), heads)[0, : heads[0]].numpy())
    value, mean, variance, counts = (np.array(part) for part in zip(*seen))
    return Wobble(size, mates, np.stack(answers), Normalised(value, mean, variance, int(counts[0])))


@contextmanager
def _alone(small: bool):
    """Many passes over few small pictures in one thread: several wait for each other longer than they work."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if small else before)  # of this thread only
        yield
    finally:
        torch.set_num_threads(before)


def _asked(model: nn.Module, batch: Tensor) -> Tensor:
    try:
        return model(batch)
    except ValueError as error:  # torch's, where a channel has only one number
        raise Problem(
            "A channel of this network has a single number here, and one number has no variance; choose a larger batch."
        ) from error


def spread(answers: np.ndarray, label: int) -> float:
    """Standard deviation of one class's probability over the shuffles, 0..1."""
    return float(answers[:, label].std())


# Running statistics


@dataclass(frozen=True)
class Running:
    """A fresh batch norm that meets batch after batch.

    means, variances    float64 [steps + 1] its running statistics; [0] are those of a fresh layer, 0 and 1
    batch_means         float64 [steps] of each batch, batch_variances the unbiased ones, which the layer learns from
    mean, variance      of all the data
    momentum            weight of the newest batch; None averages all batches alike
    """

    means: np.ndarray
    variances: np.ndarray
    batch_means: np.ndarray
    batch_variances: np.ndarray
    mean: float
    variance: float
    momentum: float | None

    def expected(self, start: float, end: float) -> np.ndarray:
        """[steps + 1] where a statistic would be if every batch had that of all the data."""
        steps = np.arange(len(self.means))
        left = np.where(steps == 0, 1.0, 0.0) if self.momentum is None else (1 - self.momentum) ** steps
        return end + (start - end) * left


class _Reached(Exception):
    """The layer's input is known; what comes after it is not needed."""


def arriving(model: nn.Module, images: Tensor, layer: str, channel: int, batch: int = 32) -> np.ndarray:
    """float64 [N, H, W]: one channel of what arrives at a batch norm, in evaluation. The model is left as it was found.

    images  float32 [N, C, H, W], normalised
    """
    found = []

    def keep(module, inputs):
        found.append(inputs[0][:, channel].detach().double().numpy())
        raise _Reached

    known = norms(model)
    norm = known[one_of("batch norm", layer, known)]
    channel_of(model, layer, channel)
    with evaluating(model), torch.no_grad():
        norm.register_forward_pre_hook(keep)
        for part in images.split(batch):
            try:
                model(part)
            except _Reached:
                pass
    return np.concatenate(found)


def running(values: np.ndarray, size: int, momentum: float | None, steps: int, seed: int = 0) -> Running:
    """A fresh nn.BatchNorm2d in training mode, given batches of the data in a shuffled order, epoch after epoch.

    values  [N, H, W], one channel of N pictures; size of a batch 1..N
    """
    if not 1 <= size <= len(values) or values[0].size * size < 2:
        raise Problem(
            f"A batch of {size:,} of {len(values):,} pictures has no variance to learn from; choose another size."
        )
    random, queue, data = np.random.default_rng(seed), [], torch.from_numpy(np.asarray(values, dtype=float))
    layer = nn.BatchNorm2d(1, momentum=momentum).double().train()
    rows = [(layer.running_mean.item(), layer.running_var.item(), 0.0, 0.0)]
    with torch.no_grad():
        for _ in range(steps):
            if len(queue) < size:
                queue = random.permutation(len(data)).tolist()
            batch, queue = data[queue[:size]], queue[size:]
            layer(batch[:, None])
            rows.append((layer.running_mean.item(), layer.running_var.item(), batch.mean().item(), batch.var().item()))
    means, variances, batch_means, batch_variances = np.array(rows).T
    return Running(
        means, variances, batch_means[1:], batch_variances[1:], float(data.mean()), float(data.var()), momentum
    )


# By numbers: the slides' layout


def made_batch(seed: int = 0) -> np.ndarray:
    """int64 [4 pictures, 3 channels, 2, 2] of whole numbers 1 to 8: 16 numbers a channel, as the slides lay it out."""
    return np.random.default_rng(seed).integers(1, 9, (4, 3, 2, 2))


@dataclass(frozen=True)
class Worked:
    """A batch through batch norm, channel by channel.

    x, output        [N, C, H, W]
    mean, variance   [C] that it was normalised with
    batch_mean, batch_variance   [C] of this batch; the biased one. In training the same as the two above
    unbiased         [C] the batch's variance divided by n - 1, which the running variance learns from
    centred, normal  [N, C, H, W] x - mean, and that divided by the root of variance + eps
    """

    x: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    batch_mean: np.ndarray
    batch_variance: np.ndarray
    unbiased: np.ndarray
    centred: np.ndarray
    normal: np.ndarray
    output: np.ndarray


def by_numbers(x: np.ndarray, mode: str, scale: float = 1.0, shift: float = 0.0, momentum: float = 0.1) -> Worked:
    """Batch norm in NumPy; in evaluation with the running statistics of a fresh layer after this one batch."""
    one_of("mode", mode, ("train", "evaluation"))
    batch_mean, batch_variance = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
    unbiased = x.var(axis=(0, 2, 3), ddof=1)
    mean, variance = batch_mean, batch_variance
    if mode == "evaluation":
        mean, variance = momentum * batch_mean, (1 - momentum) + momentum * unbiased
    centred = x - mean[:, None, None]
    normal = centred / np.sqrt(variance + EPS)[:, None, None]
    return Worked(x, mean, variance, batch_mean, batch_variance, unbiased, centred, normal, normal * scale + shift)
