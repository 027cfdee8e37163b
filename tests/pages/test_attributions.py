"""Where did the network look? Every view of the page, the quiz, the cost, what a network cannot bear, any checkpoint."""

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.analysis.attributions import METHODS
from resnet_viz.networks import zoo
from resnet_viz.ui import attribution_maps

from ..foreign_networks import randomised
from .test_every_page import alts, captions, open_page


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder of runs without any, no map kept from another test, and nothing that waits for a click."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(attribution_maps, "PATIENCE_S", float("inf"))  # however busy the machine is
    st.cache_resource.clear()
    return tmp_path


def write(runs, name: str, arguments: dict, classes: list[str] | None, **changes) -> None:
    torch.manual_seed(0)
    channels = arguments.get("in_channels", zoo.find(name).in_channels)
    size = zoo.find(name).input_size
    header = {"network": name, "arguments": arguments, "classes": classes,
              "preprocessing": {"size": size, "resize": size, "mean": [0.5] * channels, "std": [0.25] * channels}}
    checkpoints.write(runs / "w.safetensors", randomised(zoo.build(name, arguments)).state_dict(), header | changes)


def texts(app: AppTest) -> str:
    return "\n".join(markdown.value.replace("\\", "") for markdown in app.markdown)


@pytest.mark.short(2)
@pytest.mark.parametrize("view", ["Story", "Formula", "Code", "Numbers"])
def test_every_view_under_the_maps(runs, view):
    write(runs, "resnet8", {}, None)
    app = open_page("inspect/attributions", view=view, twin="true")
    assert not app.error and "Integrated gradients: " in alts(app) and "Grad-CAM of the twin" in alts(app)
    assert "The map adds up to" in captions(app)


@pytest.mark.short(3)
@pytest.mark.parametrize(("name", "arguments"), [
    ("simple-cnn", {"in_channels": 1}), ("grapheme-resnet", {"heads": [4, 3, 2]}), ("hw4-resnet", {"heads": [5]})])
@pytest.mark.parametrize("show", ["Maps", "Depth", "Deletion", "Fake?"])
def test_every_mode_on_every_kind_of_network(runs, name, arguments, show):
    write(runs, name, arguments, None)
    app = open_page("inspect/attributions", show=show)
    assert not app.error
    assert {"Maps": "Grad-CAM: ", "Depth": ": Grad-CAM: ", "Deletion": "Mean height",
            "Fake?": "Map A of two"}[show] in alts(app)


def test_the_true_class_is_known_by_the_pictures_name(runs):
    write(runs, "resnet8", {"heads": [3]}, ["cat", "dog", "emu"])
    app = open_page("inspect/attributions")
    assert "true by its name" in captions(app) and "(runner-up" in captions(app)


def test_what_a_network_cannot_bear_says_why(runs):
    write(runs, "resnet8", {"activation": "tanh"}, None)
    app = open_page("inspect/attributions")
    assert not app.error and "Guided backprop: " not in alts(app)
    pills = next(group for group in app.get("button_group") if group.key == "methods")
    pills.set_value(["gradcam", "guided-backprop"]).run()
    assert not app.exception and "this network has Tanh" in captions(app)


def test_what_takes_long_says_so_and_waits(runs, monkeypatch):
    monkeypatch.setattr(attribution_maps, "PATIENCE_S", 0.0)
    write(runs, "resnet8", {}, None)
    app = open_page("inspect/attributions")
    assert "Grad-CAM: " in alts(app) and "Integrated gradients: " not in alts(app)  # what is cheap never waits
    assert "2 more maps take" in texts(app) and "not computed yet" in captions(app)
    app.button(key="compute_maps").click().run()
    assert not app.exception and "Integrated gradients: " in alts(app) and "not computed yet" not in captions(app)


def test_the_fake_is_found_or_not(runs):
    write(runs, "resnet8", {}, None)
    app = open_page("inspect/attributions", show="Fake?")
    app.button(key="fake_A").click().run()
    assert not app.exception and "is the fake." in texts(app) and "of 1 right" in captions(app)
    first = "Right: A" in texts(app) or "No: B" in texts(app)
    assert first and app.button(key="fake_B").disabled
    app.button(key="fake_next").click().run()
    assert not app.exception and not app.button(key="fake_B").disabled and "is the fake." not in texts(app)


def test_every_method_on_the_page(runs):
    write(runs, "resnet8", {}, None)
    app = open_page("inspect/attributions")
    next(group for group in app.get("button_group") if group.key == "methods").set_value(list(METHODS)).run()
    if compute := [button for button in app.button if button.key == "compute_maps"]:
        compute[0].click().run()
    assert not app.exception and not app.error
    assert all(f"{method.title}: " in alts(app) for method in METHODS.values())
