"""The moments of a run, against the files they come from."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import kernels, kernels_history

from .conftest import MOVES, write_run


@pytest.fixture
def checkpoint(written_run):
    return checkpoints.read(written_run / "best.safetensors")


def test_the_first_two_convolutions_have_every_snapshot(checkpoint):
    for layer in ("conv1", "layer1.0.conv1"):
        past = kernels_history.history(checkpoint, layer)
        labels = [moment.label for moment in past.moments]
        assert labels == ["before training", "step 1", "step 2", "step 4", "epoch 1", "epoch 2, this checkpoint"]
        assert past.current == 5 and past.moments[5].path is None and past.why == ""


def test_other_layers_have_the_weights_that_were_kept(checkpoint):
    past = kernels_history.history(checkpoint, "layer3.0.conv2")
    assert [moment.label for moment in past.moments] == ["before training", "epoch 1", "epoch 2, this checkpoint"]
    assert past.why == ""


def test_without_kept_weights_there_is_before_and_now_and_a_word_about_it(bare_run):
    past = kernels_history.history(checkpoints.read(bare_run / "best.safetensors"), "layer3.0.conv2")
    assert [moment.label for moment in past.moments] == ["before training", "epoch 2, this checkpoint"]
    assert "only before training and now" in past.why


def test_a_run_that_carries_its_beginning_in_the_snapshots_alone(tmp_path):
    run = write_run(tmp_path / "run", keep_weights=False)
    first = load_file(run / "initial.safetensors")["conv1.weight"].half().float().numpy()
    (run / "initial.safetensors").unlink()
    checkpoint = checkpoints.read(run / "best.safetensors")
    past = kernels_history.history(checkpoint, "conv1")
    assert past.why == "" and np.array_equal(kernels_history.weights_at(past.before, checkpoint, "conv1"), first)
    deeper = kernels_history.history(checkpoint, "layer3.0.conv2")
    assert deeper.before is None and "neither its weights from before training" in deeper.why


@pytest.mark.parametrize("layer", ["conv1", "layer2.0.conv1"])
def test_weights_are_those_of_the_files(checkpoint, written_run, layer):
    past = kernels_history.history(checkpoint, layer)
    initial = load_file(written_run / "initial.safetensors")[f"{layer}.weight"].float().numpy()
    assert np.array_equal(kernels_history.weights_at(past.before, checkpoint, layer), initial)
    itself = kernels_history.weights_at(past.moments[past.current], checkpoint, layer)
    assert np.array_equal(itself, checkpoint.state[f"{layer}.weight"].numpy())
    middle = kernels_history.weights_at(past.moments[-2], checkpoint, layer)  # epoch 1, half way
    assert middle.dtype == np.float32
    assert np.allclose(middle, initial * (1 + MOVES / 2), atol=2e-3)  # it was kept as float16


def test_every_layer_has_its_beginning_where_the_seed_gives_it_again(tmp_path):
    """The reference is the file that did not travel."""
    run = write_run(tmp_path / "run", keep_weights=False)
    runs.write_config(run, {"network": "resnet8", "seed": 0})
    initial = load_file(run / "initial.safetensors")
    (run / "initial.safetensors").unlink()
    checkpoint = checkpoints.read(run / "best.safetensors")
    for layer in ("conv1", "layer1.0.conv1", "layer3.0.conv2"):
        past = kernels_history.history(checkpoint, layer)
        assert past.before.rebuilt and torch.equal(torch.from_numpy(kernels_history.weights_at(past.before, checkpoint, layer)),
                                                   initial[f"{layer}.weight"])
        seen = kernels.compare(checkpoint, layer, past, past.moments[-1], "filter", 0, "change")
        assert seen.change.relative == pytest.approx(MOVES, rel=1e-4)
    assert [moment.label for moment in past.moments] == ["before training", "epoch 2, this checkpoint"]
