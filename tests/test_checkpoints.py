"""Weights with their story: own files come back as written, foreign ones with what was assumed."""

import json
import math
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import save as to_safetensors
from safetensors.torch import save_file
from torch import nn

from resnet_viz import checkpoints, runs
from resnet_viz.data.preprocessing import NORMALISATIONS
from resnet_viz.networks import zoo
from resnet_viz.runs import PROJECT
from tests.foreign_networks import CifarResNet, randomised
from tests.refusals import refused

CLASSES = ["cat", "dög", "7"]
HEADER = {"network": "resnet8", "arguments": {"heads": [3]}, "classes": CLASSES, "epoch": 4, "step": 120,
          "data": "shapes", "seed": 11,
          "metrics": {"val_accuracy": 0.87},
          "preprocessing": {"size": 32, "resize": 36, "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]}}


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    return randomised(zoo.build("resnet8", {"heads": [3]}))


def own(path, model, **changes):
    header = {key: value for key, value in {**HEADER, **changes}.items() if value is not ...}
    checkpoints.write(path, model.state_dict(), header)
    return path


def answers(model: nn.Module, channels: int = 3, size: int = 32):
    with torch.no_grad():
        return model(torch.randn(2, channels, size, size, generator=torch.Generator().manual_seed(3)))


def test_an_own_file_comes_back_exactly(tmp_path, trained):
    found = checkpoints.read(own(tmp_path / "weights.safetensors", trained))
    assert (found.name, found.network, found.classes) == ("weights", "resnet8", ("cat", "dög", "7"))
    assert (found.arguments, found.heads) == ({"heads": [3]}, (3,))
    assert (found.epoch, found.data, found.seed, found.metrics) == (4, "shapes", 11, {"val_accuracy": 0.87})
    assert (found.format, found.run, found.notes) == ("safetensors", None, ())
    assert found.preprocessing.to_dict() == {"size": 32, "resize": 36, "mean": (0.4, 0.5, 0.6), "std": (0.2, 0.25, 0.3)}
    state = trained.state_dict()
    assert found.state.keys() == state.keys() and all(torch.equal(found.state[name], state[name]) for name in state)
    assert torch.equal(answers(checkpoints.model(found)), answers(trained))
    assert [checkpoints.label(found, i) for i in range(3)] == CLASSES


def test_the_header_is_one_json_string_under_resnet_viz(tmp_path, trained):
    with safe_open(own(tmp_path / "w.safetensors", trained), framework="np") as file:
        assert file.metadata().keys() == {"resnet_viz"}
        assert json.loads(file.metadata()["resnet_viz"]) == {"format_version": 1, **HEADER}


def test_half_precision_keeps_three_digits_and_half_the_bytes(tmp_path, trained):
    whole = own(tmp_path / "whole.safetensors", trained)
    checkpoints.write(tmp_path / "half.safetensors", trained.state_dict(), HEADER, half=True)
    found = checkpoints.read(tmp_path / "half.safetensors")
    for name, tensor in trained.state_dict().items():
        assert found.state[name].dtype == tensor.dtype
        assert torch.allclose(found.state[name], tensor, rtol=1e-3, atol=1e-6)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.56 * whole.stat().st_size


def test_writing_replaces_the_file_as_a_whole(tmp_path, trained):
    path = own(tmp_path / "sub" / "w.safetensors", trained)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        checkpoints.write(path, trained.state_dict(), {"epoch": object()})
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == ["w.safetensors"]


def test_a_model_is_ready_and_the_checkpoint_stays_as_it_is(tmp_path, trained):
    found = checkpoints.read(own(tmp_path / "w.safetensors", trained))
    model = checkpoints.model(found)
    assert not model.training
    assert not any(m.training for m in model.modules())
    assert not any(p.requires_grad for p in model.parameters())
    assert torch.equal(found.state["fc.weight"], trained.state_dict()["fc.weight"])
    assert model.fc.weight.data_ptr() == found.state["fc.weight"].data_ptr()  # one copy in memory, not two


def test_building_a_model_draws_no_random_numbers(tmp_path, trained):
    found = checkpoints.read(own(tmp_path / "w.safetensors", trained))
    before = torch.get_rng_state()
    checkpoints.model(found)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_torchvisions_weights(tmp_path, name):
    torch.manual_seed(0)
    theirs = randomised(getattr(torchvision.models, name)())
    torch.save(theirs.state_dict(), tmp_path / f"{name}-5c106cde.pth")
    found = checkpoints.read(tmp_path / f"{name}-5c106cde.pth")
    assert (found.network, found.arguments, found.heads) == (name, {"heads": [1000]}, (1000,))
    assert found.name == f"{name}-5c106cde"
    assert (found.preprocessing.size, found.preprocessing.resize) == (224, 256)
    assert (found.preprocessing.mean, found.preprocessing.std) == NORMALISATIONS["imagenet"]
    assert checkpoints.label(found, 0) == "tench"
    assert checkpoints.label(found, 281) == "tabby"
    assert len(found.classes) == 1000
    assert any("imagenet normalisation" in note for note in found.notes)
    assert any("ImageNet's names" in note for note in found.notes)
    expected = answers(theirs, size=64)
    tolerance = 1e-5 * max(1.0, expected.abs().max().item())
    assert (answers(checkpoints.model(found), size=64) - expected).abs().max() <= tolerance


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_foreign_files_in_other_precisions(tmp_path, dtype):
    theirs = randomised(CifarResNet((1, 1, 1), (16, 32, 64), classes=10))
    torch.save({k: t.to(dtype) if t.is_floating_point() else t for k, t in theirs.state_dict().items()},
               tmp_path / "w.pth")
    found = checkpoints.read(tmp_path / "w.pth")
    assert found.network == "resnet8" and {t.dtype for n, t in found.state.items()
                                           if "num_batches" not in n} == {torch.float32}
    assert torch.allclose(answers(checkpoints.model(found)), answers(theirs), rtol=0.05,
                          atol=0.05 if dtype != torch.float64 else 1e-5)


@pytest.mark.parametrize(("channels", "name"), [(1, "mnist"), (3, "cifar10"), (4, "half")])
def test_what_a_cifar_file_does_not_tell_is_assumed_and_said(tmp_path, channels, name):
    torch.save(CifarResNet((3, 3, 3), (16, 32, 64), classes=7, channels=channels).state_dict(), tmp_path / "w.pth")
    found = checkpoints.read(tmp_path / "w.pth", name="mine")
    assert found.name == "mine"
    assert found.classes is None
    assert found.preprocessing.size == found.preprocessing.resize == 32
    assert found.preprocessing.channels == channels and checkpoints.label(found, 6) == "6"
    assert any(f"The {name} normalisation" in note for note in found.assumed)
    assert any("by number" in note for note in found.notes)
    assert answers(checkpoints.model(found), channels).shape == (2, 7)


def test_older_files_without_counters(tmp_path):
    state = {k: t for k, t in zoo.build("resnet8").state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "w.pth")
    assert answers(checkpoints.model(checkpoints.read(tmp_path / "w.pth"))).shape == (2, 10)


def test_parameters_that_require_gradients_are_cut_off(tmp_path, trained):
    torch.save(dict(trained.state_dict(keep_vars=True)), tmp_path / "w.pth")
    assert not any(t.requires_grad for t in checkpoints.read(tmp_path / "w.pth").state.values())


def test_integers_where_weights_belong_become_floats(tmp_path, trained):
    state = trained.state_dict() | {"bn1.weight": torch.ones(16, dtype=torch.int64)}
    torch.save(state, tmp_path / "w.pth")
    assert checkpoints.read(tmp_path / "w.pth").state["bn1.weight"].dtype == torch.float32


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_noted_where_they_are(tmp_path, trained, value):
    state = {k: t.clone() for k, t in trained.state_dict().items()}
    state["layer2.0.conv1.weight"][3, 1, 0, 2] = value
    checkpoints.write(tmp_path / "w.safetensors", state, HEADER)
    found = checkpoints.read(tmp_path / "w.safetensors")
    diagnosis, _ = checkpoints.examine(tmp_path / "w.safetensors")
    assert found.notes[0].startswith("layer2.0.conv1.weight holds numbers that are not finite")
    assert diagnosis.warnings == found.warnings == found.notes
    assert len(found.notes) == 1


def test_unused_tensors_do_not_reach_the_model(tmp_path, trained):
    torch.save({**trained.state_dict(), "aux.weight": torch.zeros(2)}, tmp_path / "w.pth")
    found = checkpoints.read(tmp_path / "w.pth")
    assert "aux.weight" not in found.state and checkpoints.model(found) is not None


# What is refused

@pytest.mark.parametrize(("change", "words"), [
    ({"classes": ["a", "b"]}, "2 classes for 3 outputs"), ({"classes": 3}, "classes as 3"),
    ({"classes": "abc"}, "classes as 'abc'"),
    ({"preprocessing": {}}, "how pictures are prepared"), ({"preprocessing": 5}, "how pictures are prepared"),
    ({"preprocessing": {**HEADER["preprocessing"], "mean": ["a", "b", "c"]}}, "how pictures are prepared"),
    ({"preprocessing": {**HEADER["preprocessing"], "std": [0, 1, 1]}}, "standard deviations"),
    ({"preprocessing": {**HEADER["preprocessing"], "std": [1, 1]}}, "as many means"),
    ({"preprocessing": {**HEADER["preprocessing"], "size": "32"}}, "cannot be brought to"),
    ({"preprocessing": {**HEADER["preprocessing"], "size": 10**9, "resize": 10**9}}, "cannot be brought to"),
    ({"preprocessing": {**HEADER["preprocessing"], "mean": [0.5], "std": [0.5]}}, "1 channels for a network of 3"),
    ({"epoch": "four"}, "epoch as 'four'"), ({"metrics": [1]}, "metrics"), ({"data": {}}, "data"),
    ({"network": "resnet20"}, "tensors are missing"), ({"network": "vgg"}, "'vgg', which this version"),
    ({"arguments": {"heads": [4]}}, "fc.weight"),
])
def test_a_header_edited_by_hand(tmp_path, trained, change, words):
    with refused(words):
        checkpoints.read(own(tmp_path / "w.safetensors", trained, **change))


def test_a_header_that_tells_only_the_network(tmp_path, trained):
    path = own(tmp_path / "w.safetensors", trained,
               **dict.fromkeys(["classes", "epoch", "data", "seed", "metrics", "preprocessing"], ...))
    found = checkpoints.read(path)
    assert (found.classes, found.epoch, found.metrics, found.data, found.seed) == (None, None, {}, None, None)
    assert len(found.assumed) == 3 and found.warnings == ()


def test_a_header_without_a_recipe_keeps_its_class_names(tmp_path, trained):
    found = checkpoints.read(own(tmp_path / "w.safetensors", trained, preprocessing=...))
    assert found.classes == tuple(CLASSES) and len(found.assumed) == 2 and found.epoch == HEADER["epoch"]


@pytest.mark.parametrize("make", [torchvision.models.vgg11, torchvision.models.vit_b_16],
                         ids=lambda make: make.__name__)
def test_another_architecture(tmp_path, make):
    with torch.device("meta"):
        state = make().state_dict()
    tiny = {name: torch.zeros([min(n, 2) for n in t.shape]) for name, t in state.items()}
    torch.save(tiny, tmp_path / "other.pth")
    with refused("other.pth cannot be used: This is not a ResNet that we know: it has no tensor conv1.weight"):
        checkpoints.read(tmp_path / "other.pth")


@pytest.mark.parametrize(("change", "words"), [
    (lambda s: s.pop("layer2.0.conv2.weight"), "the first is layer2.0.conv2.weight"),
    (lambda s: s.update({"layer3.0.bn1.bias": torch.zeros(7)}),
     r"layer3.0.bn1.bias has shape \[7\] in the file, but \[64\]"),
    (lambda s: s.update({"conv1.weight": s["layer1.0.conv1.weight"], "layer1.0.conv1.weight": s["conv1.weight"]}),
     "layer1.0.conv1.weight has shape"),
])
def test_missing_and_mixed_up_tensors(tmp_path, change, words):
    state = dict(zoo.build("resnet8").state_dict())
    change(state)
    torch.save(state, tmp_path / "w.pth")
    with refused(words):
        checkpoints.read(tmp_path / "w.pth")


def test_a_hostile_name_is_not_repeated_at_length(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(to_safetensors({"x" * 50_000: torch.zeros(1)}))
    with refused("'x{20,60}' is no tensor's name"):
        checkpoints.read(tmp_path / "w.safetensors")
    torch.save({"z" * 50_000: 3}, tmp_path / "w.pth")
    with refused("not of tensors"):
        checkpoints.read(tmp_path / "w.pth")


# Finding one

def run_with(folder, trained, *names):
    folder.mkdir(parents=True)
    runs.write_config(folder, {"network": "resnet8"})
    for name in names:
        own(folder / f"{name}.safetensors", trained, epoch={"initial": 0, "best": 3, "last": 5}[name])
    return folder


@pytest.mark.parametrize(("names", "chosen"), [(("initial", "best", "last"), "best"), (("initial", "last"), "last")])
def test_a_run_directory_stands_for_its_best_else_last(tmp_path, trained, names, chosen):
    run = run_with(tmp_path / "my-run", trained, *names)
    assert checkpoints.find(str(run)) == run / f"{chosen}.safetensors"
    found = checkpoints.read(checkpoints.find(str(run)))
    assert (found.name, found.run) == ("my-run", run) and found.epoch in (3, 5)


def test_a_run_without_weights(tmp_path, trained):
    with refused("has no weights yet"):
        checkpoints.find(str(run_with(tmp_path / "r", trained, "initial")))


def test_weights_kept_after_an_epoch_are_no_run(tmp_path, trained):
    run = run_with(tmp_path / "r", trained, "last")
    assert checkpoints.read(own(run / "weights" / "0001.safetensors", trained)).run is None


def test_bundled_names(tmp_path, trained, monkeypatch):
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "checkpoints")
    monkeypatch.chdir(tmp_path)
    assert checkpoints.bundled() == []
    with refused("none are installed"):
        checkpoints.find("resnet20-cifar10-jpeg")
    run_with(tmp_path / "checkpoints" / "b", trained, "best")
    run_with(tmp_path / "checkpoints" / "a", trained, "last")
    (tmp_path / "checkpoints" / "notes").mkdir()
    assert checkpoints.bundled() == ["a", "b"]
    assert checkpoints.find("b") == tmp_path / "checkpoints" / "b" / "best.safetensors"
    with refused(r"bundled name \(a, b\)"):
        checkpoints.find("c")
    run_with(tmp_path / "b", trained, "last")  # a folder here goes before a bundled one of the same name
    assert checkpoints.find("b").parent.resolve() == tmp_path / "b"


@pytest.mark.parametrize("reference", ["", "no/such/file.pth", "x" * 5000, "nul\0byte", "../..//none", "ü"])
def test_there_is_no_such_checkpoint(reference, monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "none")
    with refused("There is no checkpoint"):
        checkpoints.find(reference)


def test_another_normalisation(tmp_path, trained):
    found = checkpoints.read(own(tmp_path / "w.safetensors", trained))
    assert checkpoints.with_normalisation(found, None) is found
    other = checkpoints.with_normalisation(found, "imagenet")
    assert (other.preprocessing.mean,
            other.preprocessing.std) == NORMALISATIONS["imagenet"] and other.preprocessing.resize == 36
    assert checkpoints.with_normalisation(found, "0.5,0.25").preprocessing.std == (0.25,) * 3
    with refused("choose one of imagenet"):
        checkpoints.with_normalisation(found, "imagnet")


def test_what_numpy_saved_is_no_checkpoint(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.zeros(3))
    assert zipfile.is_zipfile(tmp_path / "w.npz")
    with refused("not one written by torch.save"):
        checkpoints.read(tmp_path / "w.npz")


def memory_of_reading(path) -> int:
    ended = subprocess.run([sys.executable, "-m", "tests.memory_of_reading", str(path)], cwd=PROJECT,
                           capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


@pytest.mark.hard
@pytest.mark.parametrize("kind", ["zip", "safetensors", "old", "with optimiser"])
def test_reading_and_building_takes_little_more_memory_than_the_file(tmp_path, kind):
    path, state = tmp_path / "resnet152.pth", zoo.build("resnet152").state_dict()
    if kind == "safetensors":
        save_file(state, path)
    elif kind == "with optimiser":
        torch.save({"state_dict": state, "optimizer": {"state": {0: {n: t + 1 for n, t in state.items()}}}}, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "zip")
    weights_bytes = sum(t.numel() * t.element_size() for t in state.values())
    assert memory_of_reading(path) < 1.3 * weights_bytes <= 1.3 * path.stat().st_size  # an optimiser's part is not touched


@pytest.mark.hard
def test_a_file_of_more_than_a_gigabyte(tmp_path):
    spec = zoo.NETWORKS["wide-resnet101-2"].spec.arguments() | {"widths": [192, 384, 768, 1536]}
    path = tmp_path / "wide.pth"
    torch.save(zoo.build(zoo.CUSTOM, spec).state_dict(), path)
    assert path.stat().st_size > 2**30
    assert memory_of_reading(path) < 1.3 * path.stat().st_size
