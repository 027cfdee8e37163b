"""What a person sets by hand for a foreign file is kept by its content and applied from then on."""

import json

import pytest
import torch

from resnet_viz import checkpoints, corrections
from resnet_viz.corrections import Correction
from resnet_viz.networks import zoo
from tests.refusals import refused


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A CIFAR ResNet-8 of seven classes without a word about itself."""
    monkeypatch.setenv("RESNET_VIZ_DATA", str(tmp_path / "data"))
    torch.manual_seed(0)
    torch.save(zoo.build("resnet8", {"heads": [7]}).state_dict(), tmp_path / "w.pth")
    return tmp_path / "w.pth"


def test_it_is_remembered_by_content(foreign, tmp_path):
    read = checkpoints.read(foreign)
    assert corrections.recall(read.digest) is None and len(read.assumed) == 5
    names = tuple("abcdefg")
    corrections.remember(read.digest, Correction(64, "0.5,0.25", names, {"shortcut": None, "activation": "tanh"}))
    copy = tmp_path / "renamed.pth"
    copy.write_bytes(foreign.read_bytes())
    again = checkpoints.read(copy)
    assert again.classes == names and again.assumed == () and again.network == "plain8"
    assert again.preprocessing.size == again.preprocessing.resize == 64
    assert (again.preprocessing.mean, again.preprocessing.std) == ((0.5,) * 3, (0.25,) * 3)
    model = checkpoints.model(again)
    assert model.spec.shortcut is None and model.spec.activation == "tanh"
    assert any("Set by hand: shortcut none" in sentence for sentence in again.found)
    corrections.forget(read.digest)
    assert checkpoints.read(copy) .assumed == read.assumed
    corrections.forget(read.digest)


def test_what_is_left_open_stays_assumed(foreign):
    read = checkpoints.corrected(checkpoints.read(foreign), Correction(normalisation="half"))
    assert read.preprocessing.mean == (0.5, 0.5, 0.5) and read.preprocessing.size == 32
    assert len(read.assumed) == 4 and not any("normalisation" in sentence for sentence in read.assumed)


@pytest.mark.parametrize(("correction", "words"), [
    (Correction(classes=("a", "b")), "2 class names do not fit 7"), (Correction(normalisation="nonsense"), "normalisation"),
    (Correction(size=0), "cannot be brought"), (Correction(size=10**6), "cannot be brought"),
    (Correction(arguments={"variant": "v1"}), "variant cannot be set"),
    (Correction(arguments={"shortcut": "B"}), "shortcut cannot be set to 'B'"),
    (Correction(arguments={"activation": "os.system"}), "activation cannot be set"),
])
def test_what_does_not_fit_is_refused(foreign, correction, words):
    read = checkpoints.read(foreign)
    with refused(words):
        checkpoints.corrected(read, correction)
    corrections.remember(read.digest, correction)  # e.g. written by another version: the file opens all the same
    again = checkpoints.read(foreign)
    assert again.warnings[0].startswith("What was set by hand is not used") and again.assumed == read.assumed


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"size": 3}', '{"size":1,"normalisation":null,"classes":null,"arguments":3}'])
def test_a_damaged_memory_is_no_memory(foreign, text):
    read = checkpoints.read(foreign)
    path = corrections.path_of(read.digest)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert corrections.recall(read.digest) is None and checkpoints.read(foreign).assumed == read.assumed


def test_a_folder_that_cannot_be_written(foreign, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("RESNET_VIZ_DATA", str(tmp_path / "file"))
    with refused("RESNET_VIZ_DATA"):
        corrections.remember("0" * 64, Correction())


@pytest.mark.parametrize("text", ["cat\ndog\n fox ", "cat, dog,fox", '["cat", "dog", "fox"]', '{"0": "cat", "2": "fox", "1": "dog"}',
                                  '{"dog": 1, "cat": 0, "fox": 2}', "cat\r\n\r\ndog\r\nfox\r\n"])
def test_class_names_in_the_ways_people_have_them(text):
    assert corrections.class_names(text, 3) == ("cat", "dog", "fox")


@pytest.mark.parametrize("text", ["", "cat", "a,b", "a\nb\nc\nd", json.dumps([["x"], "", "c"]), '{"a": 1}'])
def test_the_wrong_number_of_names(text):
    with refused("3 outputs"):
        corrections.class_names(text, 3)


def test_this_projects_own_files_need_no_correction(tmp_path):
    state = zoo.build("resnet8").state_dict()
    recipe = {"size": 32, "resize": 32, "mean": [0.5] * 3, "std": [0.5] * 3}
    checkpoints.write(tmp_path / "w.safetensors", state, {"network": "resnet8", "arguments": {}, "preprocessing": recipe})
    assert checkpoints.read(tmp_path / "w.safetensors").digest is None


def test_settings_as_the_command_line_writes_them(tmp_path):
    (tmp_path / "names.txt").write_text("ä\nb\nc\n", encoding="utf-8")
    first = corrections.changed(Correction(), ["size=64", f"classes={tmp_path / 'names.txt'}", "variant=v1"], 3)
    assert first == Correction(64, None, ("ä", "b", "c"), {"variant": "v1"})
    second = corrections.changed(first, ["shortcut=none", "normalisation=0.5,0.25", "classes=x,y,z"], 3)
    assert second == Correction(64, "0.5,0.25", ("x", "y", "z"), {"variant": "v1", "shortcut": None})


@pytest.mark.parametrize(("setting", "words"), [
    ("size", "sets nothing"), ("size=", "sets nothing"), ("size=big", "number of pixels"), ("classes=a,b", "3 outputs"),
])
def test_settings_that_say_nothing(setting, words):
    with refused(words):
        corrections.changed(Correction(), [setting], 3)


def test_a_size_that_the_network_cannot_take(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_DATA", str(tmp_path / "data"))
    torch.save(zoo.build("simple-cnn").state_dict(), tmp_path / "w.pth")
    with refused("32"):
        checkpoints.corrected(checkpoints.read(tmp_path / "w.pth"), Correction(size=64))
