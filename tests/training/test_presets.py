"""Presets: every one is a whole, sensible recipe, and says what its source printed as a quotation."""

import pytest

from resnet_viz.data import sources
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem
from resnet_viz.training import presets
from resnet_viz.training.config import from_dict
from resnet_viz.training.presets import PRESETS


def test_names_are_unique_and_the_first_is_the_quick_one():
    names = [preset.name for preset in PRESETS.values()]
    assert len(set(names)) == len(names) and names[0] == "quick-shapes"
    assert all(
        name == preset.name and preset.title and preset.description.endswith(".") for name, preset in PRESETS.items()
    )
    with pytest.raises(Problem, match="Unknown preset"):  # lists them all, and is longer for it
        presets.find("nothing")


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_is_a_recipe_that_can_be_built(preset):
    config = preset.config
    assert from_dict(config.to_dict()) == config
    source = sources.SOURCES.get(config.data)
    assert source or config.data == "data/imagenet"
    heads = source.heads if source else (1000,)
    size = config.size or zoo.size_for(config.network, source.size)
    zoo.check(config.network, {**config.arguments, "heads": list(heads)}, size)


@pytest.mark.parametrize(
    ("name", "accuracy"),
    [
        ("lecture-resnet18", 0.7346),
        ("hw4-scratch", 0.6013),
        ("hw4-finetune", 0.7537),
        ("lab-baseline", 0.7130),
        ("he-resnet20", 1 - 0.0875),
        ("he-resnet56", 1 - 0.0697),
        ("he-resnet110", 1 - 0.0643),
    ],
)
def test_what_the_sources_printed(name, accuracy):
    assert PRESETS[name].reported.accuracy == pytest.approx(accuracy)


def test_twins_differ_in_the_network_alone():
    first = PRESETS["degradation-plain20"].config.to_dict()
    for name in ("degradation-resnet20", "degradation-plain56", "degradation-resnet56"):
        other = PRESETS[name].config.to_dict()
        assert {key for key in first if first[key] != other[key]} == {"network"}


def test_each_variant_of_the_lab_changes_one_thing():
    base = PRESETS["lab-baseline"].config.to_dict()
    variants = [name for name in PRESETS if name.startswith("lab-") and name not in ("lab-baseline", "lab-simple-cnn")]
    assert len(variants) >= 10
    for name in variants:
        changed = {key for key, value in PRESETS[name].config.to_dict().items() if value != base[key]}
        assert changed and (name == "lab-augment-all" or "schedule" in changed or len(changed) == 1)
