"""The layout of a network: sizes follow the numbers, rows are kept, and the SVG says what is drawn."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from resnet_viz.drawing import architecture_svg, colours
from resnet_viz.drawing.architecture import SIZES, WIDTH, Arc, Box, Group, Span, drawn, text_width

SVG = "{http://www.w3.org/2000/svg}"


def block(row: int, channels: int = 64, side: int = 56, **more) -> Span:
    return Span((Box("part", channels, side, row, 1, (("name", f".{row}"),)),), (Arc(**{"dashed": False, **more}),))


def only(drawing) -> list:
    return [(placed.width, placed.height) for placed in drawing.boxes]


def test_height_grows_with_the_side_and_width_with_the_channels():
    sides, channels = (1, 7, 14, 28, 56, 112, 224), (3, 16, 64, 256, 512, 1024, 2048)
    boxes = tuple(Box("part", many, side) for many, side in zip(channels, reversed(sides)))
    widths, heights = zip(*only(drawn([Group((Span(boxes),))])))
    assert all(a < b for a, b in pairwise(widths)) and all(a > b for a, b in pairwise(heights))
    assert widths[5] == pytest.approx(2 * widths[3])  # four times as many: twice as wide
    assert heights[1] == pytest.approx(4 * heights[5])  # sixteen times as large: four times as tall


def test_strips_and_circles_keep_their_width():
    drawing = drawn([Group((Span(tuple(Box(look, many, 8) for look in ("norm", "act", "add") for many in (8, 512))),))])
    assert [len({placed.width for placed in drawing.boxes[i : i + 2]}) for i in (0, 2, 4)] == [1, 1, 1]


def test_a_stage_too_long_for_a_row_is_broken_evenly():
    drawing = drawn([Group(tuple(block(n) for n in range(100)), "layer1", "100 blocks", 1)])
    rows = {}
    for placed in drawing.boxes:
        rows.setdefault(placed.y, []).append(placed)
    counts = [len(row) for row in rows.values()]
    assert len(counts) > 2 and sum(counts) == 100 and max(counts) - min(counts) <= len(counts)
    assert all(placed.column[1] <= WIDTH for placed in drawing.boxes)
    notes = [text.text for text in drawing.texts if text.look == "note"]
    assert notes == ["100 blocks", *["continued"] * (len(rows) - 1)]


def test_arcs_go_over_their_boxes_from_gap_to_gap():
    spans = block(0, dashed=True, tag="1×1"), block(1, count=35, tag="× 35")
    drawing = drawn([Group(spans, "layer1", "36 blocks", 1)])
    for placed, arc in zip(drawing.boxes, drawing.arcs):
        assert arc.left < placed.x and placed.x + placed.width < arc.right
        assert arc.top < arc.shoulder < placed.y < arc.foot
    assert drawing.arcs[0].right == drawing.arcs[1].left
    assert sum(arc.arc.count for arc in drawing.arcs) == 36


def test_an_arc_ends_at_the_addition():
    boxes = (Box("part", 64, 56, 0), Box("add", 64, 56, 1), Box("act", 64, 56, 2))
    drawing = drawn([Group((Span(boxes, (Arc(False),)),))])
    conv, circle, after = drawing.boxes
    arc = drawing.arcs[0]
    assert arc.left < conv.x and arc.right == pytest.approx(circle.x + circle.width / 2) and arc.right < after.x
    assert arc.landing == pytest.approx(circle.y)


def test_the_outer_of_two_arcs_is_above_the_inner_and_its_label():
    drawing = drawn([Group((Span((Box("part", 256, 56, 0),), (Arc(True, 1, "1×1"), Arc(False, 2, "× 2"))),))])
    inner, outer = drawing.arcs
    label = next(text for text in drawing.texts if text.text == "1×1")
    assert outer.left < inner.left and inner.right < outer.right
    assert outer.top < label.y - SIZES["tag"] and label.y < inner.top


def test_no_letters_are_small_and_longer_texts_are_wider():
    assert min(SIZES.values()) >= 11
    assert text_width("1,024 maps", "soft") > text_width("64 maps", "soft") > 0


def test_the_svg_holds_every_box_arc_and_label():
    groups = [Group((Span((Box("picture", 3, 224, labels=(("soft", "<224 & 224>"),)),)),)),
              Group((block(0, dashed=True, tag="1×1"), block(1, count=2, tag="× 2")), "layer1", "3 blocks", 1)]
    drawing = drawn(groups)
    root = ElementTree.fromstring(architecture_svg.svg(drawing))
    boxes = [g for g in root.iter(f"{SVG}g") if "box" in g.get("class").split()]
    assert [g.get("data-row") for g in boxes] == [None, "0", "1"]
    arcs = [path for path in root.iter(f"{SVG}path") if "arc" in path.get("class").split()]
    assert [(path.get("data-count"), "dashed" in path.get("class")) for path in arcs] == [("1", True), ("2", False)]
    assert sorted(text.text for text in root.iter(f"{SVG}text")) == sorted(text.text for text in drawing.texts)
    size = float(root.get("width")), float(root.get("height"))
    assert size == pytest.approx((drawing.width, drawing.height), abs=0.06)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_stages_differ_in_colour_and_colours_come_from_the_table(look):
    style = architecture_svg.style(4, look)
    fills = re.findall(r"\}\.s\d rect\{fill:(#\w{6})", style)
    assert len(set(fills)) == 4
    ground, ink, accent = architecture_svg.LOOKS[look]
    assert {ground, ink} & {colours.GROUND, colours.DARK_GROUND} and accent in (colours.ACCENT, colours.ACCENT_ON_DARK)
    steps = colours.between(ground, accent, 21)
    assert fills == colours.between(steps[architecture_svg.PALEST[look]], steps[17], 4)
