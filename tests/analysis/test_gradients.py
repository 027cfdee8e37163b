"""Gradient norms and sizes of updates against plain torch."""

import pytest
import torch
from torch import nn

from resnet_viz.analysis.gradients import copies, norms, update_ratios, weights_of
from resnet_viz.networks import zoo


@pytest.fixture
def model():
    torch.manual_seed(0)
    return zoo.build("resnet8")


def step(model, lr=0.1):
    model(torch.randn(4, 3, 16, 16)).square().sum().backward()
    found, before = norms(model), copies(model)
    expected = [p.grad.clone() for p in weights_of(model).values()]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= lr * parameter.grad
    return found, before, expected


def test_layers_are_convolutions_and_linear_in_order(model):
    assert list(weights_of(model)) == ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2",
                                       "layer3.0.conv1",
                                       "layer3.0.conv2", "fc"]
    assert all(weight is model.get_parameter(f"{name}.weight") for name, weight in weights_of(model).items())


def test_norms_and_ratios_are_plain_torchs(model):
    found, before, gradients = step(model, lr=0.1)
    assert found.dtype == torch.float32
    assert torch.allclose(found, torch.stack([g.double().square().sum().sqrt() for g in gradients]).float(), rtol=1e-5)
    ratios = [(0.1 * g).double().norm() / b.double().norm() for g, b in zip(gradients, before)]
    assert torch.allclose(update_ratios(model, before), torch.stack(ratios).float(), rtol=1e-3)


def test_copies_do_not_follow_the_weights(model):
    before = copies(model)
    with torch.no_grad():
        model.conv1.weight.add_(1)
    assert not torch.equal(before[0], model.conv1.weight) and not before[0].requires_grad


def test_no_gradient_is_zero_and_nothing_is_divided_by_zero(model):
    nn.init.zeros_(model.fc.weight)
    assert norms(model).tolist() == [0.0] * 8
    before = copies(model)
    with torch.no_grad():
        model.fc.weight.add_(1)
    ratios = update_ratios(model, before)
    assert ratios[-1] == 0 and torch.isfinite(ratios).all() and ratios[:-1].sum() == 0


def test_looking_changes_nothing(model):
    model(torch.randn(2, 3, 16, 16)).sum().backward()
    before = [(p.detach().clone(), p.grad.clone()) for p in model.parameters()]
    norms(model), update_ratios(model, copies(model))
    assert all(torch.equal(p, w) and torch.equal(p.grad, g) for p, (w, g) in zip(model.parameters(), before))
