"""Arithmetic of single layers, against torch's own layers for random settings and the course's printed rows."""

import random

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resnet_viz.analysis.calculators import convolution, linear, pooling, sides_in
from resnet_viz.problems import Problem


def drawn(seed):
    """Random settings of a window that fits: (height, width), kernel, stride, padding, dilation."""
    dice = random.Random(seed)
    two = lambda low, high: (dice.randint(low, high), dice.randint(low, high))  # noqa: E731
    while True:
        sides, kernel, stride, padding, dilation = two(1, 24), two(1, 5), two(1, 4), two(0, 3), two(1, 3)
        if all(d * (k - 1) + 1 <= n + 2 * p for n, k, p, d in zip(sides, kernel, padding, dilation)):
            return sides, kernel, stride, padding, dilation


def touched(module, channels, sides, padding):
    """(rows, columns) at the end of the padded input that no window takes: the gradient there is 0."""
    height, width = (n + 2 * p for n, p in zip(sides, padding))
    padded = torch.ones((1, channels, height, width), dtype=torch.float64, requires_grad=True)
    module.padding = (0, 0)
    nn.init.ones_(module.weight)
    module.double()(padded).sum().backward()
    rows, columns = padded.grad[0].sum(0).nonzero(as_tuple=True)
    return height - 1 - rows.max().item(), width - 1 - columns.max().item()


@pytest.mark.parametrize("seed", range(40))
def test_a_convolution_is_torchs(seed):
    (height, width), kernel, stride, padding, dilation = drawn(seed)
    groups, bias = (1, 2, 3)[seed % 3], seed % 2 == 0
    channels, filters = groups * (1 + seed % 4), groups * (1 + seed % 5)
    module = nn.Conv2d(channels, filters, kernel, stride, padding, dilation, groups, bias)
    found = convolution(channels, height, width, filters, kernel, stride, padding, dilation, groups, bias)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        output = module(torch.zeros(1, channels, height, width))
    assert found.output == tuple(output.shape[1:]) and found.units == output.numel()
    assert found.shared == sum(p.numel() for p in module.parameters())
    assert 2 * found.macs == counter.get_total_flops()
    assert repr(eval(found.code, {"nn": nn})) == repr(module)  # noqa: S307 - the code on the screen, which is ours
    patches = nn.functional.unfold(torch.zeros(1, channels // groups, height, width), kernel, dilation, padding, stride)
    assert found.unshared == filters * patches[0].numel() + bias * found.units  # a filter of its own at each position
    assert found.unused == touched(module, channels, (height, width), padding)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("kind", ["max", "average"])
def test_a_pooling_is_torchs(kind, seed):
    (height, width), kernel, stride, padding, dilation = drawn(seed)
    padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel))
    dilation = dilation if kind == "max" else (1, 1)
    if any(d * (k - 1) + 1 > n + 2 * p for n, k, p, d in zip((height, width), kernel, padding, dilation)):
        with pytest.raises(Problem, match="larger than the padded"):
            pooling(kind, 3, height, width, kernel, stride, padding, dilation)
        return
    found = pooling(kind, 3, height, width, kernel, stride, padding, dilation)
    module = nn.MaxPool2d(kernel, stride, padding, dilation) if kind == "max" else nn.AvgPool2d(kernel, stride, padding)
    assert found.output == tuple(module(torch.zeros(1, 3, height, width)).shape[1:])
    assert (found.shared, found.unshared, found.macs) == (0, 0, 0)
    written = eval(found.code, {"nn": nn})  # noqa: S307
    assert written(torch.zeros(1, 3, height, width)).shape[1:] == torch.Size(found.output)


@pytest.mark.parametrize(("inputs", "outputs", "bias"), [(4096, 10, True), (784, 3456, False), (1, 1, True)])
def test_a_fully_connected_layer_is_torchs(inputs, outputs, bias):
    found, module = linear(inputs, outputs, bias), nn.Linear(inputs, outputs, bias)
    assert found.output == (outputs,) and found.macs == module.weight.numel()
    assert found.shared == found.unshared == sum(p.numel() for p in module.parameters())
    assert repr(eval(found.code, {"nn": nn})) == repr(module)  # noqa: S307


@pytest.mark.parametrize(("settings", "output", "units", "shared", "unshared"), [
    ((1, 28, 28, 6, 5), (6, 24, 24), 3_456, 156, 89_856),  # LeNet's row in the lab
    ((3, 227, 227, 96, 11, 4), (96, 55, 55), 290_400, 34_944, 105_705_600),  # AlexNet's
])
def test_the_labs_rows(settings, output, units, shared, unshared):
    found = convolution(*settings)
    assert (found.output, found.units, found.shared, found.unshared) == (output, units, shared, unshared)


def test_the_formulas_carry_their_numbers():
    lines = dict(convolution(3, 224, 224, 64, 7, 2, 3, bias=False).lines)
    assert lines["height and width"] == "⌊(224 + 2 × 3 − 7) / 2⌋ + 1 = 112"
    assert lines["rows and columns in no window"] == "the last of 230, padding only: the floor cuts"
    assert lines["parameters, shared"].startswith("64 × (7 × 7 × 3) = 9,408")
    lines = dict(convolution(4, 9, 12, 6, (1, 3), 4, 0, (1, 2), groups=2).lines)
    assert lines["width"] == "⌊(12 + 2 × 0 − 2 × (3 − 1) − 1) / 4⌋ + 1 = 2"
    assert lines["columns in no window"] == "the last 3 of 12, of the picture itself: the floor cuts"
    lines |= dict(convolution(1, 11, 11, 1, 5, 6, 1).lines)  # 13 padded: windows over 0..4 and 6..10
    assert lines["rows and columns in no window"] == "the last 2 of 13, 1 of them of the picture: the floor cuts"
    assert lines["rows skipped"] == "3 between any two windows: the stride is 4, a window spans 1"
    assert lines["inputs of each filter"] == "4 channels / 2 groups = 2"


@pytest.mark.parametrize("line", [
    *convolution(8, 9, 30, 4, (3, 5), 2, 1, 1, 2).lines, *pooling("max", 8, 30, 30, 3, 2).lines, *linear(70, 3).lines])
def test_what_is_written_is_true(line):
    """Every equation on the screen, worked out by Python: ⌊a / b⌋ as a // b."""
    equation = line[1].split(":")[0]
    if "=" in equation:
        left, right = equation.replace(",", "").split(" = ")
        left = left.replace("⌊", "(").replace("⌋", ")").replace("×", "*").replace("−", "-").replace("/", "//")
        for word in ("channels", "groups"):
            left = left.replace(word, "")
        assert eval(left) == int(right)  # noqa: S307


@pytest.mark.parametrize(("attempt", "words"), [
    (lambda: convolution(3, 4, 4, 8, 7), "kernel of 7 is larger than the padded height and width of 4"),
    (lambda: convolution(3, 9, 4, 8, 3, dilation=4), "reaches over 9, is larger than the padded width of 4"),
    (lambda: convolution(3, 8, 8, 8, 3, groups=2), "do not divide 3 channels"),
    (lambda: convolution(4, 8, 8, 6, 3, groups=4), "do not divide 4 channels and 6 filters"),
    (lambda: convolution(3, 10**6, 8, 8, 3), "fits no computer"),
    (lambda: convolution(3, 8, 8, 10**7, 3), "the widest layer"),
    (lambda: convolution(0, 8, 8, 8, 3), "from 1 to"),
    (lambda: pooling("max", 3, 9, 9, 3, 1, 2), "more than half the window"),
    (lambda: pooling("average", 3, 9, 9, 3, dilation=2), "no dilation"),
    (lambda: pooling("median", 3, 9, 9, 3), "Unknown pooling"),
    (lambda: linear(10, 10**12), "no layer is that wide"),
    (lambda: sides_in("kernel", "three"), "height x width"),
    (lambda: sides_in("kernel", "1x2x3"), "height x width"),
    (lambda: sides_in("stride", "0"), "from 1 to"),
    (lambda: sides_in("padding", "99999999"), "larger than the picture"),
])
def test_what_cannot_be_is_one_sentence(attempt, words):
    with pytest.raises(Problem, match=words):
        attempt()


def test_sides_as_people_write_them():
    assert [sides_in("kernel", text) for text in ("3", " 1 x 7 ", "1×7", "1, 7", "2X3")] == [
        (3, 3), (1, 7), (1, 7), (1, 7), (2, 3)]
    assert sides_in("padding", "0", 0) == (0, 0)
