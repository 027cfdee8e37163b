"""A network by its parameters' shapes: against the state dict, and against the slides that list ResNet-152's."""

import math

import pytest

from resnet_viz.analysis.architecture import summary
from resnet_viz.analysis.parameter_shapes import by_layer, sections, table
from resnet_viz.networks import zoo

CUSTOM = {"block": "bottleneck", "depths": [1, 4], "widths": [4, 6], "heads": [2, 3], "stem": "imagenet",
          "stem_width": 4, "shortcut": "B", "conv_bias": True, "norm": "none"}
NETWORKS = [(name, {}) for name in zoo.NETWORKS] + [
    ("resnet152", {"conv_bias": True}), ("resnet20", {"shortcut": "B"}), ("custom-resnet", CUSTOM)]


def sections_of(network, arguments):
    size = 64 if network == zoo.CUSTOM else zoo.find(network).input_size
    return sections(summary(network, arguments, size))


@pytest.mark.parametrize(("network", "arguments"), NETWORKS)
def test_every_tensor_of_the_state_dict_is_there_once(network, arguments):
    """Names and shapes of the first of equal blocks; multiplied they give every parameter."""
    found = sections_of(network, arguments)
    model = zoo.build(network, arguments, device="meta")
    real = {name: tuple(p.shape) for name, p in model.named_parameters()}
    shown = {tensor.name: tensor.shape for section in found for part in section.parts for tensor in part.tensors}
    assert shown.items() <= real.items()
    tensors = sum(part.times * len(part.tensors) for section in found for part in section.parts)
    assert tensors == len(real)
    assert sum(section.params for section in found) == sum(math.prod(shape) for shape in real.values())


def test_resnet152_as_the_slides_list_it():
    found = {section.paper or section.name: section for section in sections_of("resnet152", {"conv_bias": True})}
    assert list(found) == ["conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "fc"]
    assert [[(part.title, part.times) for part in found[f"conv{n}_x"].parts][2] for n in (2, 3, 4, 5)] == [
        ("the other 2 blocks", 2), ("the other 7 blocks", 7), ("the other 35 blocks", 35), ("the other 2 blocks", 2)]
    first, projection, others = found["conv2_x"].parts
    assert (first.title, projection.title) == ("first block", "shortcut projection")
    weights = [[tensor.shape for tensor in part.tensors if tensor.what == "weights"]
               for part in (first, projection, others)]
    assert weights == [[(64, 64, 1, 1), (64, 64, 3, 3), (256, 64, 1, 1)], [(256, 64, 1, 1)],
                       [(64, 256, 1, 1), (64, 64, 3, 3), (256, 64, 1, 1)]]
    assert found["conv1"].parts[0].tensors[0].shape == (64, 3, 7, 7)
    assert found["fc"].parts[0].tensors[0].shape == (1000, 2048)
    assert sum(section.params for section in found.values()) == 60_268_520
    for section in found.values():  # three vectors follow a convolution with a bias, never four
        for part in section.parts:
            for first, *others in by_layer(part):
                assert [tensor.what for tensor in others] == (
                    ["bias", "scale γ", "shift β"] if len(first.shape) == 4 else ["bias"])
                assert all(tensor.shape == first.shape[:1] for tensor in others)


def test_bytes_of_the_slides_file():
    totals = summary("resnet152", {"conv_bias": True}, 224).totals
    assert round(totals["weights_bytes"] / 2**20, 2) == 229.91
    assert 230 < (totals["weights_bytes"] + totals["buffers_bytes"]) / 2**20 < 231  # and names: a file of 231


@pytest.mark.parametrize(("network", "arguments", "parts"), [
    ("resnet18", {}, {"layer1": ["both blocks"], "layer2": ["first block", "shortcut projection", "the other block"]}),
    ("resnet20", {}, {"layer1": ["all three blocks"], "layer3": ["first block", "the other 2 blocks"]}),
    ("plain110", {}, {"layer1": ["all 18 blocks"]}),
    ("hw4-resnet", {}, {"conv1": [""], "widen2": [""],
                        "layer2": ["first block", "shortcut projection", "the other 3 blocks"]}),
    ("grapheme-resnet", {}, {"layer1": ["first block", "the other block", "shortcut projection"]}),
    ("simple-cnn", {}, {"conv1": [""], "conv2": [""], "fc": [""]}),
    ("custom-resnet", CUSTOM, {"layer1": ["the only block", "shortcut projection"]}),
])
def test_parts_are_called_what_they_are(network, arguments, parts):
    found = {section.name: [part.title for part in section.parts] for section in sections_of(network, arguments)}
    assert {name: found[name] for name in parts} == parts


@pytest.mark.parametrize(("network", "paper"), [("resnet34", "conv2_x"), ("resnext50-32x4d", "conv2_x"),
                                                ("resnet18-cifar", ""), ("grapheme-resnet", ""), ("hw4-resnet", "")])
def test_only_table_1s_stages_carry_its_names(network, paper):
    assert {section.name: section.paper for section in sections_of(network, {})}["layer1"] == paper


def test_the_table_adds_up():
    found = table(sections_of("grapheme-resnet", {}))
    *rows, total = [row[-1] for row in found.rows]
    assert sum(rows) == total == 11_612_858
