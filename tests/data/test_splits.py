"""Held-out pictures: disjoint, every class in its share, decided by the seed alone."""

import pytest
import torch

from resnet_viz.data.splits import one_of_each, some_of_each, split_validation
from tests.refusals import refused


def labels(*counts: int, seed: int = 0) -> torch.Tensor:
    """`counts[c]` labels of class c, shuffled."""
    ordered = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return ordered[torch.randperm(len(ordered), generator=torch.Generator().manual_seed(seed))]


COUNTS = (100, 50, 37, 10, 3)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 0.5])
def test_disjoint_complete_and_in_shares(fraction):
    y = labels(*COUNTS)
    kept, held = split_validation(y, fraction, None, seed=4)
    assert sorted([*kept.tolist(), *held.tolist()]) == list(range(len(y)))
    assert kept.dtype == held.dtype == torch.int64
    assert kept.tolist() == sorted(kept.tolist())
    assert held.tolist() == sorted(held.tolist())
    found = torch.bincount(y[held], minlength=len(COUNTS)).tolist()
    assert all(abs(f - n * fraction) <= 0.5 for f, n in zip(found, COUNTS))


def test_the_seed_decides_and_torchs_generator_is_left_alone():
    y = labels(*COUNTS)
    before = torch.get_rng_state()
    first, again, other = (split_validation(y, 0.2, 50, seed) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[1], other[1]) and not torch.equal(first[0], other[0])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_limit_takes_from_the_learning_pictures_only_and_in_shares():
    y = labels(400, 200, 100)
    _, held = split_validation(y, 0.1, None, 3)
    for limit in (7, 70, 350):
        kept, also_held = split_validation(y, 0.1, limit, 3)
        assert torch.equal(held, also_held) and len(kept) == limit
        found = torch.bincount(y[kept], minlength=3).tolist()
        assert all(abs(f - limit * n / 700) <= 1 for f, n in zip(found, (400, 200, 100)))


def test_smaller_limits_are_part_of_larger_ones():
    y = labels(40, 60)
    small, large = (set(split_validation(y, 0.1, limit, 0)[0].tolist()) for limit in (10, 50))
    assert small < large


def test_a_limit_above_all_takes_all():
    y = labels(*COUNTS)
    assert torch.equal(split_validation(y, 0.1, 10**9, 0)[0], split_validation(y, 0.1, None, 0)[0])


def test_which_pictures_are_held_out_does_not_follow_their_order_in_the_files():
    _, held = split_validation(torch.zeros(1000, dtype=torch.int64), 0.1, None, 0)
    assert held.double().mean().item() == pytest.approx(500, abs=90) and held.diff().float().std() > 5


def test_splits_that_cannot_be():
    with refused("holds out none"):
        split_validation(labels(3, 3), 0.1, None, 0)
    with refused("No picture is left"):
        split_validation(labels(1, 1), 0.9, None, 0)
    with refused("No picture is left"):
        split_validation(torch.zeros(0, dtype=torch.int64), 0.0, None, 0)


def test_some_of_each():
    y = labels(*COUNTS)
    assert torch.equal(some_of_each(y, None), torch.arange(len(y)))
    assert torch.equal(some_of_each(y, 10**6), torch.arange(len(y)))
    chosen = some_of_each(y, 100)
    assert len(chosen.unique()) == 100 and chosen.tolist() == sorted(chosen.tolist())
    assert all(abs(f - n / 2) <= 1 for f, n in zip(torch.bincount(y[chosen]).tolist(), COUNTS))
    assert torch.equal(chosen, some_of_each(y, 100)) and not torch.equal(chosen, some_of_each(y, 100, seed=1))


def test_as_many_as_classes_give_one_of_each():
    y = labels(30, 30, 30, 30)
    assert y[some_of_each(y, 4)].sort().values.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("counts", "expected"), [((5,) * 10, 10), ((5,) * 12, 10), ((20, 3), 10), ((2, 1), 3),
                                                  ((1,) * 9, 9)])
def test_one_of_each_class_first(counts, expected):
    y = labels(*counts)
    found = one_of_each(y)
    assert len(found) == len(found.unique()) == expected
    classes = y[found].tolist()
    assert classes[:min(10, len(counts))] == list(range(min(10, len(counts))))
    for index, label in zip(found.tolist(), range(min(10, len(counts)))):
        assert index == y.tolist().index(label)
