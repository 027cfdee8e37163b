"""The chart of how much every block adds."""

import numpy as np
import pytest

from resnet_viz.drawing import residual_view
from resnet_viz.drawing.colours import ACCENT, VERMILLION

NAMES = ["layer1.0", "layer1.1", "layer2.0"]


def test_a_bar_a_block_and_the_chosen_one_marked():
    figure = residual_view.ratios(NAMES, [0.5, 1.5, 0.2], None, "layer1.1")
    (bars,) = figure.data
    assert list(bars.y) == [0.5, 1.5, 0.2] and list(bars.customdata) == NAMES
    assert list(bars.marker.color) == [ACCENT, VERMILLION, ACCENT]
    assert figure.layout.shapes[0].y0 == figure.layout.shapes[0].y1 == 1  # as long as x
    assert list(figure.layout.xaxis.ticktext) == NAMES


def test_before_training_stands_beside():
    _, points = residual_view.ratios(NAMES, [0.5, 1.5, 0.2], [1.0, 1.1, 1.2], "layer1.1").data
    assert list(points.y) == [1.0, 1.1, 1.2] and points.name == "before training"


def test_what_has_no_length_has_no_mark():
    figure = residual_view.ratios(NAMES, [0.5, np.inf, np.nan], None, "layer1.0")
    assert np.isnan(figure.data[0].y[1:]).all() and figure.data[0].y[0] == 0.5


@pytest.mark.parametrize(("count", "named"), [(16, True), (50, False)])
def test_the_names_of_many_blocks_do_not_crowd_the_axis(count, named):
    figure = residual_view.ratios([f"layer3.{i}" for i in range(count)], [1.0] * count, None, "layer3.0")
    assert (figure.layout.xaxis.ticktext is not None) == named and bool(figure.layout.xaxis.title.text) != named
