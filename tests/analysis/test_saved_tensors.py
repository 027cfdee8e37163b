"""What autograd keeps, worked out from shapes, against what torch's own hooks count in a real forward pass."""

import pytest
import torch
import torchvision
from torch.nn import functional as F

from resnet_viz.analysis import saved_tensors
from resnet_viz.analysis.saved_tensors import COPY, LOSS, PRECISIONS, RULES
from resnet_viz.networks import zoo
from tests.refusals import refused

MIB = 2**20
TINY = {"block": "basic", "depths": [1, 1], "widths": [4, 8], "heads": [5], "stem": "cifar", "stem_width": 4,
        "shortcut": "B"}
KINDS = {  # name -> what differs from TINY
    "basic": {}, "bottleneck": {"block": "bottleneck"}, "v1": {"block": "bottleneck", "variant": "v1"},
    "groups": {"block": "bottleneck", "groups": 2}, "plain": {"shortcut": None}, "padded": {"shortcut": "A"},
    "imagenet stem": {"stem": "imagenet"}, "biases": {"conv_bias": True}, "no norm": {"norm": "none"},
    "three heads": {"heads": [5, 3, 2], "in_channels": 1}, "leaky": {"activation": "leaky-relu"},
    "elu": {"activation": "elu"}, "tanh": {"activation": "tanh"}, "sigmoid": {"activation": "sigmoid"},
}


def shape_count(network, arguments, size, batch, precision) -> int:
    found = saved_tensors.walk(network, arguments, size, precision).saved
    return sum(one.per_picture for one in found) * batch + sum(one.fixed for one in found)


def hook_count(model, heads, channels, size, batch, precision="fp32") -> int:
    """Distinct storages that torch hands to its hooks, but for parameters and buffers."""
    known = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    kept = {}

    def note(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()

    pictures = torch.randn(batch, channels, size, size).contiguous(memory_format=torch.channels_last)
    labels = torch.zeros(batch, len(heads), dtype=torch.long)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        with torch.autocast("cpu", PRECISIONS[precision], enabled=precision != "fp32"):
            logits = model(pictures)
        loss = sum(F.cross_entropy(part, labels[:, i]) for i, part in enumerate(logits.float().split(list(heads), 1)))
    assert loss.grad_fn is not None
    return sum(kept.values())


def both(network, arguments, size, batch, precision):
    model = zoo.build(network, arguments)
    heads, channels = zoo.heads_of(network, arguments), zoo.channels_of(network, arguments)
    return (shape_count(network, arguments, size, batch, precision),
            hook_count(model, heads, channels, size, batch, precision))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_network_to_the_byte(kind, precision):
    ours, torchs = both(zoo.CUSTOM, {**TINY, **KINDS[kind]}, 16, 3, precision)
    assert ours == torchs > 0


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("network", "arguments", "size"), [
    ("simple-cnn", {}, 33), ("simple-cnn", {"dropout": 0.0}, 32), ("hw4-resnet", {}, 32), ("grapheme-resnet", {}, 40)])
def test_the_course_networks_to_the_byte(network, arguments, size, precision):
    ours, torchs = both(network, arguments, size, 2, precision)
    assert ours == torchs > 0


@pytest.mark.short(2)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("network", ["resnet18", "resnet50", "resnet152", "resnext50-32x4d"])
def test_the_large_networks_to_the_byte(network, precision):
    ours, torchs = both(network, {}, 64, 1, precision)
    assert ours == torchs > MIB


@pytest.mark.parametrize(("network", "batch", "mib"), [("resnet18", 1, 21.19), ("resnet50", 1, 82.13),
                                                       ("resnet152", 1, 169.79), ("resnet152", 8, 1354.27)])
def test_the_published_figures(network, batch, mib):
    """Counted elsewhere in torchvision's networks on 224 x 224, without the loss."""
    found = [one for one in saved_tensors.walk(network, {}, 224).saved if one.kind != LOSS]
    count = sum(one.per_picture for one in found) * batch + sum(one.fixed for one in found)
    assert count / MIB == pytest.approx(mib, abs=0.006)


def test_a_relu_in_place_keeps_the_same_bytes():
    theirs = torchvision.models.resnet18()
    assert theirs.relu.inplace
    assert hook_count(theirs, [1000], 3, 64, 1) == shape_count("resnet18", {}, 64, 1, "fp32")


def test_leaky_relu_keeps_one_map_more():
    relu = shape_count("resnet20", {}, 32, 1, "fp32")
    leaky = shape_count("resnet20", {"activation": "leaky-relu"}, 32, 1, "fp32")
    assert leaky > 1.4 * relu


def test_dropout_takes_a_byte_on_a_gpu_and_a_number_on_the_cpu():
    def dropped(device, precision):
        found = saved_tensors.walk("simple-cnn", {}, 32, precision, device).saved
        return next(one.per_picture for one in found if one.kind == "Dropout")

    assert [dropped("cuda", "fp32"), dropped("cuda", "bf16")] == [4096, 4096]
    assert [dropped("cpu", "fp32"), dropped("cpu", "bf16")] == [4 * 4096, 2 * 4096]


def test_what_is_shared_is_counted_once_and_named():
    found = saved_tensors.walk("resnet20", {}, 32).saved
    shared = {one.layer: one.shared_with for one in found if one.shared_with}
    assert shared["layer1.0.conv1"] == "act1" and shared["layer1.0.conv2"] == "layer1.0.act1"
    assert all(one.per_picture == one.fixed == 0 for one in found if one.shared_with)


def test_copies_of_weights_are_those_of_convolutions_and_linear_layers():
    found = saved_tensors.walk("resnet18", {}, 64, "bf16").saved
    weights = sum(p.numel() for p in zoo.build("resnet18", device="meta").parameters() if p.ndim > 1)
    assert sum(one.fixed for one in found if one.what == COPY) == 2 * weights


def test_rows_by_kind_add_up_and_say_why():
    found = saved_tensors.walk("resnet50", {}, 64, "bf16").saved
    rows = {row["kind"]: row for row in saved_tensors.by_kind(found)}
    assert sum(row["per_picture_bytes"] for row in rows.values()) == sum(one.per_picture for one in found)
    assert sum(row["fixed_bytes"] for row in rows.values()) == sum(one.fixed for one in found)
    assert (rows["Conv2d"]["calls"], rows["BatchNorm2d"]["calls"], rows["ReLU"]["calls"]) == (53, 53, 49)
    assert all(row["keeps"] and row["why"] for row in rows.values())


def test_a_kind_without_a_rule_is_a_bug_that_shows(monkeypatch):
    monkeypatch.delitem(RULES, torch.nn.ReLU)
    with pytest.raises(TypeError, match="ReLU has no rule"):
        saved_tensors.walk("resnet8", {}, 32)


def test_refusals():
    with refused("fp32, bf16, fp16"):
        saved_tensors.walk("resnet8", {}, 32, "fp8")
