"""Colours of feature maps: the palette of the scale that was asked for."""

import numpy as np
import pytest

from resnet_viz.drawing import colours, feature_maps, tiles


@pytest.mark.parametrize("diverging", [False, True])
def test_colours_are_those_of_the_table(diverging):
    maps = np.linspace(-1 if diverging else 0, 1, 16, dtype=np.float32).reshape(1, 4, 4)
    wall = feature_maps.wall(maps, 1.0, diverging, width=4).rgba()
    expected = (colours.signed if diverging else colours.unsigned)(maps[0], 1.0)
    assert (wall[..., 3] == 255).all()
    assert np.abs(wall[..., :3].astype(int) - expected).max() <= 6  # 254 of the table's 256 colours


def test_the_scope_of_the_scale():
    maps = np.stack([np.full((2, 2), value, dtype=np.float32) for value in (0.1, 1.0)])
    each = feature_maps.wall(maps, None, False, width=8).rgba()
    layer = feature_maps.wall(maps, 1.0, False, width=8).rgba()
    assert np.array_equal(each[0, 0], each[0, -1]) and not np.array_equal(layer[0, 0], layer[0, -1])


def test_zero_maps_gaps_and_numbers_that_are_none():
    maps = np.zeros((2, 2, 2), dtype=np.float32)
    maps[1, 0, 0] = np.nan
    wall = feature_maps.wall(maps, None, False, width=5).rgba()
    assert wall.shape == (2, 5, 4)
    assert wall[0, 0, :3].tolist() == colours.SEQUENTIAL[0].tolist()
    assert (wall[:, 2] == 0).all()  # the gap
    assert tuple(wall[0, 3, :3]) == colours.MISSING


def test_maps_larger_than_the_page_are_averaged_in_blocks():
    maps = np.random.default_rng(0).uniform(size=(4, 60, 60)).astype(np.float32)
    assert feature_maps.shrink_factor(4, 60, width=60) == 2
    assert feature_maps.shrink_factor(4, 60, width=120) == 1
    small = maps.reshape(4, 30, 2, 30, 2).mean(axis=(2, 4))
    drawn, expected = (feature_maps.wall(values, 1.0, False, width=60).indices for values in (maps, small))
    assert np.array_equal(drawn, expected)


def test_negative_outputs_need_the_diverging_scale():
    assert feature_maps.signed(np.array([[[-0.1, 2]]])) and not feature_maps.signed(np.array([[[0.0, 2]]]))
    assert feature_maps.scale_bar(True).shape == feature_maps.scale_bar(False).shape == (12, 256, 3)


def test_the_networks_pixels_stay_visible():
    picture = np.random.default_rng(0).integers(0, 256, size=(32, 32, 3), dtype=np.uint8)
    large = feature_maps.enlarged(picture, 192)
    assert large.shape == (192, 192, 3) and np.array_equal(large[::6, ::6], picture)
    assert feature_maps.enlarged(np.zeros((224, 224, 3), dtype=np.uint8), 192).shape == (224, 224, 3)
    assert tiles.MAX_WIDTH >= feature_maps.WIDTH
