"""Many small pictures as one: a grid of equal tiles, enlarged by whole multiples, with clear gaps."""

from dataclasses import dataclass
from math import ceil, isqrt

import numpy as np

MAX_WIDTH = 1460  # pixels; Streamlit shrinks a wider picture with blur


def columns_for(n: int) -> int:
    """Columns of a grid of n tiles: a full rectangle up to twice as wide as high where there is one, else a square."""
    for rows in range(isqrt(n), 0, -1):
        if n % rows == 0 and n // rows <= 2 * rows:
            return n // rows
    return ceil(n**0.5)


def _gap(tile: int) -> int:
    """Pixels between tiles: an eighth of small ones, never more than is needed to tell large ones apart."""
    return min(max(1, round(tile / 8)), 12)


def multiple_for(side: int, columns: int, width: int) -> int:
    """The largest whole multiple, at least 1, at which `columns` tiles of `side` pixels and their gaps fit `width`."""
    multiple = max(1, width // (columns * side))
    while multiple > 1 and columns * (side * multiple + _gap(side * multiple)) > width:
        multiple -= 1
    return multiple


@dataclass(frozen=True)
class Paletted:
    """A picture of at most 256 colours: a quarter of the bytes, and faster to write.

    indices  uint8 [H, W]; palette  uint8 [256, 4], red, green, blue, alpha
    """

    indices: np.ndarray
    palette: np.ndarray

    def rgba(self) -> np.ndarray:
        return self.palette[self.indices]


def compose(tiles: np.ndarray, columns: int, width: int) -> np.ndarray:
    """Lay tiles out row by row, each enlarged by the same whole multiple (nearest neighbour); the gaps are 0.

    tiles uint8 [n, h, w, ...] -> uint8 [H, W, ...]; W is at most `width` unless single pixels need more
    """
    n, height, side, *rest = tiles.shape
    multiple = multiple_for(side, columns, width)
    gap = _gap(side * multiple)
    rows = ceil(n / columns)
    grid = np.zeros((rows * columns, height * multiple + gap, side * multiple + gap, *rest), dtype=np.uint8)
    grid[:n, :-gap, :-gap] = tiles.repeat(multiple, axis=1).repeat(multiple, axis=2)
    grid = grid.reshape(rows, columns, *grid.shape[1:]).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(rows * grid.shape[1], columns * grid.shape[3], *rest)[:-gap, :-gap])


def atlas(tiles: np.ndarray, columns: int) -> np.ndarray:
    """Tiles uint8 [n, h, w, ...] laid out row by row as they are, without gaps -> [H, W, ...]; what is left over is 0."""
    n, height, side, *rest = tiles.shape
    rows = ceil(n / columns)
    grid = np.zeros((rows * columns, height, side, *rest), dtype=np.uint8)
    grid[:n] = tiles
    grid = grid.reshape(rows, columns, height, side, *rest).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(rows * height, columns * side, *rest))


def wall(tiles: np.ndarray, columns: int, width: int) -> np.ndarray:
    """`compose` for coloured tiles uint8 [n, h, w, 3] -> [H, W, 4]; the gaps are transparent and show the page."""
    opaque = np.full((*tiles.shape[:3], 1), 255, dtype=np.uint8)
    return compose(np.concatenate([tiles, opaque], axis=3), columns, width)


def side_by_side(walls: list[np.ndarray], gap: int = 40) -> np.ndarray:
    """Walls of equal height in one picture, with a transparent gap between them."""
    space = np.zeros((walls[0].shape[0], gap, 4), dtype=np.uint8)
    parts = [part for wall in walls for part in (space, wall)]
    return np.concatenate(parts[1:], axis=1)
