import json
from dataclasses import fields

import pytest

from resnet_viz.problems import Problem
from resnet_viz import runs
from resnet_viz.training import ranges
from resnet_viz.training.config import CONFIG_VERSION, Config, from_dict, resolve, with_settings
from resnet_viz.training.presets import PRESETS
from resnet_viz.training.presets import find as find_preset
from resnet_viz.networks import zoo


def test_a_config_survives_json():
    config = Config(arguments={"stem": "imagenet"}, epochs=7, milestones=[0.5, 6], keep_weights=False, train_limit=10)
    assert from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("key, value", [
    ("epochs", -1), ("epochs", 1.5), ("epochs", True), ("epochs", "3"), ("lr", 0), ("lr", float("nan")), ("lr", "fast"), ("lr", 1e9),
    ("batch_size", 0), ("optimizer", "lion"), ("schedule", "stairs"), ("device", "tpu"), ("precision", "fp8"), ("momentum", 1.0),
    ("val_fraction", 1.0), ("flip", 2), ("crop_padding", -1), ("crop_area", 0), ("rotation", 200), ("noise", -1), ("cutout", 1.5), ("mixup", -1), ("arguments", [1]), ("seed", -1), ("size", 1), ("threads", 0),
    ("train_limit", 0), ("nesterov", 1), ("milestones", 3), ("milestones", [True]), ("gamma", 2), ("step_epochs", 1.5), ("version", 99), ("version", 3), ("network", None),
])
def test_a_senseless_value_is_refused_by_name(key, value):
    with pytest.raises(Problem) as error:
        Config(**{key: value})
    assert key in str(error.value) and len(str(error.value)) < 200


def test_a_normalisation_is_a_name_or_a_list():
    for text in ("data", "imagenet", "unit", "none", "half", "0.5,0.25", "0.1,0.2,0.3,0.4,0.5,0.6"):
        Config(normalisation=text)
    for text in ("nothing", "0.5", "", "1,2,3"):
        with pytest.raises(Problem, match="normalisation"):
            Config(normalisation=text)


def test_an_unknown_key_is_refused_by_name():
    with pytest.raises(Problem, match="'learning_rate'.*lr"):
        from_dict({"learning_rate": 0.1})


def test_settings_of_the_command_line():
    config = with_settings(Config(), ["lr=0.5", "keep_weights=true", "data=2024", "arguments={\"stem\": \"imagenet\"}", "train_limit=null"])
    assert (config.lr, config.keep_weights, config.data, config.arguments, config.train_limit) == (0.5, True, "2024", {"stem": "imagenet"}, None)
    for wrong in ("lr", "lr=fast", "speed=1", "speed.x=1"):
        with pytest.raises(Problem):
            with_settings(Config(), [wrong])


def test_settings_of_the_network():
    config = with_settings(Config(arguments={"stem": "imagenet"}), ["arguments.activation=tanh", "arguments.heads=[3]", "arguments.conv_bias=true"])
    assert config.arguments == {"stem": "imagenet", "activation": "tanh", "heads": [3], "conv_bias": True}
    with pytest.raises(Problem, match="arguments"):
        with_settings(Config(), ["arguments=3", "arguments.norm=none"])


def test_resolving_names_device_and_threads():
    found = resolve(Config())
    assert found.device in ("cpu", "cuda", "mps") and found.threads >= 1
    assert resolve(found) == found


def test_every_preset_builds():
    assert list(PRESETS)[0] == "quick-shapes"
    for name, preset in PRESETS.items():
        zoo.build(preset.config.network, preset.config.arguments, device="meta")
        assert preset.name == name and from_dict(preset.config.to_dict()) == preset.config
    with pytest.raises(Problem, match="quick-shapes"):
        find_preset("nope")


def test_every_field_is_checked_and_explained():
    assert set(ranges.SETTINGS) | {"version"} == {f.name for f in fields(Config)}
    assert all(setting.title and setting.explained for setting in ranges.SETTINGS.values())


VERSION_1 = {  # as the bundled runs have it
    "network": "resnet20", "arguments": {}, "data": "shapes", "size": None, "epochs": 48, "batch_size": 128, "optimizer": "sgd",
    "lr": 0.2, "momentum": 0.9, "nesterov": True, "weight_decay": 0.0005, "schedule": "one-cycle", "label_smoothing": 0.0,
    "flip": 0.5, "crop_padding": 4, "normalisation": "data", "seed": 1, "val_fraction": 0.02, "train_limit": None,
    "device": "cpu", "threads": 2, "precision": "bf16", "keep_weights": False, "version": 1,
}


def test_a_config_of_the_first_version_is_read_and_what_it_did_not_know_is_off():
    config = from_dict(VERSION_1)
    assert config.version == CONFIG_VERSION == 2 and {**config.to_dict(), "version": 1}.items() >= VERSION_1.items()
    assert config == from_dict(json.loads(json.dumps(config.to_dict())))
    off = {key: value for key, value in config.to_dict().items() if key not in VERSION_1}
    assert off == {key: value for key, value in Config().to_dict().items() if key in off}


def test_the_bundled_configs_are_read():
    for path in (runs.PROJECT / "checkpoints").glob("*/config.json"):
        assert from_dict(json.loads(path.read_text())).network in zoo.NETWORKS
