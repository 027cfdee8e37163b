"""The lesson on learning: every part and view opens, its film says what was computed, the link carries it."""

from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.drawing import player
from resnet_viz.training import schedules
from resnet_viz.training.config import Config
from resnet_viz.ui import learning, learning_ways

from .lessons import open_in_app, open_lesson, sent


def film(app: AppTest) -> dict:
    return sent(app, "player")


@pytest.mark.parametrize("part", learning.PARTS)
def test_every_part_opens_with_its_views(part):
    app = open_lesson("learning", part=part, view="Formula")
    assert app.latex and not app.error
    found = film(app)
    assert found["frames"] == len(found["said"]) == len(found["labels"]) > 5
    assert all(panel["alt"] for panel in found["panels"])
    app.segmented_control(key="view").set_value("Questions").run()
    assert app.radio and not app.exception
    app.segmented_control(key="view").set_value("Numbers").run()
    assert app.dataframe and not app.exception


def test_the_film_of_the_slides_sample_says_what_is_right():
    found = film(open_lesson("learning"))
    assert found["said"][0].startswith("f = 16, the target is 4: loss 144.")
    slopes = next(panel for panel in found["panels"] if panel["kind"] == "bars")
    assert slopes["values"][0] == [24, 216, 24]
    plane = next(panel for panel in found["panels"] if panel["kind"] == "plane")
    assert (plane["paths"][0]["x"][1], plane["paths"][0]["y"][1]) == (2.976, 1.784)


def test_the_link_carries_frame_and_settings():
    app = open_lesson("learning", at="1", view="Formula", start_x="4.0", rate="0.003")
    assert film(app)["at"] == 1 and "With the numbers of step 1 of 40." in [caption.value for caption in app.caption]
    assert film(app)["said"][0].startswith("f = 17,")
    assert film(open_lesson("learning", at="999"))["at"] == 40 and film(open_lesson("learning", at="nonsense"))["at"] == 0


def test_a_rate_that_is_too_large_is_said_and_still_drawn():
    app = open_lesson("learning", rate="0.1")
    found = film(app)
    assert "too large" in "".join(caption.value for caption in app.caption) and found["frames"] < 41
    slopes = next(panel for panel in found["panels"] if panel["kind"] == "bars")
    assert slopes["range"][1] == 216, "larger ones are drawn as full"
    first, second = slopes["values"][:2]
    factor = 1 - 0.1 * 166  # of the mistake, in one step: 166 is the curvature 2 (a² + b² + 1)
    assert second == pytest.approx([factor * slope for slope in first], rel=1e-5), "their numbers are the true ones"


def test_a_neuron_adds_up_what_the_checkpoint_answers():
    app = open_lesson("learning", part="A neuron")
    found = film(app)
    logits = next(panel for panel in found["panels"] if panel["title"].startswith("The layer"))
    assert logits["names"][0] == "cat" and logits["values"][-1] == sorted(logits["values"][-1], reverse=True)
    app.selectbox(key="neuron").set_value("dog").run()
    assert "dog" in film(app)["said"][-1] and not app.exception


def test_without_a_checkpoint_only_the_neuron_has_to_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "none")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    st.cache_data.clear()
    app = open_in_app("learning", part="A neuron")  # the link to the page of training needs all pages
    assert "no trained network here yet" in app.info[0].value and not app.exception
    app.segmented_control(key="part").set_value("Chain rule").run()
    assert not app.info and film(app)["frames"] == 7


def test_schedules_are_the_trainers_and_torchs_own_scheduler_follows_them():
    rates = learning_ways.schedule_rates(0.8)
    base = Config(lr=0.8, epochs=learning_ways.EPOCHS)
    for name, plan in learning_ways.PLANS.items():
        assert rates[name][33] == schedules.learning_rate(replace(base, **plan), 33, learning_ways.TOTAL)
    space = {"model": torch.nn.Linear(1, 1)}
    exec(learning_ways.SCHEDULE_CODE.format(rate=0.8, epochs=learning_ways.EPOCHS, total=learning_ways.TOTAL), space)  # noqa: S102
    followed = []
    for _ in range(learning_ways.TOTAL):
        followed.append(space["optimiser"].param_groups[0]["lr"])
        space["optimiser"].step()
        space["schedule"].step()
    np.testing.assert_allclose(followed, rates["one-cycle"])


def test_films_refuse_what_cannot_be_drawn():
    with pytest.raises(ValueError, match="one of each"):
        player.film([], ["one"], ["a", "b"], 0)
    with pytest.raises(ValueError, match="known are wide"):
        player.bars("", "", ["a"], [[1.0]], place="left")
    with pytest.raises(ValueError, match="known are surface"):
        player.plane("", "", [[0] * 6], [], (0, 1), (0, 1), ("x", "y"), seen="below")
    assert player.plain([float("nan"), float("inf"), 1 / 3]) == [1e12, 1e12, 0.333333]
    assert player.bars("", "", ["a"], [[0.0]])["range"] == [0.0, 1.0]
