"""Optimisers, each a name and a function."""

import torch
from torch import nn

from .config import Config


def _sgd(groups, config: Config, fused: bool):
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=config.nesterov and config.momentum > 0, fused=fused)


def _adam(groups, config: Config, fused: bool):
    return torch.optim.Adam(groups, lr=config.lr, fused=fused)


def _adamw(groups, config: Config, fused: bool):
    """Weight decay beside the gradient's own scale, not through it (Loshchilov and Hutter 2019)."""
    return torch.optim.AdamW(groups, lr=config.lr, fused=fused)


OPTIMIZERS = {"sgd": _sgd, "adam": _adam, "adamw": _adamw}


def make_optimizer(model: nn.Module, config: Config) -> torch.optim.Optimizer:
    """The config's optimiser over two groups: weights (decayed) and biases with normalisation parameters (not)."""
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return OPTIMIZERS[config.optimizer](groups, config, fused=config.device != "mps")
