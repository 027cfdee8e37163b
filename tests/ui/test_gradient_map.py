"""The bytes of a thermometer: what the browser decodes is what was measured, in a bounded number of bytes."""

import json

import numpy as np
import pytest

from resnet_viz.drawing.gradients import Cells, thin
from resnet_viz.ui import gradient_map, gradients


def decode(data: bytes) -> tuple[dict, np.ndarray]:
    """As gradient_map.js does it: (head with the columns' steps, values [layers, columns])."""
    length = int.from_bytes(data[:4], "little")
    head = json.loads(data[4 : 4 + length])
    at = 4 + -(-length // 4) * 4
    for name in ("first", "last"):
        head[name] = np.frombuffer(data, "<i4", head["columns"], at)
        at += 4 * head["columns"]
    codes = np.frombuffer(data, "<u2", offset=at).reshape(len(head["layers"]), head["columns"]).astype(float)
    values = 10 ** (head["low"] + (codes - 1) / gradient_map.CODES * (head["high"] - head["low"]))
    return head, np.where(codes == 0, 0.0, np.where(codes == gradient_map.UNKNOWN, np.nan, values))


def cells(values) -> Cells:
    values = np.array(values, float)
    steps = np.arange(values.shape[1]) * 10
    return Cells(steps, steps, values, 1)


def test_values_arrive_to_three_digits_zero_and_unknown_as_themselves():
    values = 10 ** np.random.default_rng(0).uniform(-12, 4, (5, 40))
    values[0, 0], values[1, 1] = 0, np.nan
    head, found = decode(gradient_map.pack(("a", "b", "c", "d", "e"), cells(values), {"title": "é"}))
    np.testing.assert_allclose(found, values, rtol=1e-3)
    assert found[0, 0] == 0 and np.isnan(found[1, 1])
    assert head["title"] == "é" and head["first"].tolist() == list(range(0, 400, 10)) == head["last"].tolist()


@pytest.mark.parametrize("values", [[[0.0, 0.0]], [[np.nan]], [[2.0, 2.0]], np.empty((3, 0))])
def test_maps_of_nothing_of_one_value_and_of_no_column(values):
    _, found = decode(gradient_map.pack(("a",) * len(values), cells(values), {}))
    np.testing.assert_allclose(found, np.array(values, float), rtol=1e-5)


@pytest.mark.parametrize("layers", [20, 56, 110])
def test_a_look_at_a_run_of_ten_thousand_rows_stays_under_forty_kilobytes(layers):
    values = 10 ** np.random.default_rng(0).uniform(-5, 1, (layers, 10_000))
    steps = np.arange(10_000) * 10
    names = tuple(f"layer3.{i}.conv2" for i in range(layers))
    alone = gradient_map.pack(names, thin(steps, values, gradients.VALUES), {"alt": "x" * 300, "rest": "x" * 300})
    twin = gradient_map.pack(names, thin(steps, values, gradients.VALUES // 2), {"alt": "x" * 300, "rest": "x" * 300})
    carrier = len(gradient_map._map.waiting)
    assert len(alone) + carrier < 40_000 and 2 * (len(twin) + carrier) < 40_000


@pytest.mark.parametrize(("limits", "texts"), [((1e-4, 1e2), ["10⁻⁴", "0.01", "1", "100"]), ((0.01, 10), ["0.01", "0.1", "1", "10"]),
                                               ((1e-6, 1.0), ["10⁻⁶", "10⁻⁴", "0.01", "1"]), ((1e-5, 1.0), ["10⁻⁵", "1"])])
def test_the_colours_ends_are_labelled(limits, texts):
    low, high = limits
    assert gradient_map.ticks(limits, np.array([low, high, np.nan])) == texts
    beyond = gradient_map.ticks(limits, np.array([0, low, 2 * high]))
    assert beyond == [f"≤\u202f{texts[0]}", *texts[1:-1], f"≥\u202f{texts[-1]}"]


def test_the_code_travels_apart_from_the_data():
    assert len(gradient_map._map.waiting) < 400 and gradient_map._map.version in gradient_map._map.waiting
    assert len(gradient_map.TABLE) == 256 * 6
