"""Two weights under a penalty against torch's own gradients and optimiser, and every question's right option."""

from random import Random

import numpy as np
import pytest
import torch

from resnet_viz.analysis import (
    weight_penalty,
    weight_penalty_questions,
    weight_penalty_words,
)
from resnet_viz.analysis.weight_penalty import FAIR, STARTS, squares

CASES = [(penalty, data) for penalty in weight_penalty.PENALTIES for data in (False, True)]


def torchs(penalty, strength, data, w):
    value = strength / 2 * w.square().sum() if penalty == "L2" else strength * w.abs().sum()
    return value + (w.sum() - 10) ** 2 if data else value


@pytest.mark.parametrize(("penalty", "data"), CASES)
def test_descent_is_that_of_torch(penalty, data):
    for start in (*STARTS, (-2.0, 3.0)):
        w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=0.1)
        path = weight_penalty.descend(start, penalty, 0.3, 0.1, 30, data)
        for step in range(30):
            loss = torchs(penalty, 0.3, data, w)
            assert weight_penalty.loss(path[step], penalty, 0.3, data) == pytest.approx(loss.item())
            optimizer.zero_grad()
            loss.backward()
            assert np.allclose(weight_penalty.gradient(path[step], penalty, 0.3, data), w.grad)
            optimizer.step()
        assert np.allclose(path[-1], w.detach())


@pytest.mark.parametrize(("penalty", "data"), CASES)
def test_the_picture_is_the_loss_where_weights_are_positive(penalty, data):
    p, q, r, s, t, u = weight_penalty.six(penalty, 0.7, data)
    for b, c in ((1.0, 9.0), (3.5, 0.25), (0.0, 4.0)):
        assert p * b * b + q * b * c + r * c * c + s * b + t * c + u == pytest.approx(
            weight_penalty.loss((b, c), penalty, 0.7, data))


def test_l2_is_torchs_weight_decay_and_shrinks_by_one_factor():
    w = torch.nn.Parameter(torch.tensor([1.0, 9.0], dtype=torch.float64))
    optimizer = torch.optim.SGD([w], lr=0.1, weight_decay=0.5)
    path = weight_penalty.descend((1.0, 9.0), "L2", 0.5, 0.1, 20, False)
    for _ in range(20):
        w.grad = torch.zeros_like(w)
        optimizer.step()
    assert np.allclose(path[-1], w.detach()) and np.allclose(path[:, 1] / path[:, 0], 9)  # never pulled together


def test_what_stays_and_what_the_slides_printed():
    assert (squares(STARTS[0]), squares(STARTS[1]), squares(FAIR)) == (82, 41, 50)
    assert sum(STARTS[0]) == sum(FAIR) == weight_penalty.SUM != sum(STARTS[1])
    alone = weight_penalty.descend((1.0, 9.0), "L1", 0.5, 0.1, 15, False)
    assert np.allclose(alone[:, 1] - alone[:, 0], 8)
    held = weight_penalty.descend((1.0, 9.0), "L2", 0.2, 0.1, 400, True)[-1]
    assert held[1] - held[0] == pytest.approx(0, abs=0.01) and held.sum() > 9
    left = weight_penalty.descend((1.0, 9.0), "L1", 0.2, 0.1, 400, True)[-1]
    assert left[1] - left[0] == pytest.approx(8)


@pytest.mark.parametrize(("penalty", "data"), CASES)
def test_words_and_code_hold_the_numbers(penalty, data):
    words = weight_penalty_words
    paths = [weight_penalty.descend(start, penalty, 0.5, 0.1, 20, data) for start in STARTS]
    told = " ".join(words.story(penalty, data, 0.5, 0.1, paths))
    assert "82" in told and "41" in told and "(5, 5): 50" in told
    assert len(words.formulas(penalty, data, 0.5, 0.1, paths[0], 3)) >= 2
    names: dict = {}
    exec(compile(words.code(penalty, data, 0.5, 0.1, 20).replace("print(w.detach())", ""), "shown", "exec"), names)
    assert np.allclose(names["w"].detach(), paths[0][-1], atol=1e-5)
    assert words.said([path[0] for path in paths], 0).startswith("The slides' two pairs")
    assert "After 3 steps" in words.said([path[3] for path in paths], 3)


@pytest.mark.parametrize("seed", range(20))
def test_right_options_are_those_of_torch(seed):
    asked = weight_penalty_questions
    for penalty, data in CASES:
        for maker in asked.makers(penalty, data, 0.5, 0.1, None):
            question = maker(Random(seed))
            assert len(set(question.options)) == len(question.options) >= 3 and question.why
    for maker, penalty in ((asked.decayed, "L2"), (asked.subtracted, "L1")):
        question = maker(0.5, 0.1, Random(seed))
        start = [float(v.replace("−", "-")) for v in question.text.split("(b, c) = (")[1].split(")")[0].split(", ")]
        w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
        moved = w - 0.1 * torch.autograd.grad(torchs(penalty, 0.5, False, w), w)[0]
        found = question.options[question.right].strip("()").replace("−", "-").split(", ")
        assert [float(value) for value in found] == pytest.approx(moved.tolist(), abs=2e-3)
    fair = asked.fair_comparison(Random(seed))
    b, c = (float(v) for v in fair.text.split("of (")[1].split(")")[0].split(", "))
    assert float(fair.options[fair.right]) == (b + c) ** 2 / 2
