"""Attribution maps as pictures: one scale, the overlay's ends, and curves as they were given."""

import numpy as np

from resnet_viz.drawing import attributions as drawing
from resnet_viz.drawing import colours

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)


def test_the_scale_ends_for_all_maps_where_few_pixels_lie_beyond():
    heat = np.linspace(-1, 1, 1001)
    assert drawing.limit([heat]) == np.percentile(np.abs(heat), 99.5)
    assert drawing.limit([heat, 3 * heat]) > 2 * drawing.limit([heat])
    alone = np.zeros((100, 100))
    alone[3, 4] = -2
    assert drawing.limit([alone]) == 2 and drawing.limit([0 * alone]) == 0


def test_the_overlay_goes_from_the_picture_to_the_map():
    heat = RNG.normal(size=(8, 8))
    np.testing.assert_array_equal(drawing.overlay(PICTURE, heat, 2.0, 0), PICTURE)
    np.testing.assert_array_equal(drawing.overlay(PICTURE, heat, 2.0, 1), colours.signed(heat, 2.0))
    half = drawing.overlay(PICTURE, np.array([[0.0, 2.0]] * 8).repeat(4, axis=1), 2.0, 0.5)
    weak, strong = half[:, :4].astype(float), half[:, 4:].astype(float)
    under = drawing.grey(PICTURE).astype(float)
    np.testing.assert_allclose(weak, 0.75 * under[:, :4] + 0.25 * colours.signed(0, 1), atol=0.51)
    cover = 0.5 ** 0.5
    np.testing.assert_allclose(strong, (1 - cover) * under[:, 4:] + cover * colours.signed(2, 2), atol=0.51)


def test_a_map_of_nothing_is_white_nowhere_red():
    flat = drawing.overlay(PICTURE, np.zeros((8, 8)), 0.0, 1)
    np.testing.assert_array_equal(flat, np.broadcast_to(colours.signed(0, 1), (8, 8, 3)))


def test_grey_is_the_luma():
    np.testing.assert_array_equal(drawing.grey(np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8))[0, :, 0], [76, 150])


def test_a_plate_has_three_tiles_of_the_same_pixels():
    heat = RNG.normal(size=(8, 8))
    plate = drawing.plate(PICTURE, heat, side=64)
    assert plate.shape[0] == 64 and plate.shape[2] == 4
    np.testing.assert_array_equal(plate[::8, 0:64:8, :3], PICTURE)
    np.testing.assert_array_equal(plate[::8, -64::8, :3], colours.signed(heat, drawing.limit([heat])))


def test_deletion_curves_are_drawn_as_given():
    shares = np.linspace(0, 1, 5)
    figure = drawing.deletion_curves(shares, {"A": shares**2, "B": shares}, {"random": 1 - shares}, "cat")
    assert [line.name for line in figure.data] == ["A", "B", "random"]
    np.testing.assert_array_equal(figure.data[0].y, shares**2)
    assert figure.data[2].line.dash == "dash" and "cat" in figure.layout.yaxis.title.text
