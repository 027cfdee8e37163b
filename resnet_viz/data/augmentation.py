"""Pictures changed a little at every epoch, as one batch of tensor work on the device.

What happens to a sample depends on (seed, epoch, sample index) alone: the choices for a whole epoch are drawn in
sample order before it begins. So a resumed run, a twin run, and a run on any number of processes see the same pictures.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

# Each kind of choice has a stream of random numbers of its own, so that one more leaves the others as they were.
ORDER, FLIP, CROP, FLIP_VERTICAL, TURN, WINDOW, COLOUR, NOISE, HOLE, MIX = range(10)


def generator(seed: int, epoch: int, stream: int) -> torch.Generator:
    """A CPU generator that only (seed, epoch, stream) decide; neighbouring seeds are unrelated."""
    mixed = (seed * 1_000_003 + epoch) * 1_000_003 + stream
    return torch.Generator().manual_seed(mixed % (2**63))


def batch_order(seed: int, epoch: int, count: int) -> Tensor:
    """The samples of one epoch in the order they are learned from: int64 [count], a permutation."""
    return torch.randperm(count, generator=generator(seed, epoch, ORDER))


@dataclass(frozen=True)
class Choices:
    """What happens to each sample in one epoch: mirrored or not, and where the crop begins.

    flip    bool [N]
    offset  int64 [N, 2], rows and columns, 0 .. 2 x crop_padding
    flip_vertical  bool [N], or None where nothing is turned upside down
    """

    flip: Tensor
    offset: Tensor
    crop_padding: int
    flip_vertical: Tensor | None = None

    def of(self, samples: Tensor, device: torch.device) -> "Choices":
        """The choices for these samples (int64 [B]), on the device."""
        return self._each(lambda table: table[samples].to(device))

    def to(self, device: torch.device) -> "Choices":
        """The tables of the whole epoch on the device: then no step waits for a copy."""
        return self._each(lambda table: table.to(device))

    def _each(self, change) -> "Choices":
        upside_down = None if self.flip_vertical is None else change(self.flip_vertical)
        return Choices(change(self.flip), change(self.offset), self.crop_padding, upside_down)


def draw(seed: int, epoch: int, count: int, flip: float, crop_padding: int, flip_vertical: float = 0.0) -> Choices:
    """The choices of one epoch for `count` samples; the flips are probabilities, `crop_padding` pixels a side."""
    mirrored = torch.rand(count, generator=generator(seed, epoch, FLIP)) < flip
    offset = torch.randint(0, 2 * crop_padding + 1, (count, 2), generator=generator(seed, epoch, CROP))
    upside_down = torch.rand(count, generator=generator(seed, epoch, FLIP_VERTICAL)) < flip_vertical if flip_vertical else None
    return Choices(mirrored, offset, crop_padding, upside_down)


def augment(images: Tensor, choices: Choices) -> Tensor:
    """Mirror and crop a batch: [B, C, H, W] of any type -> the same shape. The border is filled with zeros."""
    images = torch.where(choices.flip.view(-1, 1, 1, 1), images.flip(3), images)
    if choices.flip_vertical is not None:
        images = torch.where(choices.flip_vertical.view(-1, 1, 1, 1), images.flip(2), images)
    if choices.crop_padding == 0:
        return images
    height, width = images.shape[2:]
    padded = F.pad(images, (choices.crop_padding,) * 4)
    windows = padded.unfold(2, height, 1).unfold(3, width, 1)  # a view: every place where a crop can begin
    batch = torch.arange(len(images), device=images.device)
    return windows[batch, :, choices.offset[:, 0], choices.offset[:, 1]]
