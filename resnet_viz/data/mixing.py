"""Mixup: every picture blended with another, and its answer too (Zhang, Cisse, Dauphin, Lopez-Paz: ICLR 2018).

The partner is any training picture, not only one of the batch: so the pair, too, follows from (seed, epoch, sample
index) alone, whatever the batch size and however many processes share the batch.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .augmentation import MIX, generator


@dataclass(frozen=True)
class Mixture:
    """partner: int64 [N], a permutation. share: float32 [N], 0..1, of the sample's own picture and answer."""

    partner: Tensor
    share: Tensor

    def to(self, device: torch.device) -> "Mixture":
        return Mixture(self.partner.to(device), self.share.to(device))

    def of(self, samples: Tensor) -> "Mixture":
        return Mixture(self.partner[samples], self.share[samples])


def draw(seed: int, epoch: int, count: int, alpha: float) -> Mixture | None:
    """The pairs of one epoch; shares from Beta(alpha, alpha). None for alpha 0: nothing is mixed."""
    if not alpha:
        return None
    partner = torch.randperm(count, generator=generator(seed, epoch, MIX))
    shares = np.random.default_rng([seed, epoch, MIX]).beta(alpha, alpha, count)  # torch has no Beta with a generator
    return Mixture(partner, torch.from_numpy(shares).float())


def mix(pictures: Tensor, partners: Tensor, share: Tensor) -> Tensor:
    """Float [B, C, H, W] twice and [B] -> share x picture + (1 - share) x partner."""
    return partners.lerp(pictures, share.view(-1, 1, 1, 1))
