"""The page of all runs through the app's entry file: what it shows, what a person can do with a run, what is refused."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints, run_bin, run_marks, runs
from resnet_viz.__main__ import main
from resnet_viz.drawing import run_styles
from resnet_viz.training import run_archive
from resnet_viz.training.config import Config
from resnet_viz.training.presets import PRESETS
from resnet_viz.ui import access, run_rows, run_table

from .test_training_page import charts, make_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder of runs, and no finished example."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    st.cache_data.clear()
    return tmp_path / "runs"


def make(home, name, best=0.6, **settings):
    """A finished run whose validation accuracy rises to `best`, counted on 500 pictures."""
    run = make_run(home, name)
    runs.write_config(run, Config(**{"network": "resnet8", "epochs": 2, "device": "cpu", "threads": 1, **settings}).to_dict())
    rows = runs.read_lines(run / "metrics.jsonl")
    rows = [{**row, "accuracy": best * row["epoch"] / 2} if row["split"] == "val" else row for row in rows]
    (run / "metrics.jsonl").unlink()
    runs.append(run / "metrics.jsonl", *rows, {**rows[-1], "split": "test", "accuracy": best - 0.01})
    save_file({"conv1.weight": np.ones((8, 3, 3, 3), np.float16), "confusion": np.full((10, 10), 5)},
              run / "snapshots" / "00000020.safetensors", metadata={"epoch": "2", "step": "20", "images": "0", "lr": "0.1"})
    return run


def open_page(**query) -> AppTest:
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("pages/train/runs.py").run()
    assert not at.exception
    return at


def tables(at: AppTest) -> dict[str, dict]:
    """Name of a component -> what it was sent as JSON."""
    found = {}
    for element in at.get("bidi_component"):
        if element.proto.json:
            found[element.proto.component_name.split(".")[-1]] = json.loads(element.proto.json)
    return found


def line_names(at: AppTest, title="Accuracy, validation") -> list[str]:
    return [line["name"] for line in charts(at)[title]["lines"]]


def said(at: AppTest) -> str:
    return "\n".join(part.value for part in (*at.markdown, *at.caption)).replace("\\", "").replace("\xa0", " ")


def test_two_runs_on_shared_axes_differ_in_what_their_legend_says(home):
    make(home, "slow", best=0.5, lr=0.01)
    make(home, "fast", best=0.9, lr=0.5)
    at = open_page()
    assert sorted(line_names(at)) == sorted(line_names(at, "Loss, validation")) == ["learning rate 0.01", "learning rate 0.5"]
    line = next(line for line in charts(at)["Accuracy, validation"]["lines"] if line["name"].endswith("0.5"))
    np.testing.assert_allclose(line["y"], [0.45, 0.9], rtol=1e-6)
    rows = {row["name"]: row for row in tables(at)["run_table"]["rows"]}
    assert rows["fast"]["cells"]["best"]["text"] == "90.0 %" and rows["fast"]["cells"]["test"]["text"] == "89.0 %"
    assert rows["slow"]["cells"]["state"]["text"] == "Finished" and rows["slow"]["shown"]
    error = 200 * (0.9 * 0.1 / 500 + 0.5 * 0.5 / 500) ** 0.5
    assert f"40.0 percentage points less, more than the {error:.1f} points" in said(at)
    assert "They differ in one setting, learning rate" in said(at)


def test_the_link_says_which_runs_and_a_run_keeps_its_style(home):
    for name in ("a", "b", "c"):
        make(home, name, seed=ord(name))
    everyone = open_page()
    assert set(everyone.query_params["show"]) == {"runs/a", "runs/b", "runs/c"}
    styles = {row["ref"]: (row["colours"], row["dash"]) for row in tables(everyone)["run_table"]["rows"]}
    assert len({str(style) for style in styles.values()}) == 3
    one = open_page(show=["runs/b"])
    assert line_names(one) == ["b"] and one.query_params["show"] == "runs/b"
    line = charts(one)["Accuracy, validation"]["lines"][0]
    assert (line["colours"], line["dash"]) == styles["runs/b"]
    assert open_page(show=["runs/b", "runs/gone"]).toast[0].value.endswith("runs/gone.")


def test_runs_in_a_folder_are_among_them_and_nobody_else_is(home):
    make(home, "results/lab-baseline")
    (home / "stranger").mkdir(parents=True)
    make_run(home, "broken")
    (home / "broken" / "config.json").write_text("{")
    rows = tables(open_page())["run_table"]["rows"]
    assert [row["ref"] for row in rows] == ["runs/results/lab-baseline"]


def test_without_any_run_the_page_says_what_to_do(home):
    at = open_page()
    assert "There is no run yet" in at.info[0].value and not at.error


def test_a_name_a_note_and_a_star(home):
    run = make(home, "one")
    at = open_page(open="runs/one")
    at.text_input(key="name_runs/one").set_value("*Best* of [all](x)").run()
    at.text_area(key="note_runs/one").set_value("Too slow").run()
    assert run_marks.read(run) == run_marks.Marks("*Best* of [all](x)", "Too slow", False)
    assert tables(at)["run_table"]["rows"][0]["name"] == "*Best* of [all](x)"
    assert any(r"\*Best\* of \[all\]\(x\)" in part.value for part in at.markdown)
    known = run_rows.Known("runs/one", run, run_marks.read(run), None, "finished", "shapes")
    run_table._star({"runs/one": known}, {"ref": "runs/one", "on": True})
    assert run_marks.read(run) == run_marks.Marks("*Best* of [all](x)", "Too slow", True)
    assert tables(open_page())["run_table"]["rows"][0]["star"] is True


def test_a_deleted_run_comes_back_by_undo(home):
    run, other = make(home, "one"), make(home, "two", seed=9)
    at = open_page(open="runs/one")
    at.button(key="delete").click().run()
    assert not run.exists() and line_names(at) == ["two"] and "Deleted one." in said(at)
    at.button(key="undo").click().run()
    assert run.exists() and len(line_names(at)) == 2 and run_bin.deleted() == []
    at.button(key="delete").click().run()
    shutil.copytree(other, run)
    at.button(key="undo").click().run()
    assert not at.exception and "Another run is called one now" in at.error[0].value


def test_a_run_that_is_gone_when_its_button_is_pressed_is_a_sentence(home):
    run = make(home, "one")
    make(home, "two")
    at = open_page(open="runs/one")
    shutil.rmtree(run)
    at.button(key="delete").click().run()
    assert not at.exception and "not there any more" in at.error[0].value and line_names(at) == ["two"]


def test_a_zip_comes_in_and_a_hostile_one_does_not(home):
    run = make(home, "one")
    target = io.BytesIO()
    run_archive.export(run, target)
    at = open_page()
    at.file_uploader(key="import_0").set_value(("one.zip", target.getvalue(), "application/zip")).run()
    assert not at.exception and not at.error, at.error
    assert "Imported as one-2" in at.success[0].value.replace("\\", "") and len(line_names(at)) == 2
    at.file_uploader(key="import_1").set_value(("x.zip", b"PK" + bytes(90), "application/zip")).run()
    assert not at.exception and "not a zip that can be read" in at.error[0].value
    assert len(runs.list_runs()) == 2


def test_a_viewer_sees_everything_and_changes_nothing(home, monkeypatch):
    run = make(home, "one")
    run_marks.write(run, run_marks.Marks("Named", "a note", True))
    monkeypatch.setenv(access.READONLY, "1")
    at = open_page(open="runs/one")
    assert tables(at)["run_table"]["may"] is False and "a note" in said(at) and access.WHY in said(at)
    assert not at.text_input and not any(field.key.startswith("import") for field in at.file_uploader)
    assert not {"delete", "empty"} & {button.key for button in at.button}
    assert [path.name for path in home.iterdir()] == ["one"]  # not even a table of styles


def test_the_settings_table_hides_what_is_equal(home):
    make(home, "a", lr=0.1)
    make(home, "b", lr=0.2, optimizer="adam")
    at = open_page(view="Numbers")
    rows = tables(at)["wide_table"]["rows"]
    assert [row[0] for row in rows] == ["Optimiser", "Learning rate, at its highest", "Momentum", "Nesterov"]
    assert {cell["text"] for cell in rows[1][1:]} == {"0.1", "0.2"}
    at.toggle(key="every").set_value(True).run()
    assert len(tables(at)["wide_table"]["rows"]) > 25


def test_the_labs_table_as_one_click(home):
    for name, best in (("lab-baseline", 0.6), ("lab-lr-0.3", 0.4)):
        make(home, f"results/{name}", best=best, **PRESETS[name].config.to_dict())
    make(home, "other")
    at = open_page()
    at.segmented_control(key="compare").set_value("the lab's experiments").run()
    assert not at.exception
    rows = {row[0]["text"]: row for row in tables(at)["wide_table"]["rows"]}
    loss = (128 * 3 + 1152 * 3 / 10**0.5) / 1280  # a row of 128 pictures, then one of 1,152
    assert [part[0] for part in rows["Baseline"][1]["lines"]] == [f"train {loss:.3f} · 22.7 %", "val 2.000 · 30.0 %"]
    assert rows["Baseline"][-2]["text"] == "59.0 %" and rows["Ten times the rate"][-1]["text"] == "−20.0 points"
    assert rows["Batches of 32"][1]["text"] == "not run here yet"
    assert rows["The lab itself"][-2]["text"] == "71.3 %"
    assert len(line_names(at)) == 2 and "lab-batch-32" in at.code[0].value


def test_more_runs_than_styles_and_colours(home):
    for number in range(32):
        make(home, f"run-{number:02d}", seed=number)
    at = open_page(show=[f"runs/run-{number:02d}" for number in range(32)])
    assert len(set(line_names(at))) == 32
    assert sorted(run_marks.style_numbers([f"runs/run-{n:02d}" for n in range(32)]).values()) == list(range(32))
    assert run_styles.style(31) == run_styles.style(1)


def test_the_command_lists_all_runs(home, capsys):
    make(home, "results/deep", best=0.75, lr=0.3)
    assert main(["runs", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["run"], found["state"], found["best_val_accuracy"], found["best_epoch"]) == ("deep", "finished", 0.75, 2)
    assert found["settings"]["lr"] == 0.3 and found["directory"] == str(home / "results" / "deep")
    assert main(["runs"]) == 0
    assert "75.00%" in capsys.readouterr().out
