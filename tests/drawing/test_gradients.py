"""The thermometer's columns, colours' range and axis; the eight networks' lines."""

import numpy as np
import pytest

from resnet_viz.drawing import gradients as drawing
from resnet_viz.drawing.gradients import axis_end, caption, own_range, probe_chart, thin


def test_few_moments_stay_as_they_are():
    values = np.array([[1.0, 0, np.nan], [2, 3, 4]])
    cells = thin(np.array([1, 10, 20]), values, most=6)
    assert cells.each == 1 and cells.first.tolist() == cells.last.tolist() == [1, 10, 20]
    np.testing.assert_allclose(cells.values, values)
    assert caption(cells, 10) == "a moment every 10 steps" and caption(cells, 0) == "a moment at every step"
    assert "keeps some" in caption(cells, 50, kept_some=True)


def test_many_moments_become_means_and_it_is_said():
    values = np.array([[1.0, 100, 4, 9, 5], [0, 0, 0, 8, np.nan]])
    cells = thin(np.arange(5) * 10, values, most=6)
    assert cells.each == 2
    assert (cells.first.tolist(), cells.last.tolist()) == ([0, 20, 40], [10, 30, 40])
    np.testing.assert_allclose(cells.values, [[10, 6, 5], [0, 8, np.nan]])
    assert "geometric mean of 2 moments" in caption(cells, 10)


@pytest.mark.parametrize(("layers", "moments"), [(20, 10_000), (110, 900), (1, 1), (56, 6_400)])
def test_never_more_values_than_allowed_and_no_moment_is_lost(layers, moments):
    values = np.full((layers, moments), 2.0)
    cells = thin(np.arange(moments), values, most=9_000)
    assert cells.values.size <= 9_000
    assert cells.first[0] == 0 and cells.last[-1] == moments - 1
    assert (cells.first[1:] == cells.last[:-1] + 1).all() and np.allclose(cells.values, 2)


def test_ranges_are_whole_powers_of_ten():
    for low, high in drawing.RANGES.values():
        assert np.log10(high / low) == pytest.approx(6)
    assert own_range([np.array([[0.03, np.nan]]), np.array([[0, 4.0]])]) == pytest.approx((0.01, 10))
    assert own_range([np.array([[1.0]])]) == (1.0, 10.0) and own_range([np.zeros((2, 2))]) == (0.1, 1.0)


def test_the_axis_grows_in_steps_up_to_the_plan():
    assert axis_end(370, None) == axis_end(370, 370) == 370
    ends = [axis_end(last, 1_000) for last in range(1, 1_001)]
    assert all(last <= end <= 1_000 for last, end in zip(range(1, 1_001), ends))
    assert ends == sorted(ends) and len(set(ends)) < 20


def test_the_lines_of_the_eight():
    lines = [("Sigmoid", ("sigmoid", False, False), ("conv1", "conv2", "fc"), (0.0, 1e-25, 0.5)),
             ("ReLU", ("relu", True, True), ("conv1", "conv2", "fc"), (1e9, 2.0, 1.0))]
    figure = probe_chart(lines)
    first, second = figure.data
    assert list(first.x) == [1, 2, 3] and list(first.y) == [1e-20, 1e-20, 0.5]
    assert list(first.marker.symbol) == ["triangle-down", "triangle-down", "circle"]
    assert "below float32" in first.customdata[0][1] and first.customdata[1][1] == "1.00e-25"
    assert list(second.y) == [1e6, 2.0, 1.0] and second.marker.symbol[0] == "triangle-up"
    assert first.line.dash != second.line.dash == "solid" and first.line.color != second.line.color
    assert figure.layout.yaxis.type == "log" and list(figure.layout.yaxis.range) == [-20, 6]
    ticks = figure.layout.xaxis.tickvals
    assert ticks[0] == 1 and ticks[-1] == 3


@pytest.mark.parametrize("depth", [8, 14, 20, 32, 44, 56, 110])
def test_ticks_of_the_layers_do_not_crowd(depth):
    figure = probe_chart([("a", ("relu", True, True), ["x"] * depth, [1.0] * depth)])
    ticks = list(figure.layout.xaxis.tickvals)
    assert ticks[0] == 1 and ticks[-1] == depth and ticks == sorted(set(ticks)) and len(ticks) <= 14
