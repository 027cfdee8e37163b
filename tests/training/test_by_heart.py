"""The runs of the lesson on overfitting: presets that differ in one thing, and the record that came of them."""

from dataclasses import replace

import numpy as np
import pytest

from resnet_viz import runs
from resnet_viz.training import by_heart, process
from resnet_viz.training.__main__ import run_here
from resnet_viz.training.presets import PRESETS


def test_every_cure_is_a_preset_and_changes_one_thing():
    base = PRESETS["by-heart"].config
    assert base == by_heart.RECIPES[by_heart.BASELINE]
    changes = {}
    for recipe, config in by_heart.RECIPES.items():
        if recipe != by_heart.BASELINE:
            assert PRESETS[f"by-heart-{recipe.lower()}"].config == config
            own = config.to_dict()
            changes[recipe] = {key for key, value in base.to_dict().items() if own[key] != value}
    assert changes == {
        "L1": {"l1"},
        "L2": {"weight_decay"},
        "dropout": {"arguments"},
        "augmentation": {"rotation", "crop_padding"},
    }


def test_the_record_holds_every_experiment_whole():
    found = by_heart.recorded()
    assert [(one.recipe, one.pictures, one.seed) for one in found] == by_heart.experiments()
    for one in found:
        epochs = by_heart.config_of(one.recipe, one.pictures, one.seed).epochs
        assert one.metrics["val"]["epoch"].tolist() == list(range(1, epochs + 1))
        assert one.metrics["train"]["images"][-1] == epochs * one.pictures
        assert all(np.isfinite(values).all() for columns in one.metrics.values() for values in columns.values())


def test_a_missing_record_is_an_empty_one(monkeypatch, tmp_path):
    monkeypatch.setattr(by_heart, "RECORD", tmp_path / "none.json")
    by_heart.recorded.cache_clear()
    assert by_heart.recorded() == ()
    by_heart.recorded.cache_clear()


def test_the_same_recipe_on_another_machine_is_the_same():
    wanted = by_heart.config_of("L2", 30, 1)
    assert by_heart.same_recipe(replace(wanted, device="cpu", threads=7).to_dict(), wanted)
    assert not by_heart.same_recipe(replace(wanted, seed=2).to_dict(), wanted) and not by_heart.same_recipe({}, wanted)


@pytest.mark.hard
def test_a_run_begins_as_the_record_says(tmp_path, monkeypatch):
    """Two epochs here against the record's first two: the same recipe, so the same curve up to rounding."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    recorded = by_heart.recorded()[0]
    config = replace(
        by_heart.config_of(recorded.recipe, recorded.pictures, recorded.seed), device="cpu", threads=1, epochs=2
    )
    process.create(config, tmp_path / "run")
    assert run_here(tmp_path / "run") == "finished"
    found = runs.Metrics(tmp_path / "run").refresh()
    assert found["val"]["loss"] == pytest.approx(recorded.metrics["val"]["loss"][:2], rel=0.05)
    assert found["train"]["loss"][0] == pytest.approx(recorded.metrics["train"]["loss"][0], rel=0.01)
    assert by_heart._kept(tmp_path / "run").keys() == by_heart.KEPT.keys()
