"""Kernels over time, against the state dicts they come from and torch's own norm and cosine."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from resnet_viz import checkpoints
from resnet_viz.analysis import kernels, kernels_history, kernels_words
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

from .conftest import MOVES


@pytest.fixture
def checkpoint(written_run):
    return checkpoints.read(written_run / "best.safetensors")


def test_convolutions_in_the_order_of_the_network():
    found = kernels.convolutions("resnet8", {"shortcut": "B"})
    model = zoo.build("resnet8", {"shortcut": "B"})
    parameters = {name.removesuffix(".weight"): tuple(p.shape) for name, p in model.named_parameters() if p.ndim == 4}
    assert found == parameters
    assert list(found)[:2] == ["conv1", "layer1.0.conv1"]


def test_a_file_without_its_run_has_only_now(written_run, tmp_path):
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((written_run / "best.safetensors").read_bytes())
    checkpoint = checkpoints.read(alone)
    past = kernels_history.history(checkpoint, "conv1")
    assert past.before is None and len(past.moments) == 1 and "without its run" in past.why
    seen = kernels.compare(checkpoint, "conv1", past, past.moments[0], "colour", 0, "index")
    assert seen.before is None and seen.change is None
    assert "largest norm" in kernels_words.describe("conv1", seen)
    with pytest.raises(Problem, match="no change to sort by"):
        kernels.compare(checkpoint, "conv1", past, past.moments[0], "colour", 0, "change")


def test_views_are_slices_of_the_weights():
    weights = np.random.default_rng(0).normal(size=(6, 3, 5, 5)).astype(np.float32)
    assert kernels.views(weights.shape) == {"colour": 1, "filter": 6, "input": 3}
    assert np.array_equal(kernels.kernels(weights, "colour", 0), weights)
    assert np.array_equal(kernels.kernels(weights, "filter", 4), weights[4])
    assert np.array_equal(kernels.kernels(weights, "input", 2), weights[:, 2])
    assert kernels.views((8, 1, 3, 3)) == {"input": 1}
    assert kernels.views((8, 16, 3, 3)) == {"filter": 8, "input": 16}


def test_change_is_torchs_norm_and_cosine():
    generator = torch.Generator().manual_seed(0)
    before, now = (torch.randn(7, 3, 3, 3, generator=generator) for _ in range(2))
    found = kernels.change(before.numpy(), now.numpy())
    assert found.relative == pytest.approx(((now - before).norm() / before.norm()).item(), rel=1e-5)
    assert found.cosine == pytest.approx(F.cosine_similarity(before.flatten(), now.flatten(), dim=0).item(), abs=1e-6)
    lengths = (now - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)
    assert np.allclose(found.relatives, lengths.numpy(), rtol=1e-5)
    assert np.allclose(found.cosines, F.cosine_similarity(before.flatten(1), now.flatten(1)).numpy(), atol=1e-6)


def test_change_at_the_edges():
    ones, zeros = np.ones((2, 3, 3), dtype=np.float32), np.zeros((2, 3, 3), dtype=np.float32)
    assert kernels.change(ones, ones).relative == 0 and kernels.change(ones, ones).cosine == pytest.approx(1)
    assert kernels.change(zeros, zeros).relative == 0
    assert kernels.change(zeros, ones).relative == np.inf and np.isnan(kernels.change(zeros, ones).cosine)
    assert kernels.change(ones, -ones).cosine == pytest.approx(-1)


def test_a_kernel_keeps_its_place_while_time_goes_by(checkpoint):
    past = kernels_history.history(checkpoint, "conv1")
    first, last = (kernels.compare(checkpoint, "conv1", past, past.moments[i], "colour", 0, "norm") for i in (1, -1))
    assert np.array_equal(first.order, last.order) and first.limit == last.limit
    assert np.all(np.diff(kernels.norms(last.now)) <= 0)  # the strongest first
    assert np.array_equal(last.now, checkpoint.state["conv1.weight"].numpy()[last.order])
    assert last.change.relative == pytest.approx(MOVES, rel=1e-4) and last.change.cosine == pytest.approx(1)


def test_the_most_moved_come_first_as_the_numbers_say_it():
    before, now = np.random.default_rng(0).normal(size=(2, 9, 3, 3)).astype(np.float32)
    before *= np.arange(1, 10, dtype=np.float32)[:, None, None]  # long ones move less, measured by their own length
    assert np.all(np.diff(kernels.change(before, now).relatives[kernels.order(now, before, "change")]) <= 0)


def test_by_direction_and_by_colour():
    """Sobel's edges turned by 45 degrees, and single colours, behind noise-free grey and flat ones."""
    level = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], dtype=np.float32)
    upright = level.T
    flat = np.ones((3, 3), dtype=np.float32)
    edges = np.stack([flat, upright, level])
    three = np.stack([edges] * 3, axis=1)  # alike in red, green and blue: clear enough to be no chance
    assert kernels.order(three, None, "orientation").tolist() == [2, 1, 0]
    blue, red, green = (np.eye(3, dtype=np.float32)[channel][:, None, None] * flat for channel in (2, 0, 1))
    coloured = np.stack([three[1], blue, red, green])
    assert kernels.order(coloured, None, "hue").tolist() == [2, 3, 1, 0]
    with pytest.raises(Problem, match="no colours"):
        kernels.order(edges, None, "hue")


def test_the_orders_that_make_sense():
    assert kernels.orders("colour", 7, True) == ["index", "norm", "change", "hue", "orientation"]
    assert kernels.orders("filter", 1, False) == ["index", "norm"]


def test_the_rows_and_the_words_tell_the_same(checkpoint):
    past = kernels_history.history(checkpoint, "conv1")
    seen = kernels.compare(checkpoint, "conv1", past, past.moments[-1], "colour", 0, "change")
    rows = kernels.rows(seen)
    assert [row["kernel"] for row in rows] == seen.order.tolist() and len(rows) == 16
    assert rows[0]["change"] == pytest.approx(MOVES, rel=1e-4) and len(rows[0]["weights now"].split()) == 27
    assert "16 kernels of 3 x 3 of conv1" in kernels_words.describe("conv1", seen)
    unmoved = kernels.compare(checkpoint, "conv1", past, past.moments[0], "colour", 0, "index")
    assert unmoved.change.relative < 1e-3  # the snapshot is float16
    unmoved = replace(unmoved, change=kernels.change(unmoved.now, unmoved.now))
    assert "exactly as they were" in kernels_words.describe("conv1", unmoved)
