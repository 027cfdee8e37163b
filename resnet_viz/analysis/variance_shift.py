"""Dropout's quarrel with batch norm: the variance that batch norm learned is not the one that it meets when asked.

In training a number x becomes x m / (1 - p), with m = 1 in a share 1 - p of the draws: its mean stays E[x], its
variance grows to E[x^2] / (1 - p) - E[x]^2. Batch norm keeps that variance, and divides by it when dropout is off and
the variance is E[x^2] - E[x]^2 (Li, Chen, Hu, Yang: CVPR 2019, section 3). Measured here in a trained network: dropout
is put before the second batch norm of every block, all batch norms learn their statistics anew (no weight changes), and
it is asked.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..problems import Problem

SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7)
BATCH = 64


@dataclass(frozen=True)
class Shift:
    """What dropout with chance p does to a network whose weights stay.

    trained, asked   variance before the watched batch norm, mean of its channels: as it learned it, and without dropout
    expected         what the formula makes of the numbers without dropout, mean of the channels; near `trained`
    ratio            asked / trained, the mean of the channels' own ratios; 1 is no quarrel
    output           variance behind it when asked, before gamma and beta: 1 is what it was made for
    right            share of pictures answered rightly when asked; mended: with the statistics of p = 0
    """

    p: float
    trained: float
    asked: float
    expected: float
    ratio: float
    output: float
    right: float
    mended: float


def of_numbers(values: Tensor, p: float) -> tuple[float, float]:
    """(variance in training, variance when asked) of numbers float [...] under dropout, by the formula above."""
    values = values.double()
    mean, square = values.mean(), values.square().mean()
    return (square / (1 - p) - mean.square()).item(), (square - mean.square()).item()


def drop(x: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """What nn.Dropout(p) does in training, drawn from a generator of its own."""
    return x * (torch.rand(x.shape, generator=generator) >= p) / (1 - p)


def measure(model: nn.Module, pictures: Tensor, labels: Tensor, shares=SHARES, seed: int = 0) -> Iterator[Shift]:
    """One Shift after another; works on copies, the model stays as it is.

    pictures   float32 [N, C, H, W], normalised; labels int64 [N]. Every second one serves the statistics and the
               variances, the others are asked. The watched batch norm is the first one behind dropout.
    """
    learned, others = pictures[0::2], pictures[1::2]
    arriving = mended = None
    for p in shares:
        twin = copy.deepcopy(model).eval()
        watched = _with_dropout(twin, p, seed)
        _relearn(twin, learned)
        for module in twin.modules():
            for hook in getattr(module, "dropped", []):
                hook.remove()
        if arriving is None:  # what comes before the first dropout is the same for every p
            arriving = _arriving(twin, watched, learned)
        both = [of_numbers(channel, p) for channel in arriving]
        expected, variance = (torch.tensor(values, dtype=torch.float32) for values in zip(*both))
        right = (_answers(twin, others).argmax(1) == labels[1::2]).float().mean().item()
        mended = right if mended is None else mended
        yield Shift(p, watched.running_var.mean().item(), variance.mean().item(), expected.mean().item(),
                    (variance / watched.running_var).mean().item(),
                    (variance / (watched.running_var + watched.eps)).mean().item(), right, mended)


def _answers(model: nn.Module, pictures: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([model(part) for part in pictures.split(BATCH)])


def _arriving(model: nn.Module, watched: nn.Module, pictures: Tensor) -> Tensor:
    """What arrives there without dropout, channel by channel: float32 [channels, pictures x places]."""
    seen: list[Tensor] = []
    hook = watched.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].transpose(0, 1).flatten(1)))
    _answers(model, pictures)
    hook.remove()
    return torch.cat(seen, 1)


def _with_dropout(model: nn.Module, p: float, seed: int) -> nn.BatchNorm2d:
    """Dropout before every block's second batch norm; returns the first of them."""
    generator, watched = torch.Generator().manual_seed(seed), None
    for module in model.modules():
        if isinstance(getattr(module, "bn2", None), nn.BatchNorm2d):
            hook = module.bn2.register_forward_pre_hook(lambda _, inputs: (drop(inputs[0], p, generator),))
            module.bn2.dropped, watched = [hook], watched or module.bn2
    if watched is None:
        raise Problem("This network has no blocks with batch norm; choose a residual one.")
    return watched


def _relearn(model: nn.Module, pictures: Tensor) -> None:
    """Every batch norm's running mean and variance anew, as plain averages over the batches; nothing else changes."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        for part in pictures.split(BATCH):
            model(part)
    for norm in norms:
        norm.eval()
