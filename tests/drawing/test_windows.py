"""The row of cells and its windows: as many of each as there are, marked where torch's own pooling does not come."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch

from resnet_viz.drawing.windows import HEAD, MOST_LINES, TAIL, WHOLE, Row, svg

ROWS = [Row(7, 3, 2, 1, 1, 4), Row(8, 3, 2, 0, 1, 3), Row(11, 5, 6, 1, 1, 2), Row(9, 2, 4, 0, 1, 2),
        Row(12, 3, 1, 2, 2, 12), Row(5, 5, 1, 0, 1, 1), Row(20, 3, 7, 0, 3, 2)]


def untouched(row: Row) -> list[int]:
    """Cells of the padded row through which no gradient comes back."""
    cells = torch.ones(1, 1, row.cells, requires_grad=True)
    kernel = torch.ones(1, 1, row.kernel)
    torch.nn.functional.conv1d(cells, kernel, stride=row.stride, dilation=row.dilation).sum().backward()
    return (cells.grad[0, 0] == 0).nonzero().flatten().tolist()


@pytest.mark.parametrize("row", ROWS)
def test_cells_in_no_window_are_crossed(row):
    assert [cell for cell in range(row.cells) if not row.used(cell)] == untouched(row)
    assert svg(row).count('class="unused"') == len(untouched(row))


@pytest.mark.parametrize("row", ROWS)
def test_every_window_of_a_short_row_is_drawn_without_overlap(row):
    drawn = ElementTree.fromstring(svg(row))
    paths = [path.get("d") for path in drawn.iter("{http://www.w3.org/2000/svg}path") if path.get("class") == "window"]
    assert len(paths) == row.positions
    spans = sorted((int(y), int(x), int(end)) for x, y, end in
                   (re.fullmatch(r"M(\d+) (\d+)H(\d+)", path).groups() for path in paths))
    for (y, _, end), (other_y, start, _) in zip(spans, spans[1:]):
        assert y != other_y or end < start


@pytest.mark.parametrize("row", [Row(224, 7, 2, 3, 1, 112), Row(227, 11, 4, 0, 1, 55), Row(60_000, 3, 1, 1, 1, 60_000),
                                 Row(65_536, 65_536, 1, 0, 1, 1), Row(300, 150, 1, 0, 1, 151),
                                 Row(65_536, 30_000, 1, 0, 1, 35_537)])
def test_a_long_row_shows_its_two_ends(row):
    text = svg(row)
    assert row.cells > WHOLE and text.count("<rect") == HEAD + TAIL == len(row.shown())
    assert row.shown()[0] == 0 and row.shown()[-1] == row.cells - 1
    assert 1 <= text.count('class="window"') and text.count("<circle") == 3
    height = float(ElementTree.fromstring(text).get("height"))
    assert height < 40 + 9 * MOST_LINES and len(text) < 100_000
