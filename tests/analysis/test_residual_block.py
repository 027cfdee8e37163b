"""A residual block by numbers, against torch's own layers and autograd: basic and bottleneck, every way around."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from resnet_viz.analysis import residual_block, residual_block_gradients, residual_view
from resnet_viz.networks import zoo
from resnet_viz.networks.resnet import ResNet, ResNetSpec
from resnet_viz.problems import Problem

from ..foreign_networks import randomised

TENSOR = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def bottleneck(**more) -> ResNet:
    torch.manual_seed(0)
    spec = ResNetSpec("bottleneck", (2, 1), (4, 8), (10,), "cifar", 4, "B", expansion=4, **more)
    return randomised(ResNet(spec)).eval()


def built(name: str, **arguments):
    torch.manual_seed(0)
    return randomised(zoo.build(name, arguments)).eval()


NETWORKS = {
    "padding": built("resnet8"),
    "projection": built("resnet8", shortcut="B"),
    "biases": built("resnet8", conv_bias=True),
    "bottleneck": bottleneck(),
    "bottleneck v1": bottleneck(variant="v1"),
    "groups": bottleneck(groups=2),
    "no norm": built("resnet8", norm="none"),
    "leaky": built("resnet8", activation="leaky-relu"),
    "no ReLU after": built("hw4-resnet"),
}
EVERY = [(name, block) for name, model in NETWORKS.items() for block in residual_block.kinds(model)]


@pytest.mark.parametrize(("name", "block"), EVERY)
def test_every_number_comes_from_those_before_it(name, block):
    model = NETWORKS[name]
    found = residual_block.passed(model, TENSOR, block)
    for channel in (0, found.channels - 1, residual_block.telling_channel(model, block)):
        walk = residual_block.walk(found, channel)
        for steps in (walk.layers, walk.around):
            for before, step in zip(steps, steps[1:]):
                follows(found.module, before, step)
        parts = residual_view.parts(model, TENSOR, block)
        np.testing.assert_allclose(walk.residual, parts.residual[channel], atol=1e-5)
        np.testing.assert_allclose(walk.shortcut, parts.shortcut[channel], atol=1e-5)
        np.testing.assert_allclose(walk.total, walk.residual + walk.shortcut, atol=1e-5)
        np.testing.assert_array_equal(walk.end, walk.total if parts.after is None else parts.after[channel])


def follows(module, before, step) -> None:
    """The step's map from that of the step before."""
    layer = module.get_submodule(step.name)
    if step.kind == "convolution":
        conv = step.conv
        assert before.channel == conv.source and before.scale == step.scale * conv.stride
        np.testing.assert_array_equal(before.map, conv.arriving)
        own = F.conv2d(
            torch.from_numpy(conv.arriving)[None, None],
            torch.from_numpy(conv.kernel)[None, None],
            stride=conv.stride,
            padding=conv.padding,
        )[0, 0]
        np.testing.assert_allclose(own, conv.share, atol=1e-5)
        assert conv.others == layer.in_channels // layer.groups - 1
    elif step.kind == "batch norm":
        norm = step.norm
        own = (before.map - norm.mean) / np.sqrt(norm.variance + norm.eps) * norm.scale + norm.shift
        np.testing.assert_allclose(step.map, own, atol=1e-4)
    elif step.kind == "padding":
        np.testing.assert_array_equal(step.map, before.map[::2, ::2])
    else:
        np.testing.assert_allclose(step.map, layer(torch.from_numpy(before.map)).detach(), atol=1e-6)


def test_the_strongest_channel_is_followed():
    found = residual_block.passed(NETWORKS["padding"], TENSOR, "layer1.0")
    conv = residual_block.walk(found, 3).layers[4].conv
    module, arriving = found.module.conv2, found.outputs["act1"]
    sizes = []
    for i in range(16):
        alone = torch.zeros_like(arriving)
        alone[i] = arriving[i]
        sizes.append(F.conv2d(alone[None], module.weight[3:4], padding=1).abs().mean().item())
    assert conv.source == int(np.argmax(sizes))
    np.testing.assert_allclose(conv.kernel, module.weight[3, conv.source].detach())


def test_ways_strides_and_channels():
    assert residual_block.kinds(NETWORKS["bottleneck"]) == {
        "layer1.0": "projection",
        "layer1.1": "identity",
        "layer2.0": "projection",
    }
    first, second = (
        residual_block.walk(residual_block.passed(NETWORKS["bottleneck"], TENSOR, name), 0)
        for name in ("layer1.0", "layer2.0")
    )
    assert [step.conv.stride for step in first.around if step.conv] == [1]  # conv2_x: only wider, as large
    assert [step.conv.stride for step in second.around if step.conv] == [2]
    assert [step.name for step in first.layers] == ["x", "conv1", "bn1", "act1", "conv2", "bn2", "act2", "conv3", "bn3"]
    assert [step.scale for step in second.layers] == [2, 2, 2, 2, 1, 1, 1, 1, 1]  # v1.5: the stride is the 3x3's
    early = residual_block.walk(residual_block.passed(NETWORKS["bottleneck v1"], TENSOR, "layer2.0"), 0)
    assert [step.scale for step in early.layers] == [2, 1, 1, 1, 1, 1, 1, 1, 1]
    padded = residual_block.passed(NETWORKS["padding"], TENSOR, "layer2.0")
    assert not residual_block.walk(padded, 0).shortcut.any() and len(residual_block.walk(padded, 0).around) == 1
    assert residual_block.walk(padded, 8).around[0].channel == 0  # eight empty channels before it
    assert 8 <= residual_block.telling_channel(NETWORKS["padding"], "layer2.0") < 24
    with pytest.raises(Problem, match="channels 0 to 31"):
        residual_block.walk(padded, 32)


@pytest.mark.parametrize("name", ["padding", "leaky", "no ReLU after", "bottleneck"])
def test_without_the_skip(name):
    model = NETWORKS[name]
    block = list(residual_block.kinds(model))[1]
    walk = residual_block.walk(residual_block.passed(model, TENSOR, block), 2)
    cut = copy.deepcopy(model)
    cut.get_submodule(block).add.forward = lambda residual, shortcut: residual
    ends = []
    cut.get_submodule(block).register_forward_hook(lambda module, inputs, out: ends.append(out[0, 2].detach().numpy()))
    with torch.no_grad():
        logits = cut(TENSOR)
        whole = model(TENSOR)
    np.testing.assert_allclose(walk.without, ends[0], atol=1e-6)
    heads = (100,) if name == "no ReLU after" else (10,)
    on, off = residual_block.answers(model, TENSOR, heads, block)
    np.testing.assert_allclose(on, whole[0].softmax(0), atol=1e-6)
    np.testing.assert_allclose(off, logits[0].softmax(0), atol=1e-6)


def test_a_plain_network_is_told_that_it_has_no_skips():
    for asked in (residual_block.kinds, lambda model: residual_block_gradients.passages(model, TENSOR, 0)):
        with pytest.raises(Problem, match="no shortcuts"):
            asked(built("plain8"))


# Gradients


@pytest.mark.parametrize("name", ["padding", "projection", "bottleneck", "no ReLU after", "leaky"])
def test_gradients_are_autograds(name):
    model = NETWORKS[name]
    passages = residual_block_gradients.passages(model, TENSOR, 3)
    assert [passage.block for passage in passages] == list(reversed(residual_block.kinds(model)))
    for passage in passages:
        arriving, [x, y] = gradients(model, passage.block, 3)
        assert (passage.arriving, passage.both) == pytest.approx((y.norm().item(), x.norm().item()), rel=1e-4)
        skip, layers = by_part(model, passage.block, arriving, y)
        assert (passage.skip, passage.layers) == pytest.approx((skip.norm().item(), layers.norm().item()), rel=1e-4)
        np.testing.assert_allclose(skip + layers, x, atol=1e-5)
        if passage.layers and passage.skip:
            assert passage.cosine == pytest.approx(
                F.cosine_similarity(skip.flatten(), layers.flatten(), 0).item(), abs=1e-3
            )


def gradients(model, block: str, label: int):
    """What arrives at the block, and the logit's gradient at its two ends, by retain_grad on a copy."""
    copied, ends = copy.deepcopy(model), []

    def keep(module, inputs, out):
        ends.extend([inputs[0], out])
        inputs[0].retain_grad(), out.retain_grad()

    copied.get_submodule(block).register_forward_hook(keep)
    copied(TENSOR.clone().requires_grad_(True))[0, label].backward()
    return ends[0].detach(), [end.grad for end in ends]


def by_part(model, block: str, arriving, y):
    """The gradient at the block's input when only one of the two parts of the sum depends on it."""
    found = []
    for kept in (1, 0):
        copied, x = copy.deepcopy(model.get_submodule(block)), arriving.clone().requires_grad_(True)
        copied.add.forward = lambda residual, shortcut, kept=kept: (
            residual.detach() + shortcut if kept else residual + shortcut.detach()
        )
        copied(x).backward(y)
        found.append(torch.zeros_like(x) if x.grad is None else x.grad)
    return found


def test_without_any_skip_the_network_is_its_plain_twin():
    model = NETWORKS["padding"]
    plain = built("plain8")
    plain.load_state_dict(model.state_dict())
    x = TENSOR.clone().requires_grad_(True)
    ends = {}
    for name in residual_block.kinds(model):
        plain.get_submodule(name).register_forward_hook(lambda module, inputs, out, name=name: ends.update({name: out}))
    logit = plain(x)[0, 3]
    passages = residual_block_gradients.passages(model, TENSOR, 3)
    for passage in passages:
        assert passage.without_arriving == pytest.approx(
            torch.autograd.grad(logit, ends[passage.block], retain_graph=True)[0].norm().item(), rel=1e-4
        )
    kept, lost = residual_block_gradients.relative(passages)
    assert kept[0] == lost[0] == 1 and len(kept) == len(passages) + 1
    assert lost[1] == pytest.approx(passages[0].without / passages[0].without_arriving)
