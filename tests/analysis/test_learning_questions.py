"""Questions of the lesson on learning: the marked option is torch's, others are wrong, the slides' mistake is offered."""

from random import Random

import numpy as np
import pytest
import torch

from resnet_viz.analysis import learning
from resnet_viz.analysis import learning_questions as asked
from resnet_viz.analysis import learning_ways_questions as ways
from resnet_viz.analysis.learning_words import short

from .makers import check

SEEDS = range(40)
RATES = {"constant": np.full(20, 0.1), "decay": np.where(np.arange(20) < 10, 0.1, 0.01), "rise": np.linspace(0, 0.3, 20)}
PRODUCTS = np.random.default_rng(0).normal(size=(5, 9))
MAKERS = {
    "the slides' sample": asked.of_descent(learning.START, np.array([learning.SAMPLE]), 0.001),
    "later": asked.of_descent((2.9, 1.1, -5.1), np.array([learning.SAMPLE]), 0.003),
    "arrived": asked.of_descent((2.0, -1.0, 3.0), np.array([[0.0, 0.0, 3.0]]), 0.1),
    "many": asked.of_descent(learning.START, learning.made_samples(8), 0.1),
    "slope": asked.of_slope(1.3), "flat": asked.of_slope(0.0),
    "chain": asked.of_chain(1.5), "chain at zero": asked.of_chain(0.0), "chain at minus one": asked.of_chain(-1.0),
    "optimisers": ways.of_optimisers(0.03, 0.9), "no momentum": ways.of_optimisers(0.03, 0.0),
    "schedules": ways.of_schedules(RATES),
    "batches": ways.of_batches(learning.made_samples(64), (0, 0), 0.1),
    "neuron": ways.of_neuron(list("abcde"), PRODUCTS, np.arange(5.0)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_maker_asks_something_that_can_be_answered_wrongly(name):
    check(MAKERS[name], SEEDS)


def right_of(question) -> str:
    return question.options[question.right]


@pytest.mark.parametrize("seed", SEEDS)
def test_slopes_and_steps_are_autograds(seed):
    random = np.random.default_rng(seed)
    weights, sample, rate = random.integers(-5, 6, 3).tolist(), random.integers(-5, 6, 3).tolist(), 0.01
    if np.dot(weights, [*sample[:2], 1]) == sample[2]:
        weights[2] += 1
    w = torch.tensor(weights, dtype=torch.float64, requires_grad=True)
    inputs = torch.tensor([*sample[:2], 1], dtype=torch.float64)
    ((inputs @ w - sample[2]) ** 2).backward()
    which = Random(seed).randrange(3)
    assert right_of(asked.gradient(weights, sample, Random(seed))) == short(w.grad[which].item())
    moved = (w - rate * w.grad).detach()
    assert right_of(asked.step(weights, sample, rate, Random(seed))) == short(moved[which].item(), 5)
    assert right_of(asked.outcome(weights, sample, rate, Random(seed))) == short((inputs @ moved).item(), 5)


def test_what_the_slides_print_is_offered_and_named():
    seen = set()
    for seed in SEEDS:
        question = asked.gradient(learning.START, learning.SAMPLE, Random(seed))
        printed = [i for i, wrong in enumerate(question.wrongs) if "slides print" in wrong]
        assert len(printed) == 1
        seen.add((right_of(question), question.options[printed[0]]))
    assert seen == {("24", "37"), ("216", "288"), ("24", "32")}
    question = asked.outcome(learning.START, learning.SAMPLE, 0.001, Random(0))
    assert right_of(question) == "14.008" and "13.339" in question.options


@pytest.mark.parametrize("seed", SEEDS)
def test_momentum_and_adam_are_torchs(seed):
    question = ways.momentum_step(0.05, 0.9, Random(seed))
    random = Random(seed)
    v, g = random.randint(1, 9), random.randint(-9, 9) or 2
    w = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([w], lr=0.05, momentum=0.9)
    for gradient in (v, g):  # the first gradient becomes v
        before, w.grad = w.item(), torch.tensor([float(gradient)], dtype=torch.float64)
        optimiser.step()
    assert right_of(question) == short(w.item() - before)

    gradient = Random(seed).choice((0.001, 0.2, 3, 40))
    w = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    w.grad = torch.tensor([float(gradient)], dtype=torch.float64)
    torch.optim.Adam([w], lr=0.05).step()
    assert right_of(ways.adam_first(0.05, 0.9, Random(seed))) == short(-w.item(), 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_chains_epochs_and_neurons_are_torchs(seed):
    w = torch.tensor(Random(seed).choice((1.5, 1.0, 2.0, -1.0, 0.5)), dtype=torch.float64)
    assert right_of(asked.value_of(1.5, Random(seed))) == short((4 * (2 * (w**2) ** 3) ** 2).item())
    w = torch.tensor(Random(seed).choice((1.5, 1.0, -1.0, 2.0)), dtype=torch.float64, requires_grad=True)
    (4 * (2 * (w**2) ** 3) ** 2).backward()
    assert right_of(asked.whole_slope(1.5, Random(seed))) == short(w.grad.item())
    random = Random(seed)
    count, batch = random.choice((50_000, 45_000, 60_000, 1_281_167)), random.choice((32, 64, 100, 128, 256))
    assert right_of(asked.epochs(Random(seed))) == f"{len(range(0, count, batch)):,}"
    random = Random(seed)
    a, b, x, y, z = (random.randint(-5, 5) for _ in range(5))
    assert right_of(ways.relu_of(Random(seed))) == str(torch.relu(torch.tensor(a * x + b * y + z)).item())


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_said_of_a_rate_comes_true(seed):
    samples = np.array([learning.SAMPLE])
    question = asked.rate_of(samples, Random(seed))
    rate = float(f"{learning.largest_rate(samples) * Random(seed).choice((0.01, 0.3, 0.8, 0.9, 1.2, 3)):.2g}")
    states = learning.descend(learning.START, samples, rate, 5)
    mistakes = [state.outputs[0] - 4 for state in states]
    came = ("diverges" if abs(mistakes[1]) > abs(mistakes[0]) else "overshoots" if mistakes[1] * mistakes[0] < 0
            else "crawls" if mistakes[1] > 0.95 * mistakes[0] else "falls")
    assert right_of(question) == asked.SAYS[came]
