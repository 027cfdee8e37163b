"""The lesson on data on the screen: its parts with their views, the dice in the link, an own zip, the archive's commands."""

import zipfile

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from resnet_viz.analysis import data_imagenet, data_pipeline
from resnet_viz.data import class_folders, examples
from resnet_viz.drawing import data as drawing
from resnet_viz.training import fine_tuning_film
from resnet_viz.ui import data

from .lessons import open_lesson, sent


def cards(app: AppTest) -> dict:
    return sent(app, "data_steps")


@pytest.mark.parametrize("part", data.PARTS)
def test_every_part_opens_with_its_views(part, monkeypatch):
    monkeypatch.setattr(fine_tuning_film, "STEPS", 8)
    app = open_lesson("data", part=part, view="Formula")
    assert app.latex and not app.error
    for view in ("Code", "Numbers", "Questions"):
        app.segmented_control(key="view").set_value(view).run()
        assert not app.exception and not app.error
        assert {"Code": app.code, "Numbers": app.dataframe, "Questions": app.radio}[view]


def test_the_dice_in_the_link_draw_the_same_windows_again():
    picture = examples.read(examples.find("coffee"))
    app = open_lesson("data", dice="7", at="3", picture="coffee", view="Code")
    shown = cards(app)
    assert shown["at"] == 3 and len(shown["frames"]) == data_pipeline.DRAWS
    drawn = data_pipeline.draw(*picture.size, 7 * data_pipeline.DRAWS + 3)
    assert tuple(shown["frames"][3]["window"]) == drawn.window and shown["frames"][3]["mirrored"] == drawn.mirrored
    assert f"torch.manual_seed({drawn.seed})" in app.code[0].value
    next(button for button in app.button if button.label == "Draw again").click().run()
    assert app.query_params["dice"] == "8" and "at" not in app.query_params
    assert cards(app)["frames"] != shown["frames"]
    app.segmented_control(key="pipeline").set_value("evaluation").run()
    assert len(cards(app)["frames"]) == 1 and "Always the same" in cards(app)["frames"][0]["said"]


def test_an_own_zip_is_browsed_by_its_classes(tmp_path):
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        for i, name in enumerate(("ant", "bee")):
            for j in range(3):
                Image.fromarray(np.full((12, 12, 3), 60 * i + j, np.uint8)).save(tmp_path / "one.png")
                archive.write(tmp_path / "one.png", f"train/{name}/{j}.png")
    app = open_lesson("data", part="Data sets", data_path=str(tmp_path / "own.zip"), **{"class": "1"})
    text = "\n".join(part.value for part in app.markdown)
    assert "6 pictures of 12 × 12 pixels in 2 classes, 3 of each" in text and "**bee**: 3 of 3 pictures" in text
    app = open_lesson("data", part="Data sets", data_path=str(tmp_path / "gone"))
    assert "There is no data set" in app.error[0].value.replace("\\", "")


def test_the_archives_commands_carry_the_persons_folders(tmp_path):
    steps = data_imagenet.steps("my pictures", "")
    assert "sort-val 'my pictures'" in steps[4].command and "'my pictures/ILSVRC/Data/CLS-LOC'" in steps[5].command
    linked = data_imagenet.steps("there", "here")
    assert linked[4].command == "python -m resnet_viz sort-val there --link here" and "--data here " in linked[5].command
    before, after, said = data_imagenet.made_up_trees()
    assert said == {"pictures": 6, "classes": 3, "moved": 6} and before.count(class_folders.ENDING) == after.count(class_folders.ENDING) == 6
    assert "n90000003/\n" in after and "n9" not in before
    assert data_imagenet.rows((100.0,))[0]["hours"] == pytest.approx(167.62e9 * 8 / 1e8 / 3600)
    assert data_imagenet.script(steps).count("\n# ") == 5


def test_spreads_are_drawn_where_the_values_are():
    middles = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 3.0]])
    figure = drawing.spreads({"one": (middles, middles), "two": (middles, middles)})
    assert len(figure.data) == 6 and list(figure.data[5].x) == [0.0, 3.0]
    assert [trace.showlegend for trace in figure.data] == [True] * 3 + [False] * 3
