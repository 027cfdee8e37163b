"""Data sets by name, the fit to a network's input, and the matching of class names."""

import numpy as np
import pytest
import torch
from PIL import Image

from resnet_viz.data.sources import SOURCES, Pictures, class_match, fit, load
from resnet_viz.problems import Problem


def pictures(images: torch.Tensor) -> Pictures:
    return Pictures(images, torch.zeros(len(images), 1, dtype=torch.int64), ("a", "b"), (2,), "test")


def random_images(*shape: int) -> torch.Tensor:
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def smooth_images(count: int, channels: int, height: int, width: int) -> torch.Tensor:
    images = random_images(count, channels, max(2, height // 8), max(2, width // 8)).float()
    return torch.nn.functional.interpolate(images, (height, width), mode="bicubic").clamp(0, 255).to(torch.uint8)


def test_colour_becomes_grey_as_pillow_does():
    images = random_images(20, 3, 32, 32)
    grey = fit(pictures(images), 1, 32).images
    for ours, image in zip(grey, images):
        theirs = np.asarray(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L"))
        assert np.array_equal(ours[0].numpy(), theirs)


def test_extremes_stay_extremes():
    for value in (0, 255):
        images = torch.full((2, 3, 16, 16), value, dtype=torch.uint8)
        assert (fit(pictures(images), 1, 7).images == value).all()
        assert (fit(pictures(images[:, :1]), 3, 40).images == value).all()


def test_grey_repeats_and_the_same_size_is_untouched():
    images = random_images(5, 1, 12, 12)
    fitted = fit(pictures(images), 3, 12).images
    assert fitted.shape == (5, 3, 12, 12) and fitted.dtype == torch.uint8 and fitted.is_contiguous()
    assert all(torch.equal(fitted[:, c], images[:, 0]) for c in range(3))


@pytest.mark.parametrize("old, new", [(64, 32), (64, 20), (28, 32), (32, 224), (96, 96)])
def test_resizing_is_pillows_antialiased_bilinear(old, new):
    images = smooth_images(3, 3, old, old)
    fitted = fit(pictures(images), 3, new).images
    for ours, image in zip(fitted, images):
        theirs = Image.fromarray(image.permute(1, 2, 0).numpy()).resize((new, new), Image.Resampling.BILINEAR)
        gap = np.abs(ours.permute(1, 2, 0).numpy().astype(int) - np.asarray(theirs).astype(int))
        assert gap.max() <= 1


def test_one_pixel_stripes_average_out_when_halved():
    stripes = torch.tensor([0, 255], dtype=torch.uint8).repeat(32).expand(1, 1, 64, 64)
    fitted = fit(pictures(stripes), 1, 16).images.float()
    assert (fitted[..., 2:-2] - 127.5).abs().max() < 10     # without antialiasing it would be 0 or 255


def test_an_oblong_picture_keeps_its_middle():
    images = torch.zeros(1, 1, 20, 60, dtype=torch.uint8)
    images[..., 20:40] = 255
    assert (fit(pictures(images), 1, 20).images == 255).all()
    assert fit(pictures(images.transpose(2, 3)), 1, 10).images.shape == (1, 1, 10, 10)


def test_other_channel_counts_are_a_problem():
    with pytest.raises(Problem, match="1 .grey. or 3 .colour."):
        fit(pictures(random_images(1, 3, 8, 8)), 4, 8)


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits
    train, test = load("digits", "train"), load("digits", "test")
    assert (len(train.images), len(test.images)) == (SOURCES["digits"].train_images, SOURCES["digits"].test_images)
    both = torch.cat([train.images, test.images])
    assert both.dtype == torch.uint8 and both.min() == 0 and both.max() == 255
    ours = sorted(zip(map(bytes, both.flatten(1).numpy()), torch.cat([train.labels, test.labels])[:, 0].tolist()))
    digits = load_digits()
    scaled = np.round(digits.images.reshape(-1, 64) * 255 / 16).astype(np.uint8)
    assert ours == sorted(zip(map(bytes, scaled), digits.target.tolist()))       # every digit, in one of the two
    assert torch.equal(load("digits", "test").images, test.images)
    share = test.labels[:, 0].bincount() / both.shape[0] * 10
    assert (share - 0.2).abs().max() < 0.02


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if not source.needs_download])
def test_a_source_is_what_its_record_says(name):
    source, read = SOURCES[name], load(name, "test")
    assert read.images.shape == (source.test_images, source.channels, source.size, source.size)
    assert read.images.dtype == torch.uint8 and read.labels.dtype == torch.int64
    assert read.labels.shape == (source.test_images, len(source.heads))
    assert read.heads == source.heads and len(read.classes) == sum(source.heads) and read.name == name
    assert all(0 <= read.labels[:, h].min() and read.labels[:, h].max() < k for h, k in enumerate(source.heads))


def test_unknown_names_and_splits_are_told():
    with pytest.raises(Problem, match="'no-such'.*shapes.*folder or zip"):
        load("no-such", "train")
    with pytest.raises(Problem, match="split 'tset'.*train, test, val"):
        load("shapes", "tset")
    with pytest.raises(Problem, match="digits has no val split"):
        load("digits", "val")


def test_classes_are_matched_by_name():
    order = class_match(("cat", "dog", "owl"), ("owl", "cat", "dog"))
    assert order.tolist() == [2, 0, 1] and order.dtype == torch.int64


def test_without_names_the_order_counts():
    assert class_match(None, ("a", "b", "c"), 3).tolist() == [0, 1, 2]
    assert class_match(("a", "b"), None).tolist() == [0, 1]
    with pytest.raises(Problem, match="tells 10 classes apart and the data has 3"):
        class_match(None, ("a", "b", "c"), 10)


def test_differing_classes_are_refused_by_name():
    with pytest.raises(Problem) as caught:
        class_match(("airplane", "automobile", "bird", "cat"), ("airplane", "car", "bird", "cat", "dog"))
    assert "only the checkpoint has automobile" in str(caught.value)
    assert "only the data has car, dog" in str(caught.value)
