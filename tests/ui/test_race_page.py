"""The race page through the app's entry file: which two runs, the start of a race, the hand on both, what is drawn."""

import dataclasses
import json
import socket

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints, runs
from resnet_viz.training import process, race
from resnet_viz.training.config import Config
from resnet_viz.ui import presenter

from .test_training_page import ROOT, charts, home  # noqa: F401  (home is a fixture)

BASE = Config(network="resnet8", epochs=2, device="cpu", threads=1)


def make_run(folder, name, config=BASE, drop=3.0, partner=None, place=1, state="finished", steps=40):
    """A run whose training loss falls from `drop` by 0.05 a row, with one validation row an epoch."""
    run = folder / name
    runs.write_config(run, config.to_dict())
    rows = []
    for i, step in enumerate((1, *range(10, 10 * steps + 1, 10))):
        row = {"epoch": int(step > 5 * steps), "step": step, "images": 64 * step, "loss": drop - 0.05 * i, "lr": 0.1,
               "accuracy": i / 100, "elapsed_s": step / 2}
        rows.append({"split": "train", **row})
    runs.append(run / "metrics.jsonl", *rows)
    for epoch in (1, 2):
        row = {"epoch": epoch, "step": 5 * steps * epoch, "images": 0, "loss": drop / 2, "accuracy": 0.1 * drop, "lr": 0.1}
        runs.append(run / "metrics.jsonl", {"split": "val", **row, "elapsed_s": 1.0})
    runs.write_json(run / "status.json", {"state": state, "epoch": 2, "step": 10 * steps, "total_steps": 10 * steps,
                                          "device": "cpu", "threads": 1, "host": "elsewhere", "heartbeat": 0})
    if partner:
        runs.write_race(run, {"with": partner, "place": place})
    return run


@pytest.fixture
def pair(home):  # noqa: F811
    """A finished race of resnet8 against plain8."""
    return (make_run(home, "one", partner="other"),
            make_run(home, "other", dataclasses.replace(BASE, network="plain8"), 2.5, "one", 2))


def open_page(**query) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("pages/train/race.py")
    return at.run()


def line(chart, name, style):
    return next(one for one in chart["lines"] if (one["name"], one["style"]) == (name, style))


def test_without_two_runs_the_page_says_what_to_do(home):  # noqa: F811
    make_run(home, "alone")
    at = open_page()
    assert not at.exception and not at.error
    assert "press Start race" in at.info[0].value


def test_a_race_shows_both_curves_their_difference_and_who_leads(pair):
    at = open_page()
    assert not at.exception
    assert (at.query_params["first"], at.query_params["second"]) == ("runs/one", "runs/other")
    drawn = charts(at)
    loss = drawn["Training and validation loss"]
    np.testing.assert_allclose(line(loss, "residual", "raw")["y"][:2], [3.0, 2.95], rtol=1e-6)
    np.testing.assert_allclose(line(loss, "plain", "raw")["y"][:2], [2.5, 2.45], rtol=1e-6)
    difference = drawn["Difference of training loss"]
    np.testing.assert_allclose(line(difference, "difference", "smooth")["y"], -0.5, rtol=1e-5)
    np.testing.assert_allclose(line(difference, "no difference", "smooth")["y"], 0)
    assert difference["y_label"] == "plain − residual" and not difference["events"]
    assert any("**plain** is ahead of **residual**" in text.value and "0.5 lower" in text.value for text in at.markdown)
    assert any("Only" not in text.value and "One thing differs" in text.value.replace("\\", "") for text in at.markdown)


def test_the_first_crossing_is_marked_where_the_curves_cross(home):  # noqa: F811
    make_run(home, "one", partner="other")
    steep = make_run(home, "other", dataclasses.replace(BASE, lr=0.5), 3.5, "one", 2)
    rows = runs.read_lines(steep / "metrics.jsonl")
    for row in rows:
        row["loss"] = 3.5 - 0.1 * (row["step"] // 10)  # 3.5 - 0.01 step meets 3 - 0.005 step at step 100
    (steep / "metrics.jsonl").unlink()
    runs.append(steep / "metrics.jsonl", *rows)
    at = open_page(x="step", smoothing="0")
    (event,) = charts(at)["Difference of training loss"]["events"]
    assert event["text"] == "first crossing" and event["x"] == pytest.approx(100)
    assert any("**rate 0.5** is ahead" in text.value and "cross first at step 100" in text.value for text in at.markdown)


def test_an_update_stays_small_at_ten_thousand_points_and_keeps_every_peak(home):  # noqa: F811
    make_run(home, "one", partner="other", steps=10_000)
    peaked = make_run(home, "other", dataclasses.replace(BASE, network="plain8"), 2.5, "one", 2, steps=10_000)
    rows = (peaked / "metrics.jsonl").read_text().splitlines()
    row = json.loads(rows[5_000])
    (peaked / "metrics.jsonl").write_text("\n".join([*rows[:5_000], json.dumps({**row, "loss": 9e3}), *rows[5_001:]]) + "\n")
    at = open_page()
    assert not at.exception
    sent = [element.proto.bytes for element in at.get("bidi_component")]
    assert sum(map(len, sent)) < 40_000 and len([data for data in sent if data]) == 4
    raw = line(charts(at)["Training and validation loss"], "plain", "raw")
    assert raw["total"] == 10_001 and raw["y"].max() == 9e3


@pytest.mark.short(1)
@pytest.mark.parametrize("view", ["Formula", "Code", "Numbers"])
def test_every_view_under_the_curves(pair, view):
    at = open_page()
    at.segmented_control(key="view").set_value(view).run()
    assert not at.exception
    if view == "Formula":
        assert "F(x) + x" in at.latex[2].value and "= -0.500" in at.latex[1].value
    elif view == "Code":
        assert "--network resnet8" in at.code[-2].value and "--network plain8" in at.code[-1].value
    else:
        assert at.dataframe[0].value.iloc[0].tolist() == ["shortcuts", "residual", "plain"]
        assert {"training loss, residual", "training loss, plain"} <= set(at.dataframe[1].value.columns)


def test_any_two_runs_can_be_compared_and_the_link_carries_them(pair, home):  # noqa: F811
    make_run(home, "third", dataclasses.replace(BASE, seed=7))
    at = open_page(first="runs/third", second="runs/one")
    assert at.selectbox(key="race_first").value == "runs/third"
    assert any("**seed 0** is ahead" in t.value or "**seed 7** is ahead" in t.value or "same training" in t.value for t in at.markdown)
    at.selectbox(key="race_first").set_value("runs/other").run()
    assert (at.query_params["first"], at.query_params["second"]) == ("runs/other", "runs/one")


def test_a_link_to_a_run_that_is_gone_is_said(pair):
    at = open_page(first="runs/gone", second="runs/one")
    assert not at.exception
    assert "runs/gone" in at.toast[0].value and at.query_params["first"] == "runs/one"


def test_a_run_deleted_while_it_is_watched_is_one_sentence(pair, home):  # noqa: F811
    at = open_page()
    runs.delete(pair[1])
    at.run()
    assert not at.exception and "not two yet" in at.info[0].value
    make_run(home, "third", dataclasses.replace(BASE, seed=7))
    at.run()
    assert not at.exception and set(at.query_params[place] for place in ("first", "second")) == {"runs/one", "runs/third"}


def test_a_recipe_of_another_version_is_compared_by_name(pair):
    runs.write_config(pair[1], {**dataclasses.replace(BASE, network="plain8").to_dict(), "version": 99})
    at = open_page()
    assert not at.exception
    assert any("**plain8** is ahead of **resnet8**" in text.value for text in at.markdown)
    assert any("cannot be read here" in text.value for text in at.markdown)


def test_examples_are_said_to_be_bundled(home, monkeypatch):  # noqa: F811
    for name, config in (("a", BASE), ("b", dataclasses.replace(BASE, network="resnet20")), ("c", dataclasses.replace(BASE, seed=3, lr=0.4))):
        make_run(checkpoints.BUNDLED, name, config)
    monkeypatch.setattr(checkpoints, "bundled", lambda: ["a", "b", "c"])
    at = open_page()
    assert not at.exception
    assert (at.query_params["first"], at.query_params["second"]) == ("a", "b"), "those two differ in one switch"
    said = next(caption.value for caption in at.caption if "Bundled results" in caption.value).replace("\\", "")
    assert "8 layers for 2 epochs of 12,800 pictures in 3 min 20 s" in said and "this machine computes nothing" in said
    assert at.selectbox(key="race_picker").options == ["Finished example: resnet8 / resnet20"]


@pytest.fixture
def begun(monkeypatch):
    """What the page begins, without processes."""
    found = []
    monkeypatch.setattr(process, "_spawn", lambda run: found.append(run))
    return found


def test_start_begins_two_runs_that_differ_in_the_switch(home, begun):  # noqa: F811
    at = open_page()
    at.selectbox(key="race_preset").set_value("quick-shapes").run()
    at.selectbox(key="race_switch").set_value("batch size").run()
    assert at.selectbox(key="race_other").label == "from batches of 64 to"
    at.selectbox(key="race_other").set_value("batches of 256").run()
    at.number_input(key="race_epochs").set_value(1).run()
    at.number_input(key="race_seed").set_value(11).run()
    at.button(key="race_start").click().run()
    assert not at.exception and not at.error
    first, second = begun
    ours, theirs = runs.read_config(first), runs.read_config(second)
    assert [key for key in ours if ours[key] != theirs[key]] == ["batch_size"]
    assert (ours["batch_size"], theirs["batch_size"], ours["epochs"], ours["seed"]) == (64, 256, 1, 11)
    assert at.query_params["first"] == f"runs/{first.name}" and race.is_pair((first, second))


def test_a_recipe_without_the_chosen_switch_gives_way_to_one_that_it_has(home):  # noqa: F811
    at = open_page()
    at.selectbox(key="race_switch").set_value("depth").run()
    assert at.selectbox(key="race_other").value == "56 layers"
    at.selectbox(key="race_preset").set_value("lab-simple-cnn").run()
    assert not at.exception and not at.error
    assert "depth" not in at.selectbox(key="race_switch").options


def test_a_recipe_that_makes_no_sense_is_one_sentence(home, begun):  # noqa: F811
    at = open_page()
    at.selectbox(key="race_preset").set_value("lab-schedule-cyclical").run()
    at.number_input(key="race_lr").set_value(0.001).run()  # below its lowest rate
    assert not at.exception and "min_lr lies above lr" in at.error[0].value.replace("\\", "")
    at.button(key="race_start").click().run()
    assert not at.exception and begun == [] and runs.list_runs() == []


def test_stopped_twins_are_continued_together(home, begun):  # noqa: F811
    make_run(home, "one", partner="other", state="stopped")
    make_run(home, "other", dataclasses.replace(BASE, network="plain8"), 2.5, "one", 2, state="failed")
    at = open_page()
    at.button(key="continue").click().run()
    assert not at.exception and [run.name for run in begun] == ["one", "other"]


def test_where_one_twin_died_the_other_goes_on_and_it_can_be_continued(home, begun):  # noqa: F811
    make_run(home, "one", partner="other")
    make_run(home, "other", dataclasses.replace(BASE, network="plain8"), 2.5, "one", 2, state="running")
    status = runs.read_status(home / "other")
    runs.write_json(home / "other" / "status.json", {**status, "host": socket.gethostname(), "pid": None})
    at = open_page()
    assert not at.exception and "This run failed" in at.error[0].value and "without a word" in at.error[0].value
    assert next(button for button in at.button if button.key == "continue").label == "Continue the other"
    at.button(key="continue").click().run()
    assert not at.exception and [run.name for run in begun] == ["other"]


def test_a_race_is_called_by_what_differs_and_when_it_began(home):  # noqa: F811
    make_run(home, "20261121-100826-race-rate-0.1", partner="20261121-100826-race-rate-0.3")
    make_run(home, "20261121-100826-race-rate-0.3", dataclasses.replace(BASE, lr=0.3), 2.5, "20261121-100826-race-rate-0.1", 2)
    assert open_page().selectbox(key="race_picker").options == ["rate 0.1 / rate 0.3 (21 Nov 10:08)"]


def test_presenting_leaves_out_the_recipe_and_keeps_it(pair, begun):
    at = open_page()
    at.number_input(key="race_epochs").set_value(3).run()
    at.toggle(key=presenter.KEY).set_value(True).run()
    assert not at.exception and charts(at)
    keys = {box.key for box in at.selectbox}
    assert {"race_switch", "race_other"} <= keys and "race_preset" not in keys
    at.button(key="race_start").click().run()
    assert not at.exception and [runs.read_config(run)["epochs"] for run in begun] == [3, 3]


def test_in_read_only_mode_a_race_can_be_watched_and_not_begun(pair, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_READONLY", "1")
    at = open_page()
    assert not at.exception and charts(at)
    assert not any(button.label in ("Start race", "Continue both") for button in at.button)
    assert any("read-only" in caption.value for caption in at.caption)
