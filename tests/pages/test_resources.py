"""The page of what training costs: what it says at once, every control and view, real steps, and what it refuses."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.analysis import resources
from resnet_viz.analysis.resources import GIB

from .test_every_page import alts, captions, open_page

HERE = resources.Device("cpu", "CPU", 16 * GIB)


@pytest.fixture(autouse=True)
def bare(tmp_path, monkeypatch):
    """No checkpoint at all, and a machine with 16 GiB."""
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(resources, "this_device", lambda: HERE)
    st.cache_data.clear()
    st.cache_resource.clear()


def page(**query: str) -> AppTest:
    return open_page("train/resources", **query)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label.startswith(label))


def test_the_first_paint_says_what_it_costs():
    app = page()
    found = metrics(app)
    assert found["A training step takes"] == "7.338 GiB" and found["of it stored activations"] == "72%"
    most = resources.largest_batch(resources.demand("resnet152", {}, 224), "momentum", 16 * GIB)
    assert found["Largest batch that fits"] == f"{most:,}" and most > 64
    assert "Training resnet152 on a batch of 32 takes 7.338 GiB and fits into 16 GiB" in alts(app)
    assert "measured from 2,460 MiB at batch 1" in alts(app)
    assert not app.error and not app.warning


def test_the_url_carries_the_settings():
    app = page(network="resnet50", batch="8", optimizer="Adam", precision="bf16", memory="24 GB")
    asked = resources.demand("resnet50", {}, 224, "bf16", "cuda")
    assert metrics(app)["Largest batch that fits"] == f"{resources.largest_batch(asked, 'adam', 24 * GIB):,}"
    assert "a GPU with 24 GB" in alts(app)


def test_every_control_changes_what_it_says():
    app = page(network="resnet18", batch="16")
    seen = [metrics(app)]
    for change in (lambda: app.number_input(key="batch").set_value(64),
                   lambda: app.segmented_control(key="optimizer").set_value("adam"),
                   lambda: app.segmented_control(key="precision").set_value("bf16"),
                   lambda: app.selectbox(key="memory").set_value("8 GB"),
                   lambda: app.selectbox(key="network").set_value("resnet34")):
        change().run()
        assert not app.exception and not app.error
        seen.append(metrics(app))
    assert all(before != after for before, after in zip(seen, seen[1:]))


def test_a_typed_memory():
    app = page(network="resnet18", memory="another GPU", gib="11")
    assert "11 GiB (a GPU with 11 GB)" in alts(app)
    app.number_input(key="gib").set_value(0.5).run()
    assert metrics(app)["Largest batch that fits"] == "0" and not app.error
    assert "does not fit into 512 MiB" in app.warning[0].value.replace("\\", "")


def test_what_does_not_fit_is_said():
    app = page(batch="256", memory="8 GB")
    assert "does not fit into 8 GiB" in app.warning[0].value.replace("\\", "")
    assert int(metrics(app)["Largest batch that fits"]) < 256


@pytest.mark.parametrize(("query", "words"), [
    ({"network": "simple-cnn", "size-simple-cnn": "64"}, "takes pictures of 32 to 35 pixels"),
    ({"network": "resnet18", "size-resnet18": "32", "batch": "1"}, "batch of 2 or more")])
def test_what_cannot_be_trained_is_one_sentence(query, words):
    app = page(**query)
    assert [words in error.value.replace("\\", "") for error in app.error] == [True]
    assert app.number_input(key="batch")  # the controls are still there


@pytest.mark.short(1)
@pytest.mark.parametrize(("view", "words"), [("Formula", "60,192,808 × 4 bytes"), ("Code", "saved_tensors_hooks"),
                                             ("Numbers", "counted once")])
def test_the_other_views(view, words):
    app = page(view=view)
    text = captions(app) + "\n".join(code.value for code in app.code)
    text += "\n".join(table.value.to_string() for table in app.table)
    assert words in text and not app.error
    if view == "Numbers":
        kinds = app.table[0].value
        assert kinds.loc["Add (× 50)", "A picture"] == "" and kinds.loc["MaxPool2d (× 1)", "A picture"] == "1.531 MiB"
        assert "residual addition is free" in kinds.loc["Add (× 50)", "Keeps, and why"]
        assert len(app.dataframe[0].value) > 500
    if view == "Code":
        assert "python -m resnet_viz resources resnet152 --batch-size 32" in app.code[1].value


@pytest.mark.hard
def test_real_steps_beside_the_estimate():
    app = page(network="resnet8", batch="2")
    button(app, "Measure").click().run(timeout=120)
    assert not app.exception and not app.error
    table = next(frame.value for frame in app.dataframe if "pictures/s" in frame.value)
    assert list(table["batch"]) == [1, 2] and (table["estimate off"] == 0).all() and (table["pictures/s"] > 0).all()
    assert "the estimate agrees" in alts(app)
    app.number_input(key="epoch-resnet8").set_value(1_000).run()
    assert "an epoch of 1,000 takes" in alts(app)  # what was measured stays, and is worked out anew
    app.segmented_control(key="optimizer").set_value("adam").run()
    assert not any("pictures/s" in frame.value for frame in app.dataframe)  # of another setting nothing is known


@pytest.mark.hard
def test_a_batch_that_does_not_fit_leaves_the_app_alive():
    app = page(network="resnet20", batch="512", memory="another GPU", gib="0.8")
    next(box for box in app.number_input if box.label.startswith("Batches")).set_value(512).run()
    button(app, "Measure").click().run(timeout=120)
    assert not app.exception
    warnings = [warning.value.replace("\\", "") for warning in app.warning]
    assert any("It did not fit at batch" in text and "free again" in text for text in warnings)
    assert any("pictures/s" in frame.value for frame in app.dataframe)  # the smaller ones were measured
    app.number_input(key="batch").set_value(4).run()
    assert metrics(app) and not app.exception
