"""The lesson on batch norm on its page: every part and view, the network's own answers, and what a link carries."""


import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from resnet_viz import checkpoints
from resnet_viz.data import examples
from resnet_viz.data.preprocessing import see
from resnet_viz.ui import batch_mates
from resnet_viz.ui.pictures import NamedPicture

from .lessons import open_lesson, sent

SHAPES = "resnet20-stem7-shapes"


def film(app: AppTest) -> dict:
    return sent(app, "player")


def test_the_moods_are_the_networks_answers_and_the_link_carries_them():
    app = open_lesson("batch_norm", **{"batch-to-64": "4"}, view="Formula", at="3")
    found, checkpoint = film(app), checkpoints.read(checkpoints.find("resnet20-cifar10-jpeg"))
    pictures, strip, cloud = found["panels"]
    assert (
        found["frames"] == 20 and found["at"] == 3 and all(len(row) == 4 and row[0] == 0 for row in pictures["shown"])
    )
    with torch.no_grad():
        cat = checkpoints.model(checkpoint)(see(examples.read(examples.find("cat")), checkpoint.preprocessing).tensor)
    still, training = strip["lines"]
    assert still["y"] == pytest.approx([100 * cat.softmax(1).max().item()] * 2, abs=1e-3)
    assert np.std(training["y"]) > 1 and len(cloud["lines"][1]["x"]) > 60 and len(app.latex) == 4
    app.segmented_control(key="view").set_value("Questions").run()
    assert app.radio and not app.exception
    app.segmented_control(key="view").set_value("Numbers").run()
    assert list(app.dataframe[0].value["batch size"]) == [2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize("part", ["Running statistics", "By numbers"])
def test_the_other_parts_have_their_films_and_views(part):
    app = open_lesson("batch_norm", part=part, view="Formula")
    found = film(app)
    assert found["frames"] == len(found["said"]) > 10 and app.latex and all(panel["alt"] for panel in found["panels"])
    app.segmented_control(key="view").set_value("Questions").run()
    assert app.radio and not app.exception


def test_by_numbers_empties_what_is_not_worked_out_yet():
    batch, line, after = film(open_lesson("batch_norm", part="By numbers"))["panels"]
    assert (batch["kind"], line["kind"], after["kind"]) == ("cells", "lines", "cells") and len(
        batch["values"][0][0]
    ) == 16
    given = [[value is not None for row in frame for value in row] for frame in after["values"]]
    assert [sum(frame) for frame in given] == [0, 0, 16, 16, 16, 16, 32, 32, 32, 32, 48, 48]
    assert len(line["dots"][0]) == 16 and line["cursor"][2] == pytest.approx(0, abs=1e-6)


def test_the_mates_are_others_and_of_what_was_learned_where_that_is_here():
    checkpoint = checkpoints.read(checkpoints.find(SHAPES))
    offered = examples.examples("shapes")[0]
    picture = NamedPicture("one", examples.read(offered), "", f"example:{offered.name}")
    found = batch_mates.mates("shapes", picture.key, checkpoint.preprocessing, picture)
    assert len(found.pool) <= batch_mates.MANY and not (found.pool == found.picture).flatten(1).all(1).any()
    assert found.sheet.startswith("data:image/jpeg;base64,")
    assert batch_mates._learned_from(checkpoint) == ["shapes"]
    assert (
        batch_mates.mates("photographs", "", checkpoint.preprocessing, picture).pool.shape[1:]
        == found.picture.shape[1:]
    )


def test_a_network_without_batch_norm_is_told_so():
    app = AppTest.from_function(_without)
    app.run()
    assert "no batch norm" in app.error[0].value


def _without():
    from torch import nn

    from resnet_viz.analysis import batch_norm
    from resnet_viz.ui.page import problems

    with problems():
        batch_norm.channel_of(nn.Conv2d(3, 3, 1))
