"""Which pictures are learned from, which are held out, and which few stand for all: seeded, every class in its share."""

import torch
from torch import Tensor

from ..problems import Problem


def split_validation(labels: Tensor, fraction: float, limit: int | None, seed: int) -> tuple[Tensor, Tensor]:
    """(indices to learn from, indices held out), both int64 and disjoint: seeded, and each class in its share.

    labels    int64 [N]
    fraction  share of each class that is held out, 0 for none
    limit     learn from at most that many, again in the classes' shares
    """
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    rank = _rank_within_class(labels[shuffled])  # 0, 1, 2, ... within each class, in shuffled order
    counts = torch.bincount(labels)[labels[shuffled]]
    held = rank < (counts * fraction).round()
    if fraction > 0 and not held.any():
        raise Problem(f"val_fraction {fraction:g} of {len(labels)} pictures holds out none; raise it, or set it to 0.")
    kept = shuffled[~held]
    if len(kept) == 0:
        raise Problem("No picture is left to learn from; lower val_fraction or add pictures.")
    if limit is not None:
        kept = kept[_evenly(labels[kept], limit)]
    return kept.sort().values, shuffled[held].sort().values


def some_of_each(labels: Tensor, limit: int | None, seed: int = 0) -> Tensor:
    """At most `limit` indices, sorted: a seeded draw in the classes' shares; all where limit is None."""
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    return shuffled[_evenly(labels[shuffled], limit)].sort().values


def _evenly(labels: Tensor, limit: int | None) -> Tensor:
    """The places to take so that every class goes down at the same pace; order within a class is kept."""
    share = (_rank_within_class(labels) + 0.5) / torch.bincount(labels)[labels]
    return torch.argsort(share, stable=True)[:limit]


def _rank_within_class(labels: Tensor) -> Tensor:
    order = torch.argsort(labels, stable=True)
    counts = torch.bincount(labels)
    start = torch.repeat_interleave(counts.cumsum(0) - counts, counts)
    rank = torch.empty_like(labels)
    rank[order] = torch.arange(len(labels)) - start
    return rank


def one_of_each(labels: Tensor, count: int = 10) -> Tensor:
    """`count` indices: the first picture of each of the first classes, filled up with the first others."""
    firsts = [int((labels == c).nonzero()[0]) for c in labels.unique().tolist()[:count]]
    others = [i for i in range(min(len(labels), 2 * count)) if i not in firsts]
    return torch.tensor((firsts + others)[:count])
