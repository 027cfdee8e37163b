"""Pictures of tensors: extremes and damage survive the reduction, colours mean numbers, charts hold their numbers."""

import numpy as np
import pytest

from resnet_viz.drawing import checkpoint as drawing
from resnet_viz.drawing import colours

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(1, 1), (10, 64), (256, 512), (257, 513), (1000, 2048), (2048, 512), (3, 4000)])
def test_a_screenful_keeps_both_extremes(shape):
    matrix = RNG.normal(size=shape).astype(np.float32)
    cells = drawing.reduced(matrix)
    assert cells.shape[0] <= drawing.CELLS[0] and cells.shape[1] <= drawing.CELLS[1]
    assert np.abs(cells).max() == np.abs(matrix).max()
    high, wide = drawing.block(shape)
    for row, column in ((0, 0), (cells.shape[0] - 1, cells.shape[1] - 1), (cells.shape[0] // 2, cells.shape[1] // 3)):
        part = matrix[row * high:(row + 1) * high, column * wide:(column + 1) * wide]
        assert cells[row, column] == part.flat[np.abs(part).argmax()]


def test_one_broken_number_stays_visible():
    matrix = np.zeros((1000, 2048), np.float32)
    matrix[500, 1000], matrix[3, 3] = np.nan, -np.inf
    cells = drawing.reduced(matrix)
    assert np.isnan(cells[500 // 4, 1000 // 4]) and np.isnan(cells[0, 0]) and np.isnan(cells).sum() == 2
    picture = drawing.matrix(matrix, signed=True)
    assert (picture.reshape(-1, 3) == colours.MISSING).all(axis=1).sum() == 2 * (picture.shape[1] // 512) ** 2


@pytest.mark.parametrize(("shape", "cell"), [((10, 64), 16), ((64, 64), 8), ((1000, 2048), 2), ((2, 2), 256)])
def test_cells_are_whole_squares(shape, cell):
    picture = drawing.matrix(RNG.normal(size=shape), signed=True)
    rows, columns = drawing.reduced(np.zeros(shape)).shape
    assert picture.shape == (rows * cell, columns * cell, 3) and picture.shape[1] <= drawing.WIDTH


def test_colours_mean_numbers():
    values = np.array([[-2.0, 0.0, 2.0]])
    signed = drawing.matrix(values, signed=True)[0, :: drawing.WIDTH // 3]
    assert (signed[:3] == colours.DIVERGING[[0, 128, 255]]).all()
    norms = drawing.matrix(np.array([[0.0, 3.0]]), signed=False)
    assert (norms[0, [0, -1]] == colours.SEQUENTIAL[[0, 255]]).all()
    assert drawing.limit_of(np.array([np.nan, np.inf, -3.0])) == 3 and drawing.limit_of(np.array([np.nan])) == 0


@pytest.mark.parametrize(("shape", "tiles"), [((64, 3, 7, 7), 64), ((16, 3, 3, 3), 16), ((8, 1, 5, 5), 8)])
def test_first_kernels(shape, tiles):
    weights = RNG.normal(size=shape)
    wall = drawing.first_kernels(weights)
    assert wall.shape[2] == 4 and wall.shape[1] <= 720
    assert len(np.unique(wall[wall[..., 3] > 0][:, :3], axis=0)) > tiles  # not one colour
    weights[0] = np.nan
    drawing.first_kernels(weights)  # a broken filter is drawn, the others stay as they were


def test_charts_hold_what_they_are_given():
    figure = drawing.histogram(np.array([1, 2, 3, 4]), -2.0, 2.0)
    assert list(figure.data[0].x) == [-1.5, -0.5, 0.5, 1.5] and list(figure.data[0].y) == [1, 2, 3, 4]
    few, many = drawing.by_channel(np.array([1.0, np.inf, 3.0])), drawing.by_channel(np.zeros(500))
    assert few.data[0].type == "bar" and np.isnan(few.data[0].y[1]) and few.data[0].y[2] == 3
    assert many.data[0].type == "scatter" and len(many.data[0].y) == 500


def test_layers_by_depth():
    names = ["conv1.weight", "layer1.0.conv1.weight", "layer1.0.conv2.weight", "fc.weight"]
    figure = drawing.movements(names, [0.5, np.inf, 2.0, np.nan])
    assert list(figure.layout.xaxis.ticktext) == ["conv1", "layer1", "fc"]
    assert list(figure.layout.xaxis.tickvals) == [0, 1, 3]
    many = ["conv1.weight", *[f"layer1.{i}.conv1.weight" for i in range(30)], "fc.weight"]
    assert list(drawing.movements(many, [1.0] * 32).layout.xaxis.ticktext) == ["layer1", "fc"]
    assert figure.data[0].y[0] == 0.5 and np.isnan(figure.data[0].y[1]) and np.isnan(figure.data[0].y[3])
    assert [place for place, colour in enumerate(figure.data[0].marker.color) if colour == colours.ACCENT] == [2]
    assert set(drawing.movements(names, [np.nan] * 4).data[0].marker.color) == {colours.GREY}
    figure = drawing.strengths(names, [1, 2, 3, 4], [4, 3, 2, 1])
    assert list(figure.data[0].y) == [1, 2, 3, 4] and list(figure.data[1].y) == [4, 3, 2, 1]
