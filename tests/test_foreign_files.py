"""Weights files as other people write them, from their own code, opened by names and shapes: the same answers."""

import random

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from timm.models import resnet as timm_resnet
from torch import nn
from torchvision.models import resnet as torchvision_resnet
from transformers import ResNetConfig, ResNetForImageClassification

from resnet_viz import checkpoints, doctor
from resnet_viz.networks import zoo
from tests.foreign_networks import CifarResNet, ListResNet, randomised, shapes

WRAPPERS = ("", "state_dict", "model", "net", "model_state_dict", "ema")
PREFIXES = ("", "module.", "_orig_mod.", "model.", "backbone.", "encoder.", "module.model.")


def draw_sizes(rng: random.Random) -> dict:
    stages = rng.choice([2, 3, 4])
    return {"depths": [rng.randint(1, 3) for _ in range(stages)], "widths": sorted(8 * rng.randint(1, 4) for _ in range(stages)),
            "channels": rng.choice([1, 3, 4]), "classes": rng.choice([7, 10, 43, 1000])}


def by_torchvision(rng, depths, widths, channels, classes) -> nn.Module:
    """torchvision's class takes the depths of four stages, groups and a width; its widths are 64, 128, 256 and 512."""
    block, groups, width = rng.choice([(torchvision_resnet.BasicBlock, 1, 64), (torchvision_resnet.Bottleneck, 1, 64),
                                       (torchvision_resnet.Bottleneck, 1, 128), (torchvision_resnet.Bottleneck, 8, 8)])
    model = torchvision_resnet.ResNet(block, (depths + [1, 1])[:4], classes, groups=groups, width_per_group=width)
    model.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    return model


def by_timm(rng, depths, widths, channels, classes) -> nn.Module:
    block, cardinality = rng.choice([(timm_resnet.BasicBlock, 1), (timm_resnet.Bottleneck, 1), (timm_resnet.Bottleneck, 4)])
    return timm_resnet.ResNet(block, (depths + [1, 1])[:4], num_classes=classes, in_chans=channels,
                              cardinality=cardinality, base_width=64 // cardinality,
                              channels=[8 * width for width in (widths + [40, 48])[:4]] if cardinality == 1 else (64, 128, 256, 512))


def by_transformers(rng, depths, widths, channels, classes) -> nn.Module:
    kind = rng.choice(["basic", "bottleneck"])
    sizes = [4 * width for width in widths] if kind == "bottleneck" else widths
    return ResNetForImageClassification(ResNetConfig(num_channels=channels, embedding_size=rng.choice([8, 16]), depths=depths,
                                                     hidden_sizes=sizes, layer_type=kind, num_labels=classes))


def by_cifar_repositories(rng, depths, widths, channels, classes) -> nn.Module:
    return CifarResNet(depths, widths, rng.choice("AB"), classes, channels)


def by_cifar100_repositories(rng, depths, widths, channels, classes) -> nn.Module:
    return ListResNet(depths, widths, rng.choice([1, 4]), classes, channels)


MAKERS = (by_torchvision, by_timm, by_transformers, by_cifar_repositories, by_cifar100_repositories)


def stored(path, model: nn.Module, rng: random.Random) -> dict:
    """The weights as a file of a kind drawn by chance; what was drawn."""
    prefix, wrapper = rng.choice(PREFIXES), rng.choice(WRAPPERS)
    state = {prefix + name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if rng.random() < 0.3:
        save_file(state, path)
        return {"prefix": prefix, "format": "safetensors"}
    if wrapper:
        torch.save({"epoch": 7, wrapper: state, "optimizer": {"state": {0: {"step": torch.ones(())}}}, "best": 0.5}, path,
                   _use_new_zipfile_serialization=rng.random() < 0.8)
        return {"prefix": prefix, "format": f"state_dict under {wrapper!r}"}
    torch.save(state, path)
    return {"prefix": prefix, "format": "state_dict"}


def logits(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        answer = model(x)
    return getattr(answer, "logits", answer)


def same_answers(theirs: nn.Module, read: checkpoints.Checkpoint, size: int = 40) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, read.preprocessing.channels, size, size)
    expected, ours = logits(theirs, x), logits(checkpoints.model(read), x)
    assert expected.std() > 1e-3  # a network that says the same of everything would prove nothing
    assert (ours - expected).abs().max() <= 1e-5 * max(1.0, expected.abs().max().item())


@pytest.mark.short(8)
@pytest.mark.parametrize("draw", range(8))
@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_drawn_at_random_it_answers_as_the_original(make, draw, tmp_path):
    rng = random.Random(f"{make.__name__}-{draw}")
    sizes = draw_sizes(rng)
    torch.manual_seed(draw)
    theirs = randomised(make(rng, **sizes))
    drawn = stored(tmp_path / "weights.pth", theirs, rng)
    read = checkpoints.read(tmp_path / "weights.pth")
    assert read.format == drawn["format"] and not read.warnings and not read.missing and not read.unexpected
    assert (read.diagnosis.num_classes, read.diagnosis.in_channels) == (sizes["classes"], sizes["channels"])
    assert read.diagnosis.params == sum(p.numel() for p in theirs.parameters())
    assert drawn["prefix"] in " ".join(read.found)
    same_answers(theirs, read)


@pytest.mark.short(2)
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2"])
def test_a_known_network_by_its_name(name, tmp_path):
    torch.manual_seed(1)
    theirs = randomised(torchvision.models.get_model(name))
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    read = checkpoints.read(tmp_path / "w.pth")
    assert read.network == name.replace("_", "-") and len(read.classes) == 1000 and read.classes[0] == "tench"
    same_answers(theirs, read, 64)


def test_the_stride_of_a_bottleneck_is_set_by_hand(tmp_path):
    theirs = randomised(ResNetForImageClassification(ResNetConfig(
        embedding_size=8, hidden_sizes=[16, 32], depths=[1, 2], num_labels=7, downsample_in_bottleneck=True)))
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    read = checkpoints.read(tmp_path / "w.pth")
    assert read.undecided["variant"] == ("v1.5", "v1")
    by_hand = checkpoints.corrected(read, checkpoints.Correction(arguments={"variant": "v1"}))
    same_answers(theirs, by_hand)
    with pytest.raises(AssertionError):
        same_answers(theirs, read)


@pytest.mark.parametrize(("name", "words"), [
    ("resnet18d", "stem has several convolutions"), ("resnet50_gn", "running_mean"), ("seresnet50", "layer1.0.se."),
    ("resnetv2_18", "has no tensor conv1.weight"), ("ecaresnet26t", "stem has several convolutions"),
    ("vit_tiny_patch16_224", "has no tensor conv1.weight"), ("efficientnet_b0", "not a ResNet"),
])
def test_relatives_that_are_not_built_here_are_refused_with_the_reason(name, words):
    with torch.device("meta"):
        found = doctor.diagnose(shapes(timm.create_model(name)), None, "state_dict")
    assert not found.recognised and words in found.warnings[0]
    assert len(found.warnings[0]) < 300 and found.warnings[0].endswith(".")


def test_a_refused_file_comes_with_its_diagnosis(tmp_path):
    state = zoo.build("resnet8").state_dict()
    state["layer2.0.conv1.weight"] = torch.zeros(32, 16, 5, 5)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(checkpoints.NotRecognised, match="layer2.0.conv1.weight has shape") as caught:
        checkpoints.read(tmp_path / "w.pth")
    assert caught.value.diagnosis.disagreements == (
        doctor.Disagreement("layer2.0.conv1.weight", (32, 16, 5, 5), (32, 16, 3, 3)),)
