"""`explain`: a picture of what the network looked at, or one sentence."""

import numpy as np
import pytest
import torch
from PIL import Image

from resnet_viz import checkpoints
from resnet_viz.__main__ import main
from resnet_viz.analysis import attribution_request, attributions
from resnet_viz.data.preprocessing import see
from resnet_viz.drawing.attributions import plate
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

from .foreign_networks import randomised

HEADER = {"network": "resnet8", "arguments": {"heads": [3]}, "classes": ["ant", "bee", "3"],
          "preprocessing": {"size": 32, "resize": 32, "mean": [0.5] * 3, "std": [0.25] * 3}}


@pytest.fixture
def made(tmp_path, monkeypatch):
    torch.manual_seed(0)
    state = randomised(zoo.build("resnet8", {"heads": [3]})).state_dict()
    checkpoints.write(tmp_path / "w.safetensors", state, HEADER)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (tmp_path / "text.png").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.short(4)
@pytest.mark.parametrize("method", attributions.METHODS)
def test_every_method_writes_the_map(made, capsys, method):
    words = ["--target", "bee", "--layer", "layer2"] if attributions.METHODS[method].of_layer else ["--target", "1"]
    assert main(["explain", "w.safetensors", "a.png", "--method", method, *words, "--out", "deep/out.png"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"deep/out.png written: {attributions.METHODS[method].title}") and not err
    assert "for bee (" in out
    checkpoint = checkpoints.read(made / "w.safetensors")
    seen = see(Image.open("a.png"), checkpoint.preprocessing)
    heat = attributions.attribute(checkpoints.model(checkpoint), seen.tensor, method, 1, "layer2")
    written = np.array(Image.open("deep/out.png"))
    np.testing.assert_array_equal(written, plate(np.array(seen.resized), heat))
    np.testing.assert_array_equal(written[:448:14, :448:14, :3], np.array(seen.resized))


def test_without_a_target_the_likeliest_class_is_explained(made, capsys):
    assert main(["explain", "--out", "o.png", "w.safetensors", "--method", "gradcam", "a.png"]) == 0
    checkpoint = checkpoints.read(made / "w.safetensors")
    with torch.no_grad():
        logits = checkpoints.model(checkpoint)(see(Image.open("a.png"), checkpoint.preprocessing).tensor)[0]
    best = HEADER["classes"][int(logits.argmax())]
    assert f"Grad-CAM at layer3 for {best} ({float(logits.softmax(0).max()):.1%})" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "sentence"), [
    (["--method", "cam"], "Unknown method 'cam'; choose one of: saliency"),
    (["--method", "gradcam", "--target", "cow"], "w has no class 'cow'; give one of its names, e.g. ant"),
    (["--method", "gradcam", "--target", "7"], "a number from 0 to 2"),
    (["--method", "gradcam", "--layer", "fc"], "Unknown layer 'fc'"),
    (["--method", "gradcam", "--out", "o.jpg"], "must end in .png"),
    (["--method", "gradcam", "--out", "text.png/o.png"], "cannot be written"),
    (["--method", "gradcam", "--out", "folder.png"], "is a directory"),
    ([], "--method"),
])
def test_refusals_are_one_sentence(made, capsys, words, sentence):
    (made / "folder.png").mkdir()
    assert main(["explain", "w.safetensors", "a.png", "--out", "o.png", *words]) == 2
    out, err = capsys.readouterr()
    assert sentence in err and err.count("\n") == 1 and not out and not (made / "o.png").exists()


def test_a_file_that_is_no_picture(made, capsys):
    assert main(["explain", "w.safetensors", "text.png", "--method", "saliency", "--out", "o.png"]) == 2
    assert "text.png" in capsys.readouterr().err


def test_names_go_before_numbers(made):
    checkpoint = checkpoints.read(made / "w.safetensors")
    assert [attribution_request.index_of(checkpoint, text) for text in ("Ant", " bee", "3", "0")] == [0, 1, 2, 0]
    torch.manual_seed(0)
    twice = {**HEADER, "classes": ["crane", "bee", "Crane"]}
    checkpoints.write(made / "twice.safetensors", zoo.build("resnet8", {"heads": [3]}).state_dict(), twice)
    with pytest.raises(Problem, match="the number: 0 or 2"):
        attribution_request.index_of(checkpoints.read(made / "twice.safetensors"), "crane")
