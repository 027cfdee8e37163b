"""Optimisers and learning-rate schedules, each a name and a function."""

import math

import torch
from torch import nn

from .config import Config

ONE_CYCLE_PEAK = 0.25  # share of the steps after which the one-cycle schedule is at its highest


def constant(progress: float) -> float:
    return 1.0


def cosine(progress: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov and Hutter 2017, equation 5, without restarts)."""
    return 0.5 * (1 + math.cos(math.pi * progress))


def one_cycle(progress: float) -> float:
    """Up in a straight line, then down in one to 0 (Smith and Topin 2017)."""
    if progress < ONE_CYCLE_PEAK:
        return max(progress / ONE_CYCLE_PEAK, 0.01)  # the very first step should move something
    return (1 - progress) / (1 - ONE_CYCLE_PEAK)


SCHEDULES = {"constant": constant, "cosine": cosine, "one-cycle": one_cycle}  # progress 0..1 -> share of config.lr


def learning_rate(config: Config, step: int, total_steps: int) -> float:
    """The rate of update number `step` (0 is the first), before any change by hand."""
    return config.lr * SCHEDULES[config.schedule](step / max(total_steps, 1))


def _sgd(groups, config: Config, fused: bool):
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=config.nesterov and config.momentum > 0, fused=fused)


def _adam(groups, config: Config, fused: bool):
    return torch.optim.Adam(groups, lr=config.lr, fused=fused)


OPTIMIZERS = {"sgd": _sgd, "adam": _adam}


def make_optimizer(model: nn.Module, config: Config) -> torch.optim.Optimizer:
    """The config's optimiser over two groups: weights (decayed) and biases with normalisation parameters (not)."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return OPTIMIZERS[config.optimizer](groups, config, fused=config.device != "mps")
