"""Runs that wait their turn: in order, one a device, through kills and cancellations, across processes and servers."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from resnet_viz import runs
from resnet_viz.__main__ import main
from resnet_viz.problems import Problem
from resnet_viz.training import process, queue

from .conftest import TINY
from .test_process import LONG, kill, started, step, wait_for  # noqa: F401  (started is a fixture)

HOLDER = """
import sys
from pathlib import Path
from types import SimpleNamespace
from resnet_viz.training import queue
from resnet_viz.training.config import Config
run = Path(sys.argv[1])
def tell(state, queue_position, message):
    if state == "queued":
        print(state, queue_position, flush=True)
status = SimpleNamespace(update=tell)
with queue.turn(run, Config(), sys.argv[2].split(","), status, lambda text: None) as ours:
    print("ours" if ours else "cancelled", flush=True)
    input()
"""


class Holder:
    """A process that asks for devices, holds them until it is told to end, and says what it is told meanwhile."""

    def __init__(self, run, devices="cpu", slots=None, partner=None):
        run.mkdir()
        if partner:
            runs.write_race(run, {"with": partner})
        self.run, environment = run, dict(os.environ)
        if slots:
            environment[queue.SLOTS] = str(slots)
        self.process = subprocess.Popen([sys.executable, "-c", HOLDER, str(run), devices], cwd=runs.PROJECT, env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def said(self) -> str:
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.communicate("\n", timeout=30)

    def kill(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def ask(tmp_path):
    holders = []

    def begin(name, **options):
        holders.append(Holder(tmp_path / name, **options))
        return holders[-1]

    yield begin
    for holder in holders:
        holder.kill()


def test_turns_come_in_order_and_the_dead_give_theirs_up(ask):
    first = ask("first")
    assert first.said() == "ours"
    second = ask("second")
    assert second.said() == "queued 1"
    third = ask("third")
    assert third.said() == "queued 2"
    elsewhere = ask("elsewhere", devices="cuda-1")
    assert elsewhere.said() == "ours", "another device has a queue of its own"
    second.kill()  # while it waits
    assert third.said() == "queued 1"
    fourth = ask("fourth")
    assert fourth.said() == "queued 2", "at the end, not in the place of the dead"
    first.kill()  # while it trains
    assert third.said() == "ours"
    assert fourth.said() == "queued 1"
    third.end()
    assert fourth.said() == "ours"
    fourth.end()
    (folder,) = (path for path in (runs.root() / queue.FOLDER).iterdir() if path.name.endswith("-cpu"))
    assert not list(folder.glob("*.ticket"))


def test_the_number_of_slots_is_a_setting(ask):
    assert [ask(name, slots=2).said() for name in ("a", "b", "c", "d")] == ["ours", "ours", "queued 1", "queued 2"]


def test_whoever_wants_several_devices_waits_for_all_of_them(ask):
    both = ask("both", devices="cuda-1,cuda-0")
    assert both.said() == "ours"
    one, other = ask("one", devices="cuda-0"), ask("other", devices="cuda-1")
    assert one.said() == other.said() == "queued 1"
    again = ask("again", devices="cuda-0,cuda-1")
    assert again.said() == "queued 2"
    both.end()
    assert again.said() == "queued 1" and one.said() == other.said() == "ours"
    one.end()
    assert again.said() == "queued 1", "for the other one"
    other.end()
    assert again.said() == "ours"


def test_the_two_runs_of_a_race_share_one_place(ask):
    first = ask("first")
    assert first.said() == "ours"
    left = ask("left", partner="right")
    assert left.said() == "queued 1"
    other = ask("other")
    assert other.said() == "queued 2"
    right = ask("right", partner="left")
    assert right.said() == "queued 1", "beside its partner, before whoever came in between"
    last = ask("last")
    assert last.said() == "queued 3", "the race counts as one"
    first.end()
    assert left.said() == right.said() == "ours"
    assert other.said() == "queued 1" and last.said() == "queued 2"
    left.kill()
    back = ask("left again", partner="right")
    assert back.said() == "ours", "continued while its partner goes on"
    right.end()
    back.end()
    while (said := other.said()) == "queued 1":  # it may look in the moment when one of the two has ended
        continue
    assert said == "ours"
    while (said := last.said()) == "queued 2":
        continue
    assert said == "queued 1"
    (folder,) = (path for path in (runs.root() / queue.FOLDER).iterdir() if path.name.endswith("-cpu"))
    assert len(list(folder.glob("*.ticket"))) == 2


def test_a_partner_that_is_not_there_changes_nothing(ask):
    assert ask("left", partner="gone").said() == "ours"
    assert ask("right", partner="gone").said() == "queued 1"


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_senseless_slots_are_refused(monkeypatch, text):
    monkeypatch.setenv(queue.SLOTS, text)
    with pytest.raises(Problem, match="RESNET_VIZ_SLOTS"):
        queue.slots()


@pytest.mark.parametrize(("shown", "index", "name"), [(None, 0, "cuda-0"), (None, 3, "cuda-3"), ("2,5", 0, "cuda-2"), ("2,5", 1, "cuda-5")])
def test_a_gpu_has_one_name_for_all_processes(monkeypatch, shown, index, name):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if shown:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert queue.device_name("cuda", index) == name and queue.device_name("cpu", index) == "cpu"


def test_a_runs_folder_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "file"))
    with pytest.raises(Problem, match="RESNET_VIZ_RUNS"):
        with queue.turn(tmp_path, TINY, ["cpu"], None, None):
            pass


def test_a_run_on_a_busy_device_waits_and_can_be_cancelled_killed_and_continued(started, ask):  # noqa: F811
    first = ask("first")
    assert first.said() == "ours"
    second = started(LONG, "second")
    wait_for(lambda: runs.state(second) == "queued")
    third = started(LONG, "third")
    wait_for(lambda: runs.state(third) == "queued")
    status = runs.read_status(third)
    assert (status["queue_position"], status["message"]) == (2, "2 runs before this one, now first")
    wait_for(lambda: runs.read_status(third)["heartbeat"] > status["heartbeat"], 5)
    assert not [place.path for place in psutil.Process(status["pid"]).memory_maps() if "torch" in place.path], "it waits light"
    with pytest.raises(Problem, match="going on"):
        process.resume(third)

    kill(second)
    assert runs.state(second) == "failed"
    wait_for(lambda: runs.read_status(third)["queue_position"] == 1)
    process.resume(second)
    wait_for(lambda: runs.state(second) == "queued" and runs.read_status(second)["queue_position"] == 2)
    runs.send(second, "lr", 0.03)
    runs.send(second, "stop")
    wait_for(lambda: runs.state(second) == "stopped" and not process.running(second))
    assert [(event["command"], event["step"]) for event in runs.read_events(second)] == [("lr", 0), ("stop", 0)]
    assert not list((second / "control").iterdir())

    runs.send(third, "pause")  # for its first step: it waits on
    first.end()
    wait_for(lambda: runs.state(third) == "paused")
    assert step(third) == 0 and runs.read_status(third)["queue_position"] is None
    process.resume(second)
    wait_for(lambda: runs.state(second) == "queued")  # a paused run keeps its slot


def test_the_command_line_says_that_it_waits(ask, tmp_path, capsys):
    assert ask("busy").said() == "ours"
    run = tmp_path / "run"
    process.create(dataclasses.replace(TINY, epochs=1, train_limit=100), run)
    interrupt = threading.Thread(target=lambda: wait_for(lambda: runs.state(run) == "queued") and os.kill(os.getpid(), signal.SIGINT))
    interrupt.start()
    assert main(["train", "--resume", str(run)]) == 3
    interrupt.join()
    assert "waiting for cpu: 1 run before this one, now busy" in capsys.readouterr().err
    assert runs.state(run) == "stopped"


def test_everybody_can_look_at_the_places(ask):
    assert queue.places() == {}
    first = ask("first")
    assert first.said() == "ours"
    rival = ask("rival", partner="first")
    assert rival.said() == "ours"
    second = ask("second")
    assert second.said() == "queued 1"
    third = ask("third", devices="cuda-1")
    assert third.said() == "ours"
    assert queue.places() == {"cpu": [["first", "rival"], ["second"]], "cuda-1": [["third"]]}
    tickets = sorted(path.name for path in runs.root().glob(".queue/*/*.ticket"))
    first.kill()
    rival.kill()
    assert queue.places()["cuda-1"] == [["third"]] and queue.places()["cpu"] == [["second"]]
    third.kill()
    assert queue.places() == {"cpu": [["second"]]}, "whoever was killed has no place"
    left = sorted(path.name for path in runs.root().glob(".queue/*/*.ticket"))
    assert "000000001.ticket" in tickets and set(left) <= set(tickets), "looking takes no place"
