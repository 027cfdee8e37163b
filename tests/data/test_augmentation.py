"""Flips and crops against a slow loop; and what happens to a sample is decided by seed, epoch and sample alone."""

import pytest
import torch

from resnet_viz.data.augmentation import Choices, augment, batch_order, draw

CPU = torch.device("cpu")


def numbered(count: int, channels: int = 3, height: int = 6, width: int = 8) -> torch.Tensor:
    """Pictures whose every pixel is different and above 0, so that a border of zeros shows."""
    pixels = torch.arange(1, count * channels * height * width + 1, dtype=torch.int32)
    return pixels.view(count, channels, height, width)


def by_hand(images: torch.Tensor, choices: Choices) -> torch.Tensor:
    out = torch.zeros_like(images)
    count, channels, height, width = images.shape
    for n in range(count):
        for row in range(height):
            for column in range(width):
                r = row + int(choices.offset[n, 0]) - choices.crop_padding
                c = column + int(choices.offset[n, 1]) - choices.crop_padding
                if 0 <= r < height and 0 <= c < width:
                    out[n, :, row, column] = images[n, :, r, width - 1 - c if choices.flip[n] else c]
    return out


@pytest.mark.parametrize("crop_padding", [0, 1, 4])
@pytest.mark.parametrize("flip", [0.0, 0.5, 1.0])
def test_flips_and_crops_are_those_of_a_slow_loop(flip, crop_padding):
    images = numbered(12)
    choices = draw(3, 1, 12, flip, crop_padding)
    assert torch.equal(augment(images, choices), by_hand(images, choices))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_type_and_shape_stay(dtype):
    images = numbered(4, channels=1).to(dtype)
    out = augment(images, draw(0, 0, 4, 0.5, 2))
    assert out.dtype == dtype and out.shape == images.shape


def test_nothing_to_do_changes_nothing():
    images = numbered(5)
    assert torch.equal(augment(images, draw(0, 0, 5, 0.0, 0)), images)


@pytest.mark.parametrize("batch", [1, 7, 16, 50])
def test_any_split_into_batches_gives_the_same_pictures(batch):
    images = numbered(50)
    choices = draw(11, 4, 50, 0.5, 3)
    whole = augment(images, choices)
    order = batch_order(11, 4, 50)
    for start in range(0, 50, batch):
        samples = order[start:start + batch]
        assert torch.equal(augment(images[samples], choices.of(samples, CPU)), whole[samples])


def test_drawing_again_is_the_same_whatever_happened_in_between():
    first, order = draw(5, 2, 100, 0.5, 4), batch_order(5, 2, 100)
    before = torch.get_rng_state()
    torch.manual_seed(99)
    torch.rand(1000)
    again = draw(5, 2, 100, 0.5, 4)
    assert torch.equal(first.flip, again.flip)
    assert torch.equal(first.offset, again.offset)
    assert torch.equal(order, batch_order(5, 2, 100))
    torch.set_rng_state(before)


def test_drawing_leaves_torchs_own_generator_alone():
    before = torch.get_rng_state()
    draw(1, 2, 100, 0.5, 4)
    batch_order(1, 2, 100)
    assert torch.equal(torch.get_rng_state(), before)


def test_seed_and_epoch_change_everything():
    flips = {tuple(draw(seed, epoch, 64, 0.5, 4).flip.tolist()) for seed in range(4) for epoch in range(4)}
    orders = {tuple(batch_order(seed, epoch, 64).tolist()) for seed in range(4) for epoch in range(4)}
    assert len(flips) == len(orders) == 16


def test_flips_do_not_follow_from_crops():
    """Each kind of choice has its own stream: switching one off leaves the other as it was."""
    both, crops, flips = draw(7, 3, 500, 0.5, 4), draw(7, 3, 500, 0.0, 4), draw(7, 3, 500, 0.5, 0)
    assert torch.equal(both.offset, crops.offset) and torch.equal(both.flip, flips.flip)
    table = torch.stack([both.flip.double(), *both.offset.double().T])
    assert (torch.corrcoef(table) - torch.eye(3)).abs().max() < 0.15


def test_choices_are_spread_evenly():
    choices = draw(0, 0, 20_000, 0.3, 4)
    assert choices.flip.double().mean().item() == pytest.approx(0.3, abs=0.02)
    counts = torch.bincount(choices.offset[:, 0] * 9 + choices.offset[:, 1], minlength=81)
    assert len(counts) == 81 and counts.min() > 150 and counts.max() < 350


def test_an_order_is_a_permutation():
    order = batch_order(2, 9, 1001)
    assert order.dtype == torch.int64
    assert torch.equal(order.sort().values, torch.arange(1001))
    assert not torch.equal(order, torch.arange(1001))


def test_large_seeds_are_taken():
    assert len(batch_order(2**31 - 1, 10**6, 5)) == 5


def test_upside_down_is_a_stream_of_its_own():
    images, both, without = numbered(64), draw(7, 3, 64, 0.5, 2, 0.3), draw(7, 3, 64, 0.5, 2)
    assert torch.equal(both.flip, without.flip) and torch.equal(both.offset, without.offset) and without.flip_vertical is None
    turned = torch.where(both.flip_vertical.view(-1, 1, 1, 1), images.flip(2), images)
    assert torch.equal(augment(images, both), by_hand(turned, without))
    samples = torch.tensor([9, 2, 40])
    assert torch.equal(augment(images[samples], both.of(samples, CPU)), augment(images, both)[samples])
    many = draw(0, 0, 20_000, 0.5, 0, 0.3)
    assert many.flip_vertical.double().mean().item() == pytest.approx(0.3, abs=0.02)
    assert abs(torch.corrcoef(torch.stack([many.flip.double(), many.flip_vertical.double()]))[0, 1]) < 0.03
