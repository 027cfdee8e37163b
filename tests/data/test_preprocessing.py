"""From photograph to network and back: torchvision's evaluation recipe to the pixel, and its inverse."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from resnet_viz.data import sources
from resnet_viz.data.preprocessing import (
    enlarge,
    NORMALISATIONS,
    Preprocessing,
    denormalise,
    normalisation,
    normalise,
    see,
    spread,
)
from tests.refusals import refused

IMAGENET = Preprocessing(224, 256, *NORMALISATIONS["imagenet"])
CIFAR = Preprocessing(32, 32, *NORMALISATIONS["cifar10"])
GREY = Preprocessing(28, 28, *NORMALISATIONS["mnist"])


def photograph(width: int, height: int) -> Image.Image:
    """A picture with both slow and fast changes; seeded."""
    rng = np.random.default_rng(width * 10_007 + height)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    coarse = coarse.resize((width, height), Image.Resampling.BICUBIC)
    return Image.fromarray((np.asarray(coarse) * 0.8 + rng.integers(0, 51, (height, width, 3))).astype(np.uint8))


@pytest.mark.parametrize("preprocessing", [IMAGENET, CIFAR, Preprocessing(64, 73, (0.5,) * 3, (0.25, 0.5, 1.0)), GREY],
                         ids=["imagenet", "cifar", "odd", "grey"])
@pytest.mark.parametrize("size", [(500, 375), (375, 500), (640, 427), (333, 1000), (1001, 97), (256, 256), (257, 256),
                                  (31, 45), (224, 224), (1, 1),
                                  (1, 2), (3, 2)])
def test_what_the_network_sees_is_torchvisions(preprocessing, size):
    picture = photograph(*size)
    steps = [transforms.Grayscale()] if preprocessing.channels == 1 else []
    theirs = transforms.Compose([*steps, transforms.Resize(preprocessing.resize),
                                 transforms.CenterCrop(preprocessing.size), transforms.ToTensor(),
                                 transforms.Normalize(preprocessing.mean, preprocessing.std)])(picture)[None]
    seen = see(picture, preprocessing)
    assert seen.tensor.shape == theirs.shape and seen.tensor.dtype == torch.float32
    assert (seen.tensor - theirs).abs().max() < 1e-5
    assert seen.resized.size == (preprocessing.size, preprocessing.size)
    left, top, right, bottom = seen.crop_box
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    assert seen.cropped.size == (right - left, bottom - top)


@pytest.mark.parametrize(("size", "preprocessing", "box"), [
    ((500, 375), IMAGENET, (85, 23, 413, 352)), ((375, 500), IMAGENET, (23, 85, 352, 413)),
    ((640, 320), CIFAR, (160, 0, 480, 320)),
    ((32, 32), CIFAR, (0, 0, 32, 32)), ((256, 256), IMAGENET, (16, 16, 240, 240)),
])
def test_the_crop_is_told_in_the_originals_pixels(size, preprocessing, box):
    seen = see(photograph(*size), preprocessing)
    assert seen.crop_box == box


def test_the_crop_box_holds_what_the_network_sees():
    """Black outside the box: nothing of it may reach the network's pixels; one pixel of rounding is allowed."""
    picture = photograph(500, 300)
    left, top, right, bottom = see(picture, CIFAR).crop_box
    outside = np.asarray(picture).copy()
    outside[:, : left - 20] = outside[:, right + 20:] = 0
    assert torch.equal(see(Image.fromarray(outside), CIFAR).tensor, see(picture, CIFAR).tensor)


def test_other_modes_are_brought_to_colour():
    grey = photograph(40, 30).convert("L")
    assert torch.equal(see(grey, CIFAR).tensor, see(grey.convert("RGB"), CIFAR).tensor)


def test_seeing_leaves_the_picture_alone():
    picture = photograph(50, 40)
    before = picture.tobytes()
    see(picture, CIFAR), see(picture, GREY)
    assert picture.tobytes() == before and picture.mode == "RGB"


@pytest.mark.parametrize("channels", [2, 4])
def test_a_photograph_has_one_or_three_channels(channels):
    with refused(f"reads {channels} channels"):
        see(photograph(40, 40), Preprocessing(32, 32, (0.5,) * channels, (0.5,) * channels))


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_normalise_and_back(name):
    mean, std = normalisation(name, 3)
    preprocessing = Preprocessing(16, 16, mean, std)
    images = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(2, 3, 1, 1)
    expected = transforms.Normalize(mean, std)(images.float() / 255)
    found = normalise(images, preprocessing)
    assert found.dtype == torch.float32 and torch.allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(denormalise(found, preprocessing), images)


def test_the_inverse_rounds_and_clips():
    preprocessing = Preprocessing(2, 2, (0.5,), (0.5,))
    found = denormalise(torch.tensor([[[[-3.0, -1.0], [0.999, 7.0]]]]), preprocessing)
    assert found.flatten().tolist() == [0, 0, 255, 255]


def test_named_normalisations():
    assert normalisation("imagenet", 3) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert set(NORMALISATIONS) == {"imagenet", "cifar10", "cifar100", "mnist", "fashion-mnist", "half", "unit", "none"}
    byte = torch.tensor([[[[0, 51, 255]]]], dtype=torch.uint8)
    for name, values in {"half": [-1.0, -0.6, 1.0], "unit": [0.0, 0.2, 1.0], "none": [0.0, 51.0, 255.0]}.items():
        assert normalise(byte, Preprocessing(1, 1, *normalisation(name, 1))).flatten().tolist() == pytest.approx(values)


@pytest.mark.parametrize(("text", "channels", "expected"), [
    ("0.5,0.25", 1, ((0.5,), (0.25,))), ("0.5,0.25", 3, ((0.5,) * 3, (0.25,) * 3)),
    ("1,2,3,4,5,6", 3, ((1, 2, 3), (4, 5, 6))),
    ("[0.1 0.2 0.3]; (1, 1, 1)", 3, ((0.1, 0.2, 0.3), (1, 1, 1))), ("1,2,3,4,5,6", 1, ((2,), (5,))),
    ("mnist", 3, ((0.1307,) * 3, (0.3081,) * 3)),
    ("1e-1 , 2E0", 1, ((0.1,), (2,))), ("1,2,3,4,1,1,1,1", 4, ((1, 2, 3, 4), (1, 1, 1, 1))),
    ("half", 4, ((0.5,) * 4, (0.5,) * 4)),
])
def test_lists(text, channels, expected):
    mean, std = normalisation(text, channels)
    assert mean == pytest.approx(expected[0]) and std == pytest.approx(expected[1])
    Preprocessing(8, 8, mean, std)


@pytest.mark.parametrize(("text", "channels", "words"), [
    ("", 3, "Unknown normalisation"), ("imagnet", 3, "choose one of imagenet"),
    ("0.5", 3, "as many standard deviations"), ("1,2,3", 3, "as many"),
    ("a,b", 3, "Unknown normalisation"), ("1,2,3,4", 3, "2 channels does not fit pictures of 3"),
    ("imagenet", 4, "3 channels does not fit"), (",,", 1, "Unknown"),
])
def test_what_is_no_normalisation(text, channels, words):
    with refused(words):
        normalisation(text, channels)


def test_spreading():
    assert spread((1.0,), 3) == (1.0, 1.0, 1.0)
    assert spread((1.0, 2.0, 3.0), 1) == (2.0,)
    assert spread((1.0, 2.0), 2) == (1.0, 2.0)


@pytest.mark.parametrize(("fields", "words"), [
    ({"std": (0, 1, 1)}, "standard deviations"), ({"std": (-1, 1, 1)}, "standard deviations"),
    ({"std": (float("nan"), 1, 1)}, "standard deviations"),
    ({"std": (1e-300, 1, 1)}, "standard deviations"), ({"std": (float("inf"), 1, 1)}, "standard deviations"),
    ({"mean": (float("nan"), 0, 0)}, "means"),
    ({"mean": (float("inf"), 0, 0)}, "means"), ({"mean": (0, 0)}, "2 and 3"), ({"mean": (), "std": ()}, "0 and 0"),
    ({"size": 0}, "cannot be brought"),
    ({"size": 40}, "resize from there"), ({"size": 32.0}, "cannot be brought"), ({"resize": 5000}, "4,096"),
    ({"size": 2000, "resize": 2000}, "at most 1,024"),
    ({"size": True}, "cannot be brought"),
])
def test_preprocessing_that_makes_no_sense(fields, words):
    with refused(words):
        Preprocessing(**{"size": 32, "resize": 36, "mean": (0, 0, 0), "std": (1, 1, 1), **fields})


def test_preprocessing_travels_as_json_values():
    import json
    assert Preprocessing(**json.loads(json.dumps(IMAGENET.to_dict()))) == IMAGENET and IMAGENET.channels == 3


def test_enlarging_is_that_of_the_data_sets_and_leaves_others_alone():
    images = torch.randint(0, 256, (5, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    fitted = sources.fit(sources.Pictures(images, torch.zeros(5, 1), (), (1,), "made"), 3, 20).images
    assert torch.equal(enlarge(images, 20), fitted) and enlarge(images, 8) is images and enlarge(images, 5) is images
