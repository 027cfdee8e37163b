"""The sections beside the drawing: the paper's tables, the shapes of the parameters, the arithmetic of layers."""

import json
import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.ui import calculators

from ..analysis.conftest import write_run


def script(section: str, network: str, arguments: dict, size: int):
    import importlib

    from resnet_viz.ui.networks import Choice
    from resnet_viz.ui.page import problems

    with problems():
        shown = importlib.import_module(f"resnet_viz.ui.{section}")
        shown.show() if section == "calculators" else shown.show(Choice(network, arguments, size))


def open_section(section: str, network: str = "", arguments: dict | None = None, size: int = 224, **query) -> AppTest:
    app = AppTest.from_function(script, default_timeout=60, args=(section, network, arguments or {}, size))
    for key, value in query.items():
        app.query_params[key.replace("_", "-")] = value
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def nothing(tmp_path, monkeypatch):
    """No bundled checkpoints, and an empty folder for runs."""
    monkeypatch.setattr(checkpoints, "BUNDLED", tmp_path / "bundled")
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path / "runs"))
    st.cache_data.clear()
    return tmp_path


def table(app: AppTest) -> dict:
    """What the browser draws: label, head, rows, marked."""
    component, = app.get("bidi_component")
    return json.loads(component.proto.json)


def texts(row: list) -> list[str]:
    return [cell if isinstance(cell, str) else cell.get("text", "") for cell in row]


def test_table_1_has_brackets_and_the_printed_row(nothing):
    found = table(open_section("paper_table", "resnet50"))
    rows = {texts(row)[0]: row for row in found["rows"]}
    assert rows["conv4_x"][-1] == {"bracket": ["1×1, 256", "3×3, 256 /2", "1×1, 1024"], "times": "× 36"}
    assert texts(rows["Parameters"])[2:] == ["11,689,512", "21,797,672", "25,557,032", "44,549,160", "60,192,808"]
    assert texts(rows["FLOPs, printed"])[2:] == [f"{n} × 10⁹" for n in (1.8, 3.6, 3.8, 7.6, 11.3)]
    assert texts(rows["MACs, v1"])[-1] == "11.28 × 10⁹" and texts(rows["MACs, v1.5"])[-1] == "11.51 × 10⁹"
    assert rows["MACs, v1"][-1]["note"] == "0.2% less" and rows["MACs, v1.5"][-1]["strong"]
    assert found["marked"] == 4 and found["head"][4] == {"text": "50-layer", "note": "chosen above"}


def test_switches_move_the_stride_and_add_the_biases(nothing):
    found = table(open_section("paper_table", "resnet50", paper_variant="v1: on the first 1×1", paper_biases="true"))
    rows = {texts(row)[0]: row for row in found["rows"]}
    assert rows["conv4_x"][-1]["bracket"] == ["1×1, 256 /2", "3×3, 256", "1×1, 1024"]
    assert texts(rows["Parameters"])[-1] == "60,268,520" and rows["MACs, v1"][-1]["strong"]


def test_the_checkpoints_column_is_marked_by_a_word(nothing):
    shutil.rmtree(write_run(nothing / "runs" / "mine", keep_weights=False) / "snapshots")
    found = table(open_section("paper_table", "resnet8", size=32))
    assert found["head"][1]["note"] == "your checkpoint" and found["marked"] == 1
    assert [cell["note"] for cell in found["head"][2:]] == [f"n = {n}" for n in (2, 3, 5, 7, 9, 18)]


def test_the_cifar_table_has_both_shortcuts_and_the_printed_errors(nothing):
    app = open_section("paper_table", "plain56", size=32)
    found = table(app)
    rows = [texts(row) for row in found["rows"]]
    assert rows[3][1:4] == ["75,290", "172,506", "269,722"] == rows[5][1:4] and rows[4][3] == "272,474"
    assert rows[-1][1:] == ["–", "–", "8.75 %", "7.51 %", "7.17 %", "6.97 %", "6.43 %"]
    assert found["head"][found["marked"]] == {"text": "56-layer", "note": "chosen above", "right": True}
    assert "table 6 of He" in app.caption[0].value


def test_resnet152_beside_the_slides(nothing):
    app = open_section("parameter_shapes", "resnet152", {"conv_bias": True})
    assert [metric.value for metric in app.metric] == ["60,268,520", "229.91 MiB", "592.7 KiB", "230.5 MiB"]
    assert "231 MiB" in app.markdown[0].value and "it is three" in app.markdown[0].value
    conv4 = table(app)["rows"][3]
    assert [cell["text"] for cell in conv4] == ["conv4_x", "40,670,208", "First block", "Shortcut projection",
                                                "The other 35 blocks"]
    assert conv4[4]["note"] == "35 × 1,118,720 = 39,155,200"
    assert conv4[4]["lines"][0] == ["256 × 1,024 × 1 × 1", "conv1, bias 256, γ 256, β 256"]


def test_the_switch_gives_any_resnet_its_biases(nothing):
    app = open_section("parameter_shapes", "resnet152")
    assert app.metric[0].value == "60,192,808" and "60,268,520" in app.caption[1].value and not app.markdown
    app.toggle[0].set_value(True).run()
    assert app.metric[0].value == "60,268,520" and "231 MiB" in app.markdown[0].value


@pytest.mark.parametrize(("network", "size", "params"), [
    ("hw4-resnet", 32, "4,035,364"), ("grapheme-resnet", 64, "11,612,858"), ("simple-cnn", 32, "60,554")])
def test_shapes_of_the_course_networks(nothing, network, size, params):
    app = open_section("parameter_shapes", network, size=size)
    assert app.metric[0].value == params and not app.toggle and not app.markdown
    width = len(table(app)["head"])
    for row in table(app)["rows"]:  # no row ends before the table does
        assert sum(1 if isinstance(cell, str) else cell.get("span", 1) for cell in row) == width


def test_shapes_of_a_network_without_a_name(nothing):
    spec = {"block": "basic", "depths": [1, 2], "widths": [4, 8], "heads": [3], "stem": "cifar", "stem_width": 4,
            "shortcut": "A"}
    assert [texts(row)[0] for row in table(open_section("parameter_shapes", "custom-resnet", spec, 32))["rows"]] == [
        "conv1", "layer1", "layer2", "fc"]


@pytest.mark.parametrize("layer", calculators.PRESETS)
def test_every_preset_fills_the_fields_and_adds_up(nothing, layer):
    app = open_section("calculators", calculator=calculators.LAYERS[layer])
    for button in list(app.button):
        app = next(b for b in app.button if b.key == button.key).click().run()
        assert not app.exception and not app.error
        assert len(app.metric) == {"convolution": 4, "pooling": 2, "linear": 3}[layer]
    assert len(app.button) == len(calculators.PRESETS[layer])


@pytest.mark.parametrize(("preset", "numbers", "note"), [
    ("LeNet's first", ["3,456", "156", "89,856", "86,400"], "89,856"),
    ("AlexNet's first", ["290,400", "34,944", "105,705,600", "105,415,200"], "105,415,600"),
    ("ResNet's first", ["802,816", "9,408", "118,013,952", "118,013,952"], ""),
])
def test_the_labs_rows_and_what_it_misprints(nothing, preset, numbers, note):
    app = open_section("calculators")
    next(b for b in app.button if b.label == preset).click().run()
    assert [metric.value for metric in app.metric] == numbers
    assert note in " ".join(caption.value for caption in app.caption)


@pytest.mark.parametrize(("query", "words"), [
    ({"convolution_kernel": "9", "convolution_height": "2"}, "larger than the padded height of 8"),
    ({"convolution_groups": "2"}, "do not divide 3 channels"),
    ({"convolution_kernel": "many"}, "not 'many'"),
    ({"calculator": "Pooling", "pooling_padding": "2"}, "more than half the window"),
])
def test_what_cannot_be_is_one_sentence_and_the_fields_stay(nothing, query, words):
    app = open_section("calculators", **query)
    assert [words in error.value.replace("\\", "") for error in app.error] == [True]
    assert app.text_input and not app.metric


def test_the_address_fills_the_fields(nothing):
    app = open_section("calculators", convolution_height="32", convolution_width="16", convolution_kernel="1 x 3")
    assert "3 × 32 × 16 in, 64 × 19 × 10 out" in app.markdown[0].value
