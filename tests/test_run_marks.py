"""What a person writes about runs, and deleting them: nothing is lost, nothing a stranger wrote breaks a page."""

import json
import time

import pytest

from resnet_viz import run_bin, run_marks, runs
from resnet_viz.problems import Problem
from resnet_viz.run_marks import Marks


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def make(folder, name, **status):
    run = folder / name
    runs.write_config(run, {"network": "resnet8"})
    runs.write_json(run / "status.json", {"state": "finished", **status})
    return run


def test_marks_come_back_as_written(folder):
    run = make(folder, "one")
    assert run_marks.read(run) == Marks()
    run_marks.write(run, Marks("Élan, 2nd try", "Too fast.\nTry 0.01.", True))
    assert run_marks.read(run) == Marks("Élan, 2nd try", "Too fast.\nTry 0.01.", True)
    assert runs.read_config(run) == {"network": "resnet8"}


@pytest.mark.parametrize("text", ["", "[", "[]", '"x"', "{" * 100_000, '{"name": 3, "note": [], "star": "yes"}'])
def test_what_a_stranger_wrote_is_no_mark(folder, text):
    run = make(folder, "one")
    (run / run_marks.FILE).write_text(text)
    assert run_marks.read(run) == Marks()


def test_a_name_is_one_short_line(folder):
    run = make(folder, "one")
    run_marks.write(run, Marks("a\n\u202eb" + "c" * 200, "n" * 5_000))
    kept = run_marks.read(run)
    assert kept.name.startswith("a bccc") and len(kept.name) == 80 and len(kept.note) == 2_000


def test_a_run_that_is_gone_cannot_be_marked(folder):
    with pytest.raises(Problem, match="not there any more"):
        run_marks.write(folder / "none", Marks("x"))
    assert not folder.exists()


def test_a_full_disk_is_a_sentence(folder, monkeypatch):
    run = make(folder, "one")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs, "write_json", full)
    with pytest.raises(Problem, match="No space left"):
        run_marks.write(run, Marks("x"))
    assert run_marks.style_numbers(["runs/one"]) == {"runs/one": 0}


def test_a_run_keeps_its_style_whatever_else_is_there(folder):
    assert run_marks.style_numbers(["a", "b", "c"]) == {"a": 0, "b": 1, "c": 2}
    assert run_marks.style_numbers(["c"]) == {"c": 2}
    assert run_marks.style_numbers(["z", "c", "a"]) == {"z": 3, "c": 2, "a": 0}
    assert run_marks.style_numbers(["b", "y"]) == {"b": 1, "y": 4}  # b was away, and nobody took its place


def test_a_viewer_writes_no_styles(folder):
    folder.mkdir()
    assert run_marks.style_numbers(["a", "b"], keep=False) == {"a": 0, "b": 1}
    assert list(folder.iterdir()) == []
    (folder / run_marks.STYLES).write_text(json.dumps({"b": 5, "a": "no", "c": -1}))
    assert run_marks.style_numbers(["a", "b"], keep=False) == {"a": 6, "b": 5}


# Deleting


def test_a_deleted_run_comes_back_as_it_was(folder):
    run, deep = make(folder, "one"), make(folder, "results/two")
    runs.append(run / "metrics.jsonl", {"split": "train", "step": 1})
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    run_bin.throw_away(run)
    run_bin.throw_away(deep)
    assert runs.list_runs() == [] and not run.exists() and not deep.exists()
    assert [str(one.place) for one in run_bin.deleted()] == ["results/two", "one"]
    for one in run_bin.deleted():
        run_bin.bring_back(one)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert sorted(runs.list_runs()) == sorted([run, deep]) and run_bin.deleted() == []


def test_two_deleted_runs_of_one_name(folder):
    for seed in (1, 2):
        run = make(folder, "one")
        runs.write_config(run, {"seed": seed})
        run_bin.throw_away(run)
    newest, oldest = run_bin.deleted()
    assert runs.read_config(run_bin.bring_back(newest)) == {"seed": 2}
    with pytest.raises(Problem, match="Another run is called one now"):
        run_bin.bring_back(oldest)
    assert len(run_bin.deleted()) == 1 and runs.read_config(folder / "one") == {"seed": 2}


def test_a_live_run_is_not_deleted(folder):
    run = make(folder, "one", state="running", host="elsewhere", heartbeat=9e12)
    with pytest.raises(Problem, match="still going on"):
        run_bin.throw_away(run)
    with pytest.raises(Problem, match="not there any more"):
        run_bin.throw_away(folder / "none")
    assert runs.list_runs() == [run]


def test_what_was_deleted_long_ago_is_gone_for_good(folder, monkeypatch):
    run_bin.throw_away(make(folder, "old"))
    old = run_bin.deleted()[0].when
    monkeypatch.setattr(run_bin.time, "time", lambda: old + run_bin.KEPT_S + 60)
    run_bin.throw_away(make(folder, "new"))
    assert [str(one.place) for one in run_bin.deleted()] == ["new"]
    run_bin.empty()
    assert run_bin.deleted() == [] and list((folder / run_bin.FOLDER).iterdir()) == []


def test_runs_one_folder_deeper_are_runs_and_hidden_ones_are_not(folder):
    found = [make(folder, name) for name in ("one", "results/two")]
    make(folder, ".hidden")
    make(folder, "results/deep/three")
    make(folder, "one/inside")
    assert sorted(runs.list_runs()) == sorted(found)


def test_what_a_killed_removal_left_goes_with_the_next(folder):
    """Killed in the middle of removing a run for good: its recipe is gone, so it is no run any more, but its weights lie there."""
    left, strangers = folder / run_bin.FOLDER / "1000" / "mine" / "weights", folder / run_bin.FOLDER / "notes"
    left.mkdir(parents=True)
    (left / "0001.safetensors").write_bytes(b"x")
    strangers.mkdir()
    assert run_bin.deleted() == []
    run_bin.empty(before=time.time())
    assert [path.name for path in (folder / run_bin.FOLDER).iterdir()] == ["notes"]
