"""The film of a run: numbers that come back as they went, and frames whose colours are those of the walls."""

import json

import numpy as np
import pytest

from resnet_viz.drawing import colours, kernels, tiles
from resnet_viz.drawing import time_machine as drawing

WEIGHTS = np.random.default_rng(0).normal(size=(5, 16, 3, 3, 3)).astype(np.float32)


def unpacked(data: bytes):
    length = int.from_bytes(data[:4], "little")
    head, start = json.loads(data[4 : 4 + length]), 4 + -(-length // 4) * 4
    arrays = {}
    for name, about in head["arrays"].items():
        count = int(np.prod(about["shape"]))
        arrays[name] = np.frombuffer(data, "<" + about["type"], count, start + about["at"]).reshape(about["shape"])
    return head, arrays


def test_arrays_arrive_as_they_were_sent():
    sent = {
        "odd": np.arange(7, dtype=np.uint8),
        "small": np.array([[-3, 5]], dtype=np.int16),
        "counts": np.array([65535], np.uint16),
        "real": np.array([[1.5], [np.nan]], dtype=np.float32),
    }
    head, arrays = unpacked(drawing.pack({"name": "Größe"}, sent))
    assert head["name"] == "Größe" and all(about["at"] % 4 == 0 for about in head["arrays"].values())
    for name, array in sent.items():
        assert np.array_equal(arrays[name], array, equal_nan=array.dtype == np.float32)


def test_whole_numbers_are_finer_than_the_snapshots():
    numbers, limit = drawing.whole_numbers(WEIGHTS)
    assert np.abs(numbers * (limit / 32767) - WEIGHTS).max() <= limit / 65534 * 1.001
    assert not drawing.whole_numbers(np.zeros((2, 1, 3, 3)))[0].any()


def test_maps_take_the_diverging_scale():
    maps = np.array([[[[-2.0, 0, 1]], [[0, 0, 0]]]])
    places = drawing.colour_places(maps, np.array([2.0, 0]))
    assert np.array_equal(colours.DIVERGING[places[0, 0]], colours.signed(maps[0, 0], 2))
    assert set(places[0, 1].ravel().tolist()) <= {127, 128}  # both are zero


def test_a_curve_loses_no_extreme_and_nothing_that_is_not_finite():
    y = np.sin(np.arange(5000) / 9)
    y[1234], y[77] = 9, np.nan
    x, thin = drawing.thinned_curve(np.arange(5000), y, 100)
    assert len(thin) <= 100 and thin.max() == 9 and x[thin.argmax()] == 1234 and np.isfinite(thin).all()


@pytest.mark.parametrize("scale", drawing.SCALES)
def test_a_frame_shows_before_now_and_difference_on_one_scale(scale):
    curve = drawing.Curve(np.arange(5.0), np.array([5.0, 4, 3, 2, 1]), "Training loss")
    pictures = list(drawing.frames(WEIGHTS, [f"frame {i}" for i in range(5)], scale, curve))
    assert len(pictures) == 5 and {picture.shape for picture in pictures} == {pictures[0].shape}
    assert pictures[0].shape[0] % 2 == pictures[0].shape[1] % 2 == 0
    limit = (
        np.abs(WEIGHTS).max()
        if scale == "layer"
        else np.maximum(*(np.abs(w).reshape(16, -1).max(1) for w in WEIGHTS[[0, 3]]))
    )
    for place, part in enumerate((WEIGHTS[0], WEIGHTS[3], WEIGHTS[3] - WEIGHTS[0])):
        tile = kernels.coloured(part, limit)[0]
        wide = tiles.wall(kernels.coloured(part, limit), 4, drawing.WALL).shape[1]
        left = drawing.MARGIN + place * (drawing.WIDTH - 2 * drawing.MARGIN - wide) // 2
        assert np.array_equal(pictures[3][drawing.TITLE + 2, left + 2], tile[0, 0])
    ink = [np.argwhere((picture == colours.rgb(colours.ACCENT)).all(-1))[:, 1].max() for picture in pictures]
    assert (np.diff(ink) > 0).all(), "the point moves along the curve"
