"""The panels of the lessons' player that hold matrices and pictures: plain JSON with every number."""

import json

import numpy as np
import pytest

from resnet_viz.drawing import player


def test_cells_hold_every_number_and_leave_empty_what_is_not_known_yet():
    values = np.arange(24.0).reshape(2, 3, 2, 2) - 12
    later = values.copy()
    later[1] = np.nan
    panel = player.cells("Batch", "two channels", ["a", "b"], ["p", "q", "r"], [values, later], marks=[0, 1])
    panel = json.loads(json.dumps(panel, allow_nan=False))
    assert panel["sides"] == [2, 2] and panel["limit"] == 18 and panel["marks"] == [0, 1]
    np.testing.assert_array_equal(np.reshape(panel["values"][0], values.shape), values)
    assert panel["values"][1][1] == [None] * 12 and len(panel["palette"]) > 20
    nothing = player.cells("", "", ["a"], ["p"], [np.full((1, 1, 2, 2), np.nan)])
    assert nothing["limit"] == 1


def test_pictures_name_their_tiles():
    panel = player.pictures("Company", "one and two", "data:,", 32, 16, np.array([[0, 3, 4], [0, 1, 2]]), ("it", "others"))
    assert json.loads(json.dumps(panel))["shown"] == [[0, 3, 4], [0, 1, 2]] and panel["place"] == "wide"
    with pytest.raises(ValueError, match="known are wide"):
        player.pictures("", "", "", 1, 1, [[0]], ("", ""), place="left")


def test_a_line_may_be_dots():
    assert player.line("a", [1], [2], player.BLUE, scatter=3)["scatter"] == 3
    assert player.line("a", [1], [2], player.BLUE)["scatter"] == 0
