"""The network behind names and shapes: recognised in the namings in common use, refused by name of what disagrees."""

import json
import random

import pytest
import torch
import torchvision

from resnet_viz import checkpoints, doctor
from resnet_viz.networks import zoo
from tests.foreign_networks import CifarResNet, randomised, shapes

KEYS = {"recognised", "network", "family", "shortcut", "num_classes", "conv_bias", "in_channels", "params", "format",
        "missing",
        "unexpected", "notes"}


def diagnosis(found: dict, header=None) -> doctor.Diagnosis:
    result = doctor.diagnose(found, header, "state_dict")
    document = result.to_dict()
    assert set(document) == KEYS and json.dumps(document, allow_nan=False)
    assert result.recognised or (result.notes and len(result.notes[0]) < 400 and "\n" not in result.notes[0])
    return result


def meta_shapes(network: str, **arguments):
    return shapes(zoo.build(network, arguments, device="meta"))


def in_words(depths) -> str:
    """How the card says the blocks of each stage, e.g. "4 stages of 2, 5, 1 and 3 b(asic blocks)"."""
    if len(set(depths)) == 1:
        return f"{len(depths)} stages of {depths[0]} b"
    return f"{len(depths)} stages of {', '.join(map(str, depths[:-1]))} and {depths[-1]} b"


def without(found: dict, *names: str) -> dict:
    return {name: shape for name, shape in found.items() if name not in names}


@pytest.mark.parametrize(("name", "params"), [("resnet18", 11_689_512), ("resnet34", 21_797_672),
                                              ("resnet50", 25_557_032),
                                              ("resnet101", 44_549_160), ("resnet152", 60_192_808)])
def test_torchvisions(name, params):
    with torch.device("meta"):
        found = diagnosis(shapes(getattr(torchvision.models, name)()))
    assert found.recognised and found.network == name and found.family == "ImageNet ResNet" and found.shortcut == "B"
    assert (found.num_classes, found.conv_bias, found.in_channels, found.params) == (1000, False, 3, params)
    assert found.missing == found.unexpected == ()


@pytest.mark.parametrize("name", [name for name, n in zoo.NETWORKS.items() if n.family != "CIFAR plain"])
def test_every_network_of_the_zoo_is_named_after_itself(name):
    found = diagnosis(meta_shapes(name))
    assert found.recognised and found.network == name and found.num_classes == sum(zoo.NETWORKS[name].heads)
    assert found.params == zoo.num_params(zoo.build(name, device="meta"))


def test_a_plain_network_cannot_be_told_from_shortcut_a_and_the_notes_say_so():
    found = diagnosis(meta_shapes("plain20"))
    assert found.recognised
    assert found.network == "resnet20"
    assert found.shortcut == "A"
    assert "plain network" in found.assumed[-1] and found.undecided["shortcut"] == ("A", None)
    told = diagnosis(meta_shapes("plain20"), {"network": "plain20", "arguments": {"heads": [10]}})
    assert told.network == "plain20" and told.family == "CIFAR plain" and told.shortcut is None and told.assumed == told.warnings == ()


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "backbone.", "encoder.", "module.model.",
                                    "_orig_mod.module."])
def test_prefixes(prefix):
    found = diagnosis({prefix + name: shape for name, shape in meta_shapes("resnet18").items()})
    assert found.recognised and found.network == "resnet18" and found.renamed["fc.weight"] == prefix + "fc.weight"


@pytest.mark.parametrize(("depths", "option", "name"), [
    ((3, 3, 3), "A", "resnet20"), ((3, 3, 3), "B", "resnet20"), ((9, 9, 9), "A", "resnet56"),
])
def test_cifar_repositories(depths, option, name):
    found = diagnosis({f"module.{k}": s for k, s in shapes(CifarResNet(depths, (16, 32, 64), option)).items()})
    assert found.recognised and found.network == name and found.shortcut == option and found.family == "CIFAR ResNet"


def test_a_cifar_resnet18_of_the_repositories():
    with torch.device("meta"):
        found = diagnosis(shapes(CifarResNet((2, 2, 2, 2), (64, 128, 256, 512), "B", classes=100)))
    assert found.recognised
    assert found.network == "resnet18-cifar"
    assert found.num_classes == 100
    assert found.params == 11_220_132


@pytest.mark.parametrize("draw", range(12))
def test_drawn_at_random_with_the_same_logits(draw, tmp_path):
    """All by chance; rebuilt from names and shapes alone, it answers as the original."""
    rng = random.Random(draw)
    option, stages = rng.choice("AB"), rng.choice([2, 3, 4])
    depths = (2, 5, 1, 3) if draw == 0 else tuple(rng.randint(1, 3) for _ in range(stages))
    widths = tuple(sorted(rng.randint(3, 24) for _ in depths))
    channels, classes = rng.choice([1, 3, 4]), rng.choice([7, 10, 43, 1000])
    torch.manual_seed(draw)
    theirs = randomised(CifarResNet(depths, widths, option, classes, channels,
                                    stem_width=min(widths[0], rng.randint(2, 6))))
    torch.save({"net": {f"module.{k}": t for k, t in theirs.state_dict().items()}, "acc": 90.1, "epoch": 5},
               tmp_path / "ckpt.pth")
    read = checkpoints.read(tmp_path / "ckpt.pth")
    assert read.network == zoo.CUSTOM
    assert read.arguments["depths"] == list(depths)
    assert read.arguments["widths"] == list(widths)
    assert read.format == "state_dict under 'net'" and in_words(depths) in read.found[0]
    x = torch.randn(2, channels, 20, 20)
    with torch.no_grad():
        expected, ours = theirs(x), checkpoints.model(read)(x)
    assert (ours - expected).abs().max() <= 1e-5 * max(1.0, expected.abs().max().item())


@pytest.mark.parametrize("arguments", [
    {"heads": [7]}, {"heads": [120], "in_channels": 1}, {"in_channels": 4}, {"conv_bias": True, "heads": [3]},
    {"norm": "none"}, {"shortcut": "A"},
    {"norm": "none", "conv_bias": True},
])
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnet20"])
def test_a_network_keeps_its_name_whatever_its_ends_are(name, arguments):
    found = diagnosis(meta_shapes(name, **arguments))
    assert found.recognised and found.network == name
    rebuilt = zoo.build(name, found.arguments, device="meta")
    assert shapes(rebuilt) == meta_shapes(name, **arguments)
    assert found.conv_bias == arguments.get("conv_bias", False) and found.in_channels == arguments.get("in_channels", 3)


@pytest.mark.parametrize("change", [{"widths": [32, 64, 128, 256], "stem_width": 32}, {"depths": [2, 5, 1, 3]},
                                    {"depths": [1, 1], "widths": [8, 8]},
                                    {"block": "bottleneck", "depths": [1, 2, 1, 1]},
                                    {"stem": "cifar", "depths": [3, 4, 23, 3]}])
def test_what_no_name_fits_is_custom_with_its_numbers(change):
    spec = zoo.NETWORKS["resnet18"].spec.arguments() | change
    found = diagnosis(meta_shapes(zoo.CUSTOM, **spec))
    assert found.recognised
    assert found.network == "custom-resnet"
    assert found.family == "custom ResNet"
    assert found.found[0].startswith("A custom ResNet")
    assert all(found.arguments[key] == value for key, value in change.items())
    assert in_words(spec["depths"]) in found.found[0]


def test_bottlenecks_say_that_the_stride_is_assumed():
    assert any("v1.5" in note for note in diagnosis(meta_shapes("resnet50")).notes)
    assert not any("v1.5" in note for note in diagnosis(meta_shapes("resnet18")).notes)


def test_older_files_lack_the_counters_of_batch_norm():
    found = diagnosis({n: s for n, s in meta_shapes("resnet18").items() if not n.endswith("num_batches_tracked")})
    assert found.recognised and found.missing == ()


# Missing, unexpected, mixed up

@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnet20"])
@pytest.mark.parametrize("lost", ["conv1.weight", "bn1.weight", "bn1.running_var", "layer1.0.conv1.weight",
                                  "layer2.0.conv1.weight",
                                  "layer1.0.conv2.weight", "layer2.0.bn2.bias", "layer3.1.conv1.weight", "fc.weight",
                                  "fc.bias"])
def test_one_missing_tensor_is_named(name, lost):
    found = diagnosis(without(meta_shapes(name), lost))
    assert not found.recognised and found.missing == (lost,) and lost in found.notes[0]


@pytest.mark.parametrize("lost", ["layer1.0.conv3.weight", "layer4.2.conv3.weight", "layer2.0.downsample.0.weight",
                                  "layer1.0.downsample.1.bias"])
def test_one_missing_tensor_of_a_bottleneck_is_named(lost):
    found = diagnosis(without(meta_shapes("resnet50"), lost))
    assert not found.recognised and found.missing == (lost,) and lost in found.notes[0]


@pytest.mark.parametrize("lost", ["conv1.bias", "layer2.1.conv2.bias", "layer3.0.downsample.0.bias"])
def test_one_missing_bias_is_named(lost):
    found = diagnosis(without(meta_shapes("resnet18", conv_bias=True), lost))
    assert not found.recognised and found.missing == (lost,)


def test_a_missing_block_is_counted():
    found = diagnosis({n: s for n, s in meta_shapes("resnet34").items() if not n.startswith("layer3.2.")})
    assert not found.recognised and found.missing[0].startswith("layer3.2.") and "tensors are missing" in found.notes[0]


def test_what_belongs_to_no_layer_is_listed_and_not_used():
    found = diagnosis(meta_shapes("resnet20") | {"aux.weight": (3, 4), "n_averaged": ()})
    assert found.recognised and found.unexpected == ("aux.weight", "n_averaged") and "aux.weight" in found.warnings[0]


@pytest.mark.parametrize("extra", ["layer1.0.se.fc1.weight", "layer2.1.conv4.weight", "conv2.weight"])
def test_a_layer_that_would_be_left_out_is_refused(extra):
    """A squeeze-and-excitation network has a ResNet's tensors and more: without them it is another function."""
    found = diagnosis(meta_shapes("resnet18") | {extra: (4, 64, 1, 1)})
    assert not found.recognised and extra in found.notes[0] and found.unexpected == (extra,)


def test_pre_activation_networks_are_not_mistaken_for_networks_without_normalisation():
    found = diagnosis({n: s for n, s in meta_shapes("resnet18-cifar").items() if not n.startswith("bn1.")
                       and ".downsample.1." not in n})
    assert not found.recognised


@pytest.mark.parametrize(("changed", "shape"), [
    ("layer2.1.conv1.weight", (128, 64, 3, 3)), ("layer3.0.bn1.weight", (255,)),
    ("layer1.0.conv2.weight", (64, 64, 5, 5)),
    ("layer2.0.downsample.0.weight", (128, 64, 3, 3)), ("fc.bias", (999,)), ("conv1.weight", (64, 3, 7, 5)),
    ("bn1.num_batches_tracked", (1,)),
])
def test_the_first_tensor_that_disagrees_is_named_with_both_shapes(changed, shape):
    found = diagnosis(meta_shapes("resnet18") | {changed: shape})
    right = meta_shapes("resnet18")[changed]
    assert not found.recognised
    assert found.notes[0] == f"{changed} has shape {list(shape)} in the file, but {list(right)} in the network."


@pytest.mark.parametrize(("changed", "shape", "words"), [
    ("conv1.weight", (64, 3, 5, 5), "5x5"), ("conv1.weight", (64,), "not 4 dimensions"),
    ("fc.weight", (10, 100), "fc.weight has 100 inputs"),
    ("fc.weight", (0, 512), "whole numbers"), ("layer1.0.conv1.weight", (10**12, 0, 3, 3), "whole numbers"),
    ("layer2000.0.conv1.weight", (64, 64, 3, 3), "layer2000"),
    ("layer7.0.conv1.weight", (64, 64, 3, 3), "not complete"),
    ("layer1.9999.conv1.weight", (64, 64, 3, 3), "too deep"), ("linear.weight", (1000, 512), "same tensor"),
])
def test_mixed_up_shapes_and_names(changed, shape, words):
    found = diagnosis(meta_shapes("resnet18") | {changed: shape})
    assert not found.recognised and words in found.notes[0]


def test_two_networks_mixed_up():
    mixed = meta_shapes("resnet18") | {n: s for n, s in meta_shapes("resnet50").items() if n.startswith("layer3")}
    found = diagnosis(mixed)
    assert not found.recognised and found.notes


@pytest.mark.parametrize("make", [
    torchvision.models.vgg11, torchvision.models.vit_b_16, torchvision.models.densenet121, torchvision.models.alexnet,
    torchvision.models.mobilenet_v2, torchvision.models.shufflenet_v2_x0_5,
], ids=lambda make: make.__name__)
def test_other_architectures_are_refused(make):
    with torch.device("meta"):
        found = diagnosis(shapes(make()))
    assert not found.recognised and found.network in (None, zoo.CUSTOM) and found.notes[0].endswith(".")


@pytest.mark.parametrize("found", [{}, {"a": (1,)}, {"module.": (3,)}, {"conv1.weight": ()}, {"x" * 10_000: (2,)}])
def test_next_to_nothing(found):
    assert not diagnosis(found).recognised


@pytest.mark.parametrize("header", [
    {}, {"network": 5, "arguments": {}}, {"network": "resnet18"}, {"network": "resnet999", "arguments": {}},
    {"network": "x" * 9999, "arguments": {}},
    {"network": "resnet20", "arguments": {"heads": 10}}, {"network": "resnet20", "arguments": {"heads": [10**15]}},
    {"network": "resnet20", "arguments": {"depths": [10**9, 1, 1]}},
    {"network": "resnet20", "arguments": {"widths": [10**12, 1, 1]}},
    {"network": "simple-cnn", "arguments": {"in_channels": -3}},
    {"network": "simple-cnn", "arguments": {"heads": [10**18]}},
    {"network": "resnet20", "arguments": {"os": "x" * 9999}}, {"network": "custom-resnet", "arguments": {}},
])
def test_a_header_that_cannot_be_built(header):
    assert not diagnosis(meta_shapes("resnet20"), header).recognised


def test_a_header_that_its_tensors_belie():
    found = diagnosis(meta_shapes("resnet20"), {"network": "resnet32", "arguments": {}})
    assert not found.recognised and found.missing


def test_what_is_left_open_goes_back_to_the_assumption():
    found = diagnosis(meta_shapes("resnet50"))
    chosen = doctor.with_arguments(found, {"variant": "v1"})
    assert chosen.arguments["variant"] == "v1" and "Set by hand: variant v1." in chosen.found
    assert doctor.with_arguments(doctor.with_arguments(chosen, {"variant": "v1"}), {}) == found


def test_a_network_that_is_known_in_the_same_words():
    assert doctor.in_words("resnet50", {}) == diagnosis(meta_shapes("resnet50")).found[:2]
    (sentence,) = doctor.in_words("simple-cnn", {})
    assert sentence.startswith("simple-cnn, course network: two convolutions")
