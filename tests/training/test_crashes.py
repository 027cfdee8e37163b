"""A run that dies at any write, by kill -9 or by a full disk: readable afterwards, and continued bit for bit."""

import dataclasses
import errno
import json
import os
import random
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from resnet_viz import runs
from resnet_viz.problems import Problem
from resnet_viz.training import process
from resnet_viz.training.__main__ import run_here

from .conftest import TINY, StopAt, train_here

SMALL = dataclasses.replace(TINY, train_limit=150, batch_size=32)  # 2 epochs of 5 steps
RECIPES = {
    "sgd": SMALL,
    "adam": dataclasses.replace(SMALL, optimizer="adam", lr=0.002),
    "bf16": dataclasses.replace(SMALL, precision="bf16"),
}
DIES_IN_ITS_OWN_WRITES = """
import os, signal, sys
from pathlib import Path
from resnet_viz import runs
from resnet_viz.training.__main__ import main
left, run = int(sys.argv[1]), Path(sys.argv[2])
replace, writes = os.replace, [0]

def replace_or_die(source, target):
    if Path(target).name != "status.json":
        writes[0] += 1
        if writes[0] == left:
            os.truncate(source, os.path.getsize(source) // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = replace_or_die
main([str(run)])
"""


class Killed(BaseException):
    """What no handler of the program expects, as little as a kill -9."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """recipe -> the run that nothing interrupted, made when first asked for."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = tmp_path_factory.mktemp("whole") / name
            train_here(RECIPES[name], made[name])
        return made[name]

    return get


def rows(run):
    kept = ("split", "epoch", "step", "loss", "accuracy", "lr")
    return sorted(tuple(row[key] for key in kept) for row in runs.read_lines(run / "metrics.jsonl"))


def check_readable(run):
    """Every file that a page reads is whole or absent."""
    assert runs.read_config(run) is not None and runs.state(run) in runs.ALIVE_STATES + ("failed", "finished", "new")
    for name in (*(f"{which}.safetensors" for which in runs.WEIGHTS), "resume.safetensors", "pictures.safetensors", "familiarity.safetensors"):
        if (run / name).exists():
            load_file(run / name)
    steps = [snapshot.step for snapshot in runs.snapshots(run)]
    assert len(steps) == len(list((run / "snapshots").glob("*.safetensors"))), "no snapshot is damaged"
    runs.Metrics(run).refresh()
    runs.read_gradients(run)


def bury(run):
    """The process that wrote the status is this one: let it be one that is gone."""
    runs.write_json(run / "status.json", {**runs.read_status(run), "pid": None})
    assert runs.state(run) == "failed"


def check_same(run, whole_run):
    for which in ("last", "best"):
        ours, theirs = (load_file(r / f"{which}.safetensors") for r in (run, whole_run))
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs), which
    assert rows(run) == rows(whole_run), "no row is missing, none is written twice"
    assert [s.step for s in runs.snapshots(run)] == [s.step for s in runs.snapshots(whole_run)]
    assert len(runs.read_gradients(run)) == len(runs.read_gradients(whole_run))
    assert list(run.rglob("*.tmp")) == []


def interrupting(monkeypatch, at: int, error, torn: bool):
    """Let write number `at` (1 is the first) fail half-way; `torn`: and leave its half, as a kill does. Returns the counter."""
    done, write, append = [0], runs.write_atomic, runs.append

    def now(path) -> bool:
        done[0] += path.name != "status.json"
        return path.name != "status.json" and done[0] == at

    def write_atomic(path, data):
        if now(path):
            path.parent.mkdir(exist_ok=True)
            if torn:
                path.with_name(f".{path.name}.1.ab.tmp").write_bytes(data[: len(data) // 2])
            raise error
        write(path, data)

    def half_append(path, *lines):
        if now(path):
            with open(path, "a") as file:
                file.write(json.dumps(lines[0])[:20])
            raise error
        append(path, *lines)

    monkeypatch.setattr(runs, "write_atomic", write_atomic)
    monkeypatch.setattr(runs, "append", half_append)
    return done


def test_the_writes_of_a_run_are_counted(tmp_path, monkeypatch):
    """So that the numbers below fall into a run: begin, first epoch, second epoch, end."""
    process.create(SMALL, tmp_path / "run")
    done = interrupting(monkeypatch, 10**6, None, False)
    train_here(SMALL, tmp_path / "run")
    assert 25 <= done[0] <= 45


@pytest.mark.short(1)
@pytest.mark.parametrize("name, at", [(name, at) for seed, name in enumerate(RECIPES)
                                      for at in sorted(random.Random(seed).sample(range(1, 26), 6))])
def test_killed_in_any_write(tmp_path, monkeypatch, whole, name, at):
    whole_run, run = whole(name), tmp_path / "run"
    process.create(RECIPES[name], run)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        interrupting(patched, at, Killed(), torn=True)
        train_here(RECIPES[name], run)
    bury(run)
    check_readable(run)
    assert run_here(run) == "finished"
    check_same(run, whole_run)


@pytest.mark.short(2)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("at", [1, 7, 14, 20])
def test_a_full_disk_is_a_sentence_and_costs_nothing_saved(tmp_path, monkeypatch, whole, at, code):
    whole_run, run = whole("sgd"), tmp_path / "run"
    process.create(SMALL, run)
    with monkeypatch.context() as patched, pytest.raises(Problem, match="full.*free some space"):
        interrupting(patched, at, OSError(code, os.strerror(code)), torn=False)
        run_here(run)
    check_readable(run)
    assert runs.state(run) == "failed" and "full" in runs.read_status(run)["message"]
    assert run_here(run) == "finished"
    check_same(run, whole_run)


def test_a_disk_so_full_that_not_even_the_status_fits(tmp_path, monkeypatch, capfd):
    from resnet_viz.training import __main__ as training

    run = tmp_path / "run"
    process.create(SMALL, run)

    def write_atomic(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(runs, "write_atomic", write_atomic)
    assert training.main([str(run)]) == 2
    said = capfd.readouterr().err
    assert "is full" in said and said.count("\n") == 1


@pytest.mark.hard
@pytest.mark.short(1)
@pytest.mark.parametrize("at", [3, 12])
def test_kill_9_in_a_process_of_its_own(tmp_path, whole, at):
    whole_run, run = whole("sgd"), tmp_path / "run"
    process.create(SMALL, run)
    ended = subprocess.run([sys.executable, "-c", DIES_IN_ITS_OWN_WRITES, str(at), str(run)], cwd=runs.PROJECT, timeout=120)
    assert ended.returncode == -signal.SIGKILL
    assert runs.state(run) == "failed" and list(run.rglob("*.tmp")), "it died with a file half written"
    check_readable(run)
    assert run_here(run) == "finished"
    check_same(run, whole_run)


class LrAt(StopAt):
    """Gives orders as soon as it hears of a step, and dies at another."""

    orders: dict = {}
    dies_at: int | None = None

    def note(self, **changes):
        super().note(**changes)
        for command, value in self.orders.pop(changes.get("step"), ()):
            runs.send(self.run, command, value)
        if self.dies_at is not None and changes.get("step") == self.dies_at:
            self.dies_at = None
            raise Killed


def ordered(config, run, orders, dies_at=None):
    from resnet_viz.training.config import from_dict
    from resnet_viz.training.loop import train

    if not runs.is_run(run):
        process.create(config, run)
    status = LrAt(run)
    status.orders, status.dies_at = dict(orders), dies_at
    with status:
        return train(run, from_dict(runs.read_config(run)), status)


@pytest.mark.hard
@pytest.mark.short(1)
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_a_rate_changed_by_hand_is_applied_again_after_a_kill(tmp_path, name):
    config, orders = RECIPES[name], {3: [("lr", 0.02)], 6: [("pause", None), ("lr", 0.001), ("resume", None)]}
    ordered(config, tmp_path / "whole", orders)
    run = tmp_path / "run"
    with pytest.raises(Killed):
        ordered(config, run, orders, dies_at=8)
    bury(run)
    assert [(e["command"], e["step"]) for e in runs.read_events(run)] == [("lr", 3), ("pause", 6), ("lr", 6), ("resume", 6)]
    assert run_here(run) == "finished"
    check_same(run, tmp_path / "whole")
    assert [e["command"] for e in runs.read_events(run)] == ["lr", "pause", "lr", "resume"], "recorded once"


@pytest.mark.hard
def test_stopped_with_momentum_averages_and_half_precision(tmp_path, whole):
    for name in ("adam", "bf16"):
        run = tmp_path / name
        assert train_here(RECIPES[name], run, stop_at=4) == "stopped"
        assert train_here(RECIPES[name], run, stop_at=7) == "stopped"
        assert train_here(RECIPES[name], run) == "finished"
        ours, theirs = load_file(run / "last.safetensors"), load_file(whole(name) / "last.safetensors")
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.mark.short(1)
@pytest.mark.parametrize("at", [1, 2, 3])
def test_killed_between_the_files_of_the_beginning(tmp_path, monkeypatch, whole, at):
    """Whichever of them was written, the others are written by the continuation."""
    run = tmp_path / "run"
    process.create(SMALL, run)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        interrupting(patched, at, Killed(), torn=True)
        train_here(SMALL, run)
    bury(run)
    assert run_here(run) == "finished"
    assert {p.name for p in whole("sgd").iterdir()} - {"lock"} == {p.name for p in run.iterdir()} - {"lock"}
