"""Disturbed pictures against NumPy's and SciPy's own operations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from resnet_viz.analysis import disturbance
from resnet_viz.analysis.disturbance import NONE, Disturbance, disturbed

GREY = (120.0, 110.0, 100.0)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    smooth = gaussian_filter(np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(float), (2, 2, 0))
    return ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)


def test_undisturbed_is_untouched(pixels):
    assert disturbed(pixels, NONE, GREY) is pixels
    for slider in disturbance.SLIDERS:
        assert getattr(NONE, slider.name) == slider.neutral and slider.low <= slider.neutral <= slider.high


@pytest.mark.parametrize(("turn", "times"), [(90, 1), (180, 2), (-90, 3), (-180, 2)])
def test_a_quarter_turn_is_numpys(pixels, turn, times):
    assert np.abs(disturbed(pixels, Disturbance(turn=turn), GREY).astype(int) - np.rot90(pixels, times)).max() <= 1


def test_a_shift_moves_whole_pixels_and_mirrors_at_the_edge(pixels):
    moved = disturbed(pixels, Disturbance(across=25, down=-10), GREY).astype(int)  # 10 to the right, 4 up
    assert np.abs(moved[:-4, 10:] - pixels[4:, :-10]).max() <= 1
    assert np.abs(moved[:-4, :10] - pixels[4:, :10][:, ::-1]).max() <= 1


def test_turned_first_then_shifted(pixels):
    both = disturbed(pixels, Disturbance(turn=90, across=25), GREY).astype(int)
    assert np.abs(both[:, 10:] - np.rot90(pixels)[:, :-10]).max() <= 1


def test_blur_is_scipys_gaussian(pixels):
    wanted = gaussian_filter(pixels.astype(float), (2, 2, 0), mode="mirror", truncate=4)
    assert np.abs(disturbed(pixels, Disturbance(blur=5), GREY) - wanted).max() <= 1


def test_brightness_multiplies_and_stops_at_white(pixels):
    assert np.abs(disturbed(pixels, Disturbance(brightness=50), GREY) - pixels / 2.0).max() <= 0.51
    assert (disturbed(pixels, Disturbance(brightness=300), GREY) == np.minimum(255, 3 * pixels.astype(int))).all()
    assert not disturbed(pixels, Disturbance(brightness=0), GREY).any()


def test_noise_has_its_strength_and_one_pattern(pixels):
    flat = np.full((64, 64, 3), 128, np.uint8)
    weak, strong = (disturbed(flat, Disturbance(noise=n), GREY).astype(float) - 128 for n in (10, 20))
    assert weak.std() == pytest.approx(10, rel=0.05) and abs(weak.mean()) < 0.5
    assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.999
    assert (disturbed(flat, Disturbance(noise=20), GREY) == disturbed(flat, Disturbance(noise=20), GREY)).all()


def test_a_covered_box_is_the_mean_colour_and_nothing_else_changes(pixels):
    covered = disturbed(pixels, Disturbance(box=(0.25, 0.5, 0.75, 1.0)), GREY)
    assert (covered[20:, 10:30] == GREY).all()
    covered[20:, 10:30] = pixels[20:, 10:30]
    assert (covered == pixels).all()


def test_grey_pictures_stay_grey(pixels):
    assert disturbed(pixels[..., :1], Disturbance(turn=10, blur=2, noise=5, box=(0, 0, 0.5, 0.5)), (99.0,)).shape == (40, 40, 1)


def test_a_link_carries_it_all():
    everything = Disturbance(30, -5, 10, 2.5, 150, 40, (0.1, 0.2, 0.5, 0.6))
    assert disturbance.from_text(disturbance.as_text(everything)) == everything
    assert disturbance.as_text(NONE) == "" and disturbance.from_text("") == NONE
    assert disturbance.from_text("turn:x,blur:1:2,box:1:2,nothing:3,noise:-4,down:nan") == NONE


def test_what_a_browser_says_is_brought_into_range():
    assert disturbance.wanted({"turn": 1e9, "blur": -3, "noise": "7", "brightness": None}) == Disturbance(turn=180)
    assert disturbance.wanted({"box": [-1, 0.5, 2, 0.8]}).box == (0, 0.5, 1, 0.8)
    for nonsense in ([0.5, 0.5, 0.5, 0.9], [0.9, 0, 0.1, 1], [0, 0, "1", 1], "abcd", [1, 2], 7, None):
        assert disturbance.wanted({"box": nonsense}) == NONE
    assert replace(NONE, turn=180) == disturbance.wanted({"turn": 180.0})
