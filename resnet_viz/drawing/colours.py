"""The one table of colours: categories, the accent, and the two maps for numbers.

Categories    Okabe and Ito, "Color Universal Design" (2008): eight colours that colour-blind people tell apart.
ACCENT        their blue; the theme in .streamlit/config.toml uses the same, and their sky blue on dark ground.
DIVERGING     for signed numbers: blue (negative) - near white (zero) - vermillion (positive), hues near the Okabe-Ito
              ones. Made here in the perceptual space CIELAB: lightness falls evenly and alike on both sides of zero.
SEQUENTIAL    for unsigned numbers: viridis (van der Walt and Smith 2015, public domain), rebuilt from eleven of its
              colours; its lightness grows evenly from dark blue to yellow.
"""

import numpy as np

BLACK, ORANGE, SKY_BLUE, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = OKABE_ITO = [
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
]
CATEGORIES = [BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY_BLUE, YELLOW]  # in the order of use; black is ink, not data
ACCENT, ACCENT_ON_DARK = BLUE, SKY_BLUE
GREY, LIGHT_GREY = "#7A838B", "#C3C9CE"  # both readable on white and on near black
GROUND, DARK_GROUND = "#FFFFFF", "#14171A"  # what the screen is made of; the theme has the same
INK, INK_ON_DARK = "#1F2428", "#E6E9EB"
MISSING = (128, 128, 128)  # a number that is not one (NaN)

_VIRIDIS = (
    "#440154",
    "#482475",
    "#414487",
    "#355F8D",
    "#2A788E",
    "#21918C",
    "#22A884",
    "#44BF70",
    "#7AD151",
    "#BDDF26",
    "#FDE725",
)
_LIGHTEST, _DARKEST = 97.0, 24.0  # CIELAB lightness of zero and of both ends
_BLUES, _REDS = ((-4, -38), (9, -37)), ((38, 46), (40, 36))  # (a, b) half way and at the end


def rgb(colour: str) -> tuple[int, int, int]:
    """ "#0072B2" -> (0, 114, 178)."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def _to_lab(srgb: np.ndarray) -> np.ndarray:
    """sRGB 0..255 [n, 3] -> CIELAB (D65), after IEC 61966-2-1 and CIE 15."""
    c = srgb / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _RGB_TO_XYZ.T / _WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def _to_rgb(lab: np.ndarray) -> np.ndarray:
    """CIELAB [n, 3] -> sRGB uint8, clipped to what a screen can show."""
    fy = (lab[:, 0] + 16) / 116
    f = np.stack([fy + lab[:, 1] / 500, fy, fy - lab[:, 2] / 200], axis=1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _WHITE
    linear = np.clip(xyz @ np.linalg.inv(_RGB_TO_XYZ).T, 0, 1)
    c = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(c * 255).astype(np.uint8)


_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _RGB_TO_XYZ.sum(axis=1)


def _through(colours: tuple[str, ...], positions: tuple[float, ...], size: int = 256) -> np.ndarray:
    """A table uint8 [size, 3] through the colours at the positions 0..1, in straight lines of CIELAB."""
    lab = _to_lab(np.array([rgb(colour) for colour in colours], dtype=float))
    where = np.linspace(0, 1, size)
    return _to_rgb(np.stack([np.interp(where, positions, lab[:, i]) for i in range(3)], axis=1))


def _half(half_way: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    """128 colours from zero to one end: lightness in a straight line, the hue along a parabola (no kink half way)."""
    t = np.linspace(0, 1, 128)[:, None]
    hue = 4 * t * (1 - t) * np.array(half_way) + t * (2 * t - 1) * np.array(end)
    return _to_rgb(np.concatenate([_LIGHTEST + (_DARKEST - _LIGHTEST) * t, hue], axis=1))


DIVERGING = np.concatenate([_half(*_BLUES)[::-1], _half(*_REDS)])  # entries 127 and 128 are both zero
SEQUENTIAL = _through(_VIRIDIS, tuple(i / 10 for i in range(11)))


def signed(values: np.ndarray, limit: float) -> np.ndarray:
    """Signed numbers as colours: -limit deep blue, 0 near white, +limit deep vermillion; beyond it the end colour.

    values [...] of any shape; limit >= 0 (0 draws everything as zero, NaN is grey) -> uint8 [..., 3]
    """
    return _look_up(
        DIVERGING,
        (np.asarray(values, dtype=np.float64) / limit + 1) / 2 if limit > 0 else np.full(np.shape(values), 0.5),
    )


def unsigned(values: np.ndarray, limit: float) -> np.ndarray:
    """Numbers from 0 up as colours: 0 dark, `limit` and beyond bright; below 0 as 0. Shapes as in `signed`."""
    return _look_up(
        SEQUENTIAL, np.asarray(values, dtype=np.float64) / limit if limit > 0 else np.zeros(np.shape(values))
    )


def _look_up(table: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    missing = np.isnan(fractions)
    index = np.round(np.clip(np.where(missing, 0, fractions), 0, 1) * (len(table) - 1)).astype(np.uint8)
    picture = table[index]
    picture[missing] = MISSING
    return picture


def between(first: str, last: str, count: int) -> list[str]:
    """`count` colours from the first to the last in equal steps that the eye sees as equal; of one only the last."""
    table = _through((first, last), (0.0, 1.0), count) if count > 1 else [rgb(last)]
    return ["#" + "".join(f"{int(channel):02X}" for channel in colour) for colour in table]
