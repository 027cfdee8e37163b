"""The ResNet family against torchvision, against plain references written here, and against published totals."""

import json
from collections import Counter

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from resnet_viz.networks import zoo
from resnet_viz.networks.resnet import ACTIVATIONS, Add, PadShortcut, ResNet, ResNetSpec
from resnet_viz.problems import Problem
from tests.foreign_networks import randomised, shapes

TORCHVISIONS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide-resnet50-2", "wide-resnet101-2",
                "resnext50-32x4d", "resnext101-32x8d", "resnext101-64x4d")
TINY = {"block": "basic", "depths": (1, 2), "widths": (4, 6), "heads": (3,), "stem": "cifar", "stem_width": 4,
        "shortcut": "B"}


def picture(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2))


def close(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    """Equal to 1e-5 of the largest logit."""
    return bool(((ours - theirs).abs().max() <= 1e-5 * max(1.0, theirs.abs().max().item())))


def logits(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(x)


@pytest.mark.short(3)
@pytest.mark.parametrize("name", TORCHVISIONS)
def test_torchvisions_weights_give_torchvisions_logits(name):
    torch.manual_seed(0)
    theirs = randomised(getattr(torchvision.models, name.replace("-", "_"))(num_classes=7))
    ours = zoo.build(name, {"heads": [7]}, device="meta").eval()
    assert list(shapes(ours).items()) == list(shapes(theirs).items())
    ours.load_state_dict(theirs.state_dict(), assign=True)
    x = picture(1, 3, 65, 48)
    assert close(logits(ours, x), logits(theirs, x))


def test_v1_strides_on_the_first_1x1_and_v15_on_the_3x3():
    """The paper's variant: torchvision's network with the strides moved by hand gives the same logits."""
    torch.manual_seed(0)
    theirs = randomised(torchvision.models.resnet50(num_classes=5))
    ours = zoo.build("resnet50", {"heads": [5], "variant": "v1"}).eval()
    ours.load_state_dict(theirs.state_dict())
    x = picture(1, 3, 64, 64)
    assert not close(logits(ours, x), logits(theirs, x))
    for stage in (theirs.layer2, theirs.layer3, theirs.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    assert close(logits(ours, x), logits(theirs, x))


@pytest.mark.parametrize(("variant", "strides"), [("v1", (2, 1)), ("v1.5", (1, 2))])
def test_where_the_stride_is(variant, strides):
    model = zoo.build("resnet50", {"variant": variant}, device="meta")
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        for index, block in enumerate(getattr(model, stage)):
            here = strides if stage != "layer1" and index == 0 else (1, 1)
            assert (block.conv1.stride[0], block.conv2.stride[0], block.conv3.stride[0]) == (*here, 1)
            if index == 0:  # conv2_x: width x4 at stride 1
                assert block.downsample[0].stride[0] == max(here)


def cifar_reference(state: dict[str, torch.Tensor], x: torch.Tensor, depth: int, residual: bool) -> torch.Tensor:
    """He et al. 4.2 with shortcut A, in F calls only, from a state_dict; the padding is written out as a loop."""
    def layer(x, conv, norm, stride=1):
        x = F.conv2d(x, state[f"{conv}.weight"], stride=stride, padding=1)
        return F.batch_norm(x, state[f"{norm}.running_mean"], state[f"{norm}.running_var"], state[f"{norm}.weight"],
                            state[f"{norm}.bias"])

    x = layer(x, "conv1", "bn1").relu()
    for stage in (1, 2, 3):
        for index in range((depth - 2) // 6):
            stride = 2 if stage > 1 and index == 0 else 1
            name = f"layer{stage}.{index}"
            out = layer(layer(x, f"{name}.conv1", f"{name}.bn1", stride).relu(), f"{name}.conv2", f"{name}.bn2")
            if residual:
                shortcut, before = torch.zeros_like(out), (out.shape[1] - x.shape[1]) // 2
                for channel in range(x.shape[1]):
                    shortcut[:, before + channel] = x[:, channel, ::stride, ::stride]
                out = out + shortcut
            x = out.relu()
    return x.mean((2, 3)) @ state["fc.weight"].T + state["fc.bias"]


@pytest.mark.parametrize(("name", "residual"), [("resnet8", True), ("resnet14", True), ("plain14", False)])
@pytest.mark.parametrize("size", [32, 27])
def test_shortcut_a_and_plain_against_a_reference(name, residual, size):
    torch.manual_seed(0)
    model = randomised(zoo.build(name))
    x = picture(2, 3, size, size)
    expected = cifar_reference(model.state_dict(), x, int(name.strip("resnetplai")), residual)
    assert close(logits(model, x), expected)


def test_shortcut_a_pads_an_odd_number_of_channels_and_costs_nothing():
    pad = PadShortcut(2, 5, stride=2)
    x = picture(1, 2, 5, 4)
    out = pad(x)
    assert out.shape == (1, 5, 3, 2) and not list(pad.parameters())
    assert torch.equal(out[:, 1:3], x[:, :, ::2, ::2]) and not out[:, [0, 3, 4]].any()
    with pytest.raises(Problem, match="shortcut B"):
        PadShortcut(5, 2, 1)


def calls_of(model: nn.Module, x: torch.Tensor) -> Counter:
    """How often each leaf module is called in one forward pass."""
    calls: Counter = Counter()
    for name, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(lambda *_, name=name: calls.update([name]))
    logits(model.eval(), x)
    return calls


@pytest.mark.parametrize(("name", "arguments", "activations", "additions"), [
    ("resnet18", {}, 17, 8), ("resnet50", {}, 49, 16), ("resnet20", {}, 19, 9), ("resnet20", {"shortcut": "B"}, 19, 9),
    ("resnext50-32x4d", {}, 49, 16), ("hw4-resnet", {}, 13, 12), ("grapheme-resnet", {}, 17, 8),
    ("plain20", {}, 19, 0), ("resnet8", {"norm": "none", "activation": "tanh"}, 7, 3),
])
def test_every_call_has_a_module_of_its_own(name, arguments, activations, additions):
    model = zoo.build(name, arguments)
    calls = calls_of(model, picture(1, zoo.channels_of(name, arguments), 33, 33))
    assert set(calls.values()) == {1}
    assert set(calls) == {n for n, m in model.named_modules() if not list(m.children())}
    kinds = Counter(type(m) for m in model.modules())
    assert kinds[type(ACTIVATIONS[arguments.get("activation", "relu")]())] == activations
    assert kinds[Add] == additions


def test_activations_are_not_in_place():
    """A hook that keeps an output must not see it change afterwards."""
    model = zoo.build("resnet8", {"activation": "relu"}).eval()
    kept = []
    model.bn1.register_forward_hook(lambda module, inputs, output: kept.append((output, output.clone())))
    logits(model, picture(1, 3, 16, 16))
    assert torch.equal(*kept[0]) and kept[0][0].min() < 0


def test_switching_the_addition_off_leaves_the_branch_alone():
    model = zoo.build("resnet8").eval()
    twin = zoo.build("plain8").eval()
    twin.load_state_dict(model.state_dict())
    for module in model.modules():
        if isinstance(module, Add):
            module.register_forward_hook(lambda module, inputs, output: inputs[0])
    x = picture(1, 3, 32, 32)
    assert torch.equal(logits(model, x), logits(twin, x))


def test_several_heads_stand_side_by_side():
    model = zoo.build("resnet8", {"heads": [168, 11, 7], "in_channels": 1})
    out = logits(model.eval(), picture(2, 1, 64, 64))
    assert out.shape == (2, 186) and model.fc.out_features == 186


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_torchs(activation):
    x = torch.linspace(-3, 3, 7)
    theirs = {"relu": F.relu, "leaky-relu": lambda v: torch.where(v > 0, v, 0.01 * v), "elu": F.elu, "tanh": torch.tanh,
              "sigmoid": torch.sigmoid}[activation]
    assert torch.allclose(ResNetSpec(**TINY, activation=activation).activate()(x), theirs(x))


def test_initial_weights_are_he_et_als():
    """Convolutions: normal with variance 2 / fan out; batch norm starts as the identity."""
    torch.manual_seed(0)
    model = zoo.build("resnet18", {"heads": [2]})
    weight = model.layer3[1].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (256 * 9)) ** 0.5, rel=0.01) and abs(weight.mean().item()) < 1e-3
    assert all((m.weight == 1).all() and (m.bias == 0).all() for m in model.modules() if isinstance(m, nn.BatchNorm2d))


def test_the_same_seed_gives_the_same_network():
    torch.manual_seed(5)
    first = zoo.build("resnet8").state_dict()
    torch.manual_seed(5)
    second = zoo.build("resnet8").state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_spec_travels_as_json():
    spec = ResNetSpec(**{**TINY, "heads": (4, 2), "shortcut": None}, in_channels=4, variant="v1", conv_bias=True,
                      activation="elu", norm="none")
    text = json.dumps(spec.arguments(), allow_nan=False)
    assert ResNetSpec(**json.loads(text)) == spec
    assert ResNet(ResNetSpec(**json.loads(text))).spec == spec


@pytest.mark.parametrize(("field", "value", "words"), [
    ("block", "square", "basic, bottleneck"), ("stem", "mnist", "imagenet, cifar"), ("shortcut", "C", "A, B"),
    ("variant", "v2", "v1, v1.5"), ("activation", "gelu", "relu"), ("norm", "layer", "batch, none"),
    ("depths", (), "depths"), ("depths", (1, 0), "depths"), ("depths", (1, 1.5), "depths"), ("depths", 3, "depths"),
    ("depths", (1, 2, 3), "3 stages"), ("depths", (600, 600), "too deep"), ("widths", (4, -1), "widths"),
    ("widths", "44", "widths"),
    ("heads", (), "heads"), ("heads", (True,), "heads"), ("heads", (2**40,), "heads"), ("heads", (2**20,) * 2, "heads"),
    ("in_channels", 0, "in_channels"),
    ("expansion", 0, "expansion"), ("expansion", 2**20, "block outputs"), ("groups", 0, "groups"),
    ("groups", 2, "no groups"), ("groups", "2", "groups"),
    ("in_channels", "3", "in_channels"), ("stem_width", None, "stem_width"), ("conv_bias", "yes", "conv_bias"),
])
def test_a_wrong_value_is_one_sentence(field, value, words):
    with pytest.raises(Problem, match=words) as caught:
        ResNetSpec(**{**TINY, "block": "bottleneck" if field == "expansion" else "basic", field: value})
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_groups_must_divide_every_width():
    with pytest.raises(Problem, match="4 groups cannot share 6 channels"):
        ResNetSpec(**{**TINY, "block": "bottleneck"}, groups=4)
    spec = ResNetSpec(**{**TINY, "block": "bottleneck"}, groups=2, expansion=3)
    assert [spec.out_channels(width) for width in spec.widths] == [12, 18]
    assert ResNetSpec(**TINY, expansion=3).out_channels(6) == 6  # a basic block puts out its width


def test_dropout_silences_inputs_of_the_linear_layer_in_training_only():
    torch.manual_seed(0)
    plain, dropping = zoo.build("resnet8"), zoo.build("resnet8", {"dropout": 0.5})
    assert plain.dropout is None and plain.state_dict().keys() == dropping.state_dict().keys()
    dropping.load_state_dict(plain.state_dict())
    pictures = torch.randn(2, 3, 8, 8)
    assert torch.equal(plain.eval()(pictures), dropping.eval()(pictures))
    seen = []
    dropping.train().fc.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    dropping(torch.randn(64, 3, 8, 8))
    assert (seen[0] == 0).float().mean().item() == pytest.approx(0.5, abs=0.1)
    for wrong in (1.0, -0.1, "much", True):
        with pytest.raises(Problem, match="dropout"):
            zoo.build("resnet8", {"dropout": wrong})
