"""What a unit sees of the picture, against the gradient of a unit's output with respect to the picture."""

import pytest
import torch
from torch import nn

from resnet_viz.analysis.architecture import summary
from resnet_viz.analysis.receptive_field import Field, fields, span
from resnet_viz.networks import zoo


def transparent(model):
    """Every weight positive and no maximum, so that whatever a unit can see does move it."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            setattr(model, name, nn.AvgPool2d(module.kernel_size, module.stride, module.padding))
    return model.double().eval()


def outputs_of(model, picture):
    """The output of every leaf call, by hooks on a real pass."""
    found = {}
    for name, module in model.named_modules():
        if not list(module.children()) and not isinstance(module, nn.Identity):
            module.register_forward_hook(lambda _, __, output, name=name: found.__setitem__(name, output))
    model(picture)
    return found


def seen(unit, picture):
    """(first, last) row and column of the picture whose pixels move a unit."""
    gradient, = torch.autograd.grad(unit.sum(), picture, retain_graph=True)
    rows, columns = gradient.abs().sum((0, 1)).nonzero(as_tuple=True)
    return (rows.min().item(), rows.max().item()), (columns.min().item(), columns.max().item())


CUSTOM = {"block": "bottleneck", "depths": [1, 2], "widths": [2, 3], "heads": [2], "stem": "imagenet", "stem_width": 2,
          "shortcut": "B", "in_channels": 1}


@pytest.mark.parametrize(("network", "arguments", "size"), [
    ("resnet8", {"stem_width": 2, "widths": [2, 3, 4]}, 75),
    ("plain14", {"stem_width": 2, "widths": [2, 2, 3]}, 160),
    ("resnet8", {"stem_width": 2, "widths": [2, 3, 4], "shortcut": "B", "stem": "imagenet"}, 240),
    ("custom-resnet", CUSTOM, 180),
    ("custom-resnet", {**CUSTOM, "variant": "v1", "groups": 1, "stem": "cifar"}, 60),
])
def test_a_unit_in_the_middle_sees_what_its_gradient_says(network, arguments, size):
    model = transparent(zoo.build(network, arguments))
    picture = torch.ones((1, zoo.channels_of(network, arguments), size, size), dtype=torch.float64, requires_grad=True)
    outputs = outputs_of(model, picture)
    checked = 0
    for row in summary(network, arguments, size).layers:
        if len(row.output_shape) < 3 or row.output_shape[1] == 1:
            continue  # the average over the picture and what follows: below
        middle = row.output_shape[1] // 2
        height, width = seen(outputs[row.name][0, :, middle, middle - 1], picture)
        (_, (next_first, _)) = seen(outputs[row.name][0, :, middle, middle], picture)
        assert (height[1] - height[0] + 1, width[1] - width[0] + 1) == row.receptive_field, row.name
        assert (next_first - width[0],) * 2 == row.jump, row.name
        checked += 1
    assert checked > 15


@pytest.mark.parametrize(("network", "size"), [("grapheme-resnet", 64), ("hw4-resnet", 32), ("simple-cnn", 32)])
def test_units_of_the_course_networks_see_what_their_gradients_say(network, size):
    """Their pictures are smaller than what late layers see: there the gradient covers all, and no more is claimed."""
    model = transparent(zoo.build(network))
    picture = torch.ones((1, zoo.channels_of(network, {}), size, size), dtype=torch.float64, requires_grad=True)
    outputs = outputs_of(model, picture)
    inside = 0
    for row in summary(network, {}, size).layers:
        unit = outputs[row.name][0]
        if unit.ndim == 1 and row.kind == "Dropout":
            unit = unit[unit.numel() // 2 + 4 * 8 + 4]  # flattened maps of 8 x 8: one in the middle
        if unit.ndim == 3:
            unit = unit[:, unit.shape[1] // 2, unit.shape[2] // 2]
        (first, last), _ = seen(unit, picture)
        assert last - first + 1 <= row.receptive_field[0]
        if first > 0 and last < size - 1:
            assert last - first + 1 == row.receptive_field[0], row.name
            inside += 1
    assert inside >= 6 and last - first + 1 == size


@pytest.mark.parametrize(("network", "arguments", "size"), [
    ("resnet8", {"stem_width": 2, "widths": [2, 3, 4]}, 40),
    ("resnet8", {"stem_width": 2, "widths": [2, 3, 4], "shortcut": "B", "stem": "imagenet"}, 96),
    ("grapheme-resnet", {}, 64),
])
def test_every_unit_sees_the_pixels_of_its_span(network, arguments, size):
    """Also at the border, where part of what it would see is padding: of a whole column of units, pixel by pixel."""
    model = transparent(zoo.build(network, arguments))
    picture = torch.ones((1, zoo.channels_of(network, arguments), size, size), dtype=torch.float64, requires_grad=True)
    outputs, layers = outputs_of(model, picture), summary(network, arguments, size).layers
    clipped = checked = 0
    for row, (down, along) in list(zip(layers, fields(layers)))[::3]:
        if len(row.output_shape) < 3 or row.receptive_field[0] > size:
            continue
        middle = row.output_shape[1] // 2
        for unit in {0, 1, middle, row.output_shape[1] - 1}:
            gradient, = torch.autograd.grad(outputs[row.name][0, :, unit, middle].sum(), picture, retain_graph=True)
            places = gradient.abs().sum((0, 1))
            first, end = span(down, unit, size)
            assert places.sum(1).nonzero().flatten().tolist() == list(range(first, end)), (row.name, unit)
            if end > first:
                columns = places.sum(0).nonzero().flatten().tolist()
                assert columns == list(range(*span(along, middle, size))), (row.name, unit)
            clipped += end - first < down.size
            checked += 1
    assert checked > 8 and clipped > 3


def test_the_end_of_a_network_sees_the_whole_picture():
    for network, size in (("resnet18", 224), ("resnet20", 32), ("simple-cnn", 32), ("hw4-resnet", 32)):
        last = summary(network, {}, size).layers[-1]
        assert last.receptive_field[0] >= size and last.receptive_field == last.receptive_field[::-1]


@pytest.mark.parametrize(("network", "size"), [("resnet50", 483), ("resnet101", 1027), ("resnet152", 1507)])
def test_published_sizes(network, size):
    """Araujo et al. 2019, table of popular networks; theirs have the stride on the first 1x1."""
    rows = summary(network, {"variant": "v1"}, 224).layers
    assert [row for row in rows if row.kind == "Add"][-1].receptive_field == (size, size)


def test_a_sum_sees_what_either_way_sees():
    left, right = Field(3, 2, -1), Field(5, 2, 4)
    assert left.with_other(right) == Field(10, 2, -1) == right.with_other(left)
    assert Field().through(3, 2, 1).through(3, 1, 2, dilation=2) == Field(3 + 2 * 2 * 2, 2, -1 - 2 * 2)
