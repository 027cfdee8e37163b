"""Other people's names in torchvision's words, and what stands before them."""

import pytest

from resnet_viz import doctor, tensor_names
from resnet_viz.networks import zoo
from tests.foreign_networks import shapes
from tests.refusals import refused

RESNET8 = list(zoo.build("resnet8", device="meta").state_dict())


def of_file(names: list[str]) -> dict[str, str]:
    return tensor_names.translate(names).of_file


@pytest.mark.parametrize(("theirs", "ours"), [
    ("embedder.embedder.convolution.weight", "conv1.weight"),
    ("embedder.embedder.normalization.running_var", "bn1.running_var"),
    ("encoder.stages.0.layers.2.layer.1.convolution.weight", "layer1.2.conv2.weight"),
    ("encoder.stages.3.layers.0.layer.2.normalization.bias", "layer4.0.bn3.bias"),
    ("encoder.stages.1.layers.0.shortcut.convolution.weight", "layer2.0.downsample.0.weight"),
    ("encoder.stages.1.layers.0.shortcut.normalization.num_batches_tracked", "layer2.0.downsample.1.num_batches_tracked"),
    ("classifier.1.weight", "fc.weight"),
])
def test_hugging_faces_words(theirs, ours):
    names = tensor_names.translate(["embedder.embedder.convolution.bias", theirs])
    assert names.of_file[ours] == theirs and names.dialect == "Hugging Face's ResNet"


@pytest.mark.parametrize(("theirs", "ours"), [
    ("conv1.0.weight", "conv1.weight"), ("conv1.1.bias", "bn1.bias"),
    ("conv2_x.0.residual_function.0.weight", "layer1.0.conv1.weight"),
    ("conv3_x.1.residual_function.4.running_mean", "layer2.1.bn2.running_mean"),
    ("conv5_x.0.residual_function.6.weight", "layer4.0.conv3.weight"),
    ("conv4_x.0.shortcut.1.weight", "layer3.0.downsample.1.weight"), ("fc.weight", "fc.weight"),
])
def test_the_cifar100_repositories_words(theirs, ours):
    assert of_file(["conv2_x.7.residual_function.0.weight", theirs])[ours] == theirs


@pytest.mark.parametrize("word", ["linear", "classifier", "last_linear", "head", "head.fc", "fc.0", "fc.1", "classifier.1"])
def test_a_classifier_by_other_names(word):
    names = [name.replace("fc.", f"{word}.") for name in RESNET8]
    assert of_file(names)["fc.weight"] == f"{word}.weight" and of_file(names)["fc.bias"] == f"{word}.bias"


def test_a_classifier_beside_the_backbone():
    names = [name if name.startswith("fc") else f"module.backbone.{name}" for name in RESNET8]
    found = of_file([name.replace("fc.", "module.fc.") for name in names])
    assert set(found) == set(RESNET8) and found["layer1.0.conv1.weight"] == "module.backbone.layer1.0.conv1.weight"


def test_prefixes_that_nobody_has_thought_of():
    assert set(of_file([f"learner.net_7.{name}" for name in RESNET8])) == set(RESNET8)


def test_of_two_networks_the_first_is_taken_and_the_other_is_told():
    names = tensor_names.translate([f"{who}.{name}" for who in ("student", "teacher") for name in RESNET8])
    assert names.prefix == "student." and names.others == ("teacher.",)
    assert names.of_file["fc.weight"] == "student.fc.weight" and "teacher.fc.weight" in names.of_file
    two = {f"{who}.{name}": shape for who in ("student", "teacher")
           for name, shape in shapes(zoo.build("resnet8", device="meta")).items()}
    found = doctor.diagnose(two, None, "state_dict")
    assert found.recognised and len(found.unexpected) == len(RESNET8)
    assert "2 networks" in found.warnings[-1] and "'student.'" in found.warnings[-1]


def test_a_half_wrapped_file_is_put_together_and_a_doubled_one_refused():
    names = ["module." + name if name.startswith(("conv1", "layer1")) else name for name in RESNET8]
    assert set(of_file(names)) == set(RESNET8)
    with refused("two names of the same tensor"):
        of_file([*RESNET8, "linear.weight"])


@pytest.mark.parametrize(("change", "missing", "words"), [
    (lambda name: name.replace("fc.", "projector."), "fc.weight", "no classifier"),
    (lambda name: name.replace("conv1.weight", "conv1.0.weight") if name == "conv1.weight" else name, "conv1.weight",
     "stem has several convolutions"),
])
def test_what_cannot_be_inferred_says_why(change, missing, words):
    found = doctor.diagnose({change(name): shape for name, shape in shapes(zoo.build("resnet8", device="meta")).items()},
                            None, "state_dict")
    assert not found.recognised and found.missing == (missing,) and words in found.warnings[0]


def test_a_classifier_of_several_layers_is_refused_by_their_names():
    names = {name: shape for name, shape in shapes(zoo.build("resnet8", device="meta")).items() if not name.startswith("fc")}
    found = doctor.diagnose(names | {"fc.0.weight": (32, 64), "fc.2.weight": (10, 32)}, None, "state_dict")
    assert not found.recognised and "fc.0, fc.2" in found.warnings[0]


def test_batch_norm_before_the_convolutions_is_told_apart():
    """kuangliu's PreActResNet: no bn1 after the stem, and each block's bn1 has the channels that come in."""
    names = {name: shape for name, shape in shapes(zoo.build("resnet18-cifar", device="meta")).items()
             if not name.startswith("bn1.") and ".downsample.1." not in name}
    for stage, channels in ((2, 64), (3, 128), (4, 256)):
        for kind in ("weight", "bias", "running_mean", "running_var"):
            names[f"layer{stage}.0.bn1.{kind}"] = (channels,)
    found = doctor.diagnose(names, None, "state_dict")
    assert not found.recognised and "before the convolutions" in found.warnings[0]
