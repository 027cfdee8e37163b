"""Optimisers, each a name and a function."""

import torch
from torch import nn

from .config import Config
from .fine_tuning import HEAD


def _sgd(groups, config: Config, fused: bool):
    return torch.optim.SGD(
        groups, lr=config.lr, momentum=config.momentum, nesterov=config.nesterov and config.momentum > 0, fused=fused
    )


def _adam(groups, config: Config, fused: bool):
    return torch.optim.Adam(groups, lr=config.lr, fused=fused)


def _adamw(groups, config: Config, fused: bool):
    """Weight decay beside the gradient's own scale, not through it (Loshchilov and Hutter 2019)."""
    return torch.optim.AdamW(groups, lr=config.lr, fused=fused)


OPTIMIZERS = {"sgd": _sgd, "adam": _adam, "adamw": _adamw}


def make_optimizer(model: nn.Module, config: Config) -> torch.optim.Optimizer:
    """The config's optimiser over groups: weights (decayed), biases and normalisation parameters (not,
    unless decay_all).

    Where the last layer has a rate of its own, it has two groups of its own, whose "lr_factor" says so.
    """
    learning = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    parts = [([p for _, p in learning], 1.0)]
    if config.head_lr_factor != 1:
        head = [p for name, p in learning if name.startswith(f"{HEAD}.")]
        parts = [([p for name, p in learning if not name.startswith(f"{HEAD}.")], 1.0), (head, config.head_lr_factor)]
    groups = [
        {"params": chosen, "weight_decay": decay, "lr_factor": factor}
        for parameters, factor in parts
        for chosen, decay in (
            ([p for p in parameters if p.ndim > 1], config.weight_decay),
            ([p for p in parameters if p.ndim <= 1], config.weight_decay if config.decay_all else 0.0),
        )
        if chosen
    ]
    return OPTIMIZERS[config.optimizer](groups, config, fused=config.device != "mps")
