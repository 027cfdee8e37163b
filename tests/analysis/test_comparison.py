"""Movement between two checkpoints: against NumPy, on states that moved a known way, and where nothing compares."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from resnet_viz import checkpoints
from resnet_viz.analysis import checkpoint as tensors
from resnet_viz.analysis import comparison
from resnet_viz.networks import zoo

from .conftest import MOVES


@pytest.fixture(scope="module")
def pair(written_run):
    now = checkpoints.read(written_run / "best.safetensors")
    return now, checkpoints.read(written_run / "initial.safetensors"), tensors.kinds(now)


def test_a_run_that_moved_a_known_way(pair):
    """The fixture scales every convolution by 1 + MOVES and leaves the rest."""
    now, before, kinds = pair
    found = comparison.compare(now.state, before.state, kinds)
    assert [m.name for m in found.tensors] == [n for n in zoo.build("resnet8").state_dict()
                                               if not n.endswith("num_batches_tracked")]
    assert found.apart == ()
    for m in found.tensors:
        if m.kind == "convolution":
            assert m.relative == pytest.approx(MOVES, rel=1e-5) and m.cosine == pytest.approx(1, abs=1e-9)
            assert m.difference == pytest.approx(MOVES * before.state[m.name].abs().max().item(), rel=1e-5)
        else:
            assert m.relative == m.moved == m.difference == 0
    assert "exactly the same" in comparison.describe(found) and "0.5 times their length" in comparison.describe(found)
    assert [row["tensor"] for row in comparison.rows(found)] == [m.name for m in found.tensors]


def test_against_numpy(pair):
    now, before, kinds = pair
    generator = torch.Generator().manual_seed(3)
    other = {name: t + torch.randn(t.shape, generator=generator) * 0.1 if t.is_floating_point() else t
             for name, t in now.state.items()}
    found = comparison.compare(other, before.state, kinds)
    learned = []
    for m in found.tensors:
        old, new = (state[m.name].numpy().astype(np.longdouble).ravel() for state in (before.state, other))
        assert m.length == pytest.approx(float(np.sqrt((old**2).sum())), rel=1e-12, abs=1e-12)
        assert m.moved == pytest.approx(float(np.sqrt(((new - old) ** 2).sum())), rel=1e-9)
        assert m.difference == pytest.approx(float(np.abs(new - old).max()), rel=1e-9)
        if m.length:
            assert m.relative == pytest.approx(m.moved / m.length)
            wanted = F.cosine_similarity(*(state[m.name].double().flatten() for state in (before.state, other)), dim=0)
            assert m.cosine == pytest.approx(float(wanted), abs=1e-9)
        else:
            assert m.relative == math.inf and math.isnan(m.cosine)
        if not m.name.endswith(("running_mean", "running_var")):
            learned.append(m.name)
    old, new = (torch.cat([state[name].double().flatten() for name in learned]) for state in (before.state, other))
    assert found.total.shape == (75_290,) == tuple(old.shape)
    assert found.total.relative == pytest.approx(float((new - old).norm() / old.norm()))
    assert found.total.cosine == pytest.approx(float(F.cosine_similarity(old, new, dim=0)))
    assert found.total.difference == pytest.approx(float((new - old).abs().max()))


def test_large_tensors_go_through_in_parts(monkeypatch):
    monkeypatch.setattr(comparison, "CHUNK", 7)
    old, new = torch.arange(20.0), torch.arange(20.0).flip(0)
    (m,) = comparison.compare({"w": new}, {"w": old}, {"w": "linear"}).tensors
    assert m.moved == pytest.approx(float((new - old).norm())) and m.difference == 19
    assert m.cosine == pytest.approx(float(F.cosine_similarity(old, new, dim=0)))


def test_the_same_twice(pair):
    now, _, kinds = pair
    found = comparison.compare(now.state, now.state, kinds)
    assert found.total.relative == 0 and found.total.cosine == pytest.approx(1)
    assert comparison.describe(found) == f"All {len(found.tensors):,} tensors are exactly the same in both."


def test_tensors_that_cannot_be_compared_are_listed_with_both_shapes(pair):
    now, before, kinds = pair
    other = dict(before.state)
    other["fc.weight"] = torch.zeros(100, 64)
    other["fc2.weight"] = torch.zeros(3, 3)
    del other["conv1.weight"]
    found = comparison.compare(now.state, other, kinds)
    assert found.apart == (("conv1.weight", (16, 3, 3, 3), None), ("fc.weight", (10, 64), (100, 64)),
                           ("fc2.weight", None, (3, 3)))
    assert {"conv1.weight", "fc.weight"}.isdisjoint(m.name for m in found.tensors)
    nothing = comparison.compare(now.state, {"x": torch.zeros(2)}, kinds)
    assert nothing.total is None and comparison.describe(nothing) == \
        "The two have no learned tensor in common: they are different networks."


def test_damage_is_said(pair):
    now, before, kinds = pair
    broken = dict(now.state)
    broken["layer1.0.conv1.weight"] = torch.full_like(broken["layer1.0.conv1.weight"], math.nan)
    found = comparison.compare(broken, before.state, kinds)
    m = next(m for m in found.tensors if m.name == "layer1.0.conv1.weight")
    assert all(map(math.isnan, (m.relative, m.cosine, m.moved, m.difference, found.total.relative)))
    assert "not finite, the first in layer1.0.conv1.weight" in comparison.describe(found)
