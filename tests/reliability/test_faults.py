"""Kill -9 in the middle of training, export and import: nothing saved is lost, nothing is left, and it goes on exactly."""

from pathlib import Path

import pytest

from . import kills

SHORT = {0: "training, inside a write", 1: "training, at a moment", 11: "weights, at a moment", 14: "zip, inside a write",
         16: "import, inside a write"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return kills.Bench(Path(tmp_path_factory.mktemp("kills")))


@pytest.mark.parametrize("seed", SHORT)
def test_a_kill(bench, seed):
    assert kills.one(bench, seed, print) == SHORT[seed]


@pytest.mark.hard
def test_two_hundred_kills(bench):
    found = [kills.one(bench, seed, print) for seed in range(200)]
    assert sum("inside a write" in one for one in found) == 100
    assert sum(one.startswith("command") for one in found) == 20
