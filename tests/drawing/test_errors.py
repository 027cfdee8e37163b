"""How mistakes look: what the browser gets, byte by byte, and charts that show the numbers they are given."""

import json

import numpy as np
import pytest

from resnet_viz.analysis import calibration, errors
from resnet_viz.drawing import errors as drawing

NAMES = tuple("abc")
COUNTS = np.array([[[5, 0, 0], [4, 1, 0], [5, 0, 0]], [[4, 1, 0], [0, 5, 0], [1, 1, 3]]])


def unpacked(data: bytes) -> tuple[dict, dict]:
    """Head and arrays, as the scripts in the browser take them apart."""
    length = int.from_bytes(data[:4], "little")
    head, start = json.loads(data[4:4 + length]), 4 + -(-length // 4) * 4
    return head, {name: np.frombuffer(data, "<" + about["type"], int(np.prod(about["shape"])), start + about["at"])
                  .reshape(about["shape"]) for name, about in head["arrays"].items()}


def matrix(counts=COUNTS, shown=None, picked=(2, 1), **more):
    shown = np.arange(counts.shape[1]) if shown is None else np.array(shown)
    names = [str(i) for i in range(counts.shape[1])] if len(counts[0]) > 3 else NAMES
    settings = {"frame": 0, "as_rates": True, **more}
    return unpacked(drawing.matrix(counts, shown, names, ["before", "after"][:len(counts)], ["x"] * len(counts),
                                   picked=picked, **settings))


def test_every_count_arrives():
    head, arrays = matrix()
    assert np.array_equal(arrays["counts"], COUNTS) and arrays["counts"].dtype == np.uint16
    assert np.array_equal(arrays["sums"], COUNTS.sum(axis=2)) and head["all"] == [15, 15] and head["right"] == [6, 12]
    assert head["picked"] == [2, 1] and head["classes"] == list(NAMES)


def test_large_counts_arrive_too():
    _, arrays = matrix(COUNTS * 100_000)
    assert np.array_equal(arrays["counts"], COUNTS * 100_000)


def test_some_classes_keep_their_whole_sums():
    head, arrays = matrix(shown=[0, 2], picked=(0, 1))
    assert arrays["counts"][1].tolist() == [[4, 0], [1, 3]] and arrays["sums"][1].tolist() == [5, 5]
    assert head["numbers"] == [0, 2] and head["picked"] is None and head["right"] == [6, 12]


def test_only_what_was_counted_changes_the_digest():
    first, moved, other = (matrix(COUNTS + more, picked=cell, frame=frame)[0]["digest"]
                           for more, cell, frame in ((0, None, 0), (0, (1, 1), 1), (1, None, 0)))
    assert first == moved != other


def test_bars_and_lines_show_the_shares():
    rows = errors.class_rows(COUNTS[1], NAMES)
    bars, diamonds = drawing.class_bars(rows).data
    assert dict(zip(bars.y, bars.x)) == {row["class"]: row["right"] for row in rows} and bars.y[-1] == rows[0]["class"]
    assert dict(zip(diamonds.y, diamonds.x)) == {row["class"]: row["trust"] for row in rows}
    shares = np.array([[1, 0.2, np.nan], [0.8, 1, np.nan]])
    lines = drawing.class_lines(shares, NAMES, ["before", "after"], ["0", "1"]).data
    assert {line.name: list(line.y) for line in lines} == {"a": [1, 0.8], "b": [0.2, 1]}
    assert {line.name: line.line.color for line in lines} == {"a": drawing.WRONG, "b": drawing.RIGHT}
    line, dot = drawing.cell_line(shares[:, 0], ["before", "after"], ["0", "1"], 1, False).data
    assert list(line.y) == [1, 0.8] and (list(dot.x), list(dot.y)) == ([1], [0.8])


def test_the_reliability_shows_what_came_true():
    sure = np.linspace(0.05, 1, 200)
    found = calibration.calibration(sure, np.arange(200) % 3 > 0)
    right, promised, _, answers = drawing.reliability(found.count, found.confidence, found.accuracy).data
    assert np.allclose(right.y, found.accuracy) and np.allclose(promised.y, found.confidence)
    assert sum(answers.y) == pytest.approx(1)


def test_the_map_fills_its_place():
    places = np.array([[-3.0, 10.0], [1.0, 30.0], [0.0, 20.0]])
    middles = np.array([[-1.0, 20.0], [np.nan, np.nan]])
    head, arrays = unpacked(drawing.feature_map(places, np.array([0, 0, 1]), np.array([0, 1, 1]), middles, ["a", "b"],
                                                ["x", "y", "z"], b"jpeg", 8, 2, False, None, "finding"))
    assert arrays["places"].min() == 0 and arrays["places"].max() == 1 and arrays["places"][2].tolist() == [0.75, 0.5]
    assert arrays["middles"][0].tolist() == [0.5, 0.5] and np.isnan(arrays["middles"][1]).all()
    assert bytes(arrays["atlas"]) == b"jpeg" and head["alt"] == "finding" and arrays["answered"].tolist() == [0, 1, 1]
    alike = unpacked(drawing.feature_map(np.ones((2, 2)), *np.zeros((2, 2), int), middles, ["a", "b"], ["x", "y"],
                                         b"", 8, 2,
                                         True, 1, ""))
    assert not alike[1]["places"].any() and alike[0]["picked"] == 1
