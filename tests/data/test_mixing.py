"""Pairs and shares of mixup."""

import pytest
import torch

from resnet_viz.data.mixing import draw, mix


def test_pairs_follow_from_seed_epoch_and_sample_alone():
    first = draw(3, 1, 50, 0.4)
    torch.manual_seed(5)
    again = draw(3, 1, 50, 0.4)
    assert torch.equal(first.partner, again.partner) and torch.equal(first.share, again.share)
    for other in (draw(3, 2, 50, 0.4), draw(4, 1, 50, 0.4)):
        assert not torch.equal(first.partner, other.partner) and not torch.equal(first.share, other.share)


def test_every_picture_is_a_partner_once_and_shares_are_beta():
    found = draw(0, 0, 20_000, 0.4)
    assert torch.equal(found.partner.sort().values, torch.arange(20_000))
    assert found.share.mean().item() == pytest.approx(0.5, abs=0.01)
    assert found.share.var().item() == pytest.approx(1 / (4 * (2 * 0.4 + 1)), abs=0.005)


def test_nothing_is_mixed_at_0():
    assert draw(0, 0, 10, 0.0) is None


def test_a_mixture_is_the_weighted_mean():
    a, b, share = torch.rand(4, 3, 2, 2), torch.rand(4, 3, 2, 2), torch.tensor([0.0, 0.25, 0.5, 1.0])
    expected = share.view(4, 1, 1, 1) * a + (1 - share.view(4, 1, 1, 1)) * b
    torch.testing.assert_close(mix(a, b, share), expected)
