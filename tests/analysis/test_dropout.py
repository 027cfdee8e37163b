"""Dropout against torch.nn.Dropout and the binomial law, and the variance shift against plain torch."""

from random import Random

import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz.analysis import (
    dropout,
    dropout_questions,
    dropout_words,
    variance_shift,
)
from resnet_viz.networks import zoo


def test_scaling_in_training_and_testing_is_torchs():
    found = dropout.draws(0.3, 400, seed=4)
    x = torch.from_numpy(found.inputs)
    layer = nn.Dropout(0.3)
    handed_on = layer.train()(x.repeat(50, 1))
    allowed = torch.stack([torch.zeros_like(x), x / 0.7])
    assert all(torch.isclose(handed_on, one, rtol=1e-6).any() for one in allowed)
    for draw in range(5):  # only torch's two values, at the draw's places
        assert np.allclose(found.left(draw), np.where(found.kept[draw], allowed[1], 0))
    assert found.asked(True) == pytest.approx((layer.eval()(x) @ torch.from_numpy(found.weights)).item())
    assert found.asked(False) == pytest.approx(0.7 * found.asked(True))
    assert np.allclose(found.training(True), found.training(False) / 0.7)
    assert found.means(True)[-1] == pytest.approx(found.training(True).mean())


@pytest.mark.parametrize("p", [0.1, 0.5, 0.7])
def test_means_and_spread_are_those_of_the_law(p):
    found = dropout.draws(p, 20_000, seed=1)
    error = dropout.spread(found) / np.sqrt(20_000)
    assert found.training(True).mean() == pytest.approx(found.asked(True), abs=4 * error)
    assert found.training(False).mean() == pytest.approx(found.asked(False), abs=4 * error)
    assert found.training(True).std() == pytest.approx(dropout.spread(found), rel=0.03)
    counted = np.bincount(found.silenced, minlength=dropout.INPUTS + 1) / 20_000
    expected = torch.distributions.Binomial(dropout.INPUTS, p).log_prob(torch.arange(dropout.INPUTS + 1.0)).exp()
    assert np.allclose(dropout.chances(p), expected, atol=1e-5) and np.allclose(counted, dropout.chances(p), atol=0.015)
    assert found.silenced.min() < p * dropout.INPUTS < found.silenced.max()  # no fixed number


def test_the_same_seed_gives_the_same_and_torchs_generator_is_left_alone():
    before = torch.get_rng_state()
    one, same, other = dropout.draws(0.5, 9, 7), dropout.draws(0.5, 9, 7), dropout.draws(0.5, 9, 8)
    assert (one.kept == same.kept).all() and (one.kept != other.kept).any()
    assert torch.equal(torch.get_rng_state(), before)


def test_variance_of_numbers_under_dropout():
    generator = torch.Generator().manual_seed(0)
    values = 1.5 + 2 * torch.randn(300_000, generator=generator)
    for p in (0.2, 0.5):
        trained, asked = variance_shift.of_numbers(values, p)
        torch.manual_seed(3)
        assert nn.Dropout(p).train()(values).var().item() == pytest.approx(trained, rel=0.02)
        assert variance_shift.drop(values, p, generator).var().item() == pytest.approx(trained, rel=0.02)
        assert values.double().var(unbiased=False).item() == pytest.approx(asked, rel=1e-9)


@pytest.fixture(scope="module")
def measured():
    torch.manual_seed(0)
    model = zoo.build("resnet8").eval()
    pictures = torch.randn(256, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    state = {name: value.clone() for name, value in model.state_dict().items()}
    found = list(variance_shift.measure(model, pictures, torch.zeros(256, dtype=torch.long), (0.0, 0.5)))
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_pre_hooks for module in model.modules())
    return model, pictures, found


def test_the_shift_is_the_formulas_and_plain_torchs(measured):
    model, pictures, (without, half) = measured
    seen = []
    first = model.layer1[0]
    for norm in (model.bn1, first.bn1):
        norm.reset_running_stats()
        norm.train().momentum = None
    with torch.no_grad():  # the input of the first block's second batch norm, once its forerunners have learned
        for part in pictures[0::2].split(variance_shift.BATCH):
            first.act1(first.bn1(first.conv1(model.act1(model.bn1(model.conv1(part))))))
        for norm in (model.bn1, first.bn1):
            norm.eval()
        seen = first.conv2(first.act1(first.bn1(first.conv1(model.act1(model.bn1(model.conv1(pictures[0::2])))))))
    channels = seen.transpose(0, 1).flatten(1).double()
    assert half.asked == without.asked == pytest.approx(channels.var(1, unbiased=False).mean().item(), rel=1e-3)
    assert half.trained == pytest.approx(half.expected, rel=0.03) and without.ratio == pytest.approx(1, abs=0.02)
    expected = (channels.square().mean(1) / 0.5 - channels.mean(1) ** 2).mean().item()
    assert half.expected == pytest.approx(expected, rel=1e-3) and half.output < 0.6
    assert without.mended == without.right == half.mended


def test_words_hold_the_numbers(measured):
    found, shifts = dropout.draws(0.5, 50), measured[2]
    assert f"{int(found.silenced[7])} of 12 inputs" in dropout_words.said(found, 7)
    assert len(dropout_words.story(found)) >= 4 and len(dropout_words.formulas(found, 7)) == 3
    assert len(dropout_words.rows(found)) == 50 and "nn.Dropout(0.5)" in dropout_words.code(0.5)
    assert "p = 0.5" in dropout_words.shift_said(shifts[1]) and len(dropout_words.shift_rows(shifts)) == 2
    assert len(dropout_words.shift_story(shifts, "it")) >= 3 and len(dropout_words.shift_formulas(shifts[1])) >= 2


@pytest.mark.parametrize("seed", range(20))
def test_right_options_are_those_of_torch(measured, seed):
    found = dropout.draws(0.5, 20)
    makers = dropout_questions.makers(found, 3) + dropout_questions.shift_makers(measured[2], 1)
    for maker in makers:
        question = maker(Random(seed))
        assert len(set(question.options)) == len(question.options) >= 3 and question.why
    one = dropout_questions.one_input(0.2, Random(seed))
    x = torch.tensor(float(one.text.split("x = ")[1].split(" ")[0]))
    layer = nn.Dropout(0.2).train()
    left = next(value for value in (layer(x).item() for _ in range(500)) if value)
    assert float(one.options[one.right]) == pytest.approx(left, rel=5e-3)
    asked = dropout_questions.asked(found, Random(seed))
    expected = found.asked("PyTorch" in asked.text)
    assert float(asked.options[asked.right].replace("−", "-")) == pytest.approx(expected, rel=5e-3)
    unit = dropout_questions.unit_variance(Random(seed))
    variance = float(unit.text.split("variance ")[1].split(" ")[0])
    p = float(unit.text.split("Dropout(")[1].split(")")[0])
    values = variance**0.5 * torch.randn(200_000, generator=torch.Generator().manual_seed(seed))
    measured_variance = variance_shift.drop(values, p, torch.Generator().manual_seed(seed + 999)).var().item()
    assert float(unit.options[unit.right]) == pytest.approx(measured_variance, rel=0.03)
