"""The pages that look inside a network, through the app's entry file: without any checkpoint, and with a run."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.networks import zoo

from ..analysis.conftest import write_run
from ..ui.test_walls import read

APP = str(Path(__file__).parents[2] / "app.py")
PAGES = {"architecture": "What is this network made of?", "kernels": "What did the first layer learn?",
         "feature_maps": "What does each layer make of the picture?"}


@pytest.fixture
def runs_folder(tmp_path, monkeypatch):
    """No bundled checkpoints, and an empty folder for runs."""
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    st.cache_data.clear()
    return tmp_path / "runs"


def open_page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    app.switch_page(f"pages/inspect/{name}.py").run()
    assert not app.exception
    return app


def pictures(app: AppTest) -> list:
    return [element.proto for element in app.get("image")]


def shown_walls(app: AppTest) -> list[dict]:
    """Of the walls to pick from: title and alt of each, and the names of their tiles."""
    component = next(c for c in app.get("bidi_component") if c.proto.component_name.endswith("wall"))
    head, _ = read(component.proto.bytes)
    return [{**wall, "names": head["names"], "chosen": head["chosen"]} for wall in head["walls"]]


def choose(app: AppTest, label: str, value) -> AppTest:
    next(box for box in app.selectbox if box.label == label).set_value(value).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("name", PAGES)
def test_without_any_checkpoint(runs_folder, name):
    app = open_page(name)
    assert app.title[0].value == PAGES[name]
    if name == "architecture":
        assert not app.error and "11,689,512" in [metric.value for metric in app.metric]
    else:
        assert "no trained network here yet" in app.info[0].value


@pytest.mark.short(4)
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("view", ["Story", "Formula", "Code", "Numbers"])
def test_every_view_of_a_page_with_a_run(runs_folder, name, view):
    write_run(runs_folder / "mine", keep_weights=True)
    app = open_page(name, view=view)
    assert app.title[0].value == PAGES[name] and not app.error


def test_any_network_at_any_size(runs_folder):
    app = choose(open_page("architecture"), "Network", "resnet152")
    assert "60,192,808" in [metric.value for metric in app.metric]
    app = choose(app, "Network", "simple-cnn")
    app.number_input[0].set_value(64).run()
    assert not app.exception and "32 to 35 pixels a side" in app.error[0].value


def test_every_choice_of_a_network_is_in_the_link(runs_folder):
    link = {"network": "resnet50", "activation-resnet50": "tanh", "norm-resnet50": "none", "channels-resnet50": "1",
            "classes-resnet50": "168,11,7", "stem-resnet50": "cifar: 3x3, stride 1", "conv_bias-resnet50": "yes",
            "shortcut-resnet50": "A: zeros", "variant-resnet50": "v1: on the first 1x1", "view": "Code"}
    app = open_page("architecture", **link)
    chosen = {"activation": "tanh", "norm": "none", "in_channels": 1, "heads": [168, 11, 7], "stem": "cifar",
              "conv_bias": True, "shortcut": "A", "variant": "v1"}
    params = zoo.num_params(zoo.build("resnet50", chosen, device="meta"))
    assert not app.error and f"{params:,}" in [metric.value for metric in app.metric]
    assert "--heads 168,11,7" in app.code[1].value and "--activation tanh" in app.code[1].value


def test_heads_that_are_no_numbers_are_a_sentence_and_the_controls_stay(runs_folder):
    app = open_page("architecture", network="resnet18")
    app.text_input(key="classes-resnet18").set_value("ten").run()
    assert not app.exception and "168,11,7" in app.error[0].value
    app.text_input(key="classes-resnet18").set_value("10").run()
    assert not app.error and "11,181,642" in [metric.value for metric in app.metric]


@pytest.mark.short(3)
@pytest.mark.parametrize("network", ["wide-resnet50-2", "resnext50-32x4d", "hw4-resnet", "grapheme-resnet"])
@pytest.mark.parametrize("view", ["Story", "Formula"])
def test_the_kin_and_the_courses_networks(runs_folder, network, view):
    app = open_page("architecture", network=network, view=view)
    params = zoo.num_params(zoo.build(network, device="meta"))
    assert not app.error and f"{params:,}" in [metric.value for metric in app.metric]


def test_the_table_to_take_along_is_folded_as_the_drawing(runs_folder):
    app = open_page("architecture", fold="stage", view="Numbers")
    assert [button.proto.label for button in app.get("download_button")] == ["Download CSV", "Download Markdown",
                                                                             "Download LaTeX"]


def test_kernels_before_now_and_difference(runs_folder):
    write_run(runs_folder / "mine", keep_weights=True)
    app = open_page("kernels")
    walls = shown_walls(app)
    assert [wall["title"] for wall in walls] == ["Before training", "Now: epoch 2, this checkpoint", "Difference"]
    assert "moved by 0.50 of their length" in walls[0]["alt"]
    app.select_slider[0].set_value("step 4").run()
    assert not app.exception and shown_walls(app)[1]["title"] == "Now: step 4"


def test_a_kernel_in_detail(runs_folder):
    write_run(runs_folder / "mine", keep_weights=True)
    weights = checkpoints.read(runs_folder / "mine" / "best.safetensors").state["conv1.weight"][5]
    app = open_page("kernels", kernel="5")
    assert shown_walls(app)[0]["chosen"] == 5 and app.subheader[0].value == "Filter 5 of conv1"
    alts = [picture.imgs[0].alt for picture in pictures(app)]
    for name, part in zip(("red", "green", "blue"), weights):
        strongest = part.flatten()[part.abs().argmax()].item()
        assert f"Filter 5 of conv1, now, {name}: 9 weights, the strongest {strongest:.3g}" in alts
    assert sum("answers" in alt for alt in alts) == 4 and any(", before training: 32 x 32 pixels" in alt for alt in alts)
    assert "moved" in app.get("plotly_chart")[0].proto.alt
    app = open_page("kernels", kernel="5", weights="Before training")
    assert any("Filter 5 of conv1, before training, red" in picture.imgs[0].alt for picture in pictures(app))


def test_the_patches_that_excite_a_filter(runs_folder):
    write_run(runs_folder / "mine", keep_weights=False)
    app = open_page("kernels", kernel="5")
    assert "test pictures of Shapes" in "".join(caption.value for caption in app.caption)
    app.button(key="find_patches").click().run()
    assert not app.exception and "find_patches" not in [button.key for button in app.button]
    alts = [picture.imgs[0].alt for picture in pictures(app)]
    assert [alt.partition(":")[0] for alt in alts if "of picture" in alt] == [f"Number {n} of filter 5" for n in range(1, 10)]
    assert any("among 1,000 test pictures" in caption.value for caption in app.caption)


def test_a_slice_of_a_deep_filter_in_detail(runs_folder):
    write_run(runs_folder / "mine", keep_weights=False)
    app = open_page("kernels", convolution="layer2.0.conv1", kernels="the inputs of one filter", kernel="3",
                    **{"filter-layer2.0.conv1": "7"})
    assert app.subheader[0].value == "Filter 7 of layer2.0.conv1, input 3"
    weights = checkpoints.read(runs_folder / "mine" / "best.safetensors").state["layer2.0.conv1.weight"][7, 3]
    strongest = weights.flatten()[weights.abs().argmax()].item()
    assert f"Filter 7 of layer2.0.conv1, input 3, now: 9 weights, the strongest {strongest:.3g}" in pictures(app)[1].imgs[0].alt


def test_every_convolution_can_be_chosen(runs_folder):
    write_run(runs_folder / "mine", keep_weights=False)
    app = open_page("kernels")
    app.select_slider[0].set_value("step 4").run()  # a moment that other layers do not have
    app = choose(app, "Convolution", "layer3.0.conv2")
    assert not app.error and "only before training and now" in app.info[0].value
    assert "64 kernels of 3 x 3 of layer3.0.conv2" in shown_walls(app)[0]["alt"]
    app = choose(app, "Kernels", "input")
    choose(app, "Order", "orientation")


def test_a_file_without_its_run_shows_now_only(runs_folder, tmp_path, monkeypatch):
    run = write_run(runs_folder / "mine", keep_weights=False)
    (run / "initial.safetensors").unlink()
    for snapshot in (run / "snapshots").iterdir():
        snapshot.unlink()
    app = open_page("kernels")
    assert "neither its weights from before training" in app.info[0].value
    assert [wall["title"].split(":")[0] for wall in shown_walls(app)] == ["Now"]
