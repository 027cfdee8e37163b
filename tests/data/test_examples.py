"""Example pictures come from the installed packages and the generators, never from the network."""

import socket

import numpy as np
import pytest
import torch
from PIL import Image

from resnet_viz.data import examples, sources
from resnet_viz.problems import Problem


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("asked the network"))


def test_all_photographs_are_installed_and_have_colour():
    found = examples.examples()
    assert [example.name for example in found] == list(examples.PHOTOGRAPHS)
    for example in found:
        picture = examples.read(example)
        assert picture.mode == "RGB" and min(picture.size) >= 300
        assert np.ptp(np.asarray(picture), axis=2).max() > 50


def test_a_built_in_data_set_comes_first_with_its_test_pictures():
    found = examples.examples("shapes")
    own = [example for example in found if example.data == "shapes"]
    assert found[: len(own)] == own and len(own) == examples.OF_A_DATA_SET
    test = sources.load("shapes", "test")
    for example in own:
        assert np.array_equal(np.asarray(examples.read(example)), test.images[example.index].permute(1, 2, 0).numpy())
        assert example.title.lower() == test.classes[test.labels[example.index, 0]]


def test_a_data_set_that_needs_a_download_is_not_asked():
    assert examples.examples("cifar10") == examples.examples()


def test_find_by_name():
    assert examples.find("cat") == examples.default()
    assert examples.find(examples.examples("shapes")[0].name).data == "shapes"
    with pytest.raises(Problem, match="astronaut"):
        examples.find("dragon")


def test_crops_are_squares_of_each_photograph_in_turn():
    white, black = (Image.new("RGB", (50, 40), colour) for colour in ("white", "black"))
    found = examples.crops([white, black], 16, 5)
    assert found.shape == (5, 3, 16, 16) and found.dtype == torch.uint8
    assert found.float().mean(dim=(1, 2, 3)).tolist() == [255, 0, 255, 0, 255]
    photograph = examples.read(examples.default())
    first, again, other = (examples.crops([photograph], 16, 4, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other) and not torch.equal(first[0], first[1])
