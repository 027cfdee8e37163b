"""Beginning from learned weights: what is taken, what is new, what learns; and the run needs nobody else's file."""

import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from resnet_viz import checkpoints, runs
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem
from resnet_viz.training import fine_tuning, process
from resnet_viz.training.config import Config
from resnet_viz.training.recipe import make_optimizer
from resnet_viz.training.update import Update
from resnet_viz.training.work import prepare

from .conftest import TINY, train_here

SHORT = replace(TINY, epochs=1, train_limit=200, momentum=0.0, nesterov=False, weight_decay=0.0)


def head_and_others(state):
    return (
        {name: t for name, t in state.items() if name.startswith("fc.")},
        {name: t for name, t in state.items() if not name.startswith("fc.")},
    )


def same(a, b) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """Weights of seven classes of their own, as a stranger's state_dict."""
    torch.manual_seed(7)
    path = tmp_path_factory.mktemp("weights") / "seven.pth"
    model = zoo.build("resnet8", {"heads": [7]})
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
    torch.save(model.state_dict(), path)
    return path


def test_the_same_classes_keep_their_last_layer(finished, tmp_path):
    run = tmp_path / "run"
    assert train_here(replace(SHORT, start_from=str(finished)), run) == "finished"
    assert same(load_file(finished / "best.safetensors"), load_file(run / "initial.safetensors"))
    assert "all layers" in runs.read_status(run)["notes"][-1]


def test_other_classes_get_a_new_last_layer_and_the_run_needs_no_other_file(letters, tmp_path):
    theirs, run, file = torch.load(letters), tmp_path / "run", tmp_path / "mine.pth"
    shutil.copyfile(letters, file)
    config = replace(SHORT, start_from=str(file))
    assert train_here(config, run, stop_at=2) == "stopped"
    initial = load_file(run / "initial.safetensors")
    head, others = head_and_others(initial)
    assert same(others, theirs) and head["fc.weight"].shape == (10, 64)
    assert checkpoints.read(run / "initial.safetensors").classes == tuple("0123456789")
    assert "new for 10 classes" in runs.read_status(run)["notes"][-1]
    file.unlink()
    (run / "resume.safetensors").unlink()  # as after a kill in the first minute
    assert train_here(config, run) == "finished"
    assert same(load_file(run / "initial.safetensors"), initial)
    whole = tmp_path / "whole"
    train_here(replace(config, start_from=str(letters)), whole)
    assert same(load_file(whole / "last.safetensors"), load_file(run / "last.safetensors"))


def test_a_frozen_network_stays_as_it_was_with_its_statistics(letters, tmp_path):
    run = tmp_path / "run"
    train_here(replace(SHORT, start_from=str(letters), train_part="head"), run)
    first, last = (load_file(run / f"{which}.safetensors") for which in ("initial", "last"))
    assert same(head_and_others(first)[1], head_and_others(last)[1])
    assert not torch.equal(first["fc.weight"], last["fc.weight"])
    ratios = runs.read_gradients(run)[0]["update_ratio"]
    assert ratios["fc"] > 0 and all(value == 0 for name, value in ratios.items() if name != "fc")


def test_the_last_layer_may_have_a_rate_of_its_own():
    steps = {}
    for factor in (1.0, 10.0):
        work = prepare(replace(SHORT, head_lr_factor=factor, crop_padding=0))
        update = Update(work, make_optimizer(work.model, work.config))
        before = [p.detach().clone() for p in work.model.parameters()]
        work.model.train()
        update.step(torch.arange(20), update.draw(0), 0.1)
        steps[factor] = {name: p.detach() - old for (name, p), old in zip(work.model.named_parameters(), before)}
    for name, step in steps[10.0].items():
        torch.testing.assert_close(step, steps[1.0][name] * (10 if name.startswith("fc.") else 1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": "resnet14"}, "of resnet8 with depths"),
        ({"network": "plain8"}, "shortcut"),
        ({"arguments": {"activation": "tanh"}}, "activation relu, not tanh"),
        ({"network": "simple-cnn"}, "weights of resnet8, not of simple-cnn"),
        ({"start_from": "nowhere.pth"}, "nowhere.pth"),
        ({"start_from": "ResNet18_Weights.IMAGENET1K_V1"}, "choose network=resnet18"),
        ({"start_from": "ResNet18_Weights.V7"}, "IMAGENET1K_V1"),
    ],
)
def test_weights_that_do_not_fit_are_refused_before_a_run_exists(changes, words, letters, tmp_path):
    with pytest.raises(Problem, match=words) as error:
        process.create(replace(SHORT, **{"start_from": str(letters), **changes}), tmp_path / "run")
    assert not (tmp_path / "run").exists() and (len(str(error.value)) < 300 or "V7" in str(error.value))


def test_a_path_is_found_from_anywhere_and_a_name_stays_a_name(letters, tmp_path, monkeypatch):
    monkeypatch.chdir(letters.parent)
    process.create(replace(SHORT, start_from="seven.pth"), tmp_path / "a")
    assert runs.read_config(tmp_path / "a")["start_from"] == str(letters)
    process.create(replace(SHORT, network="resnet18", start_from="ResNet18_Weights.IMAGENET1K_V1"), tmp_path / "b")
    assert runs.read_config(tmp_path / "b")["start_from"] == "ResNet18_Weights.IMAGENET1K_V1"


def test_a_frozen_network_of_random_weights_is_refused():
    with pytest.raises(Problem, match="start_from"):
        Config(train_part="head")


def test_dropout_and_several_heads_may_differ_from_the_weights(letters):
    model = zoo.build("resnet8", {"heads": [5, 2], "dropout": 0.2})
    config = replace(SHORT, start_from=str(letters), arguments={"dropout": 0.2})
    said = fine_tuning.begin(model, config, tuple("abcdexy"), (5, 2))
    assert "5 + 2 classes" in said, "seven outputs are not five and two"
    assert torch.equal(model.conv1.weight, torch.load(letters)["conv1.weight"])
