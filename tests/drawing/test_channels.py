"""Patches beside each other: every pixel where it belongs, gaps clear, what is larger than its place made smaller by means."""

import numpy as np

from resnet_viz.drawing import channels as drawing
from resnet_viz.drawing import colours

DICE = np.random.default_rng(0)


def some(n: int, height: int, width: int) -> np.ndarray:
    patches = DICE.integers(0, 256, (n, height, width, 4), dtype=np.uint8)
    patches[..., 3] = 255
    return patches


def test_a_mosaic_has_every_patch_once_and_clear_gaps():
    patches = some(9, 5, 7)
    patches[4, 0, 0] = 0  # beyond a border
    tile = drawing.mosaic(patches)
    assert tile.shape == (3 * 6 + 1, 3 * 8 + 1, 4)
    assert not tile[::6].any() and not tile[:, ::8].any()
    for place, patch in enumerate(patches):
        top, left = 1 + place // 3 * 6, 1 + place % 3 * 8
        seen = tile[top:top + 5, left:left + 7]
        assert np.array_equal(seen, patch) == (place != 4)
    assert tuple(tile[7, 9]) == drawing.BEYOND
    assert drawing.mosaic(some(4, 5, 7)).shape == (2 * 6 + 1, 25, 4)


def test_what_is_too_large_becomes_the_mean_of_squares():
    patches = some(2, 12, 12)
    small = drawing.shrunk(patches, 5)
    assert small.shape == (2, 4, 4, 4)
    assert np.abs(small[1, 2, 3].astype(float) - patches[1, 6:9, 9:12].mean(axis=(0, 1))).max() <= 0.5
    assert drawing.shrunk(patches, 12) is patches
    assert drawing.side_for(16) > drawing.side_for(32) > drawing.side_for(64) > drawing.side_for(65)


def test_a_sheet_is_three_in_a_row_and_sharp():
    patches = some(9, 15, 15)
    sheet = drawing.sheet(patches)
    multiple = (sheet.shape[1] - 24) // 45
    assert sheet.shape[1] <= drawing.SHEET and multiple == 13
    assert np.array_equal(sheet[:15 * multiple:multiple, :15 * multiple:multiple], patches[0])


def test_the_box_is_drawn_around_what_is_seen():
    sheet = drawing.boxed(some(9, 32, 32), [((4, 10), (-3, 9))] * 9)
    multiple = 6
    line = (*colours.rgb(colours.ORANGE), 255)
    assert tuple(sheet[4 * multiple, 0]) == line and tuple(sheet[10 * multiple - 1, 9 * multiple - 1]) == line
    assert tuple(sheet[4 * multiple + 8, 9 * multiple]) != line and tuple(sheet[6 * multiple, 4 * multiple]) != line


def test_a_picture_is_put_into_the_middle_of_its_tile():
    grey = drawing.opaque(np.full((8, 8, 1), 77, dtype=np.uint8))
    tile = drawing.at_size(grey, (19, 19))
    assert tile.shape == (19, 19, 4) and (tile[1:17, 1:17] == (77, 77, 77, 255)).all() and not tile[17:].any()
    assert drawing.at_size(some(1, 64, 64)[0], (19, 19)).shape == (19, 19, 4)
