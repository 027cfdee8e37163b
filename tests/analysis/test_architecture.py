"""The table of layers against torch's own forward, torchvision, torch's flop counter and published totals."""

import json
import math

import pytest
import torch
import torchinfo
import torchvision
from torch.utils.flop_counter import FlopCounterMode

from resnet_viz.__main__ import main
from resnet_viz.analysis import arithmetic
from resnet_viz.analysis.architecture import FOLDS, JSON_KEYS, choices, command, fold, repeats, summary, to_json
from resnet_viz.analysis.layer_shapes import windows
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

SUMS = ("params", "macs")


def hooked(model, size, channels=3):
    """(name, input shape, output shape) of each leaf call, as forward hooks on a real pass see them."""
    calls = []
    for name, module in model.named_modules():
        if not list(module.children()) and not isinstance(module, torch.nn.Identity):
            module.register_forward_hook(
                lambda _, inputs, output, name=name: calls.append(
                    (name, tuple(inputs[0].shape[1:]), tuple(output.shape[1:]))))
    with torch.no_grad():
        model.eval()(torch.zeros(1, channels, size, size))
    return calls


@pytest.mark.parametrize(("network", "arguments", "size"), [
    ("resnet8", {}, 33),
    ("resnet8", {"shortcut": "B"}, 32),
    ("plain8", {"norm": "none", "activation": "tanh"}, 30),
    ("resnet18", {"heads": [7], "in_channels": 1, "conv_bias": True}, 65),
    ("resnet50", {"heads": [5, 3], "variant": "v1"}, 97),
    ("resnet50-cifar", {}, 17),
    ("resnext50-32x4d", {"heads": [4]}, 65),
    ("simple-cnn", {}, 32),
    ("hw4-resnet", {}, 30),
    ("grapheme-resnet", {}, 91),
])
def test_rows_are_the_leaf_calls_of_a_real_forward(network, arguments, size):
    rows = [(row.name, row.input_shape, row.output_shape) for row in summary(network, arguments, size).layers]
    assert rows == hooked(zoo.build(network, arguments), size, zoo.channels_of(network, arguments))


@pytest.mark.parametrize("network", ["resnet18", "resnet50"])
def test_weights_and_shapes_are_torchvisions(network):
    theirs = getattr(torchvision.models, network)()
    weights = [(name, shape) for name, _, shape in hooked(theirs, 64) if "relu" not in name]
    ours = [(row.name, row.output_shape) for row in summary(network, {}, 64).layers if row.kind not in ("ReLU", "Add")]
    assert ours == weights
    parameters = {f"{row.name}.weight": row.weight_shape for row in summary(network, {}, 64).layers if row.weight_shape}
    assert parameters == {name: tuple(p.shape) for name, p in theirs.named_parameters() if name.endswith("weight")}


def on_meta(network, arguments, size):
    """A fresh model and a picture for it, without memory."""
    model = zoo.build(network, arguments, device="meta").eval()
    return model, torch.empty((2, zoo.channels_of(network, arguments), size, size), device="meta")


EVERY = [(name, {}, min(network.input_size, 64)) for name, network in zoo.NETWORKS.items()] + [
    ("resnet50", {"variant": "v1", "conv_bias": True}, 224), ("resnet20", {"shortcut": "B", "norm": "none"}, 32)]


@pytest.mark.short(10)
@pytest.mark.parametrize(("network", "arguments", "size"), EVERY)
def test_macs_are_half_of_torchs_flops(network, arguments, size):
    model, pictures = on_meta(network, arguments, size)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(pictures)
    assert 2 * 2 * summary(network, arguments, size).totals["macs"] == counter.get_total_flops()


@pytest.mark.short(10)
@pytest.mark.parametrize(("network", "arguments", "size"), EVERY)
def test_totals_are_torchinfos(network, arguments, size):
    """It also counts a multiply-add for every bias of every output and for every number of a batch norm's vectors."""
    model, pictures = on_meta(network, arguments, size)
    theirs = torchinfo.summary(model, input_data=pictures[:1], verbose=0)
    ours = summary(network, arguments, size)
    assert (ours.totals["params"], ours.totals["trainable_params"]) == (theirs.total_params, theirs.trainable_params)
    assert ours.totals["weights_bytes"] == theirs.total_param_bytes
    extra = 0
    for row in ours.layers:
        biases = row.params - math.prod(row.weight_shape or (0,))
        positions = math.prod(row.output_shape[1:]) if row.kind == "Conv2d" else 1
        extra += row.params if row.kind == "BatchNorm2d" else biases * positions
    assert ours.totals["macs"] + extra == theirs.total_mult_adds
    assert 2 * sum(row.activation_bytes for row in ours.layers if row.params) == theirs.total_output_bytes  # back too


@pytest.mark.parametrize(("depth", "params", "with_biases", "macs_v15", "macs_v1"), [
    (18, 11_689_512, 11_694_312, 1.81, 1.81),
    (34, 21_797_672, 21_806_184, 3.66, 3.66),
    (50, 25_557_032, 25_583_592, 4.09, 3.86),
    (101, 44_549_160, 44_601_832, 7.80, 7.57),
    (152, 60_192_808, 60_268_520, 11.51, 11.28),
])
def test_published_totals_of_the_imagenet_family(depth, params, with_biases, macs_v15, macs_v1):
    name = f"resnet{depth}"
    assert summary(name, {}, 224).totals["params"] == params
    assert round(summary(name, {}, 224).totals["macs"] / 1e9, 2) == macs_v15
    old = summary(name, {"variant": "v1", "conv_bias": True}, 224).totals
    assert old["params"] == old["trainable_params"] == with_biases
    assert round(old["macs"] / 1e9, 2) == macs_v1  # a bias adds no multiply-add


@pytest.mark.parametrize(("depth", "params", "option_b"), [
    (20, 269_722, 272_474), (32, 464_154, 466_906), (44, 658_586, 661_338), (56, 853_018, 855_770),
    (110, 1_727_962, 1_730_714),
])
def test_published_totals_of_the_cifar_family(depth, params, option_b):
    assert summary(f"resnet{depth}", {}, 32).totals["params"] == params
    assert summary(f"plain{depth}", {}, 32).totals["params"] == params
    assert summary(f"resnet{depth}", {"shortcut": "B"}, 32).totals["params"] == option_b


@pytest.mark.parametrize("network", ["wide-resnet50-2", "wide-resnet101-2", "resnext50-32x4d", "resnext101-32x8d",
                                     "resnext101-64x4d"])
def test_multiply_adds_of_wide_and_resnext_are_those_torchvision_publishes(network):
    published = torchvision.models.get_model_weights(network.replace("-", "_")).DEFAULT.meta["_ops"]
    assert round(summary(network, {}, 224).totals["macs"] / 1e9, 3) == published


def test_a_grouped_convolution_takes_a_share_of_the_channels():
    rows = {row.name: row for row in summary("resnext50-32x4d", {}, 224).layers}
    row = rows["layer1.0.conv2"]
    assert row.weight_shape == (128, 128 // 32, 3, 3) and row.macs == 56 * 56 * 128 * (128 // 32) * 9
    assert dict(arithmetic.lines(row))["inputs of each filter"] == "128 channels / 32 groups = 4"
    assert "inputs of each filter" not in dict(arithmetic.lines(rows["layer1.0.conv1"]))


def test_the_labs_network():
    lab = summary("simple-cnn", None, 32)
    assert [row.params for row in lab.layers if row.params] == [896, 64, 18_496, 128, 40_970]
    assert (lab.totals["params"], lab.totals["macs"]) == (60_554, 5_644_288)


def test_one_layer_in_full():
    row = summary("resnet152", {}, 224).layers[0]
    assert (row.name, row.kind, row.input_shape, row.output_shape) == ("conv1", "Conv2d", (3, 224, 224), (64, 112, 112))
    assert (row.weight_shape, row.params, row.macs) == ((64, 3, 7, 7), 9_408, 118_013_952)
    assert (row.kernel, row.stride, row.padding, row.activation_bytes) == ((7, 7), (2, 2), (3, 3), 64 * 112 * 112 * 4)


@pytest.mark.short(20)
@pytest.mark.parametrize("network", zoo.NETWORKS)
@pytest.mark.parametrize("level", FOLDS)
def test_every_fold_adds_up_to_the_totals(network, level):
    whole = summary(network, {}, zoo.find(network).input_size)
    rows = fold(whole, level)
    assert rows[-1].receptive_field == whole.layers[-1].receptive_field
    assert {key: sum(getattr(row, key) for row in rows) for key in SUMS} == {key: whole.totals[key] for key in SUMS}
    assert sum(row.activation_bytes for row in rows) == sum(row.activation_bytes for row in whole.layers)
    assert rows[-1].output_shape == whole.layers[-1].output_shape


def test_folds_of_resnet50():
    stages = fold(summary("resnet50", {}, 224), "stage")
    assert [row.name for row in stages] == ["stem", "layer1", "layer2", "layer3", "layer4", "head"]
    assert [row.output_shape[1] for row in stages[:-1]] == [56, 56, 28, 14, 7]  # the paper's table 1
    assert stages[3].kind == "6 x Bottleneck"
    assert len(fold(summary("resnet50", {}, 224), "block")) == 2 + 16


@pytest.mark.short(10)
@pytest.mark.parametrize("network", zoo.NETWORKS)
def test_repeats_are_all_blocks_once_in_order(network):
    model = zoo.build(network, device="meta")
    found = repeats(summary(network, {}, zoo.find(network).input_size))
    blocks = [name for name, module in model.named_modules() if type(module).__name__.endswith(("Block", "Bottleneck"))]
    assert [name for repeat in found for name in repeat.names] == blocks
    assert all(repeat.first == repeat.names[0] and repeat.count == len(repeat.names) for repeat in found)


@pytest.mark.parametrize(("network", "counts"), [
    ("resnet152", [1, 2, 1, 7, 1, 35, 1, 2]),  # the first of each stage projects
    ("resnet18", [2, 1, 1, 1, 1, 1, 1]),  # no projection in conv2_x of basic blocks
    ("resnet20", [3, 1, 2, 1, 2]), ("simple-cnn", []), ("hw4-resnet", [2, 1, 3, 1, 3, 1, 1]),
])
def test_equal_neighbours_are_one_repeat(network, counts):
    assert [repeat.count for repeat in repeats(summary(network, {}, zoo.find(network).input_size))] == counts


def test_blocks_that_differ_in_stride_alone_are_not_equal():
    spec = {"block": "basic", "depths": [1, 2], "widths": [8, 8], "heads": [2], "stem": "cifar", "stem_width": 8,
            "shortcut": None}
    one_pixel = summary("custom-resnet", spec, 1)  # where stride 2 leaves what stride 1 leaves
    assert [repeat.names for repeat in repeats(one_pixel)] == [("layer1.0",), ("layer2.0",), ("layer2.1",)]


@pytest.mark.parametrize("network", ["resnet8", "resnet18", "plain8", "hw4-resnet", "grapheme-resnet", "simple-cnn"])
def test_the_wiring_gives_each_layer_what_the_one_before_put_out(network):
    rows = summary(network, {}, zoo.find(network).input_size).layers
    blocks = {row.name.rpartition(".")[0] for row in rows if row.kind == "Add"}
    for number, row in enumerate(rows):
        sources = [rows[i].output_shape if i >= 0 else summary(network, {}, zoo.find(network).input_size).input_shape
                   for i in row.inputs]
        assert all(math.prod(shape) == math.prod(row.input_shape) for shape in sources)
        assert all(i < number for i in row.inputs) and len(row.inputs) == (2 if row.kind == "Add" else 1)
        if row.kind == "Add":  # one way leads through the block, the other around it or through its projection
            block = row.name.rpartition(".")[0]
            inside = [rows[i].name.startswith(f"{block}.") for i in row.inputs]
            assert inside[0] and inside[1] == any(r.name.startswith(f"{block}.downsample") for r in rows)
    assert len(blocks) == sum(row.kind == "Add" for row in rows)


def test_bytes_of_weights_and_buffers_are_those_of_a_state_dict():
    model = zoo.build("resnet20")
    totals = summary("resnet20", {}, 32).totals
    assert totals["weights_bytes"] == sum(p.nbytes for p in model.parameters())
    assert totals["buffers_bytes"] == sum(b.nbytes for b in model.buffers())


def test_the_document_of_the_command_line():
    document = json.loads(json.dumps(to_json(summary("resnet8", {}, 32))))
    assert set(document) == {"network", "input_shape", "layers", "totals"}
    assert document["input_shape"] == [3, 32, 32]
    assert all(tuple(layer) == JSON_KEYS for layer in document["layers"])
    assert document["layers"][2]["weight_shape"] is None  # an activation


@pytest.mark.parametrize(("network", "arguments"), [
    ("resnet18", {"heads": [168, 11, 7], "in_channels": 1, "activation": "tanh", "norm": "none", "conv_bias": True}),
    ("resnet50", {"heads": [3], "variant": "v1", "stem": "cifar"}), ("resnet20", {"shortcut": "B"}),
    ("grapheme-resnet", {}),
])
def test_the_command_gives_the_same_table(network, arguments, capsys):
    size = zoo.find(network).input_size
    words = command(network, arguments, size).split()
    assert words[:3] == ["python", "-m", "resnet_viz"] and main([*words[3:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == to_json(summary(network, arguments, size))


@pytest.mark.parametrize(("network", "arguments"), [
    ("resnet18", {"depths": [1, 1, 1, 1]}), ("custom-resnet", {}), ("resnet20", {"shortcut": None}),
])
def test_no_command_is_shown_for_what_it_cannot_say(network, arguments):
    assert command(network, arguments, 32) is None


@pytest.mark.short(4)
@pytest.mark.parametrize("network", zoo.NETWORKS)
def test_every_choice_that_is_offered_can_be_built(network):
    for key, values in choices(network).items():
        assert len(values) > 1
        for value in values:
            model = zoo.build(network, {key: value}, device="meta")
            assert getattr(model.spec, key) == value
        assert values[0] == getattr(zoo.NETWORKS[network].spec, key)


@pytest.mark.parametrize(("network", "arguments", "size", "words"), [
    ("simple-cnn", {}, 64, "pictures of 32 to 35 pixels a side, not 64 x 64"),
    ("hw4-resnet", {}, 24, "pictures of 25 to 56 pixels a side, not 24 x 24"),
    ("grapheme-resnet", {}, 92, "pictures of 28 to 91 pixels a side, not 92 x 92"),
    ("simple-cnn", {}, 1, "At pool1 the size would reach 0"),
    ("hw4-resnet", {}, 24, "At maxpool the size would reach 0: 3 x 3 pixels"),
    ("grapheme-resnet", {}, 92, "At fc 2,048 numbers would arrive instead of 512"),
    ("resnet18", {}, 0, "input size must be between 1 and 4,096"),
    ("resnet18", {}, 100_000, "fits no computer"),
    ("resnet18", {"heads": [10**18]}, 224, "no data set has more"),
    ("resnet18", {"depths": [10**9, 1, 1, 1]}, 224, "200 blocks"),
    ("resnet19", {}, 224, "Unknown network"),
])
def test_what_cannot_be_is_one_sentence(network, arguments, size, words):
    with pytest.raises(Problem, match=words):
        summary(network, arguments, size)


@pytest.mark.parametrize("ceil", [False, True])
def test_window_positions_are_torchs(ceil):
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        n, kernel, stride = (int(torch.randint(1, high, (), generator=generator)) for high in (20, 6, 5))
        padding = int(torch.randint(0, kernel // 2 + 1, (), generator=generator))
        if n + 2 * padding >= kernel:
            pool = torch.nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil)
            assert windows(n, kernel, stride, padding, ceil=ceil) == pool(torch.zeros(1, n, n)).shape[-1]


def test_arithmetic_with_the_layers_own_numbers():
    rows = {row.name: dict(arithmetic.lines(row)) for row in summary("resnet18", {"conv_bias": True}, 224).layers}
    assert rows["conv1"]["height and width"] == "⌊(224 + 2 × 3 − 7) / 2⌋ + 1 = 112"
    assert rows["conv1"]["sees of the picture"].startswith("1 + (7 − 1) × 1 = 7 pixels")
    assert rows["layer2.0.conv1"]["sees of the picture"] == (
        "43 + (3 − 1) × 4 = 51 pixels a side, padding included; neighbours are 4 × 2 = 8 apart")
    assert rows["conv1"]["parameters"] == "64 × 3 × 7 × 7 + 64 biases = 9,472"
    assert rows["conv1"]["multiply-adds"].startswith("802,816 × 147 = 118,013,952")
    assert rows["bn1"]["parameters"].startswith("2 × 64 = 128")
    assert rows["fc"]["parameters"] == "1,000 × 512 + 1,000 biases = 513,000"
    assert rows["act1"] == {"output of one picture": "64 × 112 × 112 = 802,816 numbers, 4 bytes each: 3.062 MiB"}
