"""Two processes that share every batch against one that has it to itself; and how they stop, go on, and die together."""

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from resnet_viz import runs
from resnet_viz.problems import Problem
from resnet_viz.training import launch, process, processes
from resnet_viz.training.config import Config
from resnet_viz.training.distributed import share_of
from resnet_viz.training.recipe import make_optimizer
from resnet_viz.training.update import Update
from resnet_viz.training.work import prepare

from .conftest import TINY, train_here
from .test_process import step, wait_for

# 135 pictures in batches of 30: two epochs are ten steps, the fifth of each has 15 pictures, which two cannot halve
EXACT = dataclasses.replace(TINY, arguments={"norm": "none"}, lr=0.01, crop_padding=0, train_limit=150, batch_size=30)
LONG = dataclasses.replace(TINY, epochs=500, val_fraction=0.0, keep_weights=False, threads=2)
BATCHES = {"even": 16, "uneven": 13, "tiny": 3}
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port"]
GRADIENTS = """
import dataclasses, sys
import torch
from safetensors.torch import save_file
from resnet_viz.training import distributed, processes
from resnet_viz.training.recipe import make_optimizer
from resnet_viz.training.work import prepare
from tests.training.conftest import TINY
from tests.training.test_distributed import BATCHES

torch.set_num_threads(1)
group = processes.Group("cpu")
group.tell = lambda *numbers: None  # nobody waits for orders here: all do the same
found = {}
for sync in (True, False):
    for name, count in BATCHES.items():
        config = dataclasses.replace(TINY, sync_batch_norm=sync)
        work = prepare(config)
        work.model.train()
        update = distributed.SharedUpdate(work, make_optimizer(work.model, config), group)
        outcome = update.step(torch.arange(count), update.draw(0), 1e-3)
        sums = update.total(torch.stack([outcome.loss * count, outcome.right, torch.ones(())]))
        key = f"{name} {sync}"
        found[f"{key} sums"] = sums
        found |= {f"{key} gradient {n}": p.grad.contiguous() for n, p in work.model.named_parameters()}
        found |= {f"{key} state {n}": t.contiguous() for n, t in work.model.state_dict().items()}
        found[f"{key} names"] = torch.tensor(list("\\n".join(work.model.state_dict()).encode()))
save_file(found, f"{sys.argv[1]}-{group.rank}.safetensors")
group.end()
"""


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def environment(**more) -> dict:
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


@pytest.fixture
def torchrun():
    """Begin to share a run between two processes; none of them outlives the test."""
    begun = []

    def begin(run):
        begun.append(subprocess.Popen([*TORCHRUN, str(free_port()), "-m", "resnet_viz.training", str(run)], cwd=runs.PROJECT,
                                      env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return begun[-1]

    yield begin
    for parent in begun:
        for one in workers(parent) if parent.poll() is None else ():
            one.kill()
        parent.kill()
        parent.communicate()


def workers(parent) -> list[psutil.Process]:
    """Its processes that train, process 0 first."""
    return sorted((p for p in psutil.Process(parent.pid).children() if "resnet_viz.training" in p.cmdline()),
                  key=lambda p: int(p.environ()["RANK"]))


# Laws

@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 128])
def test_every_sample_is_counted_once_and_weighs_the_same(count, size):
    shares = [share_of(count, rank, size) for rank in range(size)]
    counted = [sample for part, _, counts in shares if counts for sample in range(count)[part]]
    assert sorted(counted) == list(range(count))
    weights = torch.zeros(count)
    for part, weight, _ in shares:
        weights[part] += weight / size / len(range(count)[part])  # the mean of a part, averaged over the processes
    torch.testing.assert_close(weights, torch.full((count,), 1 / count))
    if count >= 2 * size:
        assert len(counted) == sum(len(range(count)[part]) for part, _, _ in shares), "nobody's work is done twice"


@pytest.fixture(scope="module")
def gradients(tmp_path_factory):
    """What two processes get from one update each of BATCHES, with synchronised batch norm and without."""
    place, port = tmp_path_factory.mktemp("gradients") / "rank", str(free_port())
    several = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    both = [subprocess.Popen([sys.executable, "-c", GRADIENTS, str(place)], cwd=runs.PROJECT, stderr=subprocess.PIPE, text=True,
                             env=environment(RANK=str(rank), LOCAL_RANK=str(rank), **several)) for rank in range(2)]
    said = [one.communicate(timeout=120)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    return [load_file(f"{place}-{rank}.safetensors") for rank in range(2)]


@pytest.fixture(scope="module")
def alone():
    """The same updates by one process."""
    found = {}
    for name, count in BATCHES.items():
        work = prepare(TINY)
        work.model.train()
        update = Update(work, make_optimizer(work.model, TINY))
        outcome = update.step(torch.arange(count), update.draw(0), 1e-3)
        found[name] = outcome, {n: p.grad for n, p in work.model.named_parameters()}, work.model.state_dict()
    return found


def off(ours, theirs) -> float:
    """The largest relative difference of any tensor."""
    return max(((ours[name] - theirs[name]).norm() / theirs[name].norm().clamp(min=1e-12)).item() for name in theirs)


def part(found, prefix) -> dict:
    return {name.removeprefix(prefix): tensor for name, tensor in found.items() if name.startswith(prefix)}


@pytest.mark.hard
@pytest.mark.parametrize("name", BATCHES)
def test_with_synchronised_batch_norm_the_gradients_are_those_of_one_process(gradients, alone, name):
    outcome, theirs, state = alone[name]
    for rank in range(2):
        assert off(part(gradients[rank], f"{name} True gradient "), theirs) < 1e-5
        loss, right, _ = gradients[rank][f"{name} True sums"].tolist()
        assert loss == pytest.approx(outcome.loss.item() * BATCHES[name], rel=1e-5) and right == outcome.right.item()
    ours = part(gradients[0], f"{name} True state ")
    assert set(ours) == set(state), "files show no trace of the processes"
    if name != "tiny":  # there every process has the whole batch: the correction of the running variance counts it twice
        assert off({n: t.float() for n, t in ours.items()}, {n: t.float() for n, t in state.items()}) < 1e-5


@pytest.mark.hard
def test_with_batch_norm_of_its_own_each_process_sees_other_statistics(gradients, alone):
    outcome, theirs, state = alone["even"]
    own = [part(found, "even False gradient ") for found in gradients]
    assert off(own[0], own[1]) == 0, "all make the same update"
    assert off(own[0], theirs) > 1e-3, "but not that of one process"
    statistics = [part(found, "even False state ")["bn1.running_mean"] for found in gradients]
    torch.testing.assert_close((statistics[0] + statistics[1]) / 2, state["bn1.running_mean"], rtol=1e-4, atol=1e-6)
    assert not torch.equal(*statistics) and set(part(gradients[0], "even False state ")) == set(state)


# Runs

def files_of(run) -> set:
    return {path.relative_to(run) for path in run.rglob("*")} - {Path("lock")}  # which only a process of its own needs


def test_two_processes_learn_what_one_does(tmp_path, torchrun):
    one, two = tmp_path / "one", tmp_path / "two"
    assert train_here(EXACT, one) == "finished"
    process.create(EXACT, two)
    both = torchrun(two)
    said = both.communicate(timeout=120)[0]
    assert both.returncode == 0 and runs.state(two) == "finished", said
    assert "epoch 2 of 2" in said and said.count("test accuracy") == 1
    ours, theirs = load_file(two / "last.safetensors"), load_file(one / "last.safetensors")
    assert list(ours) == list(theirs)
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], rtol=0, atol=1e-5)
    shared, alone_ = (runs.Metrics(run).refresh() for run in (two, one))
    for split in ("train", "val", "test"):
        for column, bound in (("epoch", 0), ("step", 0), ("images", 0), ("lr", 0), ("accuracy", 1e-6), ("loss", 1e-4)):
            assert abs(shared[split][column] - alone_[split][column]).max() <= bound, (split, column)
    assert files_of(two) == files_of(one)
    assert (runs.read_status(two)["processes"], runs.read_status(two)["threads"]) == (2, 1)


@pytest.mark.hard
def test_they_pause_stop_go_on_and_die_together(tmp_path, torchrun):
    run = tmp_path / "run"
    process.create(LONG, run)
    parent = torchrun(run)
    wait_for(lambda: step(run) > 0, 120)
    runs.send(run, "pause")
    wait_for(lambda: runs.state(run) == "paused")
    held = step(run)
    runs.send(run, "step")
    wait_for(lambda: step(run) == held + 1 and runs.state(run) == "paused")
    parent.send_signal(signal.SIGINT)  # as Ctrl-C at a terminal
    parent.communicate(timeout=60)
    assert runs.state(run) == "stopped" and [e["command"] for e in runs.read_events(run)][:2] == ["pause", "step"]
    process.forget_orders(run)  # torchrun may have asked twice

    parent = torchrun(run)
    wait_for(lambda: step(run) > held + 1, 120)
    first, second = workers(parent)
    second.kill()
    said = parent.communicate(timeout=60)[0]
    assert parent.returncode == 1 and not first.is_running() and not second.is_running()
    status = runs.read_status(run)
    assert status["state"] == "failed" and status["message"].startswith("Process 1 of the 2"), (status, said)
    assert not list((run / "control").iterdir()), "nothing keeps it from going on"
    process.check_resumable(run)


def test_whoever_waits_hears_of_a_death_and_of_no_orderly_end(monkeypatch):
    monkeypatch.setattr(processes, "LOOK_S", 0.05)
    sleepers = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
    heard = []
    deaf, alert = (processes.Others({"process 1 of the 2": psutil.Process(one.pid)}) for one in sleepers)
    deaf.on_death = alert.on_death = heard.append
    deaf.stop()
    for one in sleepers:
        one.kill()  # a zombie until it is waited for
    wait_for(lambda: heard, 10)
    assert alert.dead.is_set() and not deaf.dead.is_set() and heard == ["Process 1 of the 2 has ended before its work was done"]
    for one in sleepers:
        one.wait()


def test_a_device_that_cannot_be_shared_is_refused(monkeypatch):
    for name, value in {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 2}.items():
        monkeypatch.setenv(name, str(value))
    assert launch.several() and launch.here() == 2
    with pytest.raises(Problem, match="mps"):
        processes.Group("mps")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(Problem, match="nproc-per-node"):
        processes.Group("cuda")


def test_batch_norm_is_synchronised_unless_a_recipe_says_otherwise():
    assert Config().sync_batch_norm
