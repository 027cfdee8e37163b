"""What does the network get wrong? The page with a run's own counts, with pictures, with a stopped pass, with
other data."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.analysis import errors
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.networks import zoo

from ..drawing.test_errors import unpacked
from ..ui.test_walls import read
from .test_every_page import captions, open_page

STEM7 = "resnet20-stem7-shapes"


@pytest.fixture(autouse=True)
def no_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    return tmp_path


def component(app: AppTest, name: str) -> tuple[dict, dict]:
    """Head and arrays of the matrix or the map."""
    return unpacked(next(c.proto.bytes for c in app.get("bidi_component") if c.proto.component_name.endswith(name)))


def told(app: AppTest) -> str:
    return "\n".join(one.value for one in app.markdown).replace("\\", "").replace("\xa0", " ")


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def asked(**query) -> AppTest:
    """The page with shapes asked: what a slow machine leaves for a click is clicked."""
    app = open_page("inspect/errors", checkpoint=STEM7, of="Shapes", **query)
    while any(button.label == "Compute" for button in app.button):
        press(app, "Compute")
    return app


# A run's own counts


def test_the_first_paint_is_the_runs_own_confusion():
    app = open_page("inspect/errors")
    head, arrays = component(app, "confusion")
    history = errors.history(checkpoints.BUNDLED / "resnet20-cifar10-jpeg")
    assert np.array_equal(arrays["counts"], history.counts) and head["frame"] == errors.frame_of(history, 47)
    assert head["picked"] == list(errors.worst_pair(history.counts[head["frame"]]))
    assert head["when"][0] == "before training" and head["when"][-1] == "the end of epoch 48"
    assert "choose above a folder or zip" in app.info[0].value
    assert "CIFAR-10 (JPEG)" in app.info[0].value.replace("\\", "")


def test_the_link_carries_the_moment_and_the_cell():
    app = open_page("inspect/errors", step="0", cell="3-5")
    head, _ = component(app, "confusion")
    assert head["frame"] == 0 and head["picked"] == [3, 5]
    assert app.subheader[0].value == "cat, taken for dog" and "before training" in captions(app)
    strange, _ = component(open_page("inspect/errors", step="x", cell="3-99"), "confusion")
    assert strange["frame"] > 0 and strange["picked"] != [3, 99]


@pytest.mark.parametrize("view", ["Formula", "Code", "Numbers"])
def test_every_view_under_the_matrix(view):
    app = open_page("inspect/errors", view=view, wrong="Classes")
    assert not app.error
    if view == "Code":
        code = app.code[0].value.replace('Path("checkpoints/', f'Path("{checkpoints.BUNDLED}/')
        names = {}
        exec(code, names)
        assert names["rates"].sum(axis=1) == pytest.approx(np.ones(10))


# Pictures


def test_from_the_cell_to_its_pictures_and_a_vote():
    app = asked()
    head, arrays = component(app, "confusion")
    walls, _ = read(next(c.proto.bytes for c in app.get("bidi_component") if c.proto.component_name.endswith("wall")))
    true, answered = head["picked"]
    count = int(arrays["counts"][0, true, answered])
    assert head["all"] == [1000] and len(walls["names"]) == count > 0
    names = head["classes"]
    assert all(name.startswith(names[answered]) and name.endswith(f"in truth {names[true]}") for name in walls["names"])
    assert [wall["title"] for wall in walls["walls"]][1:] == ["Where it looked for what it says",
                                                               "Where it looked for what it is"]
    ballot = next(group for group in app.button_group if group.label == "Whose mistake is it?")
    ballot.set_value("label").run()
    assert not app.exception and "the label is wrong 1" in captions(app)
    votes = next(button for button in app.get("download_button") if "Download CSV" in button.proto.label)
    assert votes and any("label" in frame.value.columns and frame.value["The label is wrong"][0] == 1
                         for frame in app.dataframe)


def test_the_other_views_of_the_same_pass():
    sure = asked(wrong="Sureness", view="Formula")
    assert "Expected calibration error" in [metric.label for metric in sure.metric] and "ECE" in sure.latex[0].value
    worst = asked(wrong="Surest mistakes")
    assert "mistakes among 1,000 test pictures of Shapes" in captions(worst)
    table = asked(wrong="Classes", view="Numbers").dataframe[0].value
    assert table["pictures"].sum() == 1000
    head, arrays = component(asked(wrong="Map", cell="0-0"), "picture_map")
    assert len(head["words"]) == 1000
    assert Image.open(io.BytesIO(bytes(arrays["atlas"]))).size[0] == head["columns"] * head["tile"]
    wrong = [i for i, words in enumerate(head["words"]) if "in truth" in words]
    assert np.array_equal(np.flatnonzero(arrays["true"] != arrays["answered"]), wrong)


def test_without_pictures_the_views_show_the_way_to_them():
    app = open_page("inspect/errors", checkpoint=STEM7, wrong="Map")
    app = press(app, "Ask it about the test pictures of Shapes")
    assert not app.error and app.selectbox(key="of").value == "shapes"


# Other networks and data


def test_a_foreign_network_without_a_run_asks_for_pictures(no_runs):
    torch.save(zoo.build("resnet8").state_dict(), no_runs / "mine.pth")
    app = open_page("inspect/errors", checkpoint="runs/mine.pth", wrong="Map")
    assert not app.error
    assert "type the path" in " ".join(one.value for one in app.info) or app.selectbox(key="of").value


def test_several_heads(no_runs):
    header = {"network": "grapheme-resnet", "arguments": {}, "data": "glyphs", "seed": 0, "epoch": 1,
              "preprocessing": Preprocessing(64, 64, (0.5,), (0.25,)).to_dict()}
    torch.manual_seed(0)
    checkpoints.write(no_runs / "letters.safetensors", zoo.build("grapheme-resnet").state_dict(), header)
    app = open_page("inspect/errors", checkpoint="runs/letters.safetensors", of="Glyphs", head="2: 11 classes",
                    most="10")
    head, _ = component(app, "confusion")
    assert len(head["classes"]) == 11 and head["all"][0] > 0 and not app.error


def test_every_answer_can_be_taken_along():
    app = asked(view="Numbers")
    button = next(one for one in app.get("download_button") if "every answer" in one.proto.label)
    assert button.proto.url
