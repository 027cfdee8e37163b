"""The lesson on depth: both parts open from a link with their film, and the way to train the runs again."""


import pytest
import streamlit as st

from resnet_viz import checkpoints

from .lessons import open_in_app
from .test_learning_page import film


def test_gradients_of_eight_layers_by_link():
    app = open_in_app("depth", depth="8", view="Formula", at="3")
    found = film(app)
    assert found["frames"] == len(found["said"]) == 7 and found["at"] == 3 and len(found["panels"][0]["lines"]) == 6
    assert any(r"\tfrac14\right)^{3}" in one.value for one in app.latex)
    app.segmented_control(key="differ").set_value("activation").run()
    assert not app.exception and [line["name"] for line in film(app)["panels"][0]["lines"]][1] == "Tanh alone"
    app.segmented_control(key="view").set_value("Questions").run()
    assert not app.exception and len(app.radio[0].options) >= 2


def test_the_runs_and_the_way_to_train_them_again(monkeypatch, tmp_path):
    app = open_in_app("depth", part="In training", view="Code")
    found = film(app)
    assert found["frames"] == 12 and "plain 56: 65.2\u00a0% in training" in found["said"][-1]
    assert "--network plain20" in app.code[0].value and "--set train_limit=15000" in app.code[0].value
    app.selectbox(key="again").set_value("degradation-plain56").run()
    links = {link.proto.label: link.proto.query_string for link in app.get("page_link")}
    assert links["This recipe on the Training page"] == "recipe=degradation-plain56"
    assert links["The plain pair step by step"] == "first=plain20-cifar10-jpeg&second=plain56-cifar10-jpeg"
    app.query_params["recipe"] = "degradation-plain56"
    app.switch_page("pages/train/training.py").run()
    assert not app.exception and app.selectbox(key="recipe_network").value == "plain56"
    assert "recipe" not in app.query_params  # it counts once
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path)
    st.cache_data.clear()
    app = open_in_app("depth", part="In training")
    assert any("not installed" in one.value for one in app.info)


@pytest.mark.parametrize("setting", [{"depth": "9"}, {"differ": "colour"}, {"at": "999"}])
def test_a_link_that_makes_no_sense_shows_the_page_all_the_same(setting):
    assert film(open_in_app("depth", **setting))["frames"] == 19
