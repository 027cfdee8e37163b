"""A checkpoint measured again: on a folder, a zip, a built-in set; pictures as predict prepares them."""

import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import measurement
from resnet_viz.analysis.measurement import measure
from resnet_viz.analysis.predictions import of_files
from resnet_viz.data import sources
from resnet_viz.data.splits import split_validation
from resnet_viz.networks import zoo
from tests.foreign_networks import randomised
from tests.refusals import refused

KEYS = {"accuracy", "loss", "images", "seconds", "images_per_s"}
CLASSES = ["dog", "cat", "eel"]  # not sorted: matching by place would go wrong


def write(path, classes=CLASSES, size=16, resize=16, **changes):
    torch.manual_seed(len(classes))
    network = {"network": "resnet8", "arguments": {"heads": [len(classes)]
                                                   if classes else [3]}} | changes.pop("network", {})
    model = randomised(zoo.build(network["network"], network["arguments"]))
    recipe = {"size": size, "resize": resize, "mean": [0.5] * model.conv1.in_channels,
              "std": [0.25] * model.conv1.in_channels}
    checkpoints.write(path, model.state_dict(), {**network, "classes": classes or None, "preprocessing": recipe,
                                                 **changes})
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Nine photographs a class, 20 x 30, whose pixels are noise."""
    root, rng = tmp_path_factory.mktemp("pictures") / "pets", np.random.default_rng(0)
    for split, count in (("train", 2), ("test", 9)):
        for name in CLASSES:
            (root / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = rng.integers(0, 256, (5, 5, 3), dtype=np.uint8)
                Image.fromarray(pixels).resize((20, 30),
                                               Image.Resampling.BICUBIC).save(root / split / name / f"{i}.png")
    return root


def by_predicting(checkpoint, folder):
    """(accuracy, loss) from one prediction a file, the label read off the folder's name."""
    files = sorted((folder / "test").rglob("*.png"))
    rows = of_files(checkpoint, files, top_k=99)
    chances = [next(t["probability"] for t in row["top"] if t["label"] == file.parent.name) for row,
               file in zip(rows, files)]
    right = [row["top"][0]["label"] == file.parent.name for row, file in zip(rows, files)]
    return float(np.mean(right)), float(-np.log(chances).mean())


@pytest.mark.parametrize(("size", "resize"), [(16, 16), (16, 20)])
def test_a_folder_as_predict_sees_it(tmp_path, folder, size, resize):
    checkpoint = checkpoints.read(write(tmp_path / "w.safetensors", size=size, resize=resize))
    found = measure(checkpoint, str(folder))
    accuracy, loss = by_predicting(checkpoint, folder)
    assert set(found) == KEYS and found["images"] == 27 and found["seconds"] >= 0
    assert found["accuracy"] == pytest.approx(accuracy, abs=2 / 27) and found["loss"] == pytest.approx(loss, rel=0.03)


def test_a_zip_is_the_same_as_its_folder(tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for file in folder.rglob("*.png"):
            archive.write(file, file.relative_to(folder.parent))
    checkpoint = checkpoints.read(write(tmp_path / "w.safetensors"))
    one, other = (measure(checkpoint, str(path)) for path in (folder, tmp_path / "pets.zip"))
    assert (one["accuracy"], one["loss"], one["images"]) == (other["accuracy"], other["loss"], other["images"])


def test_chunks_and_batches_do_not_matter(tmp_path, folder, monkeypatch):
    checkpoint = checkpoints.read(write(tmp_path / "w.safetensors"))
    whole, told = measure(checkpoint, str(folder)), []
    monkeypatch.setattr(measurement, "CHUNK", 10)
    parts = measure(checkpoint, str(folder), progress=lambda done, total, text: told.append((done, total, text)))
    assert parts["accuracy"] == whole["accuracy"] and parts["loss"] == pytest.approx(whole["loss"], rel=1e-5)
    assert [t[:2] for t in told if t[2] == "evaluating"] == [(10, 27), (20, 27), (27, 27)]


def test_other_splits_and_a_limit(tmp_path, folder):
    checkpoint = checkpoints.read(write(tmp_path / "w.safetensors"))
    assert measure(checkpoint, str(folder), "train")["images"] == 6
    assert measure(checkpoint, str(folder), limit=6)["images"] == 6
    assert measure(checkpoint, str(folder), limit=10**9)["images"] == 27
    with refused("--limit must be 1 or more"):
        measure(checkpoint, str(folder), limit=0)


def test_a_built_in_set_in_grey_and_without_class_names(tmp_path):
    network = {"network": "resnet8", "arguments": {"heads": [10], "in_channels": 1}}
    path = write(tmp_path / "w.safetensors", classes=[], network=network, size=8, resize=8)
    found = measure(checkpoints.read(path), "digits", limit=50)
    assert found["images"] == 50 and 0 <= found["accuracy"] <= 1


def test_several_heads_count_by_their_share(tmp_path):
    arguments = {"network": "resnet8", "arguments": {"heads": [168, 11, 7], "in_channels": 1}}
    path = write(tmp_path / "w.safetensors", classes=[], network=arguments, size=16, resize=16)
    found = measure(checkpoints.read(path), "glyphs", limit=30)
    assert found["images"] == 30 and found["accuracy"] * 90 == pytest.approx(round(found["accuracy"] * 90))


def test_what_does_not_fit(tmp_path, folder):
    checkpoint = checkpoints.read(write(tmp_path / "w.safetensors"))
    with refused("differ"):
        measure(checkpoints.read(write(tmp_path / "v.safetensors", classes=["dog", "cat", "owl"])), str(folder))
    with refused("labels a picture"):
        measure(checkpoint, "glyphs", limit=5)
    with refused("no val split"):
        measure(checkpoint, "shapes", "val")
    with pytest.raises(checkpoints.Problem, match="There is no data set, folder or zip 'nowhere'"):
        measure(checkpoint, "nowhere")
    four = {"network": "resnet8", "arguments": {"heads": [3], "in_channels": 4}}
    with refused("channels"):
        measure(checkpoints.read(write(tmp_path / "four.safetensors", network=four)), str(folder))


def test_val_of_a_run_is_what_it_held_out(tmp_path):
    run = tmp_path / "run"
    runs.write_config(run, {"data": "digits", "val_fraction": 0.1, "seed": 3})
    arguments = {"network": "resnet8", "arguments": {"heads": [10], "in_channels": 1}}
    checkpoint = checkpoints.read(write(run / "best.safetensors", classes=list("0123456789"), network=arguments, size=8,
                                        resize=8))
    found = measure(checkpoint, "digits", "val")
    train = sources.load("digits", "train")
    _, held = split_validation(train.labels[:, 0], 0.1, None, 3)
    assert found["images"] == len(held)
    with refused("no val split"):
        measure(checkpoints.read(write(tmp_path / "w.safetensors", classes=list("0123456789"), network=arguments)),
                "digits", "val")


def test_damaged_weights_are_not_given_a_figure(tmp_path, folder):
    path = write(tmp_path / "w.safetensors")
    checkpoint = checkpoints.read(path)
    checkpoint.state["conv1.weight"][0] = float("nan")
    with refused("not finite"):
        measure(checkpoint, str(folder))
