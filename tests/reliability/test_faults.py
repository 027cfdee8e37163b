"""Kills, full disks, closed folders, clocks that jump and several servers: nothing saved is lost, nothing is left lying,
every run goes on exactly."""

import dataclasses
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

from resnet_viz import runs
from resnet_viz.training import process, queue
from resnet_viz.training.control import Control

from . import kills
from .dying import Fault
from .kills import SMALL, check_whole

SHORT = {0: "training, inside a write", 1: "training, at a moment", 11: "weights, at a moment", 14: "zip, inside a write",
         16: "import, inside a write"}
NOBODY = 65534
STREAMS = """
import sys
from resnet_viz.data import streaming
from resnet_viz.training.__main__ import main
streaming.RESIDENT_BYTES = 1000
sys.exit(main(sys.argv[1:]))
"""
FULL = {0: "training", 1: "weights", 2: "zip", 3: "import"}  # the short form: seed -> subject


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return kills.Bench(Path(tmp_path_factory.mktemp("kills")))


@pytest.fixture
def said(tmp_path):
    return tmp_path / "said"


# Kills


@pytest.mark.parametrize("seed", SHORT)
def test_a_kill(bench, seed):
    assert kills.one(bench, seed, print) == SHORT[seed]


@pytest.mark.hard
def test_two_hundred_kills(bench, printed):
    found = [kills.one(bench, seed, printed) for seed in range(200)]
    assert sum("inside a write" in one for one in found) == 100
    assert sum(one.startswith("command") for one in found) == 20


@pytest.mark.hard
def test_the_processes_that_read_pictures_go_with_their_trainer(bench, tmp_path):
    """Killed while it waits with them at work: they notice, and what is started at once gets the device from them."""
    for index in range(40):
        path = tmp_path / ("test" if index % 4 == 0 else "train") / ("cats", "dogs")[index % 2] / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 24), (6 * index, 90, 20)).save(path)
    run = tmp_path / "run"
    process.create(dataclasses.replace(SMALL, data=str(tmp_path), size=16, batch_size=4, train_limit=None, threads=2,
                                       val_fraction=0.0), run)
    runs.send(run, "step")

    def start():
        return subprocess.Popen([sys.executable, "-c", STREAMS, str(run)], cwd=runs.PROJECT, env={**os.environ, **bench.variables})

    trainer = start()
    wait_for(lambda: runs.state(run) == "paused")
    family = psutil.Process(trainer.pid).children(recursive=True)
    assert family, "it has processes that read"
    trainer.kill()
    assert trainer.wait() == -signal.SIGKILL
    again = start()
    assert not psutil.wait_procs(family, timeout=30)[1]
    assert again.wait() == 0 and runs.state(run) == "finished"


# Full disks


def fill_up(bench, seed, subject, said):
    """The disk is full from one of the job's writes on: one sentence; with room again it goes on, and nothing is left."""
    chance, folder = random.Random(seed), bench.new()
    begin, details = kills.STARTS[subject]
    detail = chance.choice([one for one in details if one != "onnx"])
    fault = Fault("full", str(folder), chance.randint(1, bench.measured(subject, detail)[0]), chance.choice(["before", "half"]))
    bench.variables["TEST_SAID"] = str(said)
    code = begin(bench, folder, detail, fault).wait()
    assert code in (0, 2), "no traceback"
    run = folder / "run"
    if code == 2:
        told = (run / "train.log").read_text().splitlines()[-1] if subject == "training" else said.read_text()
        assert "is full; free some space" in told or "No space left" in told, told
    if subject == "training":
        kills.check_saved(run)
        if runs.state(run) != "finished":
            assert bench.child("train", run).wait() == 0
        check_whole(bench, run, bench.whole(detail))
    elif code == 2:
        place = folder / "runs" if subject == "import" else folder
        assert not list(place.iterdir()), "half of it stayed on a disk that is full already"
        assert begin(bench, folder, detail, None).wait() == 0


@pytest.mark.short(2)
@pytest.mark.parametrize("seed", FULL)
def test_a_full_disk(bench, said, seed):
    fill_up(bench, seed, FULL[seed], said)


@pytest.mark.hard
@pytest.mark.parametrize("seed", range(4, 44))
def test_forty_full_disks(bench, said, seed):
    fill_up(bench, seed, ("training", "training", "weights", "zip", "import")[seed % 5], said)


@pytest.mark.hard
@pytest.mark.parametrize("size_kib", [150, 900, 1900])
def test_a_disk_that_is_really_small(bench, tmp_path, size_kib):
    """A file system of its own, which only that process sees, with room for the beginning, one epoch, two epochs."""
    small, copy = tmp_path / "small", tmp_path / "copy"
    small.mkdir()
    process.create(SMALL, tmp_path / "run")
    script = (f"mount -t tmpfs -o size={size_kib}k none {small} && cp -r {tmp_path}/run {small}/ && "
              f"{sys.executable} -m resnet_viz train --resume {small}/run; code=$?; cp -r {small}/run {copy}; exit $code")
    ended = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", script], cwd=runs.PROJECT, text=True,
                           capture_output=True, env={**os.environ, **bench.variables}, timeout=600)
    assert ended.returncode == 2 and ended.stderr.splitlines()[-1].count("is full; free some space") == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    kills.check_saved(copy)
    assert bench.child("train", copy).wait() == 0
    check_whole(bench, copy, bench.whole("sgd"))


# Folders that may only be read


@pytest.fixture
def open_folder():
    """A folder that every user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def close(folder: Path, closed: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chmod(path, (0o555 if closed else 0o755) if path.is_dir() else (0o444 if closed else 0o644))


def test_a_folder_of_runs_that_may_only_be_read(bench, open_folder):
    run, archive, told = open_folder / "runs" / "run", bench.measured("zip", "sgd")[2] / "run.zip", open_folder / "said" / "said"
    shutil.copytree(bench.whole("sgd"), run)
    shutil.copy(archive, open_folder / "run.zip")
    runs.write_json(run / "status.json", {**runs.read_status(run), "state": "stopped"})
    told.parent.mkdir()
    os.chmod(told.parent, 0o777)
    close(open_folder / "runs", True)
    before = {path: path.stat().st_mtime_ns for path in (open_folder / "runs").rglob("*")}
    assert bench.child("refusals", run, open_folder / "run.zip", told, TEST_USER=str(NOBODY), TEST_SAID=str(told),
                       RESNET_VIZ_RUNS=str(open_folder / "runs")).wait() == 0
    close(open_folder / "runs", False)
    answer = json.loads(told.read_text())
    for deed, sentence in answer["refused"].items():
        assert "Permission denied" in sentence and "\n" not in sentence and len(sentence) < 400, (deed, sentence)
    assert answer["read"] == ["stopped", "resnet8", len(runs.snapshots(run)), 1, len(runs.read_lines(run / "metrics.jsonl"))]
    assert {path: path.stat().st_mtime_ns for path in (open_folder / "runs").rglob("*")} == before


def test_a_run_whose_folder_is_closed_while_it_trains(bench, open_folder):
    run = open_folder / "run"
    process.create(SMALL, run)
    runs.send(run, "epoch")
    (open_folder / "queue").mkdir()
    if not os.geteuid():
        for path in (open_folder, *open_folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    trainer = bench.child("train", run, TEST_USER=str(NOBODY), RESNET_VIZ_RUNS=str(open_folder / "queue"))
    wait_for(lambda: runs.state(run) == "paused")
    close(run, True)
    os.chmod(run / "control", 0o777)
    runs.send(run, "resume")
    assert trainer.wait() == 2
    assert "cannot be written (Permission denied); allow it" in (run / "train.log").read_text()
    close(run, False)
    assert kills.check_saved(run) == 1
    assert bench.child("train", run).wait() == 0
    shutil.rmtree(run / "control")
    (run / "events.jsonl").unlink()
    check_whole(bench, run, bench.whole("sgd"))


def wait_for(condition, seconds=kills.SLOW_S):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


# Clocks


def test_a_clock_that_jumps_while_it_trains(bench):
    """Read from outside it is never silent, never dead; it waits its turn, and gives what a quiet clock gives."""
    first, run = bench.new() / "run", bench.new() / "run"
    for one in (first, run):
        process.create(SMALL, one)
    runs.send(first, "pause")
    holder = bench.child("train", first)
    wait_for(lambda: runs.state(first) == "paused")
    trainer, states = bench.child("train_with_jumping_clock", run), []
    wait_for(lambda: states.append(runs.state(run)) or states[-1] == "queued")
    runs.send(first, "resume")
    while trainer.process.is_alive():
        states.append(runs.state(run))
        assert runs.silent_for_s(run) >= 0
    assert trainer.wait() == holder.wait() == 0
    seen = [state for state, _ in itertools.groupby(states) if state not in ("new", "finished")]
    assert seen in (["running", "queued", "running"], ["queued", "running"]), seen  # it starts faster than one can look
    spent = [row["elapsed_s"] for row in runs.read_lines(run / "metrics.jsonl")]
    assert spent == sorted(spent) and spent[-1] < 600
    check_whole(bench, run, bench.whole("sgd"))


def test_orders_keep_their_order_when_the_clock_is_set_back(tmp_path, monkeypatch):
    process.create(SMALL, tmp_path)
    now = time.time_ns()
    for command, clock in (("pause", now), ("resume", now - 3600 * 10**9), ("lr", now - 10**9), ("step", 5)):
        monkeypatch.setattr(runs.time, "time_ns", lambda clock=clock: clock)
        runs.send(tmp_path, command, 0.1 if command == "lr" else None)
    monkeypatch.undo()
    control = Control(tmp_path, SMALL, 4)
    control.read(0)
    assert [event["command"] for event in runs.read_events(tmp_path)] == ["pause", "resume", "lr", "step"]
    assert not control.paused(0) and control.paused(1)


# Several servers on one folder of runs


def at_once(bench, said, *jobs, **variables):
    """Start jobs in processes of their own that begin at one moment; returns their exit codes."""
    moment = str(time.monotonic() + 1.0)
    children = [bench.child("together", moment, *job, TEST_SAID=f"{said}-{number}", **variables) for number, job in enumerate(jobs)]
    return [child.wait() for child in children]


def test_one_run_continued_by_four_at_once_trains_once(bench, said):
    run = bench.new() / "run"
    process.create(SMALL, run)
    assert sorted(at_once(bench, said, *[("train", run)] * 4)) == [0, 2, 2, 2]
    assert (run / "train.log").read_text().count("is in use by") == 3
    check_whole(bench, run, bench.whole("sgd"))


def test_three_runs_started_at_once_train_one_after_another(bench, said):
    started = [bench.new() / "run" for _ in range(3)]
    for run in started:
        process.create(SMALL, run)
    moment = str(time.monotonic() + 0.5)
    children = [bench.child("together", moment, "train", run) for run in started]
    most = 0
    while any(child.process.is_alive() for child in children):
        said = [runs.read_status(run) or {} for run in started]
        busy = [one for one in said if one.get("state") == "running" and one["message"] in ("training", "evaluating")]
        most = max(most, len(busy))
        time.sleep(0.005)
    assert [child.wait() for child in children] == [0, 0, 0] and most == 1
    for run in started:
        check_whole(bench, run, bench.whole("sgd"))


@pytest.mark.hard
def test_new_imported_deleted_and_brought_back_by_four_at_once(bench, said, tmp_path):
    """Each deed that can be done once is done once, the others are told so; names are never shared."""
    place, archive = tmp_path / "runs", bench.measured("zip", "sgd")[2] / "run.zip"
    place.mkdir()
    everyone = {"RESNET_VIZ_RUNS": str(place)}
    assert at_once(bench, said, *[("new_run", "mine")] * 4, **everyone) == [0] * 4
    assert len(list(place.iterdir())) == 4
    shutil.rmtree(place)
    place.mkdir()
    assert at_once(bench, said, *[("read_zip", archive)] * 4, **everyone) == [0] * 4
    assert sorted(path.name for path in place.iterdir()) == ["run", "run-2", "run-3", "run-4"]
    assert all(kills.digests(run) == kills.digests(place / "run") for run in place.iterdir())
    assert sorted(at_once(bench, said, *[("delete", place / "run")] * 4, **everyone)) == [0, 2, 2, 2]
    assert len(list(place.glob(".deleted/*/run/config.json"))) == 1 and not (place / "run").exists()
    codes = at_once(bench, said, *[("bring_back", "run")] * 4, **everyone)
    assert codes.count(0) == 1 and (place / "run" / "config.json").exists()
    assert kills.digests(place / "run") == kills.digests(place / "run-2")


def test_the_queue_is_empty_at_the_end(bench):
    """After all the tests above: no ticket, no process, and the next run starts at once."""
    assert not list((bench.folder / "queue" / queue.FOLDER).glob("*/*.ticket"))
