"""What the loss looks like from a network: its mean cross entropy over a plane of weights, point by point.

The lines through the network come first, then a coarse grid, then what lies between points that differ most: after
every
point there is something true to see, and whoever stops early has the steep parts. Everything is a plain record of
arrays;
landscape_file reads and writes it, landscape_work fills it.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from ..problems import Problem

GRIDS = (3, 201)  # points along a side
SPAN = 1.0  # random directions: from -1 to 1 times the length of every filter, as in Li et al. 2018
COARSE = 4  # every fourth point first
MARGIN = 0.15  # of a path's length, around it
WORST = 1e9  # what a loss that is no finite number counts as where losses are compared


@dataclass(frozen=True)
class Path:
    """A training path in the plane of its principal components.

    epoch  int64 [moments], 0 before training; x, y float64 [moments]; left float64 [moments]: distance from the plane
    """

    epoch: np.ndarray
    x: np.ndarray
    y: np.ndarray
    left: np.ndarray


@dataclass(frozen=True)
class Landscape:
    """A grid of losses, some of them known.

    x, y      float64 [grid]: how far along the first and the second direction; 0 is in both
    loss      float64 [grid, grid], a row for each y: mean cross entropy (NaN and infinity may be true answers)
    accuracy  float64 [grid, grid], 0..1
    done      bool [grid, grid]: which points are known
    recipe    what it is of and how it was made: see landscape_work.recipe
    path      of a run's training, where the plane is that of a path
    """

    x: np.ndarray
    y: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray
    done: np.ndarray
    recipe: dict
    path: Path | None = None

    @property
    def grid(self) -> int:
        return len(self.x)

    @property
    def complete(self) -> bool:
        return bool(self.done.all())

    @property
    def middle(self) -> tuple[int, int]:
        """(row, column) of the network itself."""
        return int(np.abs(self.y).argmin()), int(np.abs(self.x).argmin())

    @property
    def finite(self) -> np.ndarray:
        """bool [grid, grid]: known, and a finite number."""
        return self.done & np.isfinite(self.loss)


def empty(x: np.ndarray, y: np.ndarray, recipe: dict, path: Path | None = None) -> Landscape:
    shape = (len(y), len(x))
    return Landscape(x, y, np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, bool), recipe, path)


def check_grid(grid: int) -> int:
    low, high = GRIDS
    if not low <= grid <= high or grid % 2 == 0:
        raise Problem(
            f"--grid must be an odd number from {low} to {high}, so that its middle is the network itself, "
            f"not {grid:,}."
        )
    return grid


def axis(grid: int, points: np.ndarray | None = None) -> np.ndarray:
    """`grid` evenly spaced places, one of which is exactly 0: from -1 to 1, or so that all `points` lie between
    them."""
    if points is None:
        return np.linspace(-SPAN, SPAN, grid) * (np.arange(grid) != grid // 2)
    low, high = min(points.min(), 0.0), max(points.max(), 0.0)
    room = MARGIN * (high - low) or 1.0
    step = (high - low + 2 * room) / (grid - 2)  # one step more than needed: moving 0 onto a place costs up to one
    zero = math.ceil((room - low) / step)
    return (np.arange(grid) - zero) * step


# Which point is next


def next_point(landscape: Landscape, taken: np.ndarray) -> tuple[int, int] | None:
    """(row, column) of the most wanted point that is neither done nor taken by somebody; None where all are.

    taken  bool [grid, grid]: at work now
    """
    free = ~(landscape.done | taken)
    row, column = landscape.middle
    for wanted in (
        _cross(landscape.grid, row, None),
        _cross(landscape.grid, None, column),
        _coarse(landscape.grid, row, column),
    ):
        if (found := free & wanted).any():
            rows, columns = np.nonzero(found)
            nearest = (np.abs(rows - row) + np.abs(columns - column)).argmin()  # from the network outwards
            return int(rows[nearest]), int(columns[nearest])
    if not free.any():
        return None
    steep = np.where(free, steepness(landscape), -1.0)
    return tuple(map(int, np.unravel_index(steep.argmax(), steep.shape)))


def _cross(grid: int, row: int | None, column: int | None) -> np.ndarray:
    wanted = np.zeros((grid, grid), bool)
    wanted[row if row is not None else slice(None), column if column is not None else slice(None)] = True
    return wanted


def _coarse(grid: int, row: int, column: int) -> np.ndarray:
    """Every fourth row and column, counted from the network, and the edges."""

    def some(middle: int) -> np.ndarray:
        places = np.arange(grid)
        return ((places - middle) % COARSE == 0) | (places == 0) | (places == grid - 1)

    return np.outer(some(row), some(column))


def steepness(landscape: Landscape) -> np.ndarray:
    """How much the logarithm of the known losses differs around each point, float64 [grid, grid].

    The window reaches COARSE / 2 points to each side, then COARSE where nothing is known so near.
    """
    log = np.log(np.clip(np.nan_to_num(landscape.loss, nan=WORST, posinf=WORST), 1e-9, WORST))
    near = _spread(log, landscape.done, COARSE // 2)
    return np.where(np.isnan(near), np.nan_to_num(_spread(log, landscape.done, COARSE)), near)


def _spread(values: np.ndarray, known: np.ndarray, reach: int) -> np.ndarray:
    """Largest minus smallest known value in the square around each point; NaN with fewer than two."""
    side = 2 * reach + 1

    def windows(fill: float) -> np.ndarray:
        padded = np.pad(np.where(known, values, fill), reach, constant_values=fill)
        return np.lib.stride_tricks.sliding_window_view(padded, (side, side))

    high, low = windows(-np.inf).max((2, 3)), windows(np.inf).min((2, 3))
    count = np.lib.stride_tricks.sliding_window_view(np.pad(known, reach), (side, side)).sum((2, 3))
    return np.where(count > 1, high - low, np.nan) if (count > 1).any() else np.full(values.shape, np.nan)


# What can be read off it


def middle_loss(landscape: Landscape) -> float:
    """The network's own loss; NaN where it is not known yet."""
    return float(landscape.loss[landscape.middle])


def slices(landscape: Landscape) -> dict[str, np.ndarray]:
    """The two lines through the network: "x" and "y", float64 [grid], NaN where unknown."""
    row, column = landscape.middle
    known = np.where(landscape.done, landscape.loss, np.nan)
    return {"x": known[row], "y": known[:, column]}


def guessing(landscape: Landscape) -> float:
    """The loss of who gives every class the same probability: the sum of ln(classes) over the heads."""
    return float(sum(np.log(head) for head in landscape.recipe["heads"]))


def share_below(landscape: Landscape, level: float) -> float:
    """Which share of the known points has a smaller loss, 0..1."""
    return float((landscape.loss[landscape.done] < level).mean()) if landscape.done.any() else float("nan")


def hollows(landscape: Landscape) -> int:
    """Points lower than all their neighbours (up to eight) of a complete grid, the lowest among them: 1 is one
    valley."""
    values = np.pad(np.where(landscape.finite, landscape.loss, np.inf), 1, constant_values=np.inf)
    grid = landscape.grid
    around = [values[1 + i : 1 + i + grid, 1 + j : 1 + j + grid] for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    inside = values[1:-1, 1:-1]
    return int((np.isfinite(inside) & np.logical_and.reduce([inside < other for other in around])).sum())


def with_point(landscape: Landscape, place: tuple[int, int], loss: float, accuracy: float) -> None:
    """Write one point down, in place."""
    landscape.loss[place], landscape.accuracy[place] = loss, accuracy
    landscape.done[place] = True


def with_recipe(landscape: Landscape, **changes) -> Landscape:
    return replace(landscape, recipe={**landscape.recipe, **changes})
