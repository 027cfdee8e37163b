"""Twins trained at the same time: same seed, same pictures in the same order, one place in the queue."""

import dataclasses

import numpy as np
import pytest

from resnet_viz import runs
from resnet_viz.problems import Problem
from resnet_viz.training import process, race, switches

from .conftest import TINY
from .test_process import kill, step, wait_for

LONG = dataclasses.replace(TINY, epochs=200, val_fraction=0.0, keep_weights=False)


@pytest.fixture
def begin():
    pairs = []

    def start(first, second, names=("one", "other")):
        pairs.append(race.start(first, second, names))
        return pairs[-1]

    yield start
    for run in (run for pair in pairs for run in pair):
        kill(run)


def plain(config):
    return switches.possible(config)["shortcuts"]["plain"]


@pytest.mark.hard
def test_twins_finish_and_have_seen_the_same_pictures(begin):
    first, second = begin(dataclasses.replace(TINY, epochs=1), dataclasses.replace(plain(TINY), epochs=1), ("residual", "plain"))
    wait_for(lambda: all(runs.state(run) == "finished" for run in (first, second)))
    assert first.name.endswith("-race-residual") and second.name.endswith("-race-plain")
    rows = [runs.Metrics(run).refresh()["train"] for run in (first, second)]
    np.testing.assert_array_equal(rows[0]["images"], rows[1]["images"])
    assert rows[0]["loss"][-1] != rows[1]["loss"][-1]
    from safetensors.numpy import load_file
    weights = [load_file(run / "initial.safetensors") for run in (first, second)]
    assert weights[0].keys() == weights[1].keys()
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0]), "the same first weights"
    assert race.races(runs.list_runs()) == [(first, second)]


@pytest.mark.hard
def test_twins_train_together_pause_together_and_go_on_together(begin):
    pair = begin(LONG, dataclasses.replace(LONG, lr=0.01))
    wait_for(lambda: all(step(run) > 2 for run in pair))
    assert [runs.state(run) for run in pair] == ["running", "running"], "at the same time, with one slot"
    race.send(pair, "pause")
    wait_for(lambda: [runs.state(run) for run in pair] == ["paused", "paused"])
    race.send(pair, "resume")
    wait_for(lambda: [runs.state(run) for run in pair] == ["running", "running"])
    race.send(pair, "stop")
    wait_for(lambda: [runs.state(run) for run in pair] == ["stopped", "stopped"] and not any(map(process.running, pair)))
    race.resume(pair)
    wait_for(lambda: [runs.state(run) for run in pair] == ["running", "running"])
    kill(pair[0])
    race.resume(pair)  # the one that died; the other is left alone
    wait_for(lambda: [runs.state(run) for run in pair] == ["running", "running"])


def test_half_of_the_threads_unless_they_were_chosen(monkeypatch):
    monkeypatch.setattr(race, "resolve", lambda config: dataclasses.replace(config, threads=5))
    free = dataclasses.replace(TINY, threads=None)
    assert race._half(free).threads == 2 and race._half(TINY).threads == TINY.threads
    monkeypatch.setattr(race, "resolve", lambda config: dataclasses.replace(config, threads=1))
    assert race._half(free).threads == 1


def test_a_recipe_that_makes_no_sense_leaves_nothing_behind():
    with pytest.raises(Problem):
        race.start(TINY, dataclasses.replace(TINY, network="resnet21"), ("one", "other"))
    assert runs.list_runs() == [] and not list(runs.root().glob("*race*"))


@pytest.mark.parametrize("written", [{}, {"with": "../one", "place": 1}, {"with": 3, "place": 1}, {"with": "gone", "place": 1}])
def test_what_names_no_twin_is_no_race(tmp_path, written):
    run = tmp_path / "one"
    runs.write_config(run, {})
    runs.write_race(run, written)
    assert race.races([run]) == []
    runs.write_config(tmp_path / "gone", {})  # it does not name this one
    assert race.races([run]) == []
