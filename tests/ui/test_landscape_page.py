"""The lesson on landscapes: a link's view, one's own being computed, stopped and failed; read-only it offers
nothing."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import streamlit as st

from resnet_viz import runs
from resnet_viz.analysis import landscape_file, landscape_process
from resnet_viz.analysis.landscape_process import Order
from resnet_viz.ui import access

from .lessons import open_in_app, sent

ORDER = Order("mine", "w.safetensors", "shapes", 21, 400, "random", 0)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """An order of half a landscape, whose process has ended."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    st.cache_data.clear()
    path = landscape_process.folder() / "abc.json"
    whole = landscape_file.read(landscape_process.SHIPPED / "plain56-cifar10-jpeg.npz")
    half = np.arange(21)[:, None] < 11
    landscape_file.write(path.with_suffix(".npz"), replace(whole, done=whole.done & half))
    runs.write_json(path, {"order": asdict(ORDER), "pid": 2**22 + 1, "process_created": 0})
    return path


def test_a_link_carries_the_view():
    app = open_in_app("landscape", of="A training path", seen="from above", log="false", cut="10", view="Questions")
    found = sent(app, "landscape")
    assert found["seen"] == "above" and not found["log"] and found["range"] == [0, 10] and len(found["panels"]) == 1
    assert found["panels"][0]["path"]["labels"][0] == "before training" and any(
        "400 test pictures of Shapes" in one.value for one in app.caption
    )
    assert len(app.radio[0].options) >= 2
    for view in ("Formula", "Code", "Numbers"):
        app.segmented_control(key="view").set_value(view).run()
        assert not app.exception


def test_ones_own_stopped_goes_on(own, monkeypatch):
    asked = []
    monkeypatch.setattr(landscape_process, "start", lambda order: asked.append(order) or "abc")
    app = open_in_app("landscape", of="Your own")
    assert (np.array(sent(app, "landscape")["panels"][0]["known"]) == 1).sum() == 11 * 21
    assert app.selectbox(key="mine").options == ["mine, 21 × 21, seed 0"]
    assert any("Stopped at 231 of 441 points" in part.proto.text for part in app.get("progress"))
    app.button(key="landscape_on").click().run()
    assert asked == [ORDER]


def test_one_at_work_can_be_stopped(own, monkeypatch):
    stopped = []
    monkeypatch.setattr(runs, "process_alive", lambda about: True)
    monkeypatch.setattr(landscape_process, "stop", stopped.append)
    app = open_in_app("landscape", of="Your own")
    assert any("231 of 441 points, about " in part.proto.text for part in app.get("progress"))
    app.button(key="landscape_stop").click().run()
    assert stopped == ["abc"]


def test_what_could_not_be_computed_says_why(own):
    own.with_suffix(".npz").unlink()
    own.with_suffix(".log").write_text("There is no data set 'x'.\n")
    assert "There is no data set" in open_in_app("landscape", of="Your own").error[0].value


def test_a_new_one_is_ordered_and_a_refusal_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "file"))
    (tmp_path / "file").write_text("")
    app = open_in_app("landscape", of="Your own", checkpoint="resnet20-stem7-shapes")
    assert "No landscape was computed here yet" in app.info[0].value
    app.button(key="landscape_start").click().run()
    assert "cannot be written" in app.error[0].value


def test_read_only_nothing_is_offered(own, monkeypatch):
    monkeypatch.setenv(access.READONLY, "1")
    app = open_in_app("landscape", of="Your own")
    keys = {button.key for button in app.button}
    assert not keys & {"landscape_start", "landscape_on", "landscape_stop"} and sent(app, "landscape")["panels"]
