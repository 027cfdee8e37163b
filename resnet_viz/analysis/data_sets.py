"""A data set by its classes: mean pictures, the mean and standard deviation of its values, and what a sample says of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..data.sources import Pictures

CHUNK = 2**24  # values at a time
SHOWN = 48  # pictures of a class


@dataclass(frozen=True)
class Summary:
    """One split by the classes of one head.

    counts    pictures of each class
    shape     (channels, height, width)
    mean, std of each channel over all pictures, values 0..1; std divides by the number of values
    """

    name: str
    classes: tuple[str, ...]
    counts: tuple[int, ...]
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def pictures(self) -> int:
        return sum(self.counts)


def of_head(pictures: Pictures, head: int) -> tuple[Tensor, tuple[str, ...]]:
    """(labels int64 [N], class names) of one head."""
    first = sum(pictures.heads[:head])
    return pictures.labels[:, head], pictures.classes[first:first + pictures.heads[head]]


def summary(pictures: Pictures, head: int = 0) -> Summary:
    labels, classes = of_head(pictures, head)
    mean, std = statistics(pictures.images)
    counts = torch.bincount(labels, minlength=len(classes)).tolist()
    return Summary(pictures.name, classes, tuple(counts), tuple(pictures.images.shape[1:]), mean, std)


def statistics(images: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of uint8 [N, C, H, W], as numbers of 0..1: exact, by whole sums."""
    total = torch.zeros(images.shape[1], dtype=torch.int64)
    squares = torch.zeros_like(total)
    for part in _parts(images):
        wide = part.to(torch.int32)
        total += wide.sum(dim=(0, 2, 3), dtype=torch.int64)
        squares += (wide * wide).sum(dim=(0, 2, 3), dtype=torch.int64)
    count = images.numel() // images.shape[1]
    mean = total.double() / count
    variance = squares.double() / count - mean * mean
    return tuple((mean / 255).tolist()), tuple((variance.clamp(min=0).sqrt() / 255).tolist())


def mean_pictures(images: Tensor, labels: Tensor, classes: int, most: int | None = None) -> np.ndarray:
    """The mean of each class's first `most` pictures, rounded: uint8 [classes, H, W, C]; grey 128 for a class without any."""
    sums = torch.zeros(classes, *images.shape[1:], dtype=torch.int64)
    counts = torch.zeros(classes, dtype=torch.int64)
    chosen = torch.cat([(labels == c).nonzero()[:most, 0] for c in range(classes)])
    for part in chosen.split(max(1, CHUNK // max(1, images[0].numel()))):
        sums.index_add_(0, labels[part], images[part].long())
        counts += torch.bincount(labels[part], minlength=classes)
    means = (sums / counts.clamp(min=1).view(-1, 1, 1, 1)).round()
    means[counts == 0] = 128
    return means.to(torch.uint8).permute(0, 2, 3, 1).numpy()


def of_class(images: Tensor, labels: Tensor, class_: int, count: int = SHOWN) -> np.ndarray:
    """The first pictures of a class: uint8 [n, H, W, C]."""
    return images[(labels == class_).nonzero()[:count, 0]].permute(0, 2, 3, 1).numpy()


def samples(images: Tensor, sizes: Sequence[int], seed: int = 0) -> list[dict]:
    """Mean and standard deviation as ever larger samples tell them, all channels together; the last row is all pictures."""
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    rows = []
    for size in [size for size in sizes if size < len(images)] + [len(images)]:
        mean, std = statistics(images[order[:size]] if size < len(images) else images)
        rows.append({"pictures": size, **{f"mean {c}": m for c, m in zip(_names(images), mean)},
                     **{f"std {c}": s for c, s in zip(_names(images), std)}})
    return rows


def by_class(pictures: Pictures, head: int = 0) -> list[dict]:
    """One row a class: how many pictures, mean and standard deviation of all its values."""
    labels, classes = of_head(pictures, head)
    rows = []
    for index, name in enumerate(classes):
        images = pictures.images[labels == index]
        mean, std = statistics(images.reshape(len(images), 1, -1, 1)) if len(images) else ((float("nan"),),) * 2
        rows.append({"class": name, "pictures": len(images), "mean": mean[0], "std": std[0]})
    return rows


def _names(images: Tensor) -> tuple[str, ...]:
    return ("red", "green", "blue") if images.shape[1] == 3 else ("grey",)


def _parts(images: Tensor):
    return images.split(max(1, CHUNK // max(1, images[0].numel()))) if len(images) else ()
