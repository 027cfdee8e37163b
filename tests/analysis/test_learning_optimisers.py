"""Every optimiser against torch.optim; noise against what theory says of it."""

import numpy as np
import pytest
import torch

from resnet_viz.analysis import learning
from resnet_viz.analysis import learning_optimisers as ways
from resnet_viz.analysis import learning_words as words

TORCH = {
    "plain descent": lambda w, lr, momentum: torch.optim.SGD([w], lr=lr),
    "momentum": lambda w, lr, momentum: torch.optim.SGD([w], lr=lr, momentum=momentum),
    "Adam": lambda w, lr, momentum: torch.optim.Adam([w], lr=lr, betas=(momentum, 0.999)),
}


@pytest.mark.parametrize("ground", ways.GROUNDS)
@pytest.mark.parametrize("name", ways.OPTIMISERS)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_every_optimiser_is_torchs(name, ground, momentum):
    here = ways.GROUNDS[ground]
    w = torch.tensor(here.start, dtype=torch.float64, requires_grad=True)
    optimiser = TORCH[name](w, 0.03, momentum)
    for at in ways.walk(name, here, 0.03, momentum, 40):
        np.testing.assert_allclose(at, w.detach().numpy(), rtol=1e-9, atol=1e-12)
        optimiser.zero_grad()
        loss = 0.5 * (here.curves[0] * w[0] ** 2 + here.curves[1] * w[1] ** 2)
        assert here.loss(at) == pytest.approx(loss.item())
        loss.backward()
        optimiser.step()


def test_on_the_saddle_adam_leaves_and_plain_descent_stays():
    saddle = ways.GROUNDS["saddle"]
    ends = {name: ways.walk(name, saddle, 0.03, 0.9, 60)[-1] for name in ways.OPTIMISERS}
    assert abs(ends["Adam"][1]) > 1 and abs(ends["plain descent"][1]) < 0.01


def test_a_walk_that_leaves_stays_finite():
    assert np.isfinite(ways.walk("plain descent", ways.GROUNDS["ravine"], 0.11, 0.9, 2_000)).all()


def test_a_race_names_the_lowest_first():
    ground = ways.GROUNDS["ravine"]
    paths = {"near": np.array([[0.1, 0]]), "far": np.array([[1.0, 0]])}
    assert words.race_said(paths, ground, 0) == "Loss after 0 steps: near 0.005, far 0.5."


@pytest.mark.parametrize("rate", [0.05, 0.8, 1.6])
def test_noisy_losses_are_what_their_mean_and_variance_say(rate):
    rates = np.linspace(rate, 0.0, 80)
    measured, expected = ways.noisy_losses(rates), ways.expected_losses(rates)
    np.testing.assert_allclose(measured, expected, rtol=0.35)
    assert np.abs(measured / expected - 1).mean() < 0.12


def test_without_noise_it_is_plain_descent(monkeypatch):
    monkeypatch.setattr(ways, "SIGMA", 0.0)
    rates = np.full(30, 0.5)
    path = ways.walk("plain descent", ways.NOISY, 0.5, 0.9, 30)
    np.testing.assert_allclose(ways.noisy_losses(rates), [ways.NOISY.loss(at) for at in path])
    np.testing.assert_allclose(ways.expected_losses(rates), [ways.NOISY.loss(at) for at in path])


@pytest.mark.parametrize("batch", ways.BATCHES)
def test_a_batched_descent_sees_every_sample_of_every_epoch(batch):
    found = ways.by_batches(ways.known_offset(), batch, 0.1)
    assert found.seen[-1] == ways.COUNT * ways.EPOCHS and len(found.path) == 1 + found.seen[-1] // batch


def test_a_whole_batch_is_descent_without_noise():
    samples = ways.known_offset()
    found = ways.by_batches(samples, ways.COUNT, 0.1)
    at = np.array(found.path[0])
    for here in found.path:
        np.testing.assert_allclose(here, at, rtol=1e-10)
        at = at - 0.1 * np.array(learning.gradient((*at, 0.0), samples)[:2])


@pytest.mark.parametrize("batch", [1, 4, 16])
def test_the_noise_falls_as_the_law_says(batch):
    samples = ways.known_offset()
    assert ways.noise_of(samples, (-1.5, 2.5), batch) == pytest.approx(ways.expected_noise(samples, (-1.5, 2.5), batch), rel=0.1)
    assert ways.expected_noise(samples, (0, 0), ways.COUNT) == 0 == round(ways.noise_of(samples, (0, 0), ways.COUNT, 5), 9)
