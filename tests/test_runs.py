"""The run directory: what readers see while a writer is at work, dies, or begins again."""

import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from safetensors.numpy import save

from resnet_viz import runs
from resnet_viz.problems import Problem
from tests.refusals import refused


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    runs.write_config(folder, {"network": "resnet20"})
    return folder


def row(step, split="train", **changes):
    return {"split": split, "epoch": step // 10, "step": step, "images": step * 32, "loss": 2.0 / (step + 1),
            "accuracy": 0.5, "lr": 0.1,
            "elapsed_s": step * 0.25, **changes}


def text_of(*rows) -> bytes:
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


# Writing

def test_a_file_is_replaced_as_a_whole(run):
    path = run / "deep" / "status.json"
    runs.write_atomic(path, b"one")
    runs.write_atomic(path, b"two")
    assert path.read_bytes() == b"two" and os.listdir(path.parent) == ["status.json"]


def test_a_failing_write_leaves_the_old_content_and_no_traces(run, monkeypatch):
    path = run / "status.json"
    runs.write_atomic(path, b"old")
    with pytest.raises(TypeError):
        runs.write_atomic(path, "text is not bytes")
    with pytest.raises(ValueError):
        runs.write_json(path, {"loss": float("nan")})
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError):
        runs.write_atomic(path, b"new")
    assert path.read_bytes() == b"old" and sorted(os.listdir(run)) == ["config.json", "status.json"]


def test_a_temporary_file_is_never_taken_for_the_real_one(run):
    for folder, name in (("snapshots", "00000001.safetensors"), ("weights", "0001.safetensors"),
                         ("control", "1-a.json")):
        (run / folder).mkdir()
        (run / folder / f".{name}.77.abc.tmp").write_bytes(b"half")
    assert runs.snapshots(run) == [] and runs.epoch_weights(run) == [] and not list((run / "control").glob("*.json"))


def test_appending_writes_whole_lines(run):
    path = run / "metrics.jsonl"
    runs.append(path, row(1), row(2))
    runs.append(path, row(3))
    assert path.read_bytes() == text_of(row(1), row(2), row(3))
    with pytest.raises(ValueError):
        runs.append(path, row(4), {"loss": float("inf")})
    assert path.read_bytes() == text_of(row(1), row(2), row(3))


def test_what_is_appended_after_half_a_line_is_whole(run):
    path = run / "events.jsonl"
    path.write_bytes(text_of({"id": "1"}) + b'{"id": "2", "comm')  # a crash in the middle of a write
    runs.append(path, {"id": "3"})
    assert runs.read_events(run) == [{"id": "1"}, {"id": "3"}]


# Reading

@pytest.mark.parametrize("data", [None, b"", b"{", b"[1, 2]", b"3", b"\xff\xfe", b'{"a": 1}{"b": 2}',
                                  b'{"split": [1]}\n'])
def test_readers_bear_missing_and_broken_files(run, data):
    for name in ("status.json", "metrics.jsonl", "events.jsonl", "gradients.jsonl", "config.json"):
        (run / name).unlink(missing_ok=True)
        if data is not None:
            (run / name).write_bytes(data)
    if data is None or not data.startswith(b'{"split"'):
        assert runs.read_status(run) is None and runs.read_config(run) is None and runs.state(run) == "new"
        assert runs.read_events(run) == runs.read_gradients(run) == []
    assert runs.snapshots(run) == runs.epoch_weights(run) == []
    assert runs.Metrics(run).refresh() == {} and runs.silent_for_s(run) == 0
    assert all(runs.weights_file(run, which) is None for which in runs.WEIGHTS)


def test_half_a_last_line_waits(run):
    path = run / "metrics.jsonl"
    whole = text_of(row(1), row(2))
    for cut in range(len(text_of(row(1))), len(whole)):
        path.write_bytes(whole[:cut])
        assert runs.read_lines(path) == [row(1)]
    path.write_bytes(whole)
    assert runs.read_lines(path) == [row(1), row(2)]


def test_a_torn_line_in_the_middle_is_left_out(run):
    (run / "metrics.jsonl").write_bytes(text_of(row(1)) + b'{"split": "tr\n' + text_of(row(2)))
    assert runs.read_lines(run / "metrics.jsonl") == [row(1), row(2)]


def columns(metrics):
    return {split: {name: list(values) for name, values in table.items()} for split, table in metrics.items()}


def test_metrics_read_on_from_where_they_were(run):
    path, reader = run / "metrics.jsonl", runs.Metrics(run)
    rows = [row(step) for step in range(1, 30)] + [row(30, "val", lr=None), row(30, "test")]
    data = text_of(*rows)
    assert reader.refresh() == {}
    for end in (1, 40, 200, 201, 700, 701, 2000, len(data) - 1, len(data)):  # in the middle of lines, too
        path.write_bytes(data[:end]) if end == 1 else path.open("ab").write(data[path.stat().st_size:end])
        assert str(columns(reader.refresh())) == str(columns(runs.Metrics(run).refresh()))
    found = reader.refresh()
    assert list(found) == ["train", "val", "test"] and {len(v) for v in found["train"].values()} == {29}
    assert np.array_equal(found["train"]["loss"], [r["loss"] for r in rows[:29]])
    assert found["train"]["step"].dtype == np.float64
    assert np.isnan(found["val"]["lr"]).all() and set(found["test"]) == set(runs.COLUMNS)


def test_metrics_begin_anew_after_a_cut(run):
    path, reader = run / "metrics.jsonl", runs.Metrics(run)
    runs.append(path, *(row(step) for step in range(1, 21)))
    reader.refresh()
    runs.cut_after(run, step=12, epoch=1)
    assert list(reader.refresh()["train"]["step"]) == list(range(1, 13))
    runs.append(path, *(row(step, loss=9.0) for step in range(13, 40)))
    assert columns(reader.refresh()) == columns(runs.Metrics(run).refresh())
    runs.cut_after(run, step=5, epoch=0)
    runs.append(path, *(row(step, loss=7.0) for step in range(6, 60)))  # already longer than what was read before
    assert columns(reader.refresh()) == columns(runs.Metrics(run).refresh())


def test_metrics_notice_a_rewrite_in_the_same_file(run):
    """A file system may give a new file the old one's number: then only the content tells."""
    path, reader = run / "metrics.jsonl", runs.Metrics(run)
    path.write_bytes(text_of(row(1), row(2)))
    reader.refresh()
    with path.open("r+b") as file:
        file.write(text_of(row(1, loss=5.0), row(2, loss=5.0), row(3, loss=5.0), row(4, loss=5.0)))
    assert list(reader.refresh()["train"]["loss"]) == [5.0] * 4


def test_metrics_of_a_deleted_run(run):
    reader = runs.Metrics(run)
    runs.append(run / "metrics.jsonl", row(1))
    assert reader.refresh()
    (run / "metrics.jsonl").unlink()
    assert reader.refresh() == {}


# State

def status(run, state="running", pid=None, created=None, host=None, **more):
    pid = os.getpid() if pid is None else pid
    created = psutil.Process(pid).create_time() if created is None else created
    runs.write_json(run / "status.json", {"state": state, "pid": pid, "process_created": created, "host": host
                                          or socket.gethostname(),
                                          "heartbeat": time.time(), **more})


@pytest.mark.parametrize("state", ["queued", "running", "paused", "finished", "stopped", "failed"])
def test_what_a_live_process_says_holds(run, state):
    status(run, state)
    assert runs.state(run) == state


@pytest.mark.parametrize(("said", "derived"), [("queued", "failed"), ("running", "failed"), ("paused", "failed"),
                                               ("finished", "finished"),
                                               ("stopped", "stopped"), ("failed", "failed")])
def test_a_dead_process_has_failed_unless_it_had_ended(run, said, derived):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    status(run, said, process.pid)
    assert runs.state(run) == said
    process.kill()
    process.wait()
    process.stdin.close()
    assert runs.state(run) == derived


def test_a_zombie_has_failed(run):
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    status(run, "running", process.pid)
    process.kill()
    deadline = time.monotonic() + 10
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.01)
    assert runs.state(run) == "failed"
    process.wait()
    process.stdin.close()


def test_a_reused_process_number_has_failed(run):
    status(run, "running", created=psutil.Process().create_time() - 3600)
    assert runs.state(run) == "failed"


@pytest.mark.parametrize("moved_s", [-7200, 7200], ids=["back", "on"])
def test_a_run_lives_on_when_somebody_sets_the_clock(run, monkeypatch, moved_s):
    """The kernel then tells another time of day for the machine's start, and so for the start of every process."""
    status(run, "running", process_after_boot_s=runs.after_boot_s(psutil.Process()))
    created, boot = psutil.Process.create_time, psutil.boot_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: created(self) + moved_s)
    monkeypatch.setattr(psutil, "boot_time", lambda: boot() + moved_s)
    assert runs.state(run) == "running"
    runs.write_json(run / "status.json", {**runs.read_status(run), "process_after_boot_s": 12.0})
    assert runs.state(run) == "failed", "a number used again by another process does not count"


def test_a_command_that_cannot_be_written_is_a_sentence(run):
    run.mkdir(exist_ok=True)
    (run / "control").write_text("a file in the folder's place")
    with pytest.raises(Problem, match="cannot be told to pause"):
        runs.send(run, "pause")


@pytest.mark.parametrize("broken", [{"pid": None}, {"pid": "x"}, {"pid": -1}, {"pid": 10**30},
                                    {"process_created": None}])
def test_a_status_without_its_process_has_failed(run, broken):
    status(run, "running")
    runs.write_json(run / "status.json", {**runs.read_status(run), **broken})
    assert runs.state(run) == "failed"


def test_another_machines_process_cannot_be_judged_from_here(run):
    status(run, "running", created=1.0, host="another-machine")
    assert runs.state(run) == "running"
    with pytest.raises(Problem, match="going on"):
        runs.delete(run)


@pytest.mark.parametrize("heartbeat", [time.time() - 3600, None], ids=["long ago", "never"])
def test_another_machines_run_without_news_is_elsewhere_and_can_be_deleted(run, heartbeat):
    status(run, "running", created=1.0, host="another-machine")
    runs.write_json(run / "status.json", {**runs.read_status(run), "heartbeat": heartbeat})
    assert runs.state(run) == "elsewhere"
    runs.delete(run)
    assert not run.exists()


def test_what_ended_on_another_machine_has_ended(run):
    status(run, "finished", host="another-machine")
    runs.write_json(run / "status.json", {**runs.read_status(run), "heartbeat": time.time() - 3600})
    assert runs.state(run) == "finished"


def test_silence_is_counted_from_the_heartbeat(run):
    status(run, heartbeat=time.time() - 40)
    assert 39 < runs.silent_for_s(run) < 60
    status(run, heartbeat=time.time() + 500)  # the clock was set back
    assert runs.silent_for_s(run) == 0


# Snapshots and weights

def snapshot(run, step, **header):
    header = {"step": step, "epoch": step // 10, "images": step * 32, "lr": 0.1, **header}
    data = save({"conv1.weight": np.full((2, 3, 3, 3), step % 1000, np.float16)},
                {k: str(v) for k, v in header.items() if v is not None})
    runs.write_atomic(run / "snapshots" / f"{step:08d}.safetensors", data)


def test_snapshots_by_step_without_strangers(run):
    for step in (16, 0, 2, 100_000_000, 1):
        snapshot(run, step)
    snapshot(run, 7, epoch=None)
    snapshot(run, 8, lr="fast")
    folder = run / "snapshots"
    (folder / "notes.txt").write_text("mine")
    (folder / "00000003.safetensors").write_bytes(b"")
    (folder / "00000004.safetensors").write_bytes((folder / "00000016.safetensors").read_bytes()[:50])
    (folder / "other.safetensors").write_bytes(save({"a": np.zeros(1)}))
    (folder / "folder.safetensors").mkdir()
    found = runs.snapshots(run)
    assert [s.step for s in found] == [0, 1, 2, 16, 100_000_000]
    assert (found[3].epoch, found[3].images, found[3].lr) == (1, 512, 0.1)
    assert (runs.read_snapshot(found[3].path)["conv1.weight"] == 16).all()
    with refused("choose another moment"):
        runs.read_snapshot(folder / "00000003.safetensors")


def test_cutting_removes_what_lies_beyond(run):
    for step in (0, 10, 20, 30):
        snapshot(run, step)
        runs.append(run / "metrics.jsonl", row(step), row(step, "val"))
        runs.append(run / "gradients.jsonl", {"step": step, "norm": {}})
        runs.append(run / "events.jsonl", {"step": step})
        runs.write_atomic(run / "weights" / f"{step // 10:04d}.safetensors", b"x")
    runs.cut_after(run, step=20, epoch=1)  # saved at step 20, before the second epoch was judged
    assert [s.step for s in runs.snapshots(run)] == [0, 10, 20]
    assert [r["step"] for r in runs.read_lines(run / "metrics.jsonl")] == [0, 0, 10, 10]
    assert [r["step"] for r in runs.read_gradients(run)] == [0, 10, 20]
    assert len(runs.read_events(run)) == 4  # what people asked for stays
    assert [epoch for epoch, _ in runs.epoch_weights(run)] == [0, 1]


def test_weights_files(run):
    for name in ("initial", "last"):
        (run / f"{name}.safetensors").write_bytes(b"x")
    assert runs.weights_file(run, "last") == run / "last.safetensors" and runs.weights_file(run, "best") is None
    with refused("initial, best, last"):
        runs.weights_file(run, "latest")
    for name in ("0010", "0002", "0002.old", "²", "final"):
        runs.write_atomic(run / "weights" / f"{name}.safetensors", b"x")
    assert [epoch for epoch, _ in runs.epoch_weights(run)] == [2, 10]


# Commands

def test_commands_lie_in_the_order_they_were_given(run):
    for command, value in (("pause", None), ("lr", 0.01), ("step", None), ("resume", None), ("epoch", None),
                           ("stop", None)):
        runs.send(run, command, value)
    files = sorted((run / "control").iterdir(), key=lambda p: p.name)
    assert [json.loads(p.read_text())["command"] for p in files] == ["pause", "lr", "step", "resume", "epoch", "stop"]
    assert json.loads(files[1].read_text()) == {"command": "lr", "value": 0.01}
    assert all(p.name.split("-")[0].isdigit() and p.suffix == ".json" for p in files)


def test_what_cannot_be_sent(run, tmp_path):
    with refused("pause, resume, stop"):
        runs.send(run, "explode")
    with refused("not there any more"):
        runs.send(tmp_path / "gone", "stop")
    assert not (tmp_path / "gone").exists() and not (run / "control").exists()


# The folder of runs

def test_runs_newest_first(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "all"))
    assert runs.root() == tmp_path / "all" and runs.list_runs() == []
    made = [runs.new_directory(hint) for hint in ("first", "second", "third")]
    assert runs.list_runs() == []  # still without config.json
    for age, path in zip((30, 10, 20), made):
        runs.write_config(path, {})
        os.utime(path / "config.json", (time.time() - age,) * 2)
    (tmp_path / "all" / "a-file").write_text("x")
    assert runs.list_runs() == [made[1], made[2], made[0]]


def test_the_default_folder_is_the_projects(monkeypatch):
    monkeypatch.delenv("RESNET_VIZ_RUNS", raising=False)
    assert runs.root() == runs.PROJECT / "runs" and (runs.PROJECT / "resnet_viz" / "runs.py").exists()


def test_new_directories_never_collide_and_are_named_safely(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    hints = ["same", "same", "same", "../../etc", "a b/c\\d:é", "", "...", "x\n"]
    made = [runs.new_directory(hint) for hint in hints]
    assert len(set(made)) == len(hints) and all(p.parent == tmp_path and p.is_dir() for p in made)
    assert all(set(p.name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") for p in made)


def test_a_runs_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "file" / "runs"))
    with refused("RESNET_VIZ_RUNS"):
        runs.new_directory("x")


def test_a_run_is_deleted_only_when_nobody_works_on_it(run):
    status(run, "running")
    with refused("stop it first"):
        runs.delete(run)
    assert run.exists()
    status(run, "stopped")
    runs.delete(run)
    assert not run.exists()


@pytest.mark.parametrize("last_word", ["finished", "stopped"])
def test_a_process_that_ends_between_two_looks_has_not_failed(run, monkeypatch, last_word):
    status(run, "running")

    def ends_now(_):
        status(run, last_word)
        return False

    monkeypatch.setattr(runs, "process_alive", ends_now)
    assert runs.state(run) == last_word
