"""What the moving window is given: plain JSON with all numbers, and a place that any link may ask for."""

import json
from itertools import cycle

import numpy as np
import pytest

from resnet_viz.analysis import operations
from resnet_viz.analysis.operations import Setting, matrix
from resnet_viz.analysis.operations_examples import SLIDES, SLIDES_KERNEL, SLIDES_POOLING
from resnet_viz.ui import operations as display

from ..pages.test_every_page import machine, open_page

VIEWED = list(zip(operations.OPERATIONS, cycle(["Formula", "Code", "Numbers", "Questions"])))
NETWORK = {"convolution-numbers": display.NETWORK}


def chosen(operation: str, text: str, setting: Setting) -> display.Chosen:
    x = matrix(text)[None]
    return display.Chosen(operation, x, setting, operations.work(operation, x, setting))


@pytest.fixture
def at(monkeypatch):
    """A function that sets the place in the link."""
    parameters = {}
    monkeypatch.setattr(display.st, "query_params", parameters)
    return lambda place: parameters.update({display.AT: place})


def test_all_numbers_arrive(at):
    found = chosen("convolution", SLIDES, Setting(matrix(SLIDES_KERNEL)[None], padding=1))
    data = json.loads(json.dumps(display.described(found), allow_nan=False))
    np.testing.assert_array_equal(data["inputs"][0], np.pad(matrix(SLIDES), 1))
    np.testing.assert_array_equal(data["output"], found.worked.output)
    np.testing.assert_array_equal(data["factors"][0][0], matrix(SLIDES_KERNEL))
    assert data["padding"] == [1, 1, 1, 1] and data["sizes"]["input"] == "5 × 5 + 1 around"
    assert data["places"][7] == [1, 2] and data["said"][7].endswith(f"= {found.worked.output[1, 2]:.0f}")
    assert data["limits"]["products"] == 1.5 * 6 and "5 × 5 outputs from 2 to 20" in data["alt"]


def test_minus_infinity_arrives_as_null(at):
    found = chosen("max pooling", SLIDES_POOLING, Setting(size=3, stride=2, padding=1))
    data = display.described(found)
    json.dumps(data, allow_nan=False)
    assert data["inputs"][0][0] == [None] * 10 and data["output"][0][0] == 8


@pytest.mark.parametrize(("asked", "given"), [("", 0), ("3", 3), ("999", 8), ("-1", 0), ("x", 0), ("9" * 400, 0)])
def test_a_link_may_ask_for_any_place(at, asked, given):
    at(asked)
    found = chosen("convolution", SLIDES, Setting(matrix(SLIDES_KERNEL)[None]))
    assert display.described(found)["at"] == given
    digest = display.described(found)["digest"]
    at("5")
    assert display.described(found)["digest"] == digest  # the place alone builds nothing anew
    other = chosen("convolution", SLIDES, Setting(matrix(SLIDES_KERNEL)[None], padding=1))
    assert display.described(other)["digest"] != digest


def test_every_activation_has_a_curve(at):
    for kind in display.activations.ACTIVATIONS:
        curve = display.described(chosen("activation", "-1 0 1", Setting(kind=kind)))["curve"]
        assert len(curve["x"]) == len(curve["y"]) == len(curve["slope"])
        assert all(curve["low"] < value < curve["high"] for value in curve["y"] + curve["slope"])


def test_the_page_shows_the_networks_own_numbers():
    app = open_page("learn/operations", **NETWORK, crop="99-99")
    data = machine(app)
    assert data["names"] == ["red", "green", "blue"] and not data["labels"] and data["picture"]["shape"] == [32, 32]
    assert data["picture"]["outputs"] == [26, 26]  # brought back into the map
    assert np.allclose(np.sum(data["parts"], axis=0), data["output"], atol=1e-4)
    app = open_page("learn/operations", operation="Softmax", **{"softmax-numbers": display.NETWORK})
    data = machine(app)
    assert np.sum(data["output"]) == pytest.approx(1, abs=1e-5) and len(data["labels"]) == 10
    assert data["output"][0] == sorted(data["output"][0], reverse=True)


@pytest.mark.short(4)
@pytest.mark.parametrize(("operation", "view"), VIEWED)
def test_every_operation_on_the_page(operation, view):
    app = open_page("learn/operations", operation=operation.capitalize(), view=view)
    assert not app.error and machine(app)["title"] == operation.capitalize()
