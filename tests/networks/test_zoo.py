"""Every network by its name: totals as published, arguments taken or refused, one sentence for what does not exist."""

import json

import pytest
import torch
import torchvision

from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

IMAGENET = {18: (11_689_512, 11_694_312), 34: (21_797_672, 21_806_184), 50: (25_557_032, 25_583_592),
            101: (44_549_160, 44_601_832), 152: (60_192_808,
                                                 60_268_520)}  # without and with biases in every convolution
CIFAR = {20: (269_722, 272_474), 32: (464_154, 466_906), 44: (658_586, 661_338), 56: (853_018, 855_770),
         110: (1_727_962, 1_730_714)}  # shortcut A (and plain), shortcut B
KIN = ("wide-resnet50-2", "wide-resnet101-2", "resnext50-32x4d", "resnext101-32x8d", "resnext101-64x4d")
FAMILIES = {"ImageNet ResNet": (224, (1000,)), "wide ResNet": (224, (1000,)), "ResNeXt": (224, (1000,)),
            "CIFAR ResNet": (32, (10,)), "CIFAR plain": (32, (10,)), "ResNet with CIFAR stem": (32, (10,))}
COURSES = {"simple-cnn": (32, (10,)), "hw4-resnet": (32, (100,)), "grapheme-resnet": (64, (168, 11, 7))}


def params(name, **arguments):
    return zoo.num_params(zoo.build(name, arguments, device="meta"))


@pytest.mark.parametrize("depth", IMAGENET)
def test_imagenet_totals(depth):
    without, biased = IMAGENET[depth]
    assert params(f"resnet{depth}") == without
    assert params(f"resnet{depth}", conv_bias=True) == biased
    if depth >= 50:
        assert params(f"resnet{depth}", variant="v1") == without


@pytest.mark.parametrize("depth", CIFAR)
def test_cifar_totals(depth):
    a, b = CIFAR[depth]
    assert params(f"resnet{depth}") == params(f"plain{depth}") == a
    assert params(f"resnet{depth}", shortcut="B") == b


@pytest.mark.parametrize("name", KIN)
def test_totals_of_wide_and_resnext_are_those_torchvision_publishes(name):
    assert params(name) == torchvision.models.get_model_weights(name.replace("-", "_")).DEFAULT.meta["num_params"]


def test_totals_of_the_course():
    assert params("simple-cnn") == 60_554
    assert params("hw4-resnet") == 4_035_364
    assert params("grapheme-resnet") == 11_612_858
    assert params("resnet18", heads=[10]) == 11_181_642
    rows = [p.numel() for p in zoo.build("simple-cnn").parameters()]
    assert [weight + bias for weight, bias in zip(rows[::2], rows[1::2])] == [896, 64, 18_496, 128, 40_970]


def test_the_names_of_the_command_line():
    cifar = [8, 14, 20, 32, 44, 56, 110]
    names = [f"resnet{d}" for d in (18, 34, 50, 101, 152, *cifar)] + [f"plain{d}" for d in cifar] + \
            ["resnet18-cifar", "resnet34-cifar", "resnet50-cifar", *KIN, *COURSES]
    assert set(names) == set(zoo.NETWORKS)
    for name, network in zoo.NETWORKS.items():
        assert network.name == name and network.description and network.family
        assert (network.input_size, network.heads) == (COURSES.get(name) or FAMILIES[network.family])
        assert network.in_channels == zoo.channels_of(name, {}) == (1 if name == "grapheme-resnet" else 3)


@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_what_the_zoo_says_is_what_it_builds(name):
    model = zoo.build(name, device="meta")
    assert model.fc.out_features == sum(zoo.heads_of(name, {})) == sum(zoo.NETWORKS[name].heads)
    assert model.training and all(p.is_meta for p in model.parameters())
    assert getattr(model, "spec", None) == zoo.NETWORKS[name].spec
    assert model.conv1.in_channels == zoo.NETWORKS[name].in_channels
    if spec := zoo.NETWORKS[name].spec:  # the number in the name: convolutions on the main path, and the linear layer
        convs = sum(spec.depths) * (3 if spec.block == "bottleneck" else 2) + 2
        assert name.removesuffix("-cifar").removeprefix("wide-").split("-")[0] in (
            f"resnet{convs}", f"plain{convs}", f"resnext{convs}")


@pytest.mark.parametrize(("name", "arguments", "size"), [
    ("resnet8", {}, 32), ("plain8", {}, 32), ("simple-cnn", {"in_channels": 1}, 32), ("resnet18-cifar", {}, 16),
    ("resnet18", {"stem": "cifar", "heads": [4], "in_channels": 4}, 16),
])
def test_small_ones_run(name, arguments, size):
    model = zoo.build(name, arguments).eval()
    with torch.no_grad():
        out = model(torch.zeros(2, arguments.get("in_channels", 3), size, size))
    assert out.shape == (2, sum(zoo.heads_of(name, arguments)))


def test_a_cifar_stem_keeps_the_resolution():
    model = zoo.build("resnet18", {"stem": "cifar"}, device="meta")
    assert model.conv1.kernel_size == (3, 3) and model.conv1.stride == (1, 1) and model.maxpool is None
    assert model.state_dict().keys() == zoo.build("resnet18-cifar", device="meta").state_dict().keys()


def test_a_custom_network_needs_its_whole_spec():
    spec = {"block": "basic", "depths": [2, 5, 1, 3], "widths": [8, 16, 24, 32], "heads": [3], "stem": "cifar",
            "stem_width": 8, "shortcut": "A"}
    model = zoo.build(zoo.CUSTOM, json.loads(json.dumps(spec)))
    assert [len(getattr(model, stage)) for stage in model.stages] == spec["depths"]
    with pytest.raises(Problem, match="depths"):
        zoo.build(zoo.CUSTOM, {"block": "basic"})


@pytest.mark.parametrize(("name", "arguments", "words"), [
    ("resnet19", {}, "Unknown network 'resnet19'; choose one of: resnet18"), ("", {}, "Unknown network"),
    ("ResNet18", {}, "Unknown network"),
    ("resnet18", {"colour": 1}, "Unknown network argument 'colour'"), ("resnet18", {"heads": 10}, "heads"),
    ("resnet18", {"heads": [0]}, "heads"), ("resnet18", {"heads": [-5]}, "heads"),
    ("resnet20", {"shortcut": ["A"]}, "Unknown shortcut"),
    ("plain20", {"shortcut": "A"}, "that is what makes it plain"),
    ("simple-cnn", {"stem": "cifar"}, "simple-cnn has no stem"),
    ("hw4-resnet", {"activation": "tanh"}, "has no activation to set; it takes heads, in_channels and dropout."),
    ("grapheme-resnet", {"dropout": 0.5}, "grapheme-resnet has no dropout"), ("hw4-resnet", {"dropout": 1}, "dropout"),
    ("resnext50-32x4d", {"groups": 3}, "3 groups cannot share 128"),
    ("simple-cnn", {"heads": [2**60]}, "heads"), ("simple-cnn", {"heads": ["a"]}, "heads"),
    ("hw4-resnet", {"heads": [2**20, 1]}, "heads"),
    ("simple-cnn", {"in_channels": -1}, "in_channels"),
    ("simple-cnn", {"dropout": 5}, "dropout"), ("simple-cnn", {"dropout": "much"}, "simple-cnn cannot be built"),
    (zoo.CUSTOM, {}, "custom-resnet cannot be built"),
])
def test_what_cannot_be_built_is_one_sentence(name, arguments, words):
    with pytest.raises(Problem, match=words) as caught:
        zoo.build(name, arguments, device="meta")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_huge_wrong_name_is_not_repeated():
    with pytest.raises(Problem) as caught:
        zoo.find("x" * 10_000)
    assert len(str(caught.value)) < 500
