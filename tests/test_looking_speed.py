"""The measurements of looks inside measure what they say; the timings themselves are `make bench`'s to print."""

import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz import bench, checkpoints, looking_speed
from resnet_viz.analysis import kernels_history
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.networks import zoo
from resnet_viz.ui import page_speed

from .ui.test_walls import read


def test_the_benchmark_prints_every_bar():
    assert set(looking_speed.MEASURES) <= set(bench.MEASURES) and len(looking_speed.MEASURES) == 7


def test_maps_names_its_slowest_layer(monkeypatch):
    """On a clock that tells: each layer takes as many seconds as it has letters."""
    now, looked = [0.0], []
    real = looking_speed.feature_maps.feature_maps

    def slow(model, tensor, layer):
        now[0] += len(layer)
        looked.append(layer)
        return real(model, tensor, layer)
    monkeypatch.setattr(looking_speed.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(looking_speed.feature_maps, "feature_maps", slow)
    found = looking_speed.maps("resnet8")()
    assert found == {"seconds": 13.0, "figure": "13.000 s (layer1.0.act2)"}
    assert list(dict.fromkeys(looked)) == ["conv1", "layer1.0.act2", "layer2.0.act2", "layer3.0.act2", "fc"]


def test_a_wall_is_what_the_page_sends():
    state = zoo.build("resnet8").state_dict()
    checkpoint = checkpoints.Checkpoint("one", "resnet8", {}, state, None, (10,), Preprocessing(32, 32, (0.5,) * 3, (0.5,) * 3))
    sent = looking_speed._wall(checkpoint, kernels_history.history(checkpoint, "conv1"), "conv1", "colour")
    head = read(sent)[0]
    assert [wall["title"] for wall in head["walls"]] == ["now"] and len(head["names"]) == 16


def test_apart_is_in_units_of_the_largest_number():
    theirs = torch.zeros(1, 2, 4, 4)
    theirs[0, :, 1, 1] = 2
    ours = np.zeros((4, 4), np.float32)
    ours[1, 1] = 5
    assert looking_speed._apart(ours, theirs) == 0.25


def page():
    """Two sliders, of which the second asks a network when it is moved."""
    import streamlit as st
    from torch import zeros

    from resnet_viz.networks import zoo

    st.slider("Silent", 0, 100, 60, key="silent")
    asking = st.slider("Asking", 0, 100, 60, key="asking")
    if st.session_state.setdefault("last", asking) != asking:
        st.session_state.last = asking
        zoo.build("resnet8").eval()(zeros(1, 3, 32, 32))


@pytest.mark.parametrize(("keys", "passes"), [(["silent"], 0), (["silent", "asking"], 6)])
def test_the_slowest_change_counts_the_passes(monkeypatch, keys, passes):
    before = dict(nn.modules.module._global_forward_pre_hooks)
    app = page_speed.AppTest.from_function(page)
    monkeypatch.setattr(page_speed.AppTest, "from_file", lambda *_, **__: app)
    monkeypatch.setattr(page_speed.AppTest, "switch_page", lambda self, path: self)
    monkeypatch.setattr(page_speed, "CHANGES", tuple((key, key, (30, 60)) for key in keys))
    what, seconds, asked = page_speed.slowest_change()
    assert what in [f"{key}: {key}" for key in keys] and seconds > 0 and asked == passes
    assert dict(nn.modules.module._global_forward_pre_hooks) == before
