"""The thermometer's page: a bundled run, a twin below, both readings, every view; and the eight at initialisation."""

import shutil

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints, runs
from resnet_viz.analysis.gradient_history import Reader
from resnet_viz.analysis.gradient_probe import COMBINATIONS
from resnet_viz.ui import gradients

from ..ui.test_gradient_map import decode
from ..ui.test_training_page import make_run
from .test_every_page import alts, captions, open_page

BUNDLED = "resnet20-cifar10-jpeg"


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    """No own run yet."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "runs"


def page(**query: str) -> AppTest:
    return open_page("train/gradients", **query)


def maps(app: AppTest) -> list[tuple[dict, np.ndarray]]:
    """(head, values) of each thermometer, in their order."""
    found = [element.proto.bytes for element in app.get("bidi_component") if element.proto.bytes]
    return [decode(data) for data in found]


def test_the_first_paint_is_the_bundled_runs_own_numbers():
    app = page()
    (head, values), = maps(app)
    history = Reader(checkpoints.BUNDLED / BUNDLED).refresh()
    assert head["title"] == BUNDLED and head["layers"] == list(history.layers)
    np.testing.assert_allclose(values, history.norm, rtol=1e-3)
    assert head["first"].tolist() == history.steps.tolist() and head["range"] == [1e-4, 1e2]
    assert "the signal reaches the first layer" in head["alt"] and head["caption"].startswith("a moment every 50 steps; a finished example keeps some")
    assert not app.error and "conv1, the first of 20 layers" in "\n".join(text.value for text in app.markdown)


def test_the_second_reading_and_stretched_colours():
    (head, values), = maps(page(reading="Update / weight"))
    np.testing.assert_allclose(values, Reader(checkpoints.BUNDLED / BUNDLED).refresh().update_ratio, rtol=1e-3)
    assert head["reading"] == "update / weight" and head["range"] == [1e-6, 1.0] and "rule of thumb" in head["rest"]
    (head, values), = maps(page(own="true"))
    assert head["range"] == pytest.approx([0.01, 10]) and 0.01 <= values.min() and values.max() <= 10


def test_a_twin_stands_below_on_the_same_steps_and_colours():
    app = page(twin="resnet20-stem7-shapes", own="true")
    (first, _), (second, _) = maps(app)
    assert (first["title"], second["title"]) == (BUNDLED, "resnet20-stem7-shapes")
    assert first["x_end"] == second["x_end"] and first["range"] == second["range"] and first["group"] == second["group"]
    assert [head["columns"] for head, _ in maps(app)] == [368, 238], "two examples are shown without thinning"
    assert app.query_params["twin"] in ("resnet20-stem7-shapes", ["resnet20-stem7-shapes"])
    assert sum(len(e.proto.bytes) for e in app.get("bidi_component")) < 40_000


@pytest.mark.short(1)
@pytest.mark.parametrize("view", ["Formula", "Code", "Numbers"])
def test_every_view_under_the_map(view):
    app = page(view=view)
    assert {"Formula": app.latex, "Code": app.code, "Numbers": app.dataframe}[view] and not app.error
    if view == "Numbers":
        table = app.dataframe[0].value
        assert len(table) == 20 and table["gradient, now"].iloc[0] == Reader(checkpoints.BUNDLED / BUNDLED).refresh().norm[0, -1]


def gradient_row(step: int) -> dict:
    norm = {"conv1": 1e-6 * step, "layer1.0.conv1": 1.0, "fc": 2.0}
    return {"step": step, "epoch": 0, "norm": norm, "update_ratio": dict.fromkeys(norm, 1e-3)}


def test_new_moments_of_a_live_run_come_with_the_next_look(empty):
    run = make_run(empty, "live", state="running", host="elsewhere", step=10, total_steps=1_000)
    app = page(run="runs/live")
    assert "first column comes with the first batch" in app.info[0].value
    runs.append(run / "gradients.jsonl", gradient_row(1))
    (head, values), = maps(app.run())
    assert values[:, 0] == pytest.approx([1e-6, 1.0, 2.0], rel=1e-3) and 1 <= head["x_end"] < 1_000
    assert "vanishes" in head["alt"] and "keeps some" not in head["caption"]
    runs.append(run / "gradients.jsonl", *map(gradient_row, range(10, 500, 10)))
    (head, values), = maps(app.run())
    assert head["columns"] == 50 and head["x_end"] >= 490 and values[0, -1] == pytest.approx(4.9e-4, rel=1e-3)


def test_a_run_without_gradients_beside_one_that_has_them(empty):
    make_run(empty, "silent")
    app = page(run="runs/silent", twin=BUNDLED)
    assert "recorded no gradients" in app.info[0].value and [head["title"] for head, _ in maps(app)] == [BUNDLED]
    for view in ("Formula", "Numbers"):
        assert not page(run="runs/silent", view=view).error


def test_a_twin_that_is_gone_is_no_stack_trace(empty):
    app = page(twin="runs/nowhere")
    assert len(maps(app)) == 1 and app.selectbox(key="twin").value == gradients.NOBODY


def test_runs_that_are_deleted_while_they_are_watched_are_sentences(empty):
    first, second = make_run(empty, "first", state="running", host="elsewhere"), make_run(empty, "second")
    for run in (first, second):
        runs.append(run / "gradients.jsonl", gradient_row(1))
    app = page(run="runs/first", twin="runs/second")
    assert len(maps(app)) == 2 and "Running" in app.get("progress")[0].proto.text
    shutil.rmtree(second)
    app.run()
    assert not app.exception and [head["title"] for head, _ in maps(app)] == ["first"]
    shutil.rmtree(first)
    app.run()
    assert not app.exception and "first that you watched was deleted" in app.warning[0].value
    assert [head["title"] for head, _ in maps(app)] == [BUNDLED]


def test_nothing_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "none")
    app = page()
    assert "no run yet" in app.info[0].value and not app.error


# Before the first step

def test_the_eight_at_once_and_what_they_say():
    app = page(part="Before the first step", depth="8")
    assert "eight networks of 8 layers" in alts(app)
    assert [row["network"] for _, row in app.dataframe[0].value.iterrows()] == [one.name for one in COMBINATIONS]
    said = "\n".join(text.value for text in app.markdown)
    assert "What is taught" in said and "first\u00a0/\u00a0last\u00a0=" in said and "Solid lines" in captions(app)
    assert not app.get("progress"), "the bar goes with the work"


def test_the_switches_change_what_is_measured():
    seen = []
    for query in ({}, {"start": "He"}, {"seed": "5"}, {"pictures": "Digits"}):
        seen.append(alts(page(part="Before the first step", depth="8", **query)))
    assert len(set(seen)) == 4


@pytest.mark.hard
def test_another_runs_figures_stand_beside_where_they_apply():
    table = page(part="Before the first step").dataframe[0].value.set_index("network")
    assert table.loc["Sigmoid, no batch norm, plain", "another run"] == "9.0e−17"
    assert table.loc["Sigmoid, no batch norm, plain", "the signal"] == "vanishes"
    assert table.loc["ReLU, no batch norm, residual", "the signal"] == "arrives"
    assert "another run" not in page(part="Before the first step", depth="8").dataframe[0].value


def test_new_dice_are_another_seed_in_the_link():
    app = page(part="Before the first step", depth="8")
    next(button for button in app.button if button.key == "probe_dice").click().run()
    assert app.number_input(key="seed").value != 0 and not app.exception


@pytest.mark.short(1)
@pytest.mark.parametrize("view", ["Formula", "Code", "Numbers"])
def test_every_view_under_the_lines(view):
    app = page(part="Before the first step", depth="8", view=view)
    assert not app.error and (len(app.latex) == 3 or len(app.code) == 1 or len(app.dataframe) == 2)
