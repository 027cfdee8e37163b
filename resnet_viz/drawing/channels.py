"""Patches of pictures beside each other: small in a wall of channels, large for one channel."""

import numpy as np

from . import colours, tiles

COLUMNS = 3
SHEET = 660  # pixels of nine patches, twice what is shown, so that they stay sharp on fine screens
SIDES = ((16, 48), (32, 32), (64, 24))  # up to so many channels: a patch of at most so many pixels in their wall
SMALLEST = 16
BEYOND = (*colours.rgb(colours.GREY), 56)  # red, green, blue, alpha


def side_for(channels: int) -> int:
    """Pixels a side that a patch may have in a wall of so many channels: what is sent stays small."""
    return next((side for most, side in SIDES if channels <= most), SMALLEST)


def shrunk(patches: np.ndarray, most: int) -> np.ndarray:
    """Patches uint8 [..., h, w, C] of at most `most` pixels a side: squares of pixels become their mean."""
    *outer, height, width, channels = patches.shape
    factor = -(-max(height, width) // most)
    if factor == 1:
        return patches
    height, width = height // factor, width // factor
    cut = patches[..., :height * factor, :width * factor, :].astype(np.float32)
    means = cut.reshape(*outer, height, factor, width, factor, channels).mean(axis=(-4, -2))
    return means.round().astype(np.uint8)


def filled(patches: np.ndarray) -> np.ndarray:
    """Patches uint8 [..., h, w, 4] with a veil of grey where they are clear: beyond a picture's border."""
    return np.where(patches[..., 3:] > 0, patches, np.array(BEYOND, dtype=np.uint8))


def mosaic(patches: np.ndarray) -> np.ndarray:
    """The patches of one channel [n, h, w, 4] as one tile, three in a row, clear pixels between and around -> [H, W, 4]."""
    n, height, width, _ = patches.shape
    tile = np.zeros((-(-n // COLUMNS) * (height + 1) + 1, COLUMNS * (width + 1) + 1, 4), dtype=np.uint8)
    for place, patch in enumerate(filled(patches)):
        top, left = 1 + place // COLUMNS * (height + 1), 1 + place % COLUMNS * (width + 1)
        tile[top:top + height, left:left + width] = patch
    return tile


def sheet(patches: np.ndarray) -> np.ndarray:
    """The same, enlarged by a whole multiple, with wider gaps and nothing around."""
    return tiles.compose(shrunk(filled(patches), SHEET // COLUMNS), COLUMNS, SHEET)


def boxed(pictures: np.ndarray, frames: list) -> np.ndarray:
    """Pictures [n, H, W, 4], enlarged, with a line around ((top, bottom), (left, right)) of each where that is inside."""
    multiple = tiles.multiple_for(pictures.shape[2], COLUMNS, SHEET)
    large = pictures.repeat(multiple, axis=1).repeat(multiple, axis=2)
    line = (*colours.rgb(colours.ORANGE), 255)
    for picture, frame in zip(large, frames):
        (top, bottom), (left, right) = ((max(0, start * multiple), min(length, end * multiple))
                                        for (start, end), length in zip(frame, picture.shape))
        inside = picture[top:bottom, left:right].copy()
        picture[top:bottom, left:right] = line
        thick = 3
        picture[top + thick:bottom - thick, left + thick:right - thick] = inside[thick:-thick, thick:-thick]
    return tiles.compose(large, COLUMNS, SHEET)


def opaque(pixels: np.ndarray) -> np.ndarray:
    """A picture uint8 [H, W, 1 or 3] with red, green, blue and alpha."""
    colour = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return np.concatenate([colour, np.full((*pixels.shape[:2], 1), 255, dtype=np.uint8)], axis=2)


def at_size(tile: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A picture in the middle of a clear tile of this height and width, as large as whole multiples or parts allow."""
    height, width = shape
    tile = shrunk(tile, min(shape))
    multiple = max(1, min(height // tile.shape[0], width // tile.shape[1]))
    tile = tile.repeat(multiple, axis=0).repeat(multiple, axis=1)
    top, left = (height - tile.shape[0]) // 2, (width - tile.shape[1]) // 2
    placed = np.zeros((height, width, 4), dtype=np.uint8)
    placed[top:top + tile.shape[0], left:left + tile.shape[1]] = tile
    return placed
