"""Feature maps as colours: the sequential map where nothing is negative (after a ReLU), else the diverging one."""

import numpy as np

from . import colours, tiles

WIDTH = tiles.MAX_WIDTH - 60  # pixels of a wall, about twice what it has on screen


def signed(maps: np.ndarray) -> bool:
    """Whether the layer has negative outputs, which need the diverging scale."""
    return bool(maps.min() < 0)


def limits(maps: np.ndarray) -> np.ndarray:
    """The largest |value| of each map [n]."""
    return np.abs(maps).reshape(len(maps), -1).max(axis=1)


GAP, MISSING, FIRST = 0, 1, 2  # places in the palette: between tiles, not a number, the lowest colour


def palette(diverging: bool) -> np.ndarray:
    """Colours of what `indices` gives, uint8 [256, 4]: a clear gap, grey for not a number, 254 colours of the scale."""
    table = colours.DIVERGING if diverging else colours.SEQUENTIAL
    found = np.full((256, 4), 255, dtype=np.uint8)
    found[GAP], found[MISSING, :3] = 0, colours.MISSING
    found[FIRST:, :3] = table[np.round(np.linspace(0, len(table) - 1, 256 - FIRST)).astype(int)]
    return found


def indices(maps: np.ndarray, limits: np.ndarray | float, diverging: bool) -> np.ndarray:
    """Maps [n, h, w] -> places in the palette, uint8; at the limit (one, or one for each map) the colours end."""
    limits = np.broadcast_to(np.asarray(limits, dtype=np.float32), len(maps)).reshape(-1, 1, 1)
    scaled = maps / np.where(limits > 0, limits, 1)
    fractions = np.clip((scaled + 1) / 2 if diverging else scaled, 0, 1)
    places = FIRST + np.round(np.nan_to_num(fractions) * (255 - FIRST))
    return np.where(np.isnan(maps), MISSING, places).astype(np.uint8)


def shrink_factor(n: int, side: int, width: int = WIDTH) -> int:
    """Pixels of a map that become one in a wall of n maps: 1, unless the wall would be wider than the page."""
    return -(-tiles.columns_for(n) * side // width)


def shrunk(maps: np.ndarray, factor: int) -> np.ndarray:
    """Maps [n, h, w] whose blocks of factor x factor pixels became their mean."""
    if factor == 1:
        return maps
    n, height, side = (maps.shape[0], *(length // factor for length in maps.shape[1:]))
    return maps[:, :height * factor, :side * factor].reshape(n, height, factor, side, factor).mean(axis=(2, 4))


def wall(maps: np.ndarray, limit: float | None, diverging: bool, width: int = WIDTH) -> tiles.Paletted:
    """Maps [n, h, w] as one picture with clear gaps; limit None gives every map a scale of its own.

    Where the maps are too large for the page, blocks of shrink_factor x shrink_factor pixels become their mean.
    """
    limit = limits(maps) if limit is None else limit
    maps = shrunk(maps, shrink_factor(len(maps), maps.shape[2], width))
    drawn = tiles.compose(indices(maps, limit, diverging), tiles.columns_for(len(maps)), width)
    return tiles.Paletted(drawn, palette(diverging))


def scale_bar(diverging: bool, width: int = 256, height: int = 12) -> np.ndarray:
    """The colours from -limit (or 0) to the limit, uint8 [height, width, 3]."""
    line = colours.signed(np.linspace(-1, 1, width), 1) if diverging else colours.unsigned(np.linspace(0, 1, width), 1)
    return np.ascontiguousarray(np.broadcast_to(line, (height, width, 3)))


def enlarged(picture: np.ndarray, width: int = 192) -> np.ndarray:
    """A picture uint8 [H, W, 3] at the largest whole multiple within `width`: the network's own pixels stay visible."""
    multiple = max(1, width // picture.shape[1])
    return picture.repeat(multiple, axis=0).repeat(multiple, axis=1)
