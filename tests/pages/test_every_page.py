"""Every page through the app's entry file: with no checkpoint at all, with a bundled one, and with an own run."""

import json
import re
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.ui import surgery_case

from ..analysis.conftest import write_run
from ..ui.test_walls import read

ROOT = Path(__file__).parents[2]
PAGES = {  # page -> the question it answers
    "start/home": "What is inside a residual network?",
    "inspect/checkpoint": "What is in this weights file?",
    "inspect/predictions": "What does the network see in this picture?",
    "inspect/architecture": "What is this network made of?",
    "inspect/kernels": "What did the first layer learn?",
    "inspect/feature_maps": "What does each layer make of the picture?",
    "inspect/attributions": "Where did the network look?",
    "inspect/channels": "What does a channel look for?",
    "inspect/surgery": "Which blocks does it need?",
    "inspect/errors": "What does the network get wrong?",
    "train/training": "How does a network learn?",
    "train/runs": "Which run was best, and why?",
    "train/time_machine": "What changed inside, and when?",
    "train/gradients": "Does the signal reach the first layer?",
    "train/race": "What does one switch change?",
    "train/resources": "What does training this network cost?",
    "learn/learning": "How does a network learn from a mistake?",
    "learn/operations": "What does each operation do to a picture?",
    "learn/batch_norm": "Why does the same picture get two answers?",
    "learn/residual_block": "What does a residual block add?",
    "learn/depth": "Why did depth hurt, and what cured it?",
    "learn/overfitting": "When does a network learn by heart?",
    "learn/data": "What does the network get to see?",
    "learn/landscape": "What does the loss look like from here?",
    "learn/plan": "What happens in the next lecture?",
}
NEEDS_A_NETWORK = ("inspect/checkpoint", "inspect/predictions", "inspect/kernels", "inspect/feature_maps",
                   "inspect/attributions", "inspect/channels", "inspect/surgery", "inspect/errors",
                   "learn/batch_norm", "learn/residual_block")


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """No bundled checkpoints, and an empty folder for runs."""
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    st.cache_data.clear()
    return tmp_path


def open_page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    return app


def alts(app: AppTest) -> str:
    """What is said to those who cannot see the pictures and charts."""
    pictures = [image.alt for element in app.get("image") for image in element.proto.imgs]
    charts = [element.proto.alt for element in app.get("plotly_chart")]
    strips = [c.proto.bytes for c in app.get("bidi_component") if c.proto.component_name.endswith("strips")]
    charts += [strip["alt"] for data in strips for strip in head_of(data)["strips"]]
    walls = [c.proto.bytes for c in app.get("bidi_component") if c.proto.component_name.endswith("wall")]
    charts += [wall["alt"] for data in walls for wall in read(data)[0]["walls"]]
    return "\n".join(pictures + charts).replace("\xa0", " ")


def head_of(data: bytes) -> dict:
    """What stands before the pictures in the bytes of a component."""
    return json.loads(data[4:4 + int.from_bytes(data[:4], "little")])


def test_the_app_lists_every_page_that_exists():
    listed = re.findall(r'\("(\w+/\w+)"', (ROOT / "app.py").read_text())
    assert listed == list(PAGES)
    assert sorted(listed) == sorted(
        str(p.relative_to(ROOT / "pages").with_suffix("")) for p in ROOT.glob("pages/*/*.py")
    )


@pytest.mark.parametrize("name", PAGES)
def test_without_any_checkpoint(nothing, name):
    app = open_page(name)
    assert app.title[0].value == PAGES[name]
    assert not app.sidebar.selectbox
    assert "no trained network here yet" in app.sidebar.caption[0].value.replace("\\", "")
    if name in NEEDS_A_NETWORK:
        assert ["no trained network here yet" in info.value for info in app.info] == [True]
    assert not app.error  # a fresh install is no mistake
    if name == "inspect/architecture":
        assert "11,689,512" in [metric.value for metric in app.metric]


def true_element(name: str, app: AppTest) -> bool:
    """One thing on each page that is right only if the checkpoint was read and used (ResNet-8, 10 classes)."""
    return {
        "start/home": (
            lambda: "75,290" in [metric.value for metric in app.metric] and "8 of the 16 maps" in captions(app)
        ),
        "inspect/checkpoint": lambda: "16 filters of 3 x 3 of conv1.weight" in alts(app),
        "inspect/predictions": lambda: "32 × 32" in captions(app) and "Probabilities: " in alts(app),
        "inspect/architecture": lambda: "75,290" in [metric.value for metric in app.metric],
        "inspect/kernels": lambda: "16 kernels of 3 x 3 of conv1" in alts(app),
        "inspect/feature_maps": lambda: "layer3.0.act2: 64 maps, 8 × 8" in alts(app),
        "train/gradients": lambda: "mine" in selected(app) and "recorded no gradients" in app.info[0].value,
        "train/race": lambda: "there are not two yet" in app.info[0].value,
        "inspect/attributions": lambda: "Grad-CAM: " in alts(app) and "ninth of the picture" in alts(app),
        "inspect/channels": lambda: "What the 32 channels of layer2.0.add answer" in alts(app),
        "inspect/surgery": lambda: "only the checkpoint has 0, 1, 2" in app.error[0].value.replace("\\", ""),
        "inspect/errors": lambda: "only the checkpoint has 0, 1, 2" in app.error[0].value.replace("\\", ""),
        "train/resources": lambda: "current checkpoint" in str(app.selectbox(key="network").options),
        "learn/learning": lambda: "Right are 24, 216, 24 and f = 14.008" in "".join(part.value for part in app.markdown),
        "train/runs": lambda: any('"ref": "runs/mine"' in part.proto.json for part in app.get("bidi_component")),
        "train/time_machine": lambda: "mine" in selected(app) and "has no snapshots" in app.info[0].value,
        "train/training": lambda: "mine" in str(app.query_params.get("run", "")) + captions(app) + selected(app),
        "learn/depth": lambda: "3.9e−17" in "".join(part.value for part in app.markdown),
        "learn/batch_norm": lambda: any("Probability of " in part.proto.json and "shuffle 20 of 20" in part.proto.json
                                        for part in app.get("bidi_component")),
        "learn/plan": lambda: "90 minutes" in captions(app) and len(app.get("page_link")) == 15,
        "learn/data": lambda: len(steps_of(app)["frames"]) == 12 and steps_of(app)["original"]["width"] == 32,  # a shape
        "learn/landscape": lambda: "Plain 56: loss " in scene(app)["panels"][0]["alt"] and len(scene(app)["panels"]) == 2,
        "learn/residual_block": lambda: "layer2.0, channel" in str([part.proto.json for part in app.get("bidi_component")]),
        "learn/overfitting": lambda: "By heart: after 40 epochs" in "".join(part.value for part in app.markdown),
        "learn/operations": lambda: "from 9 to 20" in machine(app)["alt"],
    }[name]()


def scene(app: AppTest) -> dict:
    """The surfaces of the lesson on landscapes."""
    return next(json.loads(c.proto.json) for c in app.get("bidi_component") if c.proto.component_name.endswith("landscape"))


def machine(app: AppTest) -> dict:
    """What the moving picture of the operations shows."""
    return next(json.loads(c.proto.json) for c in app.get("bidi_component") if c.proto.component_name.endswith("operation"))


def steps_of(app: AppTest) -> dict:
    """What the cards of the lesson on data show."""
    return next(json.loads(c.proto.json) for c in app.get("bidi_component") if c.proto.component_name.endswith("data_steps"))


def captions(app: AppTest) -> str:
    return "\n".join(caption.value.replace("\\", "") for caption in app.caption)


def selected(app: AppTest) -> str:
    return "\n".join(str(box.value) for box in app.selectbox)


@pytest.mark.short(13)
@pytest.mark.parametrize("name", PAGES)
def test_with_an_own_run(nothing, name):
    shutil.rmtree(write_run(nothing / "runs" / "mine", keep_weights=False) / "snapshots")  # weights alone will do
    app = open_page(name)
    assert app.title[0].value == PAGES[name]
    assert app.sidebar.selectbox[0].value == "runs/mine"
    assert "resnet8, 10 classes  \ntrained on shapes for 2 epochs" in app.sidebar.caption[0].value.replace("\\", "")
    assert true_element(name, app)


@pytest.mark.parametrize("name", PAGES)
def test_with_the_bundled_checkpoints(tmp_path, monkeypatch, name):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    monkeypatch.setattr(surgery_case, "LIMIT", 100)  # pictures that are asked without each block: seconds
    app = open_page(name)
    assert app.sidebar.selectbox[0].value == "resnet20-cifar10-jpeg"
    assert "CIFAR-10 (JPEG)" in app.sidebar.caption[0].value.replace("\\", "")
    assert not app.error
