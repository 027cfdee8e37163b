"""Runs in a process of their own: killed, paused, stopped, continued."""

import dataclasses
import os
import signal
import time

import pytest
import torch
from safetensors.torch import load_file

from resnet_viz import runs
from resnet_viz.__main__ import main
from resnet_viz.problems import Problem
from resnet_viz.training import process

from .conftest import TINY

LONG = dataclasses.replace(TINY, epochs=200, val_fraction=0.0, keep_weights=False)


def wait_for(condition, seconds: float = 90):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
    return found


def step(run):
    return (runs.read_status(run) or {}).get("step") or 0


@pytest.fixture
def started(tmp_path):
    """Start a run that is killed at the end of the test, whatever happens."""
    runs_started = []

    def start(config, name="run"):
        process.start(config, tmp_path / name)
        runs_started.append(tmp_path / name)
        return tmp_path / name

    yield start
    for run in runs_started:
        kill(run)


def kill(run):
    status = runs.read_status(run)
    if status and runs.process_alive(status):
        os.kill(status["pid"], signal.SIGKILL)
        wait_for(lambda: not process.running(run))


def test_pause_one_step_resume_and_stop(started):
    run = started(LONG)
    assert process.running(run)
    wait_for(lambda: step(run) > 0)
    runs.send(run, "pause")
    wait_for(lambda: runs.state(run) == "paused")
    held = step(run)
    heartbeat = runs.read_status(run)["heartbeat"]
    wait_for(lambda: runs.read_status(run)["heartbeat"] > heartbeat, 5)
    assert step(run) == held and (run / "resume.safetensors").exists()
    runs.send(run, "step")
    wait_for(lambda: step(run) == held + 1 and runs.state(run) == "paused")
    with pytest.raises(Problem, match="going on"):
        process.resume(run)
    with pytest.raises(Problem, match="going on"):
        runs.delete(run)
    runs.send(run, "resume")
    wait_for(lambda: step(run) > held + 1)
    runs.send(run, "stop")
    wait_for(lambda: runs.state(run) == "stopped")
    wait_for(lambda: not process.running(run))
    assert runs.weights_file(run, "last") and [e["command"] for e in runs.read_events(run)] == ["pause", "step", "resume", "stop"]


@pytest.mark.hard
def test_a_killed_run_says_so_and_goes_on_bit_for_bit(started, finished):
    config = dataclasses.replace(TINY, epochs=2)
    run = started(config)
    wait_for(lambda: runs.Metrics(run).refresh().get("train", {}).get("step", [0])[-1] >= 10)
    kill(run)
    if runs.state(run) != "finished":  # on a fast machine the run may have been quicker than the kill
        assert runs.state(run) == "failed"
        process.resume(run)
    wait_for(lambda: runs.state(run) == "finished")
    ours, whole = load_file(run / "last.safetensors"), load_file(finished / "last.safetensors")
    assert all(torch.equal(ours[name], whole[name]) for name in whole)
    with pytest.raises(Problem, match="finished"):
        process.resume(run)


def test_the_command_line_trains_stops_and_continues(tmp_path, capsys):
    run = tmp_path / "run"
    settings = ["--set", "batch_size=64", "train_limit=200", "--set=threads=1", "--set", "flip=0.0"]
    assert main(["train", "--network", "resnet8", "--data", "digits", "--epochs", "1", *settings, "--out", str(run)]) == 0
    assert [runs.read_config(run)[key] for key in ("batch_size", "train_limit", "threads", "flip")] == [64, 200, 1, 0.0]
    said = capsys.readouterr()
    assert "epoch 1 of 1" in said.err and "test accuracy" in said.err and said.out == ""
    assert runs.state(run) == "finished"
    assert main(["train", "--data", "digits", "--out", str(run)]) == 2 and "not empty" in capsys.readouterr().err
    assert main(["train", "--resume", str(run)]) == 2 and "finished" in capsys.readouterr().err


@pytest.mark.parametrize("words, said", [
    ([], "--out"), (["--out", "x", "--resume", "y"], "--resume"), (["--resume", "nowhere"], "config.json"),
    (["--preset", "nope", "--out", "x"], "quick-shapes"), (["--set", "speed=1", "--out", "x"], "speed"),
    (["--network", "resnet21", "--out", "x"], "resnet20"), (["--data", "nowhere", "--out", "x"], "nowhere"), (["--out"], "--out"),
])
def test_bad_arguments_are_one_sentence(tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err and captured.err.count("\n") == 1 and "Traceback" not in captured.err


def test_a_folder_of_pictures_is_found_from_anywhere(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    process.create(dataclasses.replace(TINY, data="mine"), tmp_path / "run")
    assert runs.read_config(tmp_path / "run")["data"] == str(tmp_path / "mine")


def test_a_run_cannot_lie_in_a_file(tmp_path):
    (tmp_path / "file").write_text("here already")
    for place in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(Problem, match="cannot be written"):
            process.create(TINY, place)
