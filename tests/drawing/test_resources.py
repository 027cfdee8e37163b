"""Bars of memory: segments that add up, a line where the device ends, one colour a part."""

import pytest

from resnet_viz.drawing import colours, resources

NAMES = {part: part.upper() for part in resources.COLOURS}
GIB = 2**30
PARTS = {"weights": GIB, "activations": 5 * GIB, "buffers": 0, "process": GIB // 2}


def test_segments_are_the_parts_in_order_and_nothing_is_empty():
    figure = resources.bars({"": PARTS}, NAMES)
    assert [trace.name for trace in figure.data] == ["WEIGHTS", "ACTIVATIONS", "PROCESS"]
    assert [trace.x[0] for trace in figure.data] == [1, 5, 0.5]
    assert figure.layout.barmode == "stack" and figure.layout.xaxis.title.text == "GiB"
    assert not figure.layout.shapes


def test_only_wide_segments_carry_their_number():
    figure = resources.bars({"": {"weights": GIB // 10, "activations": 5 * GIB}}, NAMES)
    assert [trace.text[0] for trace in figure.data] == ["", "5 GiB"]


def test_small_bars_are_drawn_in_mib():
    figure = resources.bars({"": {"weights": 3 * 2**20}}, NAMES)
    assert figure.layout.xaxis.title.text == "MiB" and figure.data[0].x[0] == 3


@pytest.mark.parametrize("gib", [3, 8, 24])
def test_the_memory_is_a_line_at_its_place(gib):
    figure = resources.bars({"": PARTS}, NAMES, gib * GIB, "a card")
    assert [shape.x0 for shape in figure.layout.shapes] == [gib]
    assert figure.layout.annotations[0].text == "a card"
    assert figure.layout.xaxis.range[1] > max(gib, 6.5)


def test_a_memory_far_away_is_named_at_the_edge():
    figure = resources.bars({"": PARTS}, NAMES, 80 * GIB, "a card")
    assert not figure.layout.shapes and figure.layout.annotations[0].text == "a card →"
    assert figure.layout.xaxis.range[1] < 10


def test_pairs_of_bars():
    rows = {"1 estimated": PARTS, "1 measured": {"weights": GIB, "activations": 5 * GIB, "workspace": GIB}}
    figure = resources.bars(rows, NAMES)
    assert {trace.name: tuple(trace.x) for trace in figure.data}["WORKSPACE"] == (0, 1)
    assert figure.layout.yaxis.visible and list(figure.data[0].y) == list(rows)
    assert figure.layout.height > resources.bars({"": PARTS}, NAMES).layout.height


def test_every_part_has_a_colour_of_the_table():
    known = {*colours.OKABE_ITO, colours.GREY, colours.LIGHT_GREY}
    assert set(resources.COLOURS.values()) <= known
    assert len(set(resources.COLOURS.values())) == len(resources.COLOURS)


def test_amounts():
    assert [resources.amount(v) for v in (0.5, 5.289, 23.54, 741.2, 1234.5)] == ["0.5", "5.29", "23.5", "741", "1,234"]


def test_measured_points_and_the_estimated_line():
    figure = resources.by_batch([1, 2], [2048, 4096], [1024, 3072], 49_140, "the card")
    estimate, measured = figure.data
    assert (estimate.mode, tuple(estimate.y)) == ("lines", (1, 3))
    assert (measured.mode, tuple(measured.y)) == ("markers", (2, 4))
    assert figure.layout.shapes[0].y0 == 49_140 / 1024 and figure.layout.annotations[0].text == "the card"
