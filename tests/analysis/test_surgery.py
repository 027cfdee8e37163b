"""Blocks switched off and scaled, against the same arithmetic written out with torch's own operations."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from resnet_viz.analysis import surgery
from resnet_viz.data.preprocessing import Preprocessing, normalise
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

from ..foreign_networks import randomised

RECIPE = Preprocessing(32, 32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def network(name: str, arguments: dict | None = None):
    torch.manual_seed(0)
    return randomised(zoo.build(name, arguments or {}))


def pictures(n: int = 6, channels: int = 3, size: int = 32):
    return torch.randint(0, 256, (n, channels, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def branch(block, x):
    """F(x) of a basic block, without any module's forward."""
    def norm(bn, y):
        return F.batch_norm(y, bn.running_mean, bn.running_var, bn.weight, bn.bias, eps=bn.eps)
    y = norm(block.bn1, F.conv2d(x, block.conv1.weight, None, block.conv1.stride, 1)).relu()
    return norm(block.bn2, F.conv2d(y, block.conv2.weight, None, 1, 1))


def by_hand(model, images, scales):
    """The logits of a CIFAR network of basic blocks, shortcut A or none, every step written out."""
    x = F.conv2d(normalise(images, RECIPE), model.conv1.weight, None, 1, 1)
    bn = model.bn1
    x = F.batch_norm(x, bn.running_mean, bn.running_var, bn.weight, bn.bias, eps=bn.eps).relu()
    for stage in ("layer1", "layer2", "layer3"):
        for index, block in enumerate(getattr(model, stage)):
            a, residual = scales.get(f"{stage}.{index}", 1.0), branch(block, x)
            around, missing = x[:, :, ::block.conv1.stride[0], ::block.conv1.stride[0]], residual.shape[1] - x.shape[1]
            if missing:
                zeros = torch.zeros(len(x), missing // 2, *around.shape[2:])
                around = torch.cat([zeros, around, zeros], dim=1)
            x = (around + a * residual).relu() if block.add else a * residual.relu() + (1 - a) * around
    return F.linear(x.mean((2, 3)), model.fc.weight, model.fc.bias)


@pytest.mark.parametrize("name", ["resnet8", "plain8"])
@pytest.mark.parametrize("scales", [{}, {"layer1.0": 0.0}, {"layer2.0": 0.0}, {"layer1.0": 0.5, "layer3.0": 2.0},
                                    {"layer1.0": 0.0, "layer2.0": 0.0, "layer3.0": 0.0}])
def test_the_operated_network_is_the_arithmetic_written_out(name, scales):
    model, images = network(name), pictures()
    with surgery.operated(model, scales), torch.no_grad():
        logits = model(normalise(images, RECIPE))
    with torch.no_grad():
        expected = by_hand(model, images, scales)
    assert torch.allclose(logits, expected, atol=1e-4)
    found = surgery.answers(model, images, RECIPE, (10,), scales)
    assert found.predicted[:, 0].tolist() == expected.argmax(1).tolist()
    assert np.allclose(found.sure, expected.softmax(1).max(1).values.numpy(), atol=1e-4)


@pytest.mark.short(2)
@pytest.mark.parametrize(("name", "arguments", "channels", "size"), [
    ("resnet14", {}, 3, 32), ("plain14", {}, 3, 32), ("resnet50", {"heads": [5], "stem_width": 8, "widths": [4, 4, 8, 8]}, 3, 64),
    ("hw4-resnet", {"heads": [6]}, 3, 32), ("grapheme-resnet", {"heads": [4, 3, 2]}, 1, 64)])
def test_each_block_alone_is_what_one_operation_at_a_time_gives(name, arguments, channels, size):
    """The shortcut through remembered outputs changes nothing, in any family, with several heads and one channel."""
    model, images = network(name, arguments), pictures(3, channels, size)
    recipe = Preprocessing(size, size, (0.5,) * channels, (0.25,) * channels)
    heads = tuple(arguments.get("heads", (10,)))
    found = surgery.each_alone(model, images, recipe, heads)
    assert list(found) == ["", *surgery.blocks(model)]
    for block, answers in found.items():
        expected = surgery.answers(model, images, recipe, heads, {block: 0.0} if block else {})
        assert answers.predicted.tolist() == expected.predicted.tolist() and answers.predicted.shape == (3, len(heads))
        assert np.allclose(answers.sure, expected.sure, atol=1e-5)


def test_each_block_alone_computes_no_block_before_it_again():
    model, calls = network("resnet14"), []
    convolution = model.layer1[0].conv1
    convolution.register_forward_hook(lambda *_: calls.append(1))
    surgery.each_alone(model, pictures(2), RECIPE, (10,))
    assert len(calls) == 2  # for the whole network, and where it is itself the one that is switched off


def test_a_branch_that_is_not_finite_is_switched_off_too():
    model = network("resnet8")
    model.layer2[0].bn2.bias.data.fill_(float("inf"))
    assert np.isfinite(surgery.answers(model, pictures(), RECIPE, (10,), {"layer2.0": 0.0}).sure).all()


def test_what_is_left_of_a_block():
    assert surgery.way_around(network("resnet8"), "layer1.0") == "identity"
    assert surgery.way_around(network("resnet8"), "layer2.0") == "padding"
    assert surgery.way_around(network("resnet8", {"shortcut": "B"}), "layer2.0") == "projection"
    assert surgery.way_around(network("plain8"), "layer2.0") == "none"
    with pytest.raises(Problem, match="no blocks"):
        surgery.blocks(zoo.build("simple-cnn"))
    with pytest.raises(Problem, match="layer9"):
        surgery.answers(network("resnet8"), pictures(), RECIPE, (10,), {"layer9": 0.0})


def test_shares():
    first = surgery.Answers(np.array([[0, 1], [2, 3]]), np.array([0.5, 0.6]))
    second = surgery.Answers(np.array([[0, 2], [2, 3]]), np.array([0.7, 0.8]))
    assert surgery.share_right(first, np.array([[0, 0], [0, 3]])) == 0.5
    assert surgery.share_kept(second, first) == 0.75
    both = surgery.joined([first, second])
    assert len(both) == 4 and both.sure.tolist() == [0.5, 0.6, 0.7, 0.8] and both.predicted[2].tolist() == [0, 2]
