"""Each distortion against torchvision's or a slow loop; and seed, epoch and sample alone decide what happens to one."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as reference

from resnet_viz.data.distortion import RATIO, Distortions, Strengths, distort, draw

ALL = Strengths(crop_area=0.3, rotation=20, brightness=0.3, contrast=0.3, saturation=0.3, noise=0.05, cutout=5)
GREY = torch.full((3,), 100.0)


def pictures(count: int = 6, channels: int = 3, side: int = 16) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, channels, side, side), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("degrees", [0, 7, 45, 90, -130])
def test_rotation_is_torchvisions(degrees):
    found = distort(pictures(), Distortions(Strengths(), turn=torch.full((6,), math.radians(degrees))), GREY)
    expected = reference.rotate(pictures().float(), degrees, InterpolationMode.BILINEAR)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.02)


def test_a_window_is_torchvisions_resized_crop():
    """Inside: at its edge ours reads the pixels beyond, which a crop has thrown away."""
    window = torch.tensor([[2, 4, 8, 6]]).repeat(6, 1) / 16
    found = distort(pictures(), Distortions(Strengths(), window=window), GREY)
    expected = reference.resized_crop(pictures().float(), 4, 2, 6, 8, [16, 16], antialias=False)
    torch.testing.assert_close(found[:, :, 3:-3, 3:-3], expected[:, :, 3:-3, 3:-3], rtol=0, atol=0.01)


def test_a_window_that_is_turned_is_the_turn_first_and_then_the_window():
    smooth = F.interpolate(pictures(6, 3, 4).float(), 32, mode="bicubic").clamp(
        0, 255
    )  # two interpolations of one are near one
    window, turn = torch.tensor([[0.2, 0.3, 0.5, 0.4]]).repeat(6, 1), torch.full((6,), 0.4)
    both = distort(smooth, Distortions(Strengths(), window=window, turn=turn), GREY)
    zoomed = distort(smooth, Distortions(Strengths(), window=window), GREY)
    after = distort(zoomed, Distortions(Strengths(), turn=turn), GREY)
    middle = (slice(None), slice(None), slice(12, 20), slice(12, 20))
    torch.testing.assert_close(both[middle], after[middle], rtol=0, atol=6)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("factors", [(0.6, 1, 1), (1, 1.7, 1), (1, 1, 0.2), (1.3, 0.6, 1.4)])
def test_colours_are_torchvisions(factors, channels):
    images = pictures(channels=channels)
    found = distort(images, Distortions(Strengths(), colour=torch.tensor([factors]).repeat(6, 1)), GREY[:channels])
    expected = reference.adjust_brightness(images / 255, factors[0])
    expected = reference.adjust_contrast(expected, factors[1])
    expected = reference.adjust_saturation(expected, factors[2])
    torch.testing.assert_close(found / 255, expected, rtol=0, atol=1e-5)


def test_cutout_is_that_of_a_slow_loop():
    drawn = draw(3, 1, 6, Strengths(cutout=5), 0)
    found, expected = distort(pictures(), drawn, GREY), pictures().float()
    for n, (row, column) in enumerate((drawn.hole * 16).long().tolist()):
        for r in range(max(0, row - 2), min(16, row + 3)):
            for c in range(max(0, column - 2), min(16, column + 3)):
                expected[n, :, r, c] = 100.0
    assert torch.equal(found, expected)


def test_noise_has_the_strength_that_was_asked_for():
    grey = torch.full((64, 3, 32, 32), 128, dtype=torch.uint8)
    added = distort(grey, draw(0, 0, 64, Strengths(noise=0.1), 3 * 32 * 32), GREY) / 255 - 128 / 255
    assert added.mean().item() == pytest.approx(0, abs=0.002) and added.std().item() == pytest.approx(0.1, abs=0.002)
    each = added.flatten(1)
    assert (torch.corrcoef(each) - torch.eye(64)).abs().max() < 0.12, "every picture has noise of its own"


def test_pixels_stay_pixels():
    found = distort(pictures(50), draw(1, 2, 50, replace(ALL, noise=0.5, brightness=1.0), 3 * 256), GREY)
    assert found.dtype == torch.float32 and found.min() >= 0 and found.max() <= 255


def test_nothing_to_do_is_not_drawn():
    assert draw(0, 0, 5, Strengths(), 10) is None


def test_any_split_into_batches_gives_the_same_pictures():
    images, drawn = pictures(20), draw(11, 4, 20, ALL, 3 * 256)
    whole = distort(images, drawn, GREY)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(1))
    for samples in order.split(7):
        torch.testing.assert_close(distort(images[samples], drawn.of(samples), GREY), whole[samples], rtol=0, atol=1e-3)


def test_each_kind_has_a_stream_of_its_own():
    """Switching the others off leaves each as it was; another seed or epoch changes all."""
    whole, again = draw(5, 2, 40, ALL, 10), draw(5, 2, 40, ALL, 10)
    alone = {
        "window": Strengths(crop_area=0.3),
        "turn": Strengths(rotation=20),
        "noise_at": Strengths(noise=0.2),
        "hole": Strengths(cutout=3),
        "colour": Strengths(brightness=0.3, contrast=0.3, saturation=0.3),
    }
    for name, strengths in alone.items():
        table = getattr(whole, name)
        assert torch.equal(table, getattr(draw(5, 2, 40, strengths, 10), name)) and torch.equal(
            table, getattr(again, name)
        )
        assert not torch.equal(table, getattr(draw(5, 3, 40, ALL, 10), name)) and not torch.equal(
            table, getattr(draw(6, 2, 40, ALL, 10), name)
        )


def test_windows_and_angles_are_spread_as_they_should_be():
    drawn = draw(0, 0, 20_000, Strengths(crop_area=0.25, rotation=30), 0)
    left, top, width, height = drawn.window.unbind(1)
    assert (left >= 0).all() and (top >= 0).all() and (left + width <= 1.0001).all() and (top + height <= 1.0001).all()
    free = (width < 1) & (height < 1)
    assert (width * height).min() >= 0.2499 - 1e-3 and (width / height)[free].max() <= RATIO + 1e-3
    area = width * height  # below 3/4 no side is cut short
    assert area[area < 0.7].mean().item() == pytest.approx((0.25 + 0.7) / 2, abs=0.01)
    assert math.degrees(drawn.turn.abs().max()) == pytest.approx(
        30, abs=0.1
    ) and drawn.turn.mean().item() == pytest.approx(0, abs=0.01)
