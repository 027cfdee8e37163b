"""Walls of tiles: every pixel of every tile is where it belongs, enlarged without blur."""

import numpy as np
import pytest

from resnet_viz.drawing import tiles


def test_every_tile_is_found_again():
    pictures = np.random.default_rng(0).integers(0, 256, size=(10, 3, 3, 3), dtype=np.uint8)
    columns = 4
    wall = tiles.wall(pictures, columns, 400)
    multiple = tiles.multiple_for(3, columns, 400)
    step = np.flatnonzero(np.diff(wall[0, :, 3].astype(int)) > 0)[0] + 1  # where the second tile begins
    for i, picture in enumerate(pictures):
        y, x = i // columns * step, i % columns * step
        part = wall[y:y + 3 * multiple, x:x + 3 * multiple]
        assert np.array_equal(part[..., :3], np.kron(picture, np.ones((multiple, multiple, 1), dtype=np.uint8)))
        assert (part[..., 3] == 255).all()
    assert (wall[..., 3] == 255).sum() == 10 * (3 * multiple) ** 2  # all else is transparent


@pytest.mark.parametrize(("n", "columns"), [
    (1, 1), (3, 2), (7, 3), (10, 4), (16, 4), (32, 8), (64, 8), (96, 12), (128, 16), (512, 32)])
def test_columns(n, columns):
    assert tiles.columns_for(n) == columns
    assert columns * -(-n // columns) >= n


@pytest.mark.parametrize("side", [1, 3, 7, 14, 56, 112])
@pytest.mark.parametrize("columns", [1, 4, 8, 16, 64])
def test_a_wall_is_as_wide_as_whole_multiples_allow(side, columns):
    width = tiles.compose(np.zeros((columns, side, side), dtype=np.uint8), columns, 720).shape[1]
    if width > 720:  # one pixel for one, and still too wide
        assert tiles.multiple_for(side, columns, 720) == 1
    else:
        assert width + columns * side + columns * 12 > 720  # the next multiple would not fit


def test_side_by_side_keeps_the_walls():
    one, two = (np.full((4, n, 4), n, dtype=np.uint8) for n in (5, 6))
    both = tiles.side_by_side([one, two], gap=3)
    assert both.shape == (4, 14, 4)
    assert (both[:, :5] == 5).all() and (both[:, 5:8] == 0).all() and (both[:, 8:] == 6).all()


def test_an_atlas_keeps_every_pixel():
    drawn = np.random.default_rng(0).integers(0, 256, (5, 4, 2, 3), dtype=np.uint8)
    laid = tiles.atlas(drawn, 3)
    assert laid.shape == (8, 6, 3)
    assert np.array_equal(laid[4:8, 2:4], drawn[4]) and (laid[4:, 4:] == 0).all()
