"""Which blocks does it need? Accuracy and answers kept, the twin beside, any checkpoint, and work that is stopped."""

import pytest
import streamlit as st
import torch

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import channels, surgery
from resnet_viz.networks import zoo
from resnet_viz.ui import surgery_work

from ..foreign_networks import randomised
from .test_every_page import alts, captions, open_page


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of runs without any, nothing kept from another test, nothing that waits for a click."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(surgery_work, "PATIENCE_S", float("inf"))
    st.cache_resource.clear()
    return tmp_path / "runs"


def write(own, run: str, network: str, arguments: dict, data: str | None, **config):
    """A run with random weights; its model."""
    torch.manual_seed(0)
    channels_ = arguments.get("in_channels", zoo.find(network).in_channels)
    size = zoo.find(network).input_size
    model = randomised(zoo.build(network, arguments))
    header = {"network": network, "arguments": arguments, "classes": None, "data": data,
              "preprocessing": {"size": size, "resize": size, "mean": [0.5] * channels_, "std": [0.25] * channels_}}
    runs.write_config(own / run, {"network": network, "arguments": arguments, "data": data, **config})
    checkpoints.write(own / run / "best.safetensors", model.state_dict(), header)
    return model


def texts(app) -> str:
    return "\n".join(markdown.value.replace("\\", "") for markdown in app.markdown)


@pytest.mark.short(2)
@pytest.mark.parametrize("view", ["Story", "Formula", "Code", "Numbers"])
def test_accuracy_and_the_twin_beside(own, view):
    model = write(own, "a", "resnet8", {}, "digits", epochs=1)
    write(own, "b", "plain8", {}, "digits", epochs=2)
    app = open_page("inspect/surgery", view=view, most="40", blocks="layer2.0", a="0", checkpoint="runs/a")
    assert not app.error
    assert [metric.label for metric in app.metric] == ["runs/a, accuracy", "runs/b, accuracy"]
    patient = surgery_patient(app)
    found = surgery.answers(model, patient.images, patient.checkpoint.preprocessing, (10,), {"layer2.0": 0.0})
    right = surgery.share_right(found, patient.labels.numpy())
    assert app.metric[0].value.replace("\xa0", " ") == f"{100 * right:.1f} %"
    assert "runs/a is right in" in alts(app) and "runs/b is right in" in alts(app)
    assert "On 40 pictures of Digits." in captions(app)
    if view == "Story":
        assert "trained with another epochs" in texts(app)


def surgery_patient(app):
    """The network in view with the pictures it was asked about, from what the server keeps."""
    store, _ = surgery_work._sheets()
    return next(sheet.patient for sheet in store._kept.values() if sheet.patient.name == "runs/a")


@pytest.mark.short(1)
@pytest.mark.parametrize(("network", "arguments"), [
    ("grapheme-resnet", {"heads": [4, 3, 2]}), ("hw4-resnet", {"heads": [5]}), ("resnet8", {"in_channels": 1, "heads": [3]})])
def test_any_checkpoint_keeps_answers_on_photographs(own, monkeypatch, network, arguments):
    monkeypatch.setattr(channels, "CUTS", {64: 1})
    write(own, "w", network, arguments, None)
    app = open_page("inspect/surgery")
    assert not app.error and [metric.label for metric in app.metric] == ["runs/w, answers kept"]
    assert "answers kept" in captions(app) and "squares cut from the example photographs" in captions(app)


def test_a_network_without_blocks_says_so(own):
    write(own, "w", "simple-cnn", {}, "digits")
    assert "no blocks that could be switched off" in open_page("inspect/surgery").error[0].value


def test_a_left_as_it_is_changes_nothing(own):
    write(own, "w", "resnet8", {}, "digits")
    app = open_page("inspect/surgery", most="20", a="1")
    assert app.metric[0].delta.startswith("+0.0 points") and "Whole: 0 of these 10 answers" in captions(app)


def test_what_takes_long_waits_and_keeps_what_is_there(own, monkeypatch):
    write(own, "w", "resnet8", {}, "digits")
    monkeypatch.setattr(surgery, "BATCH", 15)
    monkeypatch.setattr(surgery_work, "PATIENCE_S", 0.0)
    monkeypatch.setattr("resnet_viz.ui.attribution_maps.PATIENCE_S", 0.0)
    app = open_page("inspect/surgery", most="40")
    assert [button.label for button in app.button].count("Compute") == 2
    assert "of which 15 are asked so far" in captions(app)
    next(button for button in app.button if button.key == "compute_each").click().run()
    assert "asked so far" not in captions(app) and "On 40 pictures of Digits." in captions(app)
