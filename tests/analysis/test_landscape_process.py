"""A landscape in a process of its own: it outlives who began it, can be stopped, keeps what it has, and goes on."""

import subprocess
import sys
import time

import pytest
import torch

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import landscape_file, landscape_process
from resnet_viz.analysis.landscape_process import Order
from resnet_viz.networks import zoo

from ..foreign_networks import randomised
from ..refusals import refused

HEADER = {
    "network": "resnet8",
    "arguments": {},
    "preprocessing": {"size": 16, "resize": 16, "mean": [0.5] * 3, "std": [0.25] * 3},
}


@pytest.fixture
def order(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(landscape_process, "NICE", 0)
    torch.manual_seed(0)
    checkpoints.write(tmp_path / "w.safetensors", randomised(zoo.build("resnet8")).state_dict(), HEADER)
    return Order("one", str(tmp_path / "w.safetensors"), "digits", 51, 20, "random", 0)


def wait(condition):
    deadline = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def only():
    (job,) = landscape_process.jobs()
    return job


def known():
    return int(landscape_file.read(only().file).done.sum()) if only().file.exists() else 0


def test_it_outlives_its_server_is_stopped_and_goes_on(order):
    name = landscape_process.start(order)
    landscape_process._children.clear()  # another server, or this one started again
    wait(known)
    assert only().going and only().name == name and only().order == order
    with refused("being computed; stop it first"):
        landscape_process.start(order)
    landscape_process.stop(name)
    wait(lambda: not only().going)
    before = known()
    assert 0 < before < 51**2 and only().said.endswith("the same command goes on.")
    assert landscape_process.start(order) == name
    assert only().going and known() >= before
    landscape_process.stop(name)  # before its first point: the file stays as it is
    wait(lambda: not only().going)
    assert known() >= before
    assert runs.list_runs() == [], "its folder is nobody's run"


def test_odd_files_in_the_folder_are_left_out(order):
    folder = landscape_process.folder()
    folder.mkdir(parents=True)
    for name, text in (("a", "{"), ("b", "[1]"), ("c", '{"order": 3}'), ("d", '{"order": {"title": "x"}}')):
        (folder / f"{name}.json").write_text(text)
    assert landscape_process.jobs() == []
    landscape_process.stop("a")


def test_a_folder_that_cannot_be_written(order, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "file"))
    with refused("cannot be written"):
        landscape_process.start(order)


def test_of_two_servers_that_begin_at_one_moment_one_is_refused(order):
    """Each in a process of its own, let go together, with an order of its own."""
    begin = """
import sys, time
from resnet_viz.analysis import landscape_process
from resnet_viz.analysis.landscape_process import Order
from resnet_viz.problems import Problem
print("ready", flush=True)
sys.stdin.readline()
try:
    landscape_process.start(Order("one", sys.argv[1], "digits", 51, 20, "random", int(sys.argv[2])))
    print("begun")
except Problem as problem:
    print(problem)
"""
    servers = [subprocess.Popen([sys.executable, "-c", begin, order.weights, str(seed)], cwd=runs.PROJECT, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE) for seed in range(3)]
    assert [server.stdout.readline() for server in servers] == ["ready\n"] * 3
    for server in servers:
        server.stdin.write("go\n")
        server.stdin.flush()
    said = sorted(server.communicate(timeout=60)[0].strip() for server in servers)
    landscape_process.stop(only().name)
    wait(lambda: not only().going)
    assert said[2] == "begun" and said[0] == said[1] == "The landscape of one is being computed; stop it first, or wait for its end."
