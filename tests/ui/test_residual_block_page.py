"""The lesson on the residual block on its page: the browser gets the block's own numbers, and links carry the view."""


import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.data import examples
from resnet_viz.data.preprocessing import see
from resnet_viz.ui import residual_block_network

from .lessons import ROOT, open_lesson, sent


def given(app: AppTest) -> dict:
    return sent(app, "residual_block")


def map_of(step: dict) -> np.ndarray:
    return np.array(step["values"]).reshape(step["rows"], step["columns"])


def test_the_numbers_are_the_loaded_blocks_and_the_link_carries_the_view():
    app = open_lesson("residual_block", **{"block-of-loaded-9": "layer1.1, identity", "channel-of-layer1.1": "5"}, at="99", view="Formula")
    found = given(app)
    checkpoint = checkpoints.read(checkpoints.find("resnet20-cifar10-jpeg"))
    model = checkpoints.model(checkpoint)
    with torch.no_grad():
        picture = see(examples.read(examples.find("cat")), checkpoint.preprocessing).tensor
        x = model.layer1[0](model.act1(model.bn1(model.conv1(picture))))
        out = model.layer1[1](x)[0, 5].numpy()
    assert found["title"] == "layer1.1, channel 5" and found["at"] == 99 and not app.error
    np.testing.assert_allclose(map_of(found["around"][0]), x[0, 5], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(map_of(found["end"][-1]), out, rtol=1e-3, atol=1e-4)
    assert [step["sign"] for step in found["layers"]] == [None, "×", "→", "→", "×", "→"] and len(app.latex) == 7
    assert "channel 5, row 3, column 3" in " ".join(caption.value for caption in app.caption)
    app.toggle(key="skip").set_value(False).run()
    off = given(app)
    np.testing.assert_allclose(map_of(off["end"][-1]), np.maximum(map_of(found["layers"][-1]), 0), atol=1e-3)
    assert not off["skip"] and off["digest"] != found["digest"]
    for view in ("Story", "Code", "Numbers", "Questions"):
        app.segmented_control(key="view").set_value(view).run()
        assert not app.exception
    assert app.radio


def test_a_bottleneck_that_nobody_trained_shows_a_projection_of_stride_one():
    app = open_lesson("residual_block", **{"network-of-block": residual_block_network.UNTRAINED})
    found = given(app)
    assert [step["title"] for step in found["around"]] == ["x", "1 × 1", "batch norm"] and len(found["layers"]) == 9
    assert all(step["scale"] == 1 for step in found["around"]) and np.abs(map_of(found["end"][-1])).max() > 0
    assert "stride 1 and makes 256 channels of 64" in app.markdown[-1].value
    assert not any("without the skip" in caption.value for caption in app.caption)  # nobody trained it


def test_gradients_have_their_film_and_views():
    app = open_lesson("residual_block", part="Gradient back", view="Formula")
    found = sent(app, "player")
    assert found["frames"] == 10 and len(app.latex) == 3
    kept, lost = found["panels"][0]["lines"]
    assert kept["y"][0] == lost["y"][0] == 1 and lost["y"][-1] < 1e-3 < kept["y"][-1]
    app.segmented_control(key="view").set_value("Questions").run()
    assert app.radio and not app.exception


@pytest.mark.parametrize("part", ["Numbers forward", "Gradient back"])
def test_a_plain_network_has_nothing_to_add(part):
    app = AppTest.from_file(str(ROOT / "pages/learn/residual_block.py"), default_timeout=60)
    app.session_state["checkpoint"] = "plain20-cifar10-jpeg"
    app.query_params["part"] = part
    app.run()
    assert "no shortcuts" in app.error[0].value and not app.exception
