"""Bars, frames and tiles of a prediction."""

import numpy as np

from resnet_viz.drawing import predictions as drawing
from resnet_viz.drawing.colours import ACCENT, GREY


def test_bars_carry_the_probabilities_in_order():
    figure = drawing.bars(["cat", "dog", "a name much longer than there is room for"], [0.9, 0.0996, 0.0004])
    assert [value for trace in figure.data for value in trace.x] == [0.9, 0.0996, 0.0004]
    assert [text for trace in figure.data for text in trace.text] == ["90.0 %", "10.0 %", "<0.1 %"]
    assert [trace.marker.color for trace in figure.data] == [ACCENT, GREY]
    labels = figure.layout.yaxis.ticktext
    assert labels[:2] == ("cat", "dog") and len(labels[2]) <= drawing.LONGEST_LABEL and labels[2].endswith("…")
    assert figure.layout.yaxis.autorange == "reversed"  # the first on top


def test_the_frame_keeps_the_inside_and_fades_the_outside():
    picture = np.full((40, 90, 3), 200, np.uint8)
    picture[:, 60:] = 10
    framed = drawing.framed(picture, (20, 0, 60, 40))
    assert (framed[5:35, 25:55] == 200).all()
    assert (framed[:, :19] < 180).all() and (framed[:, 61:] > 60).all()  # both towards grey
    assert (framed[20, 20] == 0).all() and (framed[20, 21] == 255).all()
    assert (picture == np.where(np.arange(90)[None, :, None] < 60, 200, 10)).all()  # untouched


def test_a_whole_picture_has_no_frame():
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert (drawing.framed(picture, (0, 0, 8, 8)) == picture).all()


def test_enlarging_repeats_pixels_by_whole_multiples():
    pixels = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    large = drawing.enlarge(pixels, 10)
    assert large.shape == (9, 9, 3) and (large[::3, ::3] == pixels).all() and (large[2, 2] == pixels[0, 0]).all()
    assert drawing.enlarge(pixels, 2).shape == (3, 3, 3)


def test_planes_share_one_scale():
    values = np.stack([np.full((2, 2), -1.0), np.full((2, 2), 0.0), np.full((2, 2), 2.0)])
    (low, zero, high), limit = drawing.planes(values)
    assert limit == 2 and zero.min() > 240
    assert high[0, 0, 0] < 140 and low[0, 0].max() > 180  # the end of the scale is dark, half way is not
