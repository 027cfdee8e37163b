"""Gradients at initialisation against plain torch in float64, and what is taught about the eight networks."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnet_viz.analysis import gradient_probe, gradient_words
from resnet_viz.analysis.gradient_probe import COMBINATIONS, Combination, batch, build, probe
from resnet_viz.networks.resnet import Add

from ..refusals import refused

SMALL = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(6)


@pytest.fixture(scope="module")
def eight():
    """All eight of 20 layers on a batch of shapes."""
    pictures, labels = batch("shapes", 0)
    return [probe(one, 20, pictures, labels) for one in COMBINATIONS]


def test_there_are_eight_and_each_is_the_network_it_says():
    assert len(set(COMBINATIONS)) == 8
    for one in COMBINATIONS:
        modules = list(build(one, 8, "pytorch", 0).modules())
        kinds = {type(module) for module in modules}
        assert (nn.BatchNorm2d in kinds) == one.norm and (Add in kinds) == one.skip
        assert (nn.Sigmoid in kinds) == (one.activation == "sigmoid") and (nn.ReLU in kinds) == (one.activation == "relu")
        assert len([m for m in modules if isinstance(m, (nn.Conv2d, nn.Linear))]) == 8
    assert Combination("relu", True, False).name == "ReLU, batch norm, plain"


@pytest.mark.parametrize("combination", COMBINATIONS, ids=lambda one: one.name)
@pytest.mark.parametrize("start", gradient_probe.STARTS)
def test_norms_are_those_of_plain_torch_in_float64(combination, start):
    found = probe(combination, 8, *SMALL, seed=3, start=start)
    model = build(combination, 8, start, 3).double()
    weights = {name: module.weight for name, module in model.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))}
    loss = F.nll_loss(F.log_softmax(model(SMALL[0].double()), dim=1), SMALL[1])
    expected = [gradient.square().sum().sqrt().item() for gradient in torch.autograd.grad(loss, list(weights.values()))]
    assert found.layers == tuple(weights) and found.loss == pytest.approx(loss.item(), rel=1e-4)
    assert found.norms == pytest.approx(expected, rel=2e-3)
    assert (found.first, found.last) == (found.norms[0], found.norms[6]) and found.reach == found.first / found.last


def test_the_first_weights_are_pytorchs_or_hes():
    """The same generator through torch's own initialisers gives the same numbers."""
    for start in gradient_probe.STARTS:
        model, generator = build(Combination("relu", False, True), 8, start, 5), torch.Generator().manual_seed(5)
        expected = torch.empty_like(model.conv1.weight)
        if start == "pytorch":
            nn.init.kaiming_uniform_(expected, a=math.sqrt(5), generator=generator)  # torch.nn.Conv2d.reset_parameters
            assert 0 < model.conv1.bias.abs().max() <= 1 / math.sqrt(27)
        else:
            nn.init.kaiming_normal_(expected, mode="fan_out", generator=generator)
            assert not model.conv1.bias.any()
        assert torch.allclose(model.conv1.weight, expected, rtol=1e-5)


def test_only_the_switches_differ_and_torchs_generator_is_left_alone():
    before = torch.get_rng_state()
    states = [build(one, 14, "pytorch", 2).state_dict() for one in COMBINATIONS]
    for state in states:
        for name in ("conv1.weight", "layer2.1.conv2.weight", "layer3.0.conv1.bias", "fc.weight"):
            assert torch.equal(state[name], states[0][name])
    other = build(COMBINATIONS[0], 14, "pytorch", 3).state_dict()
    assert not torch.equal(other["conv1.weight"], states[0]["conv1.weight"])
    probe(COMBINATIONS[0], 8, *SMALL), batch("shapes", 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_batch_is_real_seeded_and_normalised():
    pictures, labels = batch("digits", 4)
    assert pictures.shape == (32, 3, 32, 32) and pictures.dtype == torch.float32 and labels.shape == (32,)
    assert pictures.mean((0, 2, 3)).abs().max() < 1e-4 and (pictures.std((0, 2, 3)) - 1).abs().max() < 1e-3
    again, other = batch("digits", 4), batch("digits", 5)
    assert torch.equal(again[0], pictures) and torch.equal(again[1], labels) and not torch.equal(other[0], pictures)


def test_what_cannot_be_probed():
    with refused("choose one of"):
        probe(COMBINATIONS[0], 21, *SMALL)
    with refused("pytorch, he"):
        probe(COMBINATIONS[0], 8, *SMALL, start="zeros")


def test_depth_kills_what_is_said_to_die_and_nothing_else(eight):
    said = gradient_words.statements(eight)
    assert [holds for _, holds, _ in said] == [True, True, True]
    found = {one.combination: one.reach for one in eight}
    for (depth, combination), ratio in gradient_words.ANOTHER_RUN.items():
        if depth == 20:  # another batch, another draw: the power of ten is what is reproduced
            assert ratio / 30 < found[combination] < ratio * 30


def test_a_plain_deep_relu_network_with_batch_norm_explodes():
    pictures, labels = batch("shapes", 0, 16)
    found = probe(Combination("relu", True, False), 56, pictures, labels)
    assert 190 / 30 < found.reach < 190 * 30
    assert len(found.norms) == 56


def test_hes_draw_keeps_the_plain_relu_network_alive(eight):
    plain = Combination("relu", False, False)
    assert next(one for one in eight if one.combination == plain).reach < 1e-5
    assert probe(plain, 20, *batch("shapes", 0), start="he").reach > 1e-2


def test_nothing_left_is_zero_and_no_number():
    found = probe(Combination("sigmoid", False, False), 56, *batch("shapes", 0, 4))
    assert found.first == 0 and found.reach == 0 and gradient_words.verdict(found.reach) == "vanishes"
