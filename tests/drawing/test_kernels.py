"""Colours of kernels: symmetric about 0, on the scale that was asked for."""

from xml.etree import ElementTree

import numpy as np
import pytest

from resnet_viz.drawing import colours, kernels, kernels_profile


def test_a_filter_in_colour_is_grey_at_zero_and_full_at_the_limit():
    filters = np.zeros((1, 3, 2, 2), dtype=np.float32)
    filters[0, :, 0, 0], filters[0, :, 1, 1] = (2, -2, 0), (1, 1, 1)
    tile = kernels.coloured(filters, 2.0)[0]
    assert tile[0, 0].tolist() == [255, 0, 128]
    assert tile[0, 1].tolist() == [128, 128, 128]
    assert tile[1, 1].tolist() == [191, 191, 191]


def test_slices_take_the_diverging_scale():
    slices = np.array([[[-1.0, 0.0, 1.0]]], dtype=np.float32)
    assert np.array_equal(kernels.coloured(slices, 1.0)[0], colours.signed(slices[0], 1.0))


@pytest.mark.parametrize("shape", [(5, 3, 7, 7), (5, 3, 3)])
def test_a_scale_for_each_kernel_forgets_their_strength(shape):
    weights = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    strengths = np.array([1e-3, 1, 2, 5, 100], dtype=np.float32).reshape(-1, *[1] * (len(shape) - 1))
    alike = kernels.walls(None, weights, None)["now"]
    assert np.abs(kernels.walls(None, weights * strengths, None)["now"].astype(int) - alike).max() <= 1  # rounding
    assert not np.array_equal(kernels.walls(None, weights * strengths, 100.0)["now"], alike)


def test_before_now_and_difference_have_the_same_tiles_in_the_same_places():
    before, now = np.random.default_rng(0).normal(size=(2, 16, 3, 3)).astype(np.float32)
    walls = kernels.walls(before, now, 4.0)
    assert list(walls) == ["before", "now", "difference"]
    assert walls["before"].shape == walls["now"].shape == walls["difference"].shape
    assert np.array_equal(walls["difference"], kernels.walls(None, now - before, 4.0)["now"])
    assert list(kernels.walls(None, now, None)) == ["now"]


def test_kernels_of_zeros_are_drawn_as_zero():
    zeros = np.zeros((2, 3, 3, 3), dtype=np.float32)
    assert (kernels.coloured(zeros, kernels.limits(zeros)) == 128).all()


def test_the_bar_runs_from_minus_to_plus():
    assert np.array_equal(kernels.scale_bar(False)[0, [0, -1]], colours.DIVERGING[[0, -1]])
    assert kernels.scale_bar(True)[0, [0, -1]].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_every_weight_stands_in_its_square():
    weights = np.array([[-1.0, 0.5], [0.0, 0.25]], dtype=np.float32)
    picture = ElementTree.fromstring(kernels.numbers(weights, 1.0))
    squares, words = (picture.findall(f"{{http://www.w3.org/2000/svg}}{tag}") for tag in ("rect", "text"))
    assert [word.text for word in words] == ["−1.0", "0.5", "0.0", "0.2"]
    places = [(int(square.get("x")) // kernels.CELL, int(square.get("y")) // kernels.CELL) for square in squares]
    assert places == [(0, 0), (1, 0), (0, 1), (1, 1)]
    ends = [tuple(colours.signed(np.array(weight), 1.0)) for weight in weights.ravel()]
    assert [square.get("fill") for square in squares] == [f"rgb({r},{g},{b})" for r, g, b in ends]
    assert words[0].get("fill") == colours.GROUND and words[2].get("fill") == colours.INK  # light on dark, dark on light


@pytest.mark.parametrize(("weight", "limit", "shown"), [
    (0.0, 1.5, "0.0"), (-0.126, 0.97, "−0.13"), (12.5, 12.5, "12"), (-0.0713, 0.08, "−0.071"), (0.00012, 0.08, "0.000"),
    (0.0012, 0.005, "1e−3"), (0.0, 0.005, "0"), (-4321.0, 5000.0, "−4e3"), (0.0, 0.0, "0.00")])
def test_a_weight_in_few_characters(weight, limit, shown):
    assert kernels.number(weight, limit) == shown


def test_every_weight_tells_two_digits_of_the_largest():
    for limit in (0.011, 0.099, 0.5, 1.0, 7.3, 60.0):
        shown = kernels.number(-limit, limit)
        assert float(shown.replace("−", "-")) == pytest.approx(-limit, rel=0.05) and len(shown) <= 6


def test_enlarged_by_whole_multiples():
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert np.array_equal(kernels.enlarged(picture, 7)[::3, ::3], picture) and kernels.enlarged(picture, 7).shape == (6, 6, 3)
    assert kernels.enlarged(picture, 1).shape == picture.shape


def test_the_profile_marks_the_layer_and_leaves_out_what_cannot_be_told():
    figure = kernels_profile.profile(["conv1", "layer1.0.conv1", "fc"], [0.5, np.inf, 1.5], [0.9, np.nan, -0.2], "fc")
    moved, cosine = figure.data
    assert moved.y[0] == 0.5 and np.isnan(moved.y[1]) and cosine.y[2] == -0.2
    assert moved.marker.color == (colours.ACCENT, colours.ACCENT, colours.VERMILLION)
    assert figure.layout.yaxis2.range[0] == -0.2
