"""What one step gets to see: the same for any batches, and the loss of mixed pictures."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from resnet_viz.data.augmentation import draw
from resnet_viz.data.preprocessing import normalise
from resnet_viz.training import batches
from resnet_viz.training.work import prepare

from .conftest import TINY

EVERYTHING = replace(
    TINY,
    flip=0.5,
    flip_vertical=0.5,
    crop_padding=1,
    crop_area=0.4,
    rotation=15,
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    noise=0.05,
    cutout=3,
    mixup=0.4,
    train_limit=40,
)

FLIPS = [True, True, True, True, False, False, False, False]  # drawn by the program of before
OFFSETS = [[0, 2], [0, 2], [1, 0], [0, 2]]


def test_an_old_recipe_sees_what_it_always_saw():
    """Pixels worked out here from the choices alone: the draws of flips and crops must never change."""
    work = prepare(replace(TINY, flip=0.5, crop_padding=1, train_limit=40))
    choices = draw(TINY.seed, 3, len(work.train), 0.5, 1)
    assert choices.flip[:8].tolist() == FLIPS and choices.offset[:4].tolist() == OFFSETS
    samples = torch.tensor([5, 0, 33])
    shown = batches.batch(work, samples, batches.plan(work, 3)).pictures
    for picture, n in zip(shown, samples.tolist()):
        image = work.train.images[n].flip(2) if choices.flip[n] else work.train.images[n]
        row, column = choices.offset[n].tolist()
        image = F.pad(image, (1, 1, 1, 1))[:, row : row + 8, column : column + 8]
        mean, std = torch.tensor(work.preprocessing.mean), torch.tensor(work.preprocessing.std)
        torch.testing.assert_close(picture, (image / 255 - mean.view(3, 1, 1)) / std.view(3, 1, 1))


def test_any_split_into_batches_sees_the_same_pictures():
    work = prepare(EVERYTHING)
    plan, order = batches.plan(work, 2), torch.randperm(len(work.train), generator=torch.Generator().manual_seed(0))
    whole = batches.batch(work, torch.arange(len(work.train)), plan)
    for samples in order.split(7):
        part = batches.batch(work, samples, plan)
        torch.testing.assert_close(part.pictures, whole.pictures[samples], rtol=0, atol=1e-4)
        for name in ("labels", "partners", "share"):
            assert torch.equal(getattr(part, name), getattr(whole, name)[samples])


def test_mixed_pictures_are_lost_by_their_shares():
    work = prepare(replace(EVERYTHING, label_smoothing=0.1))
    batch = batches.batch(work, torch.arange(9), batches.plan(work, 0))
    logits = torch.randn(9, 10)
    loss, right = batches.loss_and_right(logits, batch, work)
    answers = (
        F.one_hot(batch.labels[:, 0], 10).T * batch.share + F.one_hot(batch.partners[:, 0], 10).T * (1 - batch.share)
    ).T
    assert loss.item() == pytest.approx(F.cross_entropy(logits, 0.9 * answers + 0.01).item(), abs=1e-5)
    assert right.item() == pytest.approx(answers[torch.arange(9), logits.argmax(1)].sum().item(), abs=1e-5)


def test_what_covers_is_0_for_the_network():
    work = prepare(replace(TINY, crop_padding=0, cutout=64, train_limit=40))
    shown = batches.batch(work, torch.arange(30), batches.plan(work, 0)).pictures
    assert shown.abs().max() < 1e-5


def test_pictures_stay_small_in_memory_and_are_enlarged_for_the_network():
    work, small = (
        prepare(replace(TINY, size=24, crop_padding=0, train_limit=40)),
        prepare(replace(TINY, crop_padding=0, train_limit=40)),
    )
    assert torch.equal(work.train.images, small.train.images) and work.train.images.shape[-1] == 8
    shown = batches.batch(work, torch.arange(5), batches.plan(work, 0)).pictures
    enlarged = F.interpolate(work.train.images[:5], 24, mode="bilinear", antialias=True)
    torch.testing.assert_close(shown, normalise(enlarged, work.preprocessing))
    whole = F.interpolate(work.train.images, 24, mode="bilinear", antialias=True) / 255
    mean = whole[:, 0].double().mean().item()
    assert work.preprocessing.mean == pytest.approx([mean] * 3, abs=1e-4), "of the pixels that the network reads"
    assert work.preprocessing.std == pytest.approx([whole[:, 0].double().std(correction=0).item()] * 3, abs=1e-4)


@pytest.mark.parametrize(("name", "low", "high"), [("none", 0, 255), ("unit", 0, 1), ("half", -1, 1)])
def test_pixel_values_by_name(name, low, high):
    work = prepare(replace(TINY, flip=0.0, crop_padding=0, train_limit=40, normalisation=name))
    shown = batches.batch(work, torch.arange(40), batches.plan(work, 0)).pictures
    expected = low + (high - low) * (work.train.images[:40] / 255)
    torch.testing.assert_close(shown, expected, rtol=1e-5, atol=1e-5)


def test_pixels_standardised_by_the_data_have_mean_0_and_deviation_1():
    work = prepare(replace(TINY, flip=0.0, crop_padding=0, train_limit=None, val_fraction=0.0))
    shown = batches.batch(work, torch.arange(len(work.train)), batches.plan(work, 0)).pictures
    assert shown.mean().item() == pytest.approx(0, abs=1e-3) and shown.std().item() == pytest.approx(1, abs=1e-3)
    work = prepare(replace(TINY, normalisation="imagenet", train_limit=40))
    assert work.preprocessing.mean == (0.485, 0.456, 0.406) and work.preprocessing.std == (0.229, 0.224, 0.225)
