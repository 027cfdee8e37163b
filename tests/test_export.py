"""Export: the same network again, read by torchvision, by ONNX Runtime, and by this project without assumptions."""

import json
import sys

import numpy as np
import pytest
import torch
import torchvision

from resnet_viz import checkpoints, export
from resnet_viz.__main__ import main
from resnet_viz.checkpoints import Checkpoint
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem
from tests.foreign_networks import randomised
from tests.refusals import refused

TANH = {"activation": "tanh", "heads": [3]}
BOTTLENECK = {"block": "bottleneck", "depths": [1, 2], "widths": [8, 16], "heads": [5], "stem": "imagenet",
              "stem_width": 8, "shortcut": "B", "in_channels": 1}


def checkpoint(network: str, arguments: dict, size: int, classes: bool = True) -> Checkpoint:
    """A network with random weights and random batch-norm statistics."""
    torch.manual_seed(0)
    model = randomised(zoo.build(network, arguments))
    heads = zoo.heads_of(network, arguments)
    channels = model.state_dict()["conv1.weight"].shape[1] if "conv1.weight" in model.state_dict() else 3
    names = tuple(f"class {i}" for i in range(sum(heads))) if classes else None
    return Checkpoint("made", network, arguments, model.state_dict(), names, heads,
                      Preprocessing(size, size, (0.4,) * channels, (0.2,) * channels), epoch=3,
                      metrics={"val_accuracy": 0.5}, data="shapes", seed=7)


@pytest.fixture(scope="module")
def made():
    return checkpoint("resnet8", {}, 32)


def logits_by_onnxruntime(path, pictures: torch.Tensor) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs()] == ["pictures"]
    return session.run(["logits"], {"pictures": pictures.numpy()})[0]


@pytest.mark.short(1)
@pytest.mark.parametrize(("network", "arguments", "size"), [
    ("resnet20", {}, 32), ("plain8", {}, 32), ("resnet8", TANH, 32), ("simple-cnn", {}, 32),
    ("custom-resnet", BOTTLENECK, 64), ("hw4-resnet", {}, 32), ("grapheme-resnet", {}, 64),
])
def test_onnx_answers_alike(tmp_path, network, arguments, size):
    source = checkpoint(network, arguments, size)
    export.export(source, "onnx", tmp_path / "net.onnx")
    for batch in (1, 2, 5):
        pictures = torch.randn(batch, source.preprocessing.channels, size, size)
        with torch.no_grad():
            ours = checkpoints.model(source)(pictures).numpy()
        assert ours.std() > 1e-3 and ours.shape == (batch, sum(source.heads))
        np.testing.assert_allclose(logits_by_onnxruntime(tmp_path / "net.onnx", pictures), ours, atol=1e-4)


def test_onnx_says_what_the_graph_does_not(made, tmp_path):
    import onnx

    export.export(made, "onnx", tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(model, full_check=True)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(said["classes"]) == list(made.classes) and said["network"] == "resnet8"
    assert Preprocessing(**json.loads(said["preprocessing"])) == made.preprocessing
    assert [opset.version for opset in model.opset_import if not opset.domain] == [export.OPSET]
    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]  # the weights are in it, nothing lies beside it


def test_safetensors_open_here_without_assumptions(made, tmp_path):
    export.export(made, "safetensors", tmp_path / "again.safetensors")
    again = checkpoints.read(tmp_path / "again.safetensors")
    for key in ("network", "arguments", "classes", "heads", "preprocessing", "epoch", "metrics", "data", "seed"):
        assert getattr(again, key) == getattr(made, key), key
    assert again.notes == () and again.digest is None
    assert again.state.keys() == made.state.keys() and all(torch.equal(again.state[n], t) for n, t in made.state.items())


def test_a_file_without_class_names_stays_one(tmp_path):
    export.export(checkpoint("resnet8", {}, 32, classes=False), "safetensors", tmp_path / "again.safetensors")
    assert checkpoints.read(tmp_path / "again.safetensors").classes is None


def test_the_state_dict_is_torchvisions(tmp_path):
    source = checkpoint("resnet18", {"heads": [4]}, 64)
    # older files lack the counters, and tensors of one storage would be saved as all of it
    state = {name: t for name, t in source.state.items() if not name.endswith("num_batches_tracked")}
    state["fc.weight"] = torch.randn(50_000, 512)[:4]
    state["layer4.1.bn2.bias"] = state["layer4.1.bn1.bias"]
    for format in ("safetensors", "state-dict"):
        export.export(Checkpoint(**{**vars(source), "state": state}), format, tmp_path / "net.pth")
        assert (tmp_path / "net.pth").stat().st_size < 50 * 2**20
    theirs = torchvision.models.resnet18(num_classes=4).eval()
    theirs.load_state_dict(torch.load(tmp_path / "net.pth", weights_only=True))
    pictures = torch.randn(2, 3, 64, 64)
    ours = checkpoints.model(Checkpoint(**{**vars(source), "state": state}))
    with torch.no_grad():
        torch.testing.assert_close(ours(pictures), theirs(pictures), atol=1e-5, rtol=0)


@pytest.mark.parametrize("format", export.FORMATS)
def test_refusals_leave_nothing_behind(made, tmp_path, format):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    with pytest.raises(Problem, match="is a directory; give the name of a file"):
        export.export(made, format, tmp_path / "folder")
    with pytest.raises(Problem, match="cannot be written"):
        export.export(made, format, tmp_path / "file" / "below")
    with pytest.raises(Problem, match="Unknown format 'tflite'; choose one of: safetensors, state-dict, onnx"):
        export.export(made, "tflite", tmp_path / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "old" and not list((tmp_path / "folder").iterdir())


def test_what_fails_half_way_leaves_the_old_file(made, tmp_path, monkeypatch):
    def half(checkpoint, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(export.FORMATS, "state-dict", half)
    (tmp_path / "net.pth").write_bytes(b"old")
    with pytest.raises(Problem, match="No space left on device"):
        export.export(made, "state-dict", tmp_path / "net.pth")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_in_memory_it_is_the_same_file(made, tmp_path):
    export.export(made, "safetensors", tmp_path / "net.safetensors")
    assert export.as_bytes(made, "safetensors") == (tmp_path / "net.safetensors").read_bytes()


def test_the_command(made, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    checkpoints.write(tmp_path / "w.safetensors", made.state, export.header(made))
    assert main(["export", "w.safetensors", "--format", "state-dict", "--out", "net.pth"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("net.pth written, 0.3") and err == ""
    assert torch.equal(torch.load("net.pth", weights_only=True)["fc.bias"], made.state["fc.bias"])
    for words, sentence in (
        (["w.safetensors", "--format", "tflite", "--out", "x"], "choose one of: safetensors, state-dict, onnx"),
        (["w.safetensors", "--format", "onnx", "--out", str(tmp_path)], "is a directory"),
        (["nowhere", "--format", "onnx", "--out", "x"], "no checkpoint"),
        (["w.safetensors", "--out", "x"], "--format"),
    ):
        assert main(["export", *words]) == 2
        out, err = capsys.readouterr()
        assert out == "" and sentence in err and err.count("\n") == 1 and not (tmp_path / "x").exists()


def test_without_the_packages_for_onnx_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    checkpoint = checkpoints.read(checkpoints.find("resnet20-cifar10-jpeg"))
    with refused("onnxscript"):
        export.export(checkpoint, "onnx", tmp_path / "w.onnx")
    assert list(tmp_path.iterdir()) == []
