"""x, F(x) and their sum against the block's own layers called one by one."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz.analysis import residual_view
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem


def build(network="resnet8", arguments=None):
    torch.manual_seed(0)
    model = zoo.build(network, arguments or {})
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):  # statistics that evaluation mode must use
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return model.eval()


@pytest.fixture
def picture():
    return torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def by_hand(model, picture):
    """(x, F(x)) of every block of resnet8 with shortcut B, from the layers themselves."""
    found, x = [], torch.relu(model.bn1(model.conv1(picture)))
    for block in (model.layer1[0], model.layer2[0], model.layer3[0]):
        residual = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))
        shortcut = x if block.downsample is None else block.downsample(x)
        found.append((shortcut[0], residual[0]))
        x = torch.relu(shortcut + residual)
    return found


@torch.no_grad()
def test_the_parts_are_those_of_the_layers(picture):
    model = build(arguments={"shortcut": "B"})
    for name, (shortcut, residual) in zip(residual_view.blocks(model), by_hand(model, picture)):
        seen = residual_view.parts(model, picture, name)
        assert np.allclose(seen.shortcut, shortcut, atol=1e-5) and np.allclose(seen.residual, residual, atol=1e-5)
        assert np.allclose(seen.total, shortcut + residual, atol=1e-5)
        assert np.allclose(seen.after, torch.relu(shortcut + residual), atol=1e-5)
        assert list(seen.named()) == ["x", "F(x)", "x + F(x)", "after"]


@torch.no_grad()
def test_the_ratio_is_that_of_the_norms(picture):
    model = build(arguments={"shortcut": "B"})
    found = residual_view.shares(model, picture)
    assert [share.way for share in found] == ["identity", "projection", "projection"]
    for share, (shortcut, residual) in zip(found, by_hand(model, picture)):
        assert share.ratio == pytest.approx((residual.norm() / shortcut.norm()).item(), rel=1e-5)
        cosine = torch.cosine_similarity(residual.flatten(), shortcut.flatten(), dim=0).item()
        assert share.cosine == pytest.approx(cosine, abs=1e-5)
    assert residual_view.rows(found)[1]["ratio"] == found[1].ratio
    most = max(found, key=lambda share: share.ratio)
    assert f"longest in {most.block} ({most.ratio:.2f} times x)" in residual_view.describe(found)


def test_a_silent_branch_adds_nothing(picture):
    model = build()
    with torch.no_grad():
        model.layer1[0].bn2.weight.zero_()
        model.layer1[0].bn2.bias.zero_()
    first = residual_view.shares(model, picture)[0]
    assert first.ratio == 0 and math.isnan(first.cosine)
    seen = residual_view.parts(model, picture, "layer1.0")
    assert np.array_equal(seen.total, seen.shortcut) and np.array_equal(seen.after, seen.total)


@pytest.mark.parametrize(("network", "ways"), [("resnet8", {"identity", "padding"}),
                                               ("hw4-resnet", {"identity", "projection"}),
                                               ("resnet50-cifar", {"identity", "projection"})])
def test_every_kind_of_block(network, ways, picture):
    model = build(network)
    assert {share.way for share in residual_view.shares(model, picture)} == ways
    seen = residual_view.parts(model, picture, residual_view.blocks(model)[0])
    assert np.allclose(seen.total, seen.shortcut + seen.residual, atol=1e-5)
    assert (seen.after is None) == (network == "hw4-resnet")  # whose blocks end with the sum


@pytest.mark.parametrize("network", ["plain8", "simple-cnn"])
def test_a_network_without_shortcuts_is_one_sentence(network, picture):
    with pytest.raises(Problem, match="no shortcuts"):
        residual_view.shares(build(network), picture)


def test_an_unknown_block_is_one_sentence(picture):
    with pytest.raises(Problem, match="Unknown block 'layer9.0'"):
        residual_view.parts(build(), picture, "layer9.0")


LOOKS = {"shares": residual_view.shares, "parts": lambda model, tensor: residual_view.parts(model, tensor, "layer2.0")}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_as_found(look, fails, picture):
    model = build().train()
    random = torch.get_rng_state()
    if fails:
        with pytest.raises(RuntimeError):
            look(model, torch.zeros(1, 5, 32, 32))
    else:
        look(model, picture)
    assert all(module.training for module in model.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert torch.equal(random, torch.get_rng_state())
