"""Kernels over time, against the state dicts they come from and torch's own norm and cosine."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from resnet_viz import checkpoints
from resnet_viz.analysis import kernels
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

from .conftest import MOVES, write_run


@pytest.fixture
def checkpoint(written_run):
    return checkpoints.read(written_run / "best.safetensors")


def test_convolutions_in_the_order_of_the_network():
    found = kernels.convolutions("resnet8", {"shortcut": "B"})
    model = zoo.build("resnet8", {"shortcut": "B"})
    parameters = {name.removesuffix(".weight"): tuple(p.shape) for name, p in model.named_parameters() if p.ndim == 4}
    assert found == parameters
    assert list(found)[:2] == ["conv1", "layer1.0.conv1"]


def test_the_first_two_convolutions_have_every_snapshot(checkpoint):
    for layer in ("conv1", "layer1.0.conv1"):
        past = kernels.history(checkpoint, layer)
        labels = [moment.label for moment in past.moments]
        assert labels == ["before training", "step 1", "step 2", "step 4", "epoch 1", "epoch 2, this checkpoint"]
        assert past.current == 5 and past.moments[5].path is None and past.why == ""


def test_other_layers_have_the_weights_that_were_kept(checkpoint):
    past = kernels.history(checkpoint, "layer3.0.conv2")
    assert [moment.label for moment in past.moments] == ["before training", "epoch 1", "epoch 2, this checkpoint"]
    assert past.why == ""


def test_without_kept_weights_there_is_before_and_now_and_a_word_about_it(bare_run):
    past = kernels.history(checkpoints.read(bare_run / "best.safetensors"), "layer3.0.conv2")
    assert [moment.label for moment in past.moments] == ["before training", "epoch 2, this checkpoint"]
    assert "only before training and now" in past.why


def test_a_run_that_carries_its_beginning_in_the_snapshots_alone(tmp_path):
    run = write_run(tmp_path / "run", keep_weights=False)
    first = load_file(run / "initial.safetensors")["conv1.weight"].half().float().numpy()
    (run / "initial.safetensors").unlink()
    checkpoint = checkpoints.read(run / "best.safetensors")
    past = kernels.history(checkpoint, "conv1")
    assert past.why == "" and np.array_equal(kernels.weights_at(past.before, checkpoint, "conv1"), first)
    deeper = kernels.history(checkpoint, "layer3.0.conv2")
    assert deeper.before is None and "first two convolutions have snapshots" in deeper.why


def test_a_file_without_its_run_has_only_now(written_run, tmp_path):
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((written_run / "best.safetensors").read_bytes())
    checkpoint = checkpoints.read(alone)
    past = kernels.history(checkpoint, "conv1")
    assert past.before is None and len(past.moments) == 1 and "without its run" in past.why
    seen = kernels.compare(checkpoint, "conv1", past, past.moments[0], "colour", 0, "index")
    assert seen.before is None and seen.change is None
    assert "largest norm" in kernels.describe("conv1", seen)
    with pytest.raises(Problem, match="no change to sort by"):
        kernels.compare(checkpoint, "conv1", past, past.moments[0], "colour", 0, "change")


@pytest.mark.parametrize("layer", ["conv1", "layer2.0.conv1"])
def test_weights_are_those_of_the_files(checkpoint, written_run, layer):
    past = kernels.history(checkpoint, layer)
    initial = load_file(written_run / "initial.safetensors")[f"{layer}.weight"].float().numpy()
    assert np.array_equal(kernels.weights_at(past.before, checkpoint, layer), initial)
    itself = kernels.weights_at(past.moments[past.current], checkpoint, layer)
    assert np.array_equal(itself, checkpoint.state[f"{layer}.weight"].numpy())
    middle = kernels.weights_at(past.moments[-2], checkpoint, layer)  # epoch 1, half way
    assert middle.dtype == np.float32
    assert np.allclose(middle, initial * (1 + MOVES / 2), atol=2e-3)  # it was kept as float16


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
    past = kernels.history(checkpoint, "conv1")
    first, last = (kernels.compare(checkpoint, "conv1", past, past.moments[i], "colour", 0, "norm") for i in (1, -1))
    assert np.array_equal(first.order, last.order) and first.limit == last.limit
    assert np.all(np.diff(kernels.norms(last.now)) <= 0)  # the strongest first
    assert np.array_equal(last.now, checkpoint.state["conv1.weight"].numpy()[last.order])
    assert last.change.relative == pytest.approx(MOVES, rel=1e-4) and last.change.cosine == pytest.approx(1)


def test_the_most_moved_come_first_as_the_numbers_say_it():
    before, now = np.random.default_rng(0).normal(size=(2, 9, 3, 3)).astype(np.float32)
    before *= np.arange(1, 10, dtype=np.float32)[:, None, None]  # long ones move less, measured by their own length
    assert np.all(np.diff(kernels.change(before, now).relatives[kernels.order(now, before, "change")]) <= 0)


def test_the_rows_and_the_words_tell_the_same(checkpoint):
    past = kernels.history(checkpoint, "conv1")
    seen = kernels.compare(checkpoint, "conv1", past, past.moments[-1], "colour", 0, "change")
    rows = kernels.rows(seen)
    assert [row["kernel"] for row in rows] == seen.order.tolist() and len(rows) == 16
    assert rows[0]["change"] == pytest.approx(MOVES, rel=1e-4) and len(rows[0]["weights now"].split()) == 27
    assert "16 kernels of 3 x 3 of conv1" in kernels.describe("conv1", seen)
    unmoved = kernels.compare(checkpoint, "conv1", past, past.moments[0], "colour", 0, "index")
    assert unmoved.change.relative < 1e-3  # the snapshot is float16
    unmoved = replace(unmoved, change=kernels.change(unmoved.now, unmoved.now))
    assert "exactly as they were" in kernels.describe("conv1", unmoved)
