"""Initial weights drawn again from a run's seed: the trainer's own numbers, believed only where a snapshot agrees."""

import shutil
import threading
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from resnet_viz import beginnings, checkpoints, runs
from resnet_viz.networks import zoo
from resnet_viz.training import work

from .training.conftest import TINY, train_here


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A real run of one epoch, with all its files."""
    run = tmp_path_factory.mktemp("runs") / "one"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_VIZ_RUNS", str(run.parent))
        train_here(replace(TINY, epochs=1, train_limit=128, seed=7), run)
    return run


@pytest.fixture
def run(trained, tmp_path):
    """The same without its initial weights, as a small bundle carries it."""
    shutil.copytree(trained, tmp_path / "run")
    (tmp_path / "run" / "initial.safetensors").unlink()
    return tmp_path / "run"


def best(run):
    return checkpoints.read(checkpoints.best_or_last(run))


def test_the_runs_own_file_comes_first(trained):
    found = beginnings.of(best(trained))
    assert not found.rebuilt and found.why == "" and found.checkpoint.epoch == 0


def test_every_tensor_is_the_trainers(trained, run):
    kept = load_file(trained / "initial.safetensors")
    found = beginnings.of(best(run))
    assert found.rebuilt and found.checkpoint.epoch == 0 and found.checkpoint.metrics == {}
    assert found.checkpoint.state.keys() == kept.keys()
    assert all(torch.equal(found.checkpoint.state[name].float(), tensor.float()) for name, tensor in kept.items())
    assert not checkpoints.model(found.checkpoint).training  # it can be used like any other


def test_a_bundled_run_without_its_initial_weights():
    folders = [checkpoints.BUNDLED / name for name in checkpoints.bundled()]
    without = [folder for folder in folders if runs.weights_file(folder, "initial") is None]
    for folder in without:
        found = beginnings.of(best(folder))
        assert found.rebuilt, found.why
    with_file = checkpoints.BUNDLED / "resnet20-cifar10-jpeg"
    drawn, kept = beginnings.rebuilt(best(with_file)), load_file(with_file / "initial.safetensors")
    assert all(torch.equal(drawn[name].half(), kept[name].half()) for name in kept)


@pytest.mark.parametrize("network", ["resnet18", "simple-cnn", "hw4-resnet", "grapheme-resnet", "plain20"])
def test_drawn_as_after_manual_seed(network, monkeypatch):
    """The reference is torch's own global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        expected = zoo.build(network).state_dict()
    snapshot = {name: tensor.half().numpy() for name, tensor in expected.items() if tensor.ndim == 4}
    monkeypatch.setattr(runs, "read_snapshot", lambda path: snapshot)
    random = torch.get_rng_state()
    drawn = beginnings._drawn.__wrapped__(11, network, "{}", None, 0)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(drawn[name], tensor) for name, tensor in expected.items())


def test_others_may_draw_at_the_same_time(run):
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            torch.rand(64)

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        beginnings._drawn.cache_clear()
        assert beginnings.of(best(run)).rebuilt
    finally:
        stop.set()
        thread.join()


def test_a_seed_that_gives_other_numbers_is_not_believed(run):
    runs.write_config(run, {**runs.read_config(run), "seed": 8})
    found = beginnings.of(best(run))
    assert found.checkpoint is None and "first snapshot holds other numbers" in found.why


def test_a_run_that_began_from_other_weights(run):
    runs.write_config(run, {**runs.read_config(run), "start_from": "/somewhere/mine.safetensors"})
    found = beginnings.of(best(run))
    assert found.checkpoint is None and "began from the weights mine.safetensors" in found.why


def test_without_a_snapshot_or_a_run_there_is_a_sentence(run, tmp_path):
    shutil.rmtree(run / "snapshots")
    assert "nor a snapshot" in beginnings.of(best(run)).why
    alone = tmp_path / "alone.safetensors"
    shutil.copyfile(checkpoints.best_or_last(run), alone)
    assert beginnings.of(checkpoints.read(alone)).why == beginnings.NO_RUN


def test_the_trainer_still_draws_that_way(monkeypatch):
    """Should the trainer seed or build another way, this says so before a bundle does."""
    model = work.prepare(replace(TINY, seed=5)).model
    snapshot = {"conv1.weight": model.state_dict()["conv1.weight"].half().numpy()}
    monkeypatch.setattr(runs, "read_snapshot", lambda path: snapshot)
    drawn = beginnings._drawn.__wrapped__(5, "resnet8", "{}", None, 0)
    assert all(torch.equal(drawn[name], tensor) for name, tensor in model.state_dict().items())
