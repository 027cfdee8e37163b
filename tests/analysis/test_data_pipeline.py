"""The pipelines against torchvision's own transforms: the same random draws, the same pixels, the same tensors."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from resnet_viz.analysis import data_pipeline as pipeline
from resnet_viz.data.preprocessing import NORMALISATIONS

RNG = np.random.default_rng(0)
SIZES = ((60, 45), (45, 60), (300, 280), (8, 8), (200, 20), (9, 90), (1, 3))
PICTURES = {size: Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)) for size in SIZES}


def torchvisions(recipe: str, normaliser: str = "ImageNet's mean and std"):
    mean, std = NORMALISATIONS[pipeline.NORMALISERS[normaliser]]
    first = {"training": [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip()],
             "evaluation": [transforms.Resize(256), transforms.CenterCrop(224)]}[recipe]
    return transforms.Compose([*first, transforms.ToTensor(), transforms.Normalize(mean, std)])


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_training_draws_and_gives_what_torchvision_does(size):
    picture = PICTURES[size]
    with torch.random.fork_rng():
        for seed in range(8):
            torch.manual_seed(seed)
            expected = torchvisions("training")(picture).numpy()
            way = pipeline.train(picture, seed)
            np.testing.assert_array_equal(pipeline.normalised(way.pixels, "ImageNet's mean and std"), expected)


def test_the_draws_alone_for_many_seeds_and_without_touching_the_process():
    state = torch.get_rng_state()
    for seed in range(200):
        found = pipeline.draw(451, 300, seed)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            top, left, high, wide = transforms.RandomResizedCrop.get_params(PICTURES[300, 280].resize((451, 300)), (0.08, 1), (3 / 4, 4 / 3))
            assert found.window == (left, top, wide, high) and found.mirrored == bool(torch.rand(1) < 0.5)
        assert 0.079 < found.area(451, 300) <= 1
    assert torch.equal(torch.get_rng_state(), state)
    drawn = [pipeline.draw(451, 300, seed) for seed in pipeline.seeds(3)]
    assert len({one.window for one in drawn}) == pipeline.DRAWS and {one.mirrored for one in drawn} == {True, False}


@pytest.mark.parametrize("size", [size for size in SIZES if max(size) < 10 * min(size)], ids=str)
@pytest.mark.parametrize("normaliser", pipeline.NORMALISERS)
def test_evaluation_gives_what_torchvision_does(size, normaliser):
    way = pipeline.evaluation(PICTURES[size])
    expected = torchvisions("evaluation", normaliser)(PICTURES[size]) if len(NORMALISATIONS[pipeline.NORMALISERS[normaliser]][0]) == 3 else None
    if expected is None:
        mean, std = (values * 3 for values in NORMALISATIONS[pipeline.NORMALISERS[normaliser]])
        expected = transforms.Normalize(mean, std)(torchvisions("evaluation", "0 to 1").transforms[2](Image.fromarray(way.pixels)))
    np.testing.assert_array_equal(pipeline.normalised(way.pixels, normaliser), expected.numpy())


def test_rows_say_what_comes_out_of_each_step():
    picture = PICTURES[300, 280]
    for recipe, shapes in (("training", ["224 × 224 × 3"] * 2), ("evaluation", ["256 × 274 × 3", "224 × 224 × 3"])):
        way = pipeline.ways(picture, recipe, 0)[0]
        rows = pipeline.rows(picture, way, recipe, "−1 to 1")
        assert [row["shape"] for row in rows] == ["280 × 300 × 3", *shapes, "3 × 224 × 224", "3 × 224 × 224"]
        assert [row["type"] for row in rows] == ["uint8"] * 3 + ["float32"] * 2
        assert [row["step"] for row in rows][1:3] == pipeline.names(recipe)[1:3]
        assert (rows[3]["from"], rows[3]["to"]) == (way.pixels.min() / np.float32(255), way.pixels.max() / np.float32(255))
        assert rows[4]["from"] >= -1 and rows[4]["to"] <= 1 and rows[4]["mean"] == pytest.approx(way.pixels.mean() / 127.5 - 1, abs=1e-6)


def test_the_histogram_counts_every_pixel_once():
    pixels = np.asarray(PICTURES[300, 280])
    found = pipeline.histogram(pixels)
    assert found.shape == (3, 32) and (found.sum(1) == 300 * 280).all()
    np.testing.assert_array_equal(found[1], np.histogram(pixels[..., 1], 32, (0, 256))[0])
    mirrored = pipeline.histogram(pixels[:, ::-1])
    np.testing.assert_array_equal(found, mirrored)


def test_resized_is_the_size_that_resize_gives():
    for size in SIZES[:6]:
        assert pipeline.resized(*size) == transforms.Resize(256)(PICTURES[size]).size
