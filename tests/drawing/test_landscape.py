"""Landscapes as the browser gets them: nothing unknown passes for known, one scale for all, only numbers of JSON."""

import json

import numpy as np
import pytest

from resnet_viz.drawing import landscape as drawing


def made(size=5, **changes):
    axis = np.linspace(-1, 1, size)
    parts = {
        "x": axis,
        "y": axis,
        "loss": np.full((size, size), 2.0),
        "accuracy": np.full((size, size), 0.5),
        "done": np.ones((size, size), bool),
    }
    return drawing.panel("one", "finding", **(parts | changes))


def test_unknown_and_lost_points_are_marked_and_filled():
    loss, done = np.full((5, 5), np.nan), np.zeros((5, 5), bool)
    loss[2, 2], loss[0, 0], loss[4, 4] = 1.0, 100.0, np.inf
    done[2, 2] = done[0, 0] = done[4, 4] = True
    panel = made(loss=loss, done=done, accuracy=np.where(done, 0.25, np.nan))
    known = np.array(panel["known"])
    assert known[2, 2] == known[0, 0] == 1 and known[4, 4] == drawing.LOST and (known == drawing.UNKNOWN).sum() == 22
    assert (
        np.array(
            made(9, loss=np.pad(loss, (0, 4)), done=np.pad(done, (0, 4)), accuracy=np.full((9, 9), np.nan))["known"]
        )[8, 8]
        == drawing.FAR
    )
    filled = np.array(panel["loss"])
    assert filled[2, 2] == 1 and filled[0, 0] == 100 and filled[1, 1] == pytest.approx(10) and filled[3, 3] == 1
    assert np.isfinite(filled).all() and panel["middle"] == [2, 2] and panel["accuracy"][1][1] is None
    json.dumps(panel, allow_nan=False)


def test_nothing_known_yet_is_flat():
    panel = made(loss=np.full((5, 5), np.nan), done=np.zeros((5, 5), bool))
    assert np.array(panel["loss"]).tolist() == np.ones((5, 5)).tolist()
    found = drawing.scene([panel], "surface", True, 100, ("x", "y"), (2.3, "guessing"))
    assert 0 < found["range"][0] < found["range"][1]


def test_all_panels_have_one_scale():
    high, low = made(loss=np.full((5, 5), 500.0)), made(loss=np.full((5, 5), 0.5))
    scale = drawing.scene([high, low], "above", True, 100, ("x", "y"), (2.3, "guessing"))["range"]
    assert scale == [0.5, 100]
    assert drawing.scene([high, low], "above", False, None, ("x", "y"), (2.3, "g"))["range"] == [0, 500]
    with pytest.raises(ValueError, match="known are surface, above"):
        drawing.scene([low], "below", True, 1, ("x", "y"), (1, "g"))


def test_a_large_grid_is_thinned_and_keeps_ends_and_middle():
    axis = np.linspace(-1, 1, 201)
    axis[100] = 0
    panel = made(201, x=axis, y=axis)
    assert (
        len(panel["x"]) <= drawing.MOST
        and (panel["x"][0], panel["x"][-1]) == (-1, 1)
        and panel["x"][panel["middle"][1]] == 0
    )
    assert np.array(panel["loss"]).shape == (len(panel["y"]), len(panel["x"]))


def test_a_path_travels():
    panel = made(path={"x": np.array([0.0, 1.0]), "y": np.array([0.5, 0.0]), "labels": ["a", ""]})
    assert panel["path"] == {"x": [0, 1], "y": [0.5, 0], "labels": ["a", ""]}
