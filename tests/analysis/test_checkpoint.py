"""Statistics of tensors: against NumPy's, on hostile numbers, and for every network of the zoo."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from resnet_viz import checkpoints
from resnet_viz.analysis import checkpoint as analysis
from resnet_viz.checkpoints import Checkpoint
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.networks import zoo


@pytest.fixture(scope="module")
def trained():
    return checkpoints.read(checkpoints.find("resnet20-cifar10-jpeg"))


def untrained(network: str, arguments: dict | None = None) -> Checkpoint:
    torch.manual_seed(0)
    arguments = arguments or {}
    return Checkpoint("made", network, arguments, zoo.build(network, arguments).state_dict(), None,
                      zoo.heads_of(network, arguments), Preprocessing(32, 32, (0.5,) * 3, (0.5,) * 3))


def test_against_numpy(trained):
    found = analysis.statistics(trained)
    assert [s.name for s in found] == list(zoo.build("resnet20").state_dict())
    for s in found:
        numbers = trained.state[s.name].numpy().astype(np.float64).ravel()
        assert s.count == numbers.size and s.shape == tuple(trained.state[s.name].shape)
        for got, wanted in ((s.mean, numbers.mean()), (s.std, numbers.std()), (s.min, numbers.min()),
                            (s.max, numbers.max()), (s.zeros, (numbers == 0).mean()),
                            (s.norm, np.linalg.norm(numbers))):
            assert got == pytest.approx(wanted, rel=1e-6, abs=1e-12), s.name
        counts, edges = np.histogram(numbers, analysis.BINS)
        assert (s.low, s.high) == pytest.approx((edges[0], edges[-1]))
        assert s.histogram.sum() == s.count == sum(analysis.tiny(s.histogram))
        # a number on the edge of two bins may round to either
        assert np.abs(np.cumsum(s.histogram) - np.cumsum(counts)).max() <= 1, s.name
    assert sum(s.share or 0 for s in found) == pytest.approx(1)
    assert sum(s.count for s in found if s.share) == 269_722


def test_many_numbers_go_through_in_parts(monkeypatch):
    numbers = torch.randn(1_000, generator=torch.Generator().manual_seed(1)) * 1e-3 + 1_000
    whole = analysis.of_tensor("w", numbers)
    monkeypatch.setattr(analysis, "CHUNK", 64)
    parts = analysis.of_tensor("w", numbers)
    assert parts.std == pytest.approx(float(numbers.double().std(correction=0)), rel=1e-9) == whole.std
    assert (parts.histogram == whole.histogram).all() and parts.norm == pytest.approx(whole.norm)


@pytest.mark.parametrize(("numbers", "mean", "zeros", "nan", "inf"), [
    ([1.0, math.nan, 3.0, 0.0], 4 / 3, 0.25, 1, 0),
    ([math.inf, -math.inf, 2.0], 2.0, 0.0, 0, 2),
    ([5.0, 5.0], 5.0, 0.0, 0, 0),
    ([0.0, 0.0, 0.0], 0.0, 1.0, 0, 0),
    ([3e38, -3e38], 0.0, 0.0, 0, 0),
    ([1e-42, 0.0], 5e-43, 0.5, 0, 0),
])
def test_hostile_numbers(numbers, mean, zeros, nan, inf):
    s = analysis.of_tensor("w", torch.tensor(numbers), "linear", 100)
    assert s.mean == pytest.approx(mean, rel=1e-3) and s.zeros == zeros and (s.nan, s.inf) == (nan, inf)
    assert s.histogram.sum() == len(numbers) - nan - inf and s.low < s.high
    assert s.share == len(numbers) / 100 and "of 2" in analysis.describe(replace(s, shape=(2,)))


def test_nothing_finite_and_a_counter():
    s = analysis.of_tensor("w", torch.full((2, 2), math.nan), "linear", 4)
    assert all(map(math.isnan, (s.mean, s.std, s.min, s.max, s.norm))) and s.histogram.sum() == 0 and s.nan == 4
    assert "none of its numbers is finite" in analysis.describe(s)
    counter = analysis.of_tensor("n", torch.tensor(17), "counter", 4)
    assert counter.mean == counter.min == 17 and counter.share is None and counter.shape == ()


def test_damage_says_where():
    weights = torch.ones(4, 3, 2, 2)
    assert analysis.damage(weights) == "" == analysis.damage(torch.tensor(3))
    weights[1, 2, 0, 1] = math.nan
    weights[3, 0, 1, 1] = -math.inf
    assert analysis.damage(weights) == \
        "2 of 48 numbers are not finite (1 NaN and 1 infinite): at [1, 2, 0, 1]; [3, 0, 1, 1]."
    assert analysis.damage(torch.full((9,), math.nan)).endswith("at [0]; [1]; [2]; [3]; [4], and 4 more.")


@pytest.mark.parametrize("network", zoo.NETWORKS)
def test_every_tensor_of_every_network_has_a_kind(network):
    model = zoo.build(network, device="meta")
    names = model.state_dict()
    made = replace(untrained("resnet8"), network=network, arguments={}, state=dict(names))
    found = analysis.kinds(made)
    assert list(found) == list(names) and "parameter" not in found.values()
    learned = {name for name, kind in found.items() if kind in analysis.LEARNED}
    assert learned == {name for name, _ in model.named_parameters()}


@pytest.mark.parametrize("network", ["resnet20", "resnext50-32x4d", "simple-cnn", "hw4-resnet", "grapheme-resnet"])
def test_strengths_begin_where_training_does(network):
    made = untrained(network)
    found = analysis.strengths(made)
    assert [s.name for s in found] == [name for name, t in made.state.items() if t.ndim in (2, 4)]
    for layer in found:
        numbers = made.state[layer.name].double()
        assert layer.typical == pytest.approx(float(numbers.square().mean().sqrt()))
        # a small layer's few numbers scatter
        assert layer.typical == pytest.approx(layer.initial, rel=0.03 + 2 / numbers.numel()**0.5), layer.name


def test_matrix_of_norms_and_of_weights(trained):
    bottleneck = untrained("resnet50-cifar")
    assert analysis.matrix(trained, "bn1.weight") is None
    weights, signed = analysis.matrix(bottleneck, "layer1.0.conv1.weight")
    assert signed and (weights == bottleneck.state["layer1.0.conv1.weight"].numpy().squeeze()).all()
    weights, signed = analysis.matrix(trained, "fc.weight")
    assert signed and weights.shape == (10, 64)
    norms, signed = analysis.matrix(trained, "layer2.0.conv1.weight")
    kernels = trained.state["layer2.0.conv1.weight"].numpy()
    assert not signed and norms.shape == (32, 16)
    np.testing.assert_allclose(norms, np.sqrt((kernels**2).sum((2, 3))), rtol=1e-5)


def test_the_story_tells_trained_from_untrained(trained):
    told = " ".join(analysis.story(analysis.statistics(trained)))
    assert "269,722 parameters" in told and "they now lie between" in told
    told = " ".join(analysis.story(analysis.statistics(untrained("resnet8"))))
    assert "has not been trained" in told and "learned tensors are all 0" in told
    plain = untrained("plain8", {"norm": "none"})
    plain.state["conv1.weight"][0] = math.nan
    told = " ".join(analysis.story(analysis.statistics(plain)))
    assert "no batch norm" in told and "1 of them holds numbers that are not finite, the first is conv1.weight" in told
