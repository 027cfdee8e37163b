"""Directions, colours and frequencies of kernels whose answer is known before: waves, Sobel's edges, single colours."""

import colorsys

import numpy as np
import pytest

from resnet_viz.analysis import kernels_patterns
from resnet_viz.analysis.kernels_patterns import MIDDLE, SIZE

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=np.float32)  # light on the right: an upright line


def wave(angle: float, period: float, side: int = 7) -> np.ndarray:
    """Stripes at `angle` degrees (counter-clockwise from horizontal), `period` pixels apart, under a soft window."""
    down, right = np.mgrid[:side, :side] - side // 2
    across = right * np.sin(np.radians(angle)) + down * np.cos(np.radians(angle))
    return (np.cos(2 * np.pi * across / period) * np.exp(-(down**2 + right**2) / (side / 2.5) ** 2)).astype(np.float32)


def apart(one: float, other: float, whole: float) -> float:
    """How far two angles are apart on a circle of `whole` degrees."""
    return abs((one - other + whole / 2) % whole - whole / 2)


@pytest.mark.parametrize("angle", [0, 20, 45, 70, 90, 115, 135, 160])
def test_the_direction_of_stripes(angle):
    found = kernels_patterns.patterns(np.stack([wave(angle, 4), -wave(angle, 4)]))
    assert all(apart(a, angle, 180) < 3 for a in found.angle) and found.oriented.all()
    assert found.hue is None and found.coloured is None


def test_the_direction_of_edges():
    diagonal = np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]])  # light above on the right: its line falls to the right
    found = kernels_patterns.patterns(np.stack([SOBEL, SOBEL.T, diagonal]))
    assert np.allclose(found.angle, [90, 0, 135], atol=1e-6) and (found.coherence > 0.3).all()
    assert kernels_patterns.patterns(np.stack([[SOBEL] * 3])).oriented.all()  # three alike are no chance any more


def test_what_has_no_direction():
    y, x = np.mgrid[:7, :7] - 3
    blob = np.exp(-(x**2 + y**2) / 4.0)
    found = kernels_patterns.patterns(np.stack([blob, np.zeros((7, 7)), np.ones((7, 7))]))
    assert np.all(found.coherence < 1e-9) and not found.oriented.any()
    leaning = kernels_patterns.patterns(wave(20, 4)[None] + 3)  # the mean has no direction and takes none away
    assert leaning.coherence == pytest.approx(kernels_patterns.patterns(wave(20, 4)[None]).coherence)


@pytest.mark.parametrize("shape", [(3, 7, 7), (3, 3, 3), (5, 5), (3, 3)])
def test_noise_is_called_oriented_once_in_a_hundred(shape):
    noise = np.random.default_rng(5).normal(size=(4000, *shape))
    assert kernels_patterns.patterns(noise).oriented.mean() == pytest.approx(0.01, abs=0.006)


def test_the_angle_turns_with_the_kernel():
    kernels = np.random.default_rng(0).normal(size=(50, 5, 5))
    before, after = kernels_patterns.patterns(kernels), kernels_patterns.patterns(np.rot90(kernels, axes=(1, 2)))
    assert np.allclose((after.angle - before.angle) % 180, 90) and np.allclose(after.coherence, before.coherence)


@pytest.mark.parametrize("rgb", [(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0.5, 1), (0.2, 0, 1), (1, 0.3, 0.6)])
def test_the_hue_is_that_of_the_colour_circle(rgb):
    """colorsys rounds the circle to a hexagon: at most 1.2 degrees from the angle in the plane of colours."""
    blob = np.exp(-((np.mgrid[:5, :5] - 2) ** 2).sum(axis=0) / 2.0)
    found = kernels_patterns.patterns((np.array(rgb)[:, None, None] * blob)[None])
    assert apart(found.hue[0], 360 * colorsys.rgb_to_hsv(*rgb)[0], 360) < 1.2


def test_the_share_of_colour():
    grey, red_against_cyan = np.stack([SOBEL] * 3), np.stack([2 * SOBEL, -SOBEL, -SOBEL])
    pair = red_against_cyan.copy()
    pair[:, :, 2] *= 1.1  # the strongest pixel: red on the right, so the pair counts as red
    found = kernels_patterns.patterns(np.stack([grey, red_against_cyan, pair, np.zeros((3, 3, 3)), (grey + red_against_cyan)]))
    assert np.allclose(found.colour, [0, 1, 1, 0, 6 / 9], atol=1e-9)
    assert apart(found.hue[2], 0, 360) < 1e-6 and found.coloured.tolist() == [False, True, True, False, True]
    noise = np.random.default_rng(0).normal(size=(2000, 3, 3, 3))
    assert kernels_patterns.patterns(noise).colour.mean() == pytest.approx(2 / 3, abs=0.01)


def test_a_response_is_the_sum_over_the_wave():
    """Against the definition, wave by wave."""
    kernel = np.random.default_rng(0).normal(size=(3, 5, 5)).astype(np.float32)
    found = kernels_patterns.responses(kernel)
    assert len(found) == 4
    down, right = np.mgrid[:5, :5]
    for part, one in zip([kernel.sum(axis=0), *kernel], found):
        for fy, fx in ((0, 0), (3, 5), (-7, 2), (-16, -16)):
            expected = abs((part * np.exp(-2j * np.pi * (fy * down + fx * right) / SIZE)).sum())
            assert one.magnitude[fy + MIDDLE, fx + MIDDLE] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_the_wave_that_it_answers_most(angle):
    found, = kernels_patterns.responses(wave(angle, 4, side=9)[None])
    assert apart(found.angle, angle, 180) < 5 and found.period == pytest.approx(4, rel=0.1)


def test_a_blur_answers_flat_areas_most():
    found, = kernels_patterns.responses(np.ones((1, 3, 3)) / 9)
    assert found.peak == (0, 0) and found.period == np.inf and found.magnitude.max() == pytest.approx(1)
