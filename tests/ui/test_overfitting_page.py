"""The lesson on overfitting: every part opens from a link; recorded curves, a run of one's own, read-only mode."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import variance_shift
from resnet_viz.analysis.variance_shift import SHARES, Shift
from resnet_viz.training import by_heart, process
from resnet_viz.ui import access, overfitting, overfitting_dropout

from .lessons import open_in_app
from .test_learning_page import film


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    return tmp_path


def said(app: AppTest) -> str:
    return "\n".join(part.value for part in [*app.markdown, *app.caption])


def test_recorded_curves_are_there_at_once_and_every_cure_opens():
    app = open_in_app("overfitting")
    assert "By heart: after 40 epochs 100.0\u00a0% of what it learned is right" in said(app)
    assert "no cure: recorded beforehand by this project. Seed 0." in said(app)
    app.segmented_control(key="cure").set_value("L2").run()
    assert not app.exception and "**L2.**" in said(app)
    app.segmented_control(key="cure").set_value("early stopping").run()
    app.segmented_control(key="cure").set_value("all").run()
    assert not app.exception and "**augmentation.**" in said(app)
    app.segmented_control(key="cure").set_value("early stopping").run()
    app.segmented_control(key="pictures").set_value(100).run()
    assert not app.exception and "100 pictures, 74,522 weights" in said(app)
    app.segmented_control(key="view").set_value("Numbers").run()
    assert len(app.dataframe[0].value) == len(by_heart.RECIPES) + 1
    app.segmented_control(key="cure").set_value("dropout").run()  # not recorded with so many pictures
    assert not app.exception and "dropout: not trained yet" in said(app)


def test_start_begins_what_is_not_there_yet_and_a_run_is_found_again(monkeypatch, folder):
    begun = []
    monkeypatch.setattr(process, "_spawn", begun.append)
    app = open_in_app("overfitting", cure="L1")
    app.button(key="heart_start").click().run()
    assert not app.exception and len(begun) == 2
    configs = [runs.read_config(run) for run in begun]
    assert [by_heart.same_recipe(config, by_heart.config_of(recipe, 30, 0)) for config, recipe in
            zip(configs, (by_heart.BASELINE, "L1"))] == [True, True]
    assert "no cure, L1: recorded beforehand" in said(open_in_app("overfitting", cure="L1"))  # as long as there is nothing to show
    for run in begun[:2]:
        learn_a_little(run)
    fresh = open_in_app("overfitting", cure="L1")  # another session, e.g. after a reload
    assert "no cure, L1: trained here. Seed 0." in said(fresh) and "**No cure.** After 3 epochs" in said(fresh)
    assert fresh.get("page_link")
    fresh.button(key="heart_start").click().run()  # all are here: other dice
    assert len(begun) == 4 and fresh.session_state["heart_seed"] not in (0, "0")


def learn_a_little(run: Path) -> None:
    """The first epochs of the record, as a trainer would have written them."""
    recorded = by_heart.recorded()[0].metrics
    for number in range(12):
        row = {name: recorded["train"][name][number] for name in ("images", "loss", "accuracy")}
        runs.append(run / "metrics.jsonl", {"split": "train", "epoch": number, "step": 3 * number + 1, "lr": 0.003,
                                            "elapsed_s": 1.0, **row})
    for number in range(3):
        row = {name: recorded["val"][name][number] for name in ("epoch", "loss", "accuracy")}
        runs.append(run / "metrics.jsonl", {"split": "val", "step": 3 * number + 3, "images": 30.0, "lr": 0.003,
                                            "elapsed_s": 1.0, **row})


def test_in_read_only_mode_there_is_no_start(monkeypatch):
    monkeypatch.setenv(access.READONLY, "1")
    app = open_in_app("overfitting", cure="L2")
    assert access.WHY in said(app) and not [button for button in app.button if button.key == "heart_start"]


@pytest.mark.parametrize("query", [
    {"part": "L1 and L2", "penalty": "L1", "data": "b + c should be 10", "strength": "1.0"},
    {"part": "Dropout", "p": "0.9"},
])
def test_films_open_from_a_link_with_their_views(query):
    app = open_in_app("overfitting", **query, view="Formula", at="3")
    found = film(app)
    assert found["at"] == 3 and found["frames"] == len(found["said"]) and app.latex and not app.error
    for view in ("Code", "Questions"):
        app.segmented_control(key="view").set_value(view).run()
        assert not app.exception and (app.code if view == "Code" else app.radio)


def test_the_quarrel_is_measured_once_and_drawn(monkeypatch):
    asked = []

    def measure(model, pictures, labels):
        asked.append(len(pictures))
        yield from (Shift(p, 1 / (1 - p), 1.0, 1 / (1 - p), 1 - p, 1 - p, 0.96 - p / 10, 0.96) for p in SHARES)

    monkeypatch.setattr(variance_shift, "measure", measure)
    overfitting_dropout._known.clear()
    for _ in range(2):
        app = open_in_app("overfitting", part="Dropout and batch norm")
        assert film(app)["frames"] == len(SHARES) and "89.0\u00a0% right" in film(app)["said"][-1]
    assert asked == [overfitting_dropout.PICTURES]
    overfitting_dropout._known.clear()
    monkeypatch.setattr(checkpoints, "BUNDLED", Path("/nowhere"))
    assert any("not installed" in one.value for one in open_in_app("overfitting", part="Dropout and batch norm").info)
    assert set(overfitting.FILMS) == {"L1 and L2", "Dropout", "Dropout and batch norm"} and np.isfinite(SHARES).all()
