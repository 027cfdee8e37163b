"""Learning by hand against autograd and torch.optim, and against the slides' example done right."""

import numpy as np
import pytest
import torch

from resnet_viz.analysis import learning
from resnet_viz.analysis import learning_words as words


def by_torch(weights, samples):
    """(loss, gradient) of the mean squared mistake."""
    w = torch.tensor(weights, dtype=torch.float64, requires_grad=True)
    data = torch.from_numpy(samples)
    inputs = torch.cat([data[:, :2], torch.ones(len(data), 1, dtype=torch.float64)], dim=1)
    loss = ((inputs @ w - data[:, 2]) ** 2).mean()
    loss.backward()
    return loss.item(), w.grad.numpy()


def test_the_slides_example_done_right():
    first, second = learning.descend(learning.START, np.array([learning.SAMPLE]), 0.001, 1)
    assert (first.outputs[0], first.loss, first.gradient) == (16, 144, (24, 216, 24))
    assert second.weights == pytest.approx((2.976, 1.784, -5.024))
    assert second.outputs[0] == pytest.approx(14.008)
    said = words.descent_said(first, np.array([learning.SAMPLE]), 0.001)
    assert said == "f = 16, the target is 4: loss 144. The next step moves x by −0.024, y by −0.216, z by −0.024."


@pytest.mark.parametrize("seed", range(5))
def test_loss_and_gradient_are_autograds(seed):
    random = np.random.default_rng(seed)
    weights, samples = random.normal(size=3), learning.made_samples(7, seed)
    loss, gradient = by_torch(weights, samples)
    assert learning.loss(weights, samples) == pytest.approx(loss)
    np.testing.assert_allclose(learning.gradient(weights, samples), gradient)


@pytest.mark.parametrize("batch", [None, 1, 4])
def test_descent_is_torchs_and_every_epoch_sees_every_sample_once(batch):
    samples = learning.made_samples(10, 1)
    states = learning.descend((0.5, 1.0, -1.0), samples, 0.05, 20, batch, seed=3)
    w = torch.tensor([0.5, 1.0, -1.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([w], lr=0.05)
    data = torch.from_numpy(samples)
    inputs = torch.cat([data[:, :2], torch.ones(10, 1, dtype=torch.float64)], dim=1)
    for state in states:
        np.testing.assert_allclose(state.weights, w.detach().numpy(), rtol=1e-10)
        chosen = list(state.batch)
        optimiser.zero_grad()
        ((inputs[chosen] @ w - data[chosen, 2]) ** 2).mean().backward()
        optimiser.step()
    each = -(-10 // (batch or 10))
    assert sorted(i for state in states[:each] for i in state.batch) == list(range(10))
    if batch:
        assert [state.batch for state in states[:each]] != [state.batch for state in states[each : 2 * each]], "a new order"


@pytest.mark.parametrize("count", [1, 8, 64])
def test_rates_below_the_largest_fall_and_above_it_diverge(count):
    samples = np.array([learning.SAMPLE]) if count == 1 else learning.made_samples(count)
    largest = learning.largest_rate(samples)
    hessian = torch.autograd.functional.hessian(
        lambda w: ((torch.from_numpy(samples[:, 0]) * w[0] + torch.from_numpy(samples[:, 1]) * w[1] + w[2]
                    - torch.from_numpy(samples[:, 2])) ** 2).mean(), torch.zeros(3, dtype=torch.float64))
    np.testing.assert_allclose(learning.curvatures(samples), torch.linalg.eigvalsh(hessian).numpy(), atol=1e-9)
    for share, behaviour in ((0.01, "crawls"), (0.4, "falls"), (0.9, "overshoots"), (1.05, "diverges")):
        assert learning.behaviour(share * largest, samples) == behaviour
        losses = [state.loss for state in learning.descend(learning.START, samples, share * largest, 60)]
        assert (losses[-1] > losses[0]) == (behaviour == "diverges")


def test_a_descent_that_is_lost_ends():
    states = learning.descend(learning.START, np.array([learning.SAMPLE]), 1.0, 100)
    assert len(states) < 10 and states[-1].loss > learning.LOST > states[-2].loss


def test_the_slice_of_the_surface_is_the_loss():
    samples = learning.made_samples(9, 2)
    p, q, r, s, t, u = learning.slice_at(0.7, samples)
    for x, y in ((0, 0), (1.5, -2), (-0.3, 4)):
        assert p * x * x + q * x * y + r * y * y + s * x + t * y + u == pytest.approx(by_torch((x, y, 0.7), samples)[0])


@pytest.mark.parametrize("x", [-2.0, 0.0, 1.3])
def test_the_tangent_touches_the_curve_with_autograds_slope(x):
    at = torch.tensor(x, requires_grad=True)
    (at**2).backward()
    x0, y0, x1, y1 = learning.tangent(x)
    assert (y1 - y0) / (x1 - x0) == pytest.approx(at.grad.item(), abs=1e-6)
    assert (y0 + y1) / 2 == pytest.approx(x * x)
    slopes = [abs(learning.secant_slope(x, h) - 2 * x) for h in (1, 0.1, 0.01)]
    assert slopes == pytest.approx([1, 0.1, 0.01])


@pytest.mark.parametrize("value", [-1.5, 0.0, 0.5, 1.0, 2.0])
def test_the_chain_is_autograds(value):
    w = torch.tensor(value, dtype=torch.float64, requires_grad=True)
    x = w**2
    y = 2 * x**3
    z = 4 * y**2
    x.retain_grad(), y.retain_grad()
    z.backward()
    c = learning.chain(value)
    assert (c.x, c.y, c.z) == pytest.approx((x.item(), y.item(), z.item()))
    assert (c.dz_dy, c.dz_dx, c.dz_dw) == pytest.approx((y.grad.item(), x.grad.item(), w.grad.item()))
    assert c.z == pytest.approx(16 * value**12) and c.dz_dw == pytest.approx(192 * value**11)
    assert len([words.chain_said(c, frame) for frame in range(7)]) == 7


@pytest.mark.parametrize(("value", "text"), [(12345.6, "12,350"), (-2.976, "−2.976"), (0.00012, "0.00012"), (0, "0"), (2.0, "2"),
                                             (0.1 + 0.2, "0.3"), (1e7, "1.00 × "
                                                 "10^7"), (float("inf"), "∞"), (13.9999, "14")])
def test_numbers_are_short(value, text):
    assert words.short(value) == text


def test_formulas_carry_the_numbers():
    state = learning.descend(learning.START, np.array([learning.SAMPLE]), 0.001, 1)[0]
    lines = words.descent_formula(state, np.array([learning.SAMPLE]), 0.001)
    assert r"= 2\,(f - t) \cdot b = 2 \cdot 12 \cdot 9 = 216" in lines[3] and lines[-2].endswith("= 1.784")
    assert words.chain_formula(learning.chain(1.0))[2].endswith("= 192")
    assert r"10^{" in words.tex(1e-9) and words.tex(-2.5) == "(-2.5)"


@pytest.mark.parametrize(("count", "batch"), [(1, None), (8, None), (64, 1)])
def test_the_code_that_is_shown_runs_and_ends_where_the_film_ends(count, batch):
    samples = np.array([learning.SAMPLE]) if count == 1 else learning.made_samples(count)
    code = words.descent_code(samples, learning.START, 0.001, 5, batch)
    space = {}
    exec(code, space)  # noqa: S102 - our own text
    if batch is None:
        np.testing.assert_allclose(space["w"].detach().numpy(), learning.descend(learning.START, samples, 0.001, 5)[-1].weights, rtol=1e-4)
    else:
        assert torch.isfinite(space["w"]).all() and space["w"].tolist() != list(learning.START)
