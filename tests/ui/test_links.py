"""A link carries the whole view: every control of every page is in the URL, or it is known why it cannot be."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from resnet_viz.data import examples
from resnet_viz.ui import pictures, presenter, share, surgery_case

from ..pages.test_every_page import PAGES

ROOT = Path(__file__).parents[2]
KINDS = ("selectbox", "multiselect", "button_group", "slider", "select_slider", "toggle", "checkbox", "number_input",
         "text_input", "text_area", "radio", "color_picker", "date_input")
NOT_A_VIEW = {  # key (a pattern) -> why it does not travel
    r"recipe_\w+": "a run that is not begun yet; More shows the command that carries it",
    r"new_rate": "an order to a run, given once",
    r"race_(switch|other|preset|epochs|seed|train_limit|batch_size|lr)": "a race that is not begun yet",
    r"race_(picker|first|second)": "the URL's `first` and `second` carry them (ui/race_pairs.py)",
    r"run_picker": "the URL's `run` carries it (ui/runs.py)",
    r"depth-[\d-]+": "chooses the network, which is in the URL",
    r"measure_\w+": "work on this machine, whose result stays in the session",
    r"landscape_(data|grid|limit|plane|seed)": "work that is not begun yet",
    r"plan_\w+": "the plan is a file of the person's own; Save keeps it",
    r"by_hand_\w+": "kept for the file, whoever opens it",
}
SECTIONS = [(name, {}) for name in PAGES] + [
    ("inspect/architecture", {"part": part}) for part in ("The paper's table", "Parameter shapes", "Arithmetic")
] + [("inspect/checkpoint", {"section": section}) for section in ("Tensors", "Compare", "Measure", "Save as")] + [
    *(("learn/data", {"part": part}) for part in ("Normalisations", "Data sets", "ImageNet", "Fine-tuning")),
    ("learn/plan", {"edit": "true"}),
    ("learn/data", {"part": "Data sets", "data": "Glyphs", "data_split": "test"}),
    ("learn/landscape", {"of": "Your own"}),
    ("inspect/kernels", {"convolution": "layer2.0.conv1", "present": "true"}),
    ("inspect/architecture", {"network": "resnet50", "part": "Arithmetic", "calculator": "Pooling"}),
]


@pytest.mark.short(24)
@pytest.mark.parametrize(("name", "query"), SECTIONS, ids=lambda part: str(part))
def test_every_control_is_in_the_url(tmp_path, monkeypatch, name, query):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    monkeypatch.setattr(surgery_case, "LIMIT", 100)  # pictures that are asked without each block: seconds
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(f"pages/{name}.py").run()
    assert not app.exception
    found = {element.key: element.proto.query_param_key for kind in KINDS for element in app.get(kind)}
    assert {"checkpoint", presenter.KEY} <= set(found)
    unbound = [key for key, bound in found.items() if not bound]
    assert [key for key in unbound if not any(re.fullmatch(pattern, key or "") for pattern in NOT_A_VIEW)] == []


def test_what_is_bound_is_seen():
    """So that the test above does not pass because it reads the wrong field."""

    def page():
        import streamlit as st

        st.selectbox("A", [1, 2], key="a", bind="query-params")
        st.selectbox("B", [1, 2], key="b")

    app = AppTest.from_function(page).run()
    assert [box.proto.query_param_key for box in app.selectbox] == ["a", ""]


def test_an_own_picture_is_said_to_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["picture"] = "coffee"
    app.switch_page("pages/inspect/predictions.py").run()
    assert app.query_params["picture"] == "coffee"
    assert pictures.STAYS not in [caption.value for caption in app.caption]
    file = examples.find("cat").path
    app.file_uploader(key="predictions_files_0").set_value((file.name, file.read_bytes(), "image/png")).run()
    assert not app.exception
    assert pictures.STAYS in [caption.value for caption in app.caption]
    assert "picture" not in app.query_params


def test_the_address_of_this_machine_is_one_that_others_can_use():
    address = share.own_address()
    assert address is None or not address.startswith("127.") and len(address.split(".")) == 4
