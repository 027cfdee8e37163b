"""Colours: maps are as even as they claim, and numbers land on the right entry."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from resnet_viz.drawing import colours


def lightness(table: np.ndarray) -> np.ndarray:
    """CIELAB L* from linear luminance, computed apart from the module under test."""
    c = table / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126729, 0.7151522, 0.0721750]
    return np.where(y > 0.008856, 116 * np.cbrt(y) - 16, 903.3 * y)


def test_the_diverging_map_is_a_mirror_in_lightness_and_evenly_spaced():
    light = lightness(colours.DIVERGING)
    assert colours.DIVERGING.shape == (256, 3) and colours.DIVERGING.dtype == np.uint8
    assert np.abs(light - light[::-1]).max() < 1
    steps = np.diff(light[:128])
    assert steps.min() > 0 and steps.max() < 1.2
    assert light[127:129].min() > 95 and light[[0, 255]].max() < 26


def test_the_sequential_map_grows_evenly():
    light = lightness(colours.SEQUENTIAL)
    assert light[0] < 20 and light[-1] > 85 and np.diff(light).min() > -0.2
    halves = light[128] - light[0], light[255] - light[128]
    assert abs(halves[0] - halves[1]) < 6


@pytest.mark.parametrize("table, ends", [(colours.SEQUENTIAL, [(68, 1, 84), (253, 231, 37)])])
def test_the_sequential_map_is_viridis(table, ends):
    assert [tuple(table[i].tolist()) for i in (0, -1)] == ends
    assert np.abs(table[128].astype(int) - (33, 145, 140)).max() <= 3


def test_signed_numbers():
    picture = colours.signed(np.array([[-2.0, -1.0, 0.0], [1.0, 2.0, np.nan]]), 1.0)
    assert picture.shape == (2, 3, 3) and picture.dtype == np.uint8
    assert (picture[0, 0] == picture[0, 1]).all() and (picture[1, 0] == picture[1, 1]).all()  # ends beyond the limit
    assert picture[0, 1, 2] > picture[0, 1, 0] and picture[1, 0, 0] > picture[1, 0, 2]  # blue below, red above
    assert picture[0, 2].min() > 240 and tuple(picture[1, 2]) == colours.MISSING


def test_unsigned_numbers():
    picture = colours.unsigned(np.array([-1.0, 0.0, 5.0, 9.0, np.nan]), 5.0)
    assert (picture[0] == colours.SEQUENTIAL[0]).all() and (picture[1] == picture[0]).all()
    assert (picture[2] == colours.SEQUENTIAL[255]).all() and (picture[3] == picture[2]).all()
    assert tuple(picture[4]) == colours.MISSING


def test_a_limit_of_zero_draws_zero():
    assert (colours.signed(np.array([3.0, -3.0]), 0)[0] == colours.signed(np.array([0.0]), 1)).all()
    assert (colours.unsigned(np.array([3.0]), 0) == colours.SEQUENTIAL[0]).all()


def test_the_theme_uses_this_table():
    theme = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
    assert theme["light"]["primaryColor"] == colours.ACCENT and theme["dark"]["primaryColor"] == colours.ACCENT_ON_DARK
    for ground, paper, ink in (("light", colours.GROUND, colours.INK),
                               ("dark", colours.DARK_GROUND, colours.INK_ON_DARK)):
        assert (theme[ground]["backgroundColor"], theme[ground]["textColor"]) == (paper, ink)
        assert set(theme[ground]["chartCategoricalColors"][:-1]) == set(colours.CATEGORIES)


def test_colours_between_two_colours():
    assert colours.between("#000000", "#FFFFFF", 3)[::2] == ["#000000", "#FFFFFF"]
    steps = [lightness(np.array(colours.rgb(colour))) for colour in colours.between("#FFFFFF", colours.ACCENT, 5)]
    assert np.diff(steps) == pytest.approx(np.diff(steps).mean(), abs=0.5)
    assert colours.between("#FFFFFF", colours.ACCENT, 1) == [colours.ACCENT]


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""

    def luminance(colour):
        c = np.array(colours.rgb(colour)) / 255
        return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_and_accent_are_readable_on_their_ground():
    theme = tomllib.loads((Path(__file__).parents[2] / ".streamlit" / "config.toml").read_text())["theme"]
    for ground in (theme["light"], theme["dark"]):
        for paper in (ground["backgroundColor"], ground["secondaryBackgroundColor"]):
            assert contrast(ground["textColor"], paper) > 7
            assert contrast(ground["linkColor"], paper) > 4.5
        assert contrast(colours.ACCENT, ground["backgroundColor"]) > 3  # bars
        assert contrast(colours.GREY, ground["backgroundColor"]) > 3
