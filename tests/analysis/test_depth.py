"""Depth: shares against torch's own gradients, the runs against their files, and every question's right option."""

from random import Random

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import depth, depth_questions, depth_words, gradient_probe
from resnet_viz.analysis.gradient_probe import Combination

SMALL = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(6)


def ways_of(combinations, deep=8):
    return [depth.way(gradient_probe.probe(one, deep, *SMALL)) for one in combinations]


@pytest.fixture(scope="module")
def cures():
    return ways_of(depth.CURES)


@pytest.fixture(scope="module")
def pairs():
    return {
        word: tuple(depth.learned(checkpoints.BUNDLED / name) for name in names) for word, names in depth.PAIRS.items()
    }


@pytest.mark.parametrize(
    "combination",
    [*depth.CURES, Combination("tanh", False, False), Combination("elu", True, True)],
    ids=lambda one: one.name,
)
def test_shares_are_torchs_gradients_from_the_last_convolution_to_the_first(combination):
    found = depth.way(gradient_probe.probe(combination, 8, *SMALL, seed=2))
    model = gradient_probe.build(combination, 8, "pytorch", 2).double()
    convolutions = [module.weight for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    gradients = torch.autograd.grad(F.cross_entropy(model(SMALL[0].double()), SMALL[1]), convolutions)
    expected = [(gradient.norm() / gradients[-1].norm()).item() for gradient in reversed(gradients)]
    assert found.shares == pytest.approx(expected, rel=5e-3)
    assert found.depth == 8 and found.shares[0] == 1 and found.share(99) == found.shares[-1]
    assert found.factor(6) ** 6 == pytest.approx(found.shares[6]) and found.factor(0) == 1


def test_a_deep_sigmoid_loses_everything_in_float32_and_in_float64_less_than_the_quarter():
    found = ways_of([Combination("sigmoid", False, False)], 56)[0]
    model = gradient_probe.build(found.probed.combination, 56, "pytorch", 0).double()
    weights = [module.weight for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    exact = [g.norm().item() for g in torch.autograd.grad(F.cross_entropy(model(SMALL[0].double()), SMALL[1]), weights)]
    at = found.lost - 4  # near the end of what float32 holds; its squares have vanished long before
    assert found.shares[at] == pytest.approx(exact[-1 - at] / exact[-1], rel=0.05) and found.shares[at] < 1e-30
    assert found.lost is not None and found.shares[found.lost] == 0 < found.shares[found.lost - 1]
    assert found.factor(found.lost - 1) < depth.SLOPE
    assert "float32" in depth_words.story([found], ["it"])[1]


def test_a_quarter_is_the_most_of_a_sigmoids_slope_and_no_bound_of_the_whole():
    x = torch.linspace(-6, 6, 241, dtype=torch.float64, requires_grad=True)
    for name, function in (("sigmoid", torch.sigmoid), ("tanh", torch.tanh), ("elu", F.elu), ("relu", F.relu)):
        at, slope = depth.slope_of(name)
        expected = torch.autograd.grad(function(x).sum(), x)[0]
        assert np.allclose(slope, expected, atol=1e-9) and np.allclose(at, x.detach())
    assert depth.slope_of("sigmoid")[1].max() == depth.SLOPE
    assert depth.quarter([0, 1, 3]).tolist() == [1, 0.25, 0.25**3]
    with_norm = ways_of([Combination("sigmoid", True, False)])[0]
    assert with_norm.shares[-1] > depth.quarter(6)  # batch norm makes up for it: 0.25^depth does not hold
    assert "more than the sigmoids alone could leave" in depth_words.story([with_norm], ["it"])[1]


def test_errors_of_a_run_are_those_of_its_files(pairs):
    for one in (one for pair in pairs.values() for one in pair):
        run = checkpoints.BUNDLED / one.name
        lines = runs.read_lines(run / "metrics.jsonl")
        last = [row for row in lines if row["split"] == "train" and row["epoch"] == 11]
        before = max(row["images"] for row in lines if row["split"] == "train" and row["epoch"] == 10)
        right, images = 0.0, before
        for row in last:
            right += row["accuracy"] * (row["images"] - images)
            images = row["images"]
        assert one.train[-1] == pytest.approx(1 - right / (images - before), abs=2e-3)  # a row may begin in epoch 10
        assert one.held_out[-1] == pytest.approx(1 - [row for row in lines if row["split"] == "val"][-1]["accuracy"])
        assert one.test == pytest.approx(1 - lines[-1]["accuracy"]) and lines[-1]["split"] == "test"
        rows = [row for row in runs.read_gradients(run) if row["step"] > lines[-1]["step"] - 118]
        ratios = [row["norm"]["conv1"] / list(row["norm"].values())[-2] for row in rows]
        assert one.reach[-1] == pytest.approx(np.exp(np.mean(np.log(ratios))), rel=0.05)
        assert (one.depth, len(one.epochs)) in ((20, 12), (56, 12))


def test_what_is_the_matter_with_the_deeper_one(pairs):
    assert depth.verdicts(*pairs["plain"]) == {"degradation": True, "overfitting": False, "vanishing": False}
    assert depth.verdicts(*pairs["residual"]) == {"degradation": False, "overfitting": False, "vanishing": False}
    told = " ".join(depth_words.learned_story(pairs))
    assert "It is not overfitting" in told and "Nor are its gradients gone" in told and "Less apart than chance" in told
    assert depth.chance(0.3, 10_000) == pytest.approx(np.sqrt(0.3 * 0.7 / 10_000))
    assert len(depth.rows([one for pair in pairs.values() for one in pair])) == 48


@pytest.mark.parametrize("seed", range(25))
def test_every_question_has_its_right_option_and_wrong_ones(cures, pairs, seed):
    names = [depth_words.short_name(way) for way in cures]
    makers = [*depth_questions.of_ways(cures, names), *depth_questions.of_learned(pairs)]
    assert len(depth_questions.of_ways(cures, names)) >= 3 and len(depth_questions.of_learned(pairs)) >= 3
    for maker in makers:
        question = maker(Random(seed))
        assert len(set(question.options)) == len(question.options) >= 2 and question.why
        assert not question.wrongs[question.right]


def test_right_options_are_those_of_torch(cures, pairs):
    names = [depth_words.short_name(way) for way in cures]
    for seed in range(20):
        quarter = depth_questions.quarter_power(Random(seed))
        layers = int(quarter.text.split("What do ")[1].split()[0])
        x = torch.zeros((), dtype=torch.float64, requires_grad=True)
        slope = torch.autograd.grad(torch.sigmoid(x), x)[0].item()  # at 0, where it is largest
        assert float(quarter.options[quarter.right].replace("−", "-")) == pytest.approx(slope**layers, rel=0.06)
        arrives = depth_questions.arrives(cures, names, Random(seed))
        most = max(cures, key=lambda way: way.probed.norms[0] / way.probed.norms[-2])
        assert arrives.options[arrives.right] == depth_words.short_name(most)
        bound = depth_questions.bound(cures, names, Random(seed))
        at = next(i for i, name in enumerate(names) if f"**{name}**" in bound.text)
        assert bound.options[bound.right].startswith("less" if cures[at].shares[-1] < slope**6 else "more")
        shortcut = depth_questions.shortcut_slope(Random(seed))
        blocks, inside = (
            int(shortcut.text.split()[0]),
            float(shortcut.text.split("F' = ")[1].split(".  ")[0].split(" ")[0].rstrip(".").replace("−", "-")),
        )
        y = x = torch.ones((), dtype=torch.float64, requires_grad=True)
        for _ in range(blocks):
            y = y + inside * y
        expected = torch.autograd.grad(y, x)[0].item()
        assert float(shortcut.options[shortcut.right].replace("−", "-").replace(",", "")) == pytest.approx(
            expected, rel=0.06
        )


def test_words_name_what_is_seen(cures):
    names = [depth_words.short_name(way) for way in cures]
    assert names == ["Sigmoid alone", "ReLU alone", "ReLU + batch norm", "ReLU + shortcuts", "ReLU + both"]
    assert depth_words.short_name(cures[0], with_depth=True) == "8 layers"
    assert "counts as 1" in depth_words.said(cures, names, 0)
    assert depth_words.said(cures, names, 3).count(":") == 5
    assert any("0.25" in line or "tfrac14" in line for line in depth_words.formulas(cures, names, 6))
    assert [depth_words.share(value) for value in (0.0, 2e-9, 0.43, 3.4)] == [
        "nothing that float32 could hold",
        "2.0e−9 of it",
        "43 % of it",
        "3.4 times as much",
    ]
    code = depth_words.code(cures[1], "shapes", 0, "pytorch")
    assert "Combination('relu', norm=False, skip=False)" in code and compile(code, "shown", "exec")
