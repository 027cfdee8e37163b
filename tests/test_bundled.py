"""The checkpoints that come with the project keep what their cards promise."""

import os

import pytest
from torch import nn

from resnet_viz import checkpoints, runs
from resnet_viz.analysis.measurement import measure

CIFAR, STEM7 = "resnet20-cifar10-jpeg", "resnet20-stem7-shapes"


LECTURE, DEGRADATION = "lecture-resnet18-cifar10-jpeg", {
    "plain20": "plain20-cifar10-jpeg", "plain56": "plain56-cifar10-jpeg",
    "resnet20": "resnet20-short-cifar10-jpeg", "resnet56": "resnet56-cifar10-jpeg"}
ONE_FILE = [LECTURE, *DEGRADATION.values()]  # of the weights only those that were tested
ALL = [CIFAR, STEM7, *ONE_FILE]


def test_they_are_there():
    assert set(ALL) == set(checkpoints.bundled())


def _bytes(name):
    return sum(f.stat().st_size for f in (checkpoints.BUNDLED / name).rglob("*") if f.is_file())


def test_those_of_one_file_are_small_and_have_their_first_kernels_at_every_moment():
    assert sum(map(_bytes, ONE_FILE)) <= 32 * 2**20
    for name in ONE_FILE:
        run = checkpoints.BUNDLED / name
        assert runs.state(run) == "finished" and [which for which in runs.WEIGHTS if runs.weights_file(run, which)] in (["best"], ["last"])
        snapshots = runs.snapshots(run)
        assert snapshots[0].step == 0 and {s.epoch for s in snapshots} == set(range(runs.read_config(run)["epochs"] + 1))
    first = runs.read_snapshot(runs.snapshots(checkpoints.BUNDLED / LECTURE)[-1].path)["conv1.weight"]
    assert first.shape == (64, 3, 7, 7), "the lecture's wall of eight by eight"


def test_the_four_of_degradation_differ_in_the_network_alone():
    configs = [runs.read_config(checkpoints.BUNDLED / name) for name in DEGRADATION.values()]
    assert [config.pop("network") for config in configs] == list(DEGRADATION)
    assert all(config == configs[0] for config in configs)


def test_the_deep_plain_network_is_worse_on_its_own_training_pictures():
    """He et al. 2016, figure 1: so it is not overfitting; with shortcuts depth costs far less."""
    final = {}
    for network, name in DEGRADATION.items():
        train = runs.Metrics(checkpoints.BUNDLED / name).refresh()["train"]
        final[network] = train["accuracy"][train["epoch"] == train["epoch"][-1]].mean()
    assert final["plain56"] < final["plain20"] - 0.1 and final["resnet56"] > final["plain56"] + 0.1


@pytest.mark.parametrize("name", [CIFAR, STEM7])
def test_each_is_a_finished_run_with_its_history(name):
    run = checkpoints.BUNDLED / name
    snapshots = runs.snapshots(run)
    first_epoch = min(s.step for s in snapshots if s.epoch == 1)
    assert runs.state(run) == "finished"
    assert len(snapshots) >= 20 and sum(s.step < first_epoch for s in snapshots) >= 5 and snapshots[0].step == 0
    assert sum(f.stat().st_size for f in run.rglob("*") if f.is_file()) <= 4 * 2**20
    metrics = runs.Metrics(run).refresh()
    assert set(metrics) == {"train", "val", "test"} and metrics["train"]["loss"][0] > 2 > metrics["train"]["loss"][-1]
    assert all(runs.weights_file(run, which) for which in runs.WEIGHTS) and runs.read_gradients(run)


@pytest.mark.parametrize("name", ALL)
def test_the_card_says_what_the_files_say(name):
    run = checkpoints.BUNDLED / name
    card, checkpoint = (run / "README.md").read_text(), checkpoints.read(checkpoints.find(name))
    for wanted in ("## Data", "## Recipe", "## Limits", "seed", "python -m resnet_viz train", checkpoint.data,
                   f"{checkpoint.metrics['test_accuracy']:.2%}"):
        assert wanted in card
    assert runs.Metrics(run).refresh()["test"]["accuracy"][-1] == pytest.approx(checkpoint.metrics["test_accuracy"], abs=1e-6)


def test_the_cifar_network_is_as_good_as_it_has_to_be():
    assert checkpoints.read(checkpoints.find(CIFAR)).metrics["test_accuracy"] >= 0.87


def test_the_other_has_a_wall_of_eight_by_eight():
    model = checkpoints.model(checkpoints.read(checkpoints.find(STEM7)))
    first = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
    assert tuple(first.weight.shape) == (64, 3, 7, 7)


def test_the_shapes_network_answers_as_its_card_says():
    """Measured again on pictures that anybody can make: float16 weights and another machine cost little."""
    checkpoint = checkpoints.read(checkpoints.find(STEM7))
    assert measure(checkpoint, "shapes")["accuracy"] == pytest.approx(checkpoint.metrics["test_accuracy"], abs=0.01)


@pytest.mark.check_data
@pytest.mark.parametrize("name", [CIFAR, *ONE_FILE])
def test_a_cifar_network_answers_as_its_card_says(name):
    """On the 10,000 test pictures themselves; `make check-data DATA=...` says where they are. Half the digits cost under 0.1 %."""
    checkpoint = checkpoints.read(checkpoints.find(name))
    found = measure(checkpoint, os.environ["CHECK_DATA"])
    assert found["images"] == 10_000
    assert found["accuracy"] == pytest.approx(checkpoint.metrics["test_accuracy"], abs=0.001)
