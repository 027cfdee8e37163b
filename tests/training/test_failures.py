"""What goes wrong through no fault of the program, each ending with one sentence and the last good state kept."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from resnet_viz import runs
from resnet_viz.data import sources
from resnet_viz.problems import Problem
from resnet_viz.training import failures, lock, loop, process, queue
from resnet_viz.training.__main__ import main, run_here
from resnet_viz.training.update import Update

from .conftest import TINY

SMALL = dataclasses.replace(TINY, train_limit=150, batch_size=32)  # 2 epochs of 5 steps
HOLDS = """
import sys, time
from pathlib import Path
from resnet_viz.training import lock
with lock.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def changed(monkeypatch, change):
    """Let `change(update, samples, outcome)` have the last word about every update; it gets and returns the outcome."""
    step = Update.step
    monkeypatch.setattr(Update, "step", lambda self, samples, *rest: change(self, samples, step(self, samples, *rest)))


def failed(run, match):
    with pytest.raises(Problem, match=match) as error:
        run_here(run)
    status = runs.read_status(run)
    assert runs.state(run) == "failed" and status["message"] == str(error.value) and str(error.value).count("\n") == 0
    return status


@pytest.fixture
def run(tmp_path):
    process.create(SMALL, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("bad", [2, 7, 8])
def test_a_loss_that_is_no_number_names_its_step(run, monkeypatch, bad):
    count = [0]

    def spoil(update, samples, outcome):
        count[0] += 1
        return dataclasses.replace(outcome, loss=outcome.loss * float("nan")) if count[0] >= bad else outcome

    changed(monkeypatch, spoil)
    failed(run, f"at step {bad}:.*last good epoch are kept")
    good = [row for row in runs.read_lines(run / "metrics.jsonl") if row["split"] == "train"]
    assert all(row["step"] < bad for row in good)
    assert (run / "last.safetensors").exists() == (bad > 5)
    assert all(torch.isfinite(t).all() for path in run.glob("*.safetensors") for t in load_file(path).values() if t.is_floating_point())


def test_weights_that_the_last_update_of_an_epoch_breaks_are_not_saved(run, monkeypatch):
    count = [0]

    def spoil(update, samples, outcome):
        count[0] += 1
        if count[0] == 10:
            with torch.no_grad():
                update.work.model.conv1.weight[0, 0, 0, 0] = float("inf")
        return outcome

    changed(monkeypatch, spoil)
    assert failed(run, "at step 10")["last_good_epoch"] == 1
    for name in ("last", "best", "resume"):
        assert all(torch.isfinite(t).all() for t in load_file(run / f"{name}.safetensors").values() if t.is_floating_point())


@pytest.mark.parametrize("error", [RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you "
                                                "tried to allocate 8 bytes."), MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried")])
def test_a_batch_that_does_not_fit_is_told_with_one_that_does(run, monkeypatch, error):
    step = Update.step

    def small_memory(self, samples, *rest):
        if len(samples) > 9:
            raise error
        return step(self, samples, *rest)

    monkeypatch.setattr(Update, "step", small_memory)
    failed(run, "batch of 32 pictures does not fit.*; 8 fit: .* batch_size 8")


def test_a_config_from_a_newer_version(run):
    runs.write_config(run, {**runs.read_config(run), "version": 99, "what_nobody_knows_yet": 1})
    failed(run, "version 99.*update ResNet Viz")
    with pytest.raises(Problem, match="version 99"):
        process.check_resumable(run)


def test_not_even_two_fit(run, monkeypatch):
    def no_memory(self, samples, *rest):
        raise MemoryError

    monkeypatch.setattr(Update, "step", no_memory)
    failed(run, "not even two fit")


def test_no_memory_for_the_pictures(run, monkeypatch):
    def load(*_, **__):
        raise MemoryError

    monkeypatch.setattr(sources, "load", load)
    failed(run, "memory does not suffice")


def test_an_allocation_that_really_fails_is_recognised():
    """By this torch's own words on this machine, not by words that were true once."""
    with pytest.raises(RuntimeError) as error:
        torch.empty(2**60, dtype=torch.uint8)
    assert failures.ran_out(error.value)
    assert not failures.ran_out(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_a_fault_of_the_program_stays_visible(run, monkeypatch):
    changed(monkeypatch, lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_here(run)
    assert "ZeroDivisionError" in runs.read_status(run)["message"]


@pytest.mark.parametrize("paused", [False, True], ids=["training", "paused"])
def test_a_run_that_is_deleted_while_it_trains_ends_and_does_not_come_back(run, monkeypatch, paused):
    """Without the check it would hold its place in the queue for ever, and write into a folder that nobody lists."""
    def delete(update, samples, outcome):
        if paused:
            runs.send(run, "pause")
        elif run.exists():
            shutil.rmtree(run)
        return outcome

    changed(monkeypatch, delete)
    if paused:
        wait = loop.time.sleep
        monkeypatch.setattr(loop.time, "sleep", lambda seconds: (wait(seconds), shutil.rmtree(run, ignore_errors=True)))
    with pytest.raises(Problem, match="was deleted or moved"):
        run_here(run)
    assert not run.exists()


def test_a_run_that_is_deleted_while_it_waits_leaves_the_queue(run, monkeypatch):
    monkeypatch.setattr(queue, "_earlier", lambda *_: (shutil.rmtree(run, ignore_errors=True), ["another"])[1])
    with pytest.raises(Problem, match="was deleted or moved"):
        run_here(run)
    assert not run.exists()


def test_a_run_belongs_to_one_process_until_that_dies(run, capsys):
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(run)], cwd=runs.PROJECT, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        before = sorted(path.name for path in run.iterdir())
        assert main([str(run)]) == 2
        said = capsys.readouterr().err
        assert "in use by another process" in said and said.count("\n") == 1
        assert sorted(path.name for path in run.iterdir()) == before, "who does not hold it leaves no trace"
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with lock.held(run):
        pass


def folder(path, files):
    for name, colour in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 12), (colour, 90, 255 - colour)).save(path / name)
    return str(path)


def many(*classes, split="train", count=12):
    return {f"{split}/{name}/{index:02d}.png": 20 * index for name in classes for index in range(count)}


@pytest.mark.parametrize("files, said", [
    ({"a.png": 3}, "no pictures in train"),
    ({}, "is empty|no pictures"),
    (many("cats") | many("cats", split="test"), "only one class .cats."),
    (many("cats", "dogs") | many("cats", "birds", split="test"), "birds"),
])
def test_folders_that_cannot_be_learned_from(tmp_path, files, said):
    (tmp_path / "data").mkdir()
    run = tmp_path / "run"
    process.create(dataclasses.replace(SMALL, data=folder(tmp_path / "data", files)), run)
    failed(run, said)


def test_an_unreadable_picture_in_the_middle_is_named_skipped_and_counted(tmp_path):
    data = folder(tmp_path / "data", many("cats", "dogs") | many("cats", "dogs", split="test", count=4))
    (tmp_path / "data" / "train" / "cats" / "05.png").write_bytes(b"\x89PNG\r\n torn")
    run, told = tmp_path / "run", []
    process.create(dataclasses.replace(SMALL, data=data, epochs=1, batch_size=8, train_limit=None), run)
    assert run_here(run, told.append) == "finished"
    note = "1 of 24 pictures could not be read and was left out: cats/05.png"
    assert note in told and runs.read_status(run)["notes"] == [note]
    last = [row for row in runs.read_lines(run / "metrics.jsonl") if row["split"] == "train"][-1]
    assert last["images"] <= 23


def test_labels_beyond_the_head(run, monkeypatch):
    load = sources.load

    def beyond(*arguments, **options):
        pictures = load(*arguments, **options)
        pictures.labels[7] = 10
        return pictures

    monkeypatch.setattr(sources, "load", beyond)
    failed(run, "label 10 .* 10 classes apart, 0 to 9")
