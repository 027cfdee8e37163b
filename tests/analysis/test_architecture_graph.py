"""A network's parts: together they are the network, equal blocks fold, and every shortcut is counted."""

from collections import Counter
from math import prod

import pytest
from torch import nn

from resnet_viz.analysis import architecture, architecture_graph
from resnet_viz.analysis.architecture_graph import finding, kin, level_parts, parts, shortcuts, walk
from resnet_viz.networks import zoo
from resnet_viz.networks.resnet import Add, PadShortcut
from resnet_viz.problems import Problem

NETWORKS = ("resnet8", "resnet20", "resnet110", "resnet18", "resnet50", "resnet152", "plain20", "resnext50-32x4d",
            "simple-cnn", "hw4-resnet", "grapheme-resnet")


def summary(name: str, **arguments):
    return architecture.summary(name, arguments, zoo.NETWORKS[name].input_size)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("folded", [True, False])
def test_every_level_is_the_whole_network(name, folded):
    whole = summary(name)
    found = parts(whole, folded)
    for level in ("stage", "block", "layer"):
        shown = level_parts(found, level)
        for number in ("params", "macs", "activation_bytes"):
            assert sum(part.total(number) for part in shown) == sum(getattr(layer, number) for layer in whole.layers)
    leaves = level_parts(found, "layer")
    assert sorted(leaf for part in leaves for leaf in part.names) == sorted(layer.name for layer in whole.layers)
    keys = [part.key for part in walk(found)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("folded", [True, False])
def test_shortcuts_are_those_of_the_built_network(name, folded):
    model = zoo.build(name, device="meta")
    blocks = [module for module in model.modules() if isinstance(getattr(module, "add", None), Add)]
    ways = Counter("identity" if block.downsample is None else
                   "padding" if isinstance(block.downsample, PadShortcut) else "projection" for block in blocks)
    assert shortcuts(parts(summary(name), folded)) == ways


def test_resnet152_has_fifty_shortcuts_four_of_them_projections():
    found = parts(summary("resnet152"))
    assert shortcuts(found) == {"identity": 46, "projection": 4}
    assert [(part.key, part.count) for part in level_parts(found, "block") if part.stage] == [
        ("layer1.0", 1), ("layer1.1", 2), ("layer2.0", 1), ("layer2.1", 7), ("layer3.0", 1), ("layer3.1", 35),
        ("layer4.0", 1), ("layer4.1", 2)]
    assert [len(level_parts(found, level)) for level in ("stage", "block", "layer")] == [8, 12, 94]
    assert finding(summary("resnet152")) == "resnet152: 50 blocks with 50 shortcuts, 4 of them 1 × 1 projections."


def test_other_findings():
    assert finding(summary("plain20")) == "plain20: 9 blocks without a shortcut."
    assert finding(summary("resnet20")) == "resnet20: 9 blocks with 9 shortcuts, 2 of them padded with zeros."
    assert finding(summary("simple-cnn")) == "simple-cnn: 10 layers one after the other, without blocks."
    one = {"block": "basic", "depths": [1], "widths": [16], "heads": [10], "stem": "cifar", "stem_width": 16,
           "shortcut": "B"}
    assert finding(architecture.summary(zoo.CUSTOM, one, 32)) == "custom-resnet: 1 block with 1 shortcut."


def test_what_follows_a_convolution_outside_the_blocks_belongs_to_it():
    names = [part.key for part in level_parts(parts(summary("hw4-resnet")), "stage")]
    assert names == ["conv1 + act1 + bn1 + dropout", "layer1", "widen2", "layer2", "widen3", "layer3", "widen4",
                     "layer4", "maxpool", "fc"]


def test_a_part_stands_for_equal_blocks():
    repeated = next(part for part in walk(parts(summary("resnet152"))) if part.key == "layer3.1")
    assert repeated.names == tuple(f"layer3.{number}" for number in range(1, 36))
    block = zoo.build("resnet152", device="meta").get_submodule("layer3.7")
    assert repeated.total("params") == 35 * sum(prod(weight.shape) for weight in block.parameters())
    inner = next(part for part in repeated.parts if part.kind == "Conv2d")
    assert inner.names[6] == "layer3.7.conv1" and isinstance(block.conv1, nn.Conv2d)


def test_an_unknown_level_is_refused():
    with pytest.raises(Problem, match="stage"):
        level_parts(parts(summary("resnet8")), "kernel")


@pytest.mark.parametrize("name, depths", [
    ("resnet152", [18, 34, 50, 101, 152]), ("resnet20", [8, 14, 20, 32, 44, 56, 110]),
    ("plain56", [8, 14, 20, 32, 44, 56, 110]), ("resnet18-cifar", [18, 34, 50]), ("wide-resnet50-2", [50, 101]),
    ("hw4-resnet", []), ("simple-cnn", []), (zoo.CUSTOM, [])])
def test_kin_differ_in_depth_alone(name, depths):
    found = kin(name)
    assert list(found) == depths and (not depths or name in found.values())
    assert all(zoo.NETWORKS[other].family == zoo.NETWORKS[name].family for other in found.values())


def test_the_way_around_a_block_is_told_by_its_name():
    layers = summary("resnet18").layers
    assert [layer.name for layer in layers if architecture_graph.around(layer)] == [
        f"layer{stage}.0.downsample.{part}" for stage in (2, 3, 4) for part in (0, 1)]
