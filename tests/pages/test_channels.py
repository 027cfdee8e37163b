"""What does a channel look for? Every kind of network and of pictures, work that stops and goes on, the picked channel."""

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image

from resnet_viz import checkpoints
from resnet_viz.analysis import channels
from resnet_viz.data import sources
from resnet_viz.ui import attribution_maps
from resnet_viz.ui import channels as ui

from ..foreign_networks import CifarResNet, randomised
from .test_attributions import texts, write
from .test_every_page import alts, captions, open_page

PAGE = "inspect/channels"


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder of runs without any, nothing kept from another test, and nothing that waits for a click."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setattr(attribution_maps, "PATIENCE_S", float("inf"))  # however busy the machine is
    monkeypatch.setattr(ui, "PATIENCE_S", float("inf"))
    st.cache_resource.clear()
    return tmp_path


def test_the_numbers_are_those_of_a_plain_pass(runs):
    write(runs, "resnet8", {}, None, data="shapes")
    app = open_page(PAGE, among="Digits", **{"asked-layer": "bn1", "channel-limit": "500", "view": "Numbers"})
    assert not app.error
    checkpoint = checkpoints.read(runs / "w.safetensors")
    images = sources.load("digits", "test").images.expand(-1, 3, -1, -1)
    found = channels.strongest(checkpoints.model(checkpoint), images, checkpoint.preprocessing, "bn1")
    table = app.dataframe[0].value
    assert np.array_equal(table["strongest"], found.values[:, 0]) and table["above 0"].tolist() == (
        (found.answered / 364).round(3).tolist())
    assert table["pictures"].tolist() == [", ".join(map(str, line)) for line in found.pictures]


@pytest.mark.short(1)
@pytest.mark.parametrize("view", ["Story", "Formula", "Code"])
def test_the_picked_channel_in_detail(runs, view):
    write(runs, "resnet8", {}, ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibis", "jay"])
    app = open_page(PAGE, channel="5", view=view, made="true", **{"asked-layer": "fc"})
    assert not app.error and app.subheader[0].value == "Class 5 fox of fc"
    assert "What the 10 channels of fc answer most among 440 pictures" in alts(app)
    assert "The pictures made for 10 channels of fc" in alts(app) and "The picture made for channel 5 of fc" in alts(app)
    assert "128 small steps" in captions(app)


@pytest.mark.short(2)
@pytest.mark.parametrize(("name", "arguments"), [
    ("simple-cnn", {"in_channels": 1}), ("grapheme-resnet", {"heads": [4, 3, 2]}), ("hw4-resnet", {"heads": [5]}),
    ("plain8", {}), ("resnet8", {"norm": "none", "activation": "tanh"})])
def test_every_kind_of_network(runs, name, arguments):
    write(runs, name, arguments, None)
    app = open_page(PAGE, among="Glyphs", patches="whole pictures", **{"channel-limit": "40"})
    assert not app.error and "strongest answers. Above 0 somewhere in" in alts(app)


def test_a_foreign_file_and_a_folder_of_pictures(runs):
    torch.manual_seed(0)
    torch.save(randomised(CifarResNet((1, 1, 1), (16, 32, 64))).state_dict(), runs / "foreign.pth")
    dice = np.random.default_rng(0)
    for name in ("ant", "bee"):
        (runs / "folder" / "test" / name).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(dice.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(runs / "folder" / "test" / name / f"{number}.png")
    app = open_page(PAGE)
    assert not app.error and app.sidebar.selectbox[0].value == "runs/foreign.pth"
    app = open_page(PAGE, among=str(runs / "folder"))
    assert not app.error
    assert "among 6 pictures" in alts(app) and "in pictures of" in texts(app) and "among 6 of folder" in captions(app)
    app = open_page(PAGE, among="/nowhere/at/all")
    assert "There is no data set, folder or zip" in app.error[0].value.replace("\\", "")


def test_what_takes_long_stops_by_itself_and_goes_on(runs, monkeypatch):
    monkeypatch.setattr(ui, "PATIENCE_S", 1e-9)
    monkeypatch.setattr(attribution_maps, "PATIENCE_S", 0.0)
    monkeypatch.setattr(channels, "BATCH_PIXELS", 100 * 32**2)
    write(runs, "resnet8", {}, None)
    app = open_page(PAGE)
    assert "100 of 440 pictures looked through" in texts(app) and "The picture takes" in texts(app)
    assert "among 100 pictures" in alts(app) and "small steps" not in captions(app)
    app.button(key="look_on").click().run()
    assert not app.exception and "looked through" not in texts(app) and "among 440 pictures" in alts(app)
    app.button(key="compute_dreams_one").click().run()
    assert not app.exception and "small steps" in captions(app)
