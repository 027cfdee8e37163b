"""Twins differ in exactly the switch that was flipped, and what differs is said."""

import dataclasses

import pytest
import torch

from resnet_viz.networks import zoo
from resnet_viz.training import switches
from resnet_viz.training.config import Config
from resnet_viz.training.presets import PRESETS

ONE_EACH = {preset.config.network: preset.name for preset in PRESETS.values()}.values()  # a preset of every network
CASES = [(preset, name) for preset in ONE_EACH for name in switches.possible(PRESETS[preset].config)]


@pytest.mark.short(20)
@pytest.mark.parametrize(("preset", "name"), CASES)
def test_the_other_twin_differs_in_that_switch_alone_and_can_be_built(preset, name):
    config = PRESETS[preset].config
    for text, other in switches.possible(config)[name].items():
        found = switches.differences(config, other)
        assert list(found) == [name] and found[name][1] == text
        zoo.check(other.network, other.arguments, other.size)
        assert switches.names(other, config) == switches.names(config, other)[::-1]


@pytest.mark.parametrize("network", [name for name, entry in zoo.NETWORKS.items() if entry.spec and entry.input_size == 32])
def test_a_plain_twin_begins_with_the_same_weights_where_no_shortcut_has_any(network):
    config = Config(network=network)
    ((_, other),) = switches.possible(config)["shortcuts"].items()
    models = []
    for each in (config, other):
        torch.manual_seed(3)
        models.append(dict(zoo.build(each.network, each.arguments).named_parameters()))
    projections = {name for model in models for name in model if "downsample" in name}
    assert models[0].keys() ^ models[1].keys() == projections
    if not projections:
        assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])


def test_every_switch_of_the_issue_is_there():
    assert set(switches.possible(Config())) == {
        "shortcuts", "batch norm", "depth", "learning rate", "batch size", "augmentation", "pixel values"
    }
    assert "56 layers" in switches.possible(Config())["depth"]


def test_a_course_network_has_no_shortcuts_to_leave_out():
    assert not {"shortcuts", "batch norm", "depth"} & set(switches.possible(Config(network="simple-cnn")))


@pytest.mark.parametrize(("changes", "found"), [
    ({"network": "plain56"}, {"shortcuts": ("residual", "plain"), "depth": ("20 layers", "56 layers")}),
    ({"arguments": {"shortcut": "B"}}, {"shortcuts": ("residual (A)", "residual (B)")}),
    ({"arguments": {"activation": "tanh"}}, {"network": ("resnet20", 'resnet20 {"activation": "tanh"}')}),
    ({"network": "simple-cnn"}, {"network": ("resnet20", "simple-cnn")}),
    ({"schedule": "step"}, {"schedule": ("schedule: one-cycle", "schedule: step")}),
    ({"seed": 4}, {"seed": ("seed 0", "seed 4")}),
    ({"weight_decay": 0.0}, {"weight decay (l2)": ("weight decay (l2): 0.0005", "weight decay (l2): 0")}),
    ({"flip": 0.2}, {"augmentation": ("flips (flip 0.5)", "flips (flip 0.2)")}),
    ({"train_limit": 500}, {"learn from the first pictures only": (
        "learn from the first pictures only: all", "learn from the first pictures only: 500")}),
    ({"data": "/a/place/pets.zip"}, {"pictures": ("pictures: shapes", "pictures: pets")}),
    ({"device": "cpu", "threads": 3, "keep_weights": True, "gamma": 0.5}, {}),
])
def test_what_differs_is_said_and_where_it_ran_is_no_difference(changes, found):
    assert switches.differences(Config(), dataclasses.replace(Config(), **changes)) == found


def test_names_are_short_or_there_are_none():
    assert switches.names(Config(), Config(network="plain56")) == ("residual, 20 layers", "plain, 56 layers")
    assert switches.names(Config(), Config()) is None
    assert switches.names(Config(), Config(network="plain56", lr=0.2)) is None
