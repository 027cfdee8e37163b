"""Losses over a plane as plain records that the browser turns and colours; what is not computed yet is filled in, and
marked."""

import numpy as np

from . import colours

MOST = 81  # points along a side that are sent: more would turn in jerks
UNKNOWN, LOST, FAR = (
    0,
    2,
    3,
)  # in `known`: guessed from neighbours; known, but no finite number; too far to be guessed. 1 is a number
NEAR = 2  # points that a guess reaches
SEEN = ("surface", "above")


def panel(
    title: str,
    alt: str,
    x: np.ndarray,
    y: np.ndarray,
    loss: np.ndarray,
    accuracy: np.ndarray,
    done: np.ndarray,
    path: dict | None = None,
) -> dict:
    """One landscape.

    x, y      float [columns], [rows]; loss, accuracy float [rows, columns]; done bool [rows, columns]
    path      {"x", "y", "labels"} of equal length, or None
    """
    keep_x, keep_y = _thin(x), _thin(y)
    here = np.ix_(keep_y, keep_x)
    loss, accuracy, done = loss[here], accuracy[here], done[here]
    finite = done & np.isfinite(loss)
    guessed, far = filled(loss, finite)
    row, column = np.abs(y[keep_y]).argmin(), np.abs(x[keep_x]).argmin()
    return {
        "title": title,
        "alt": alt,
        "x": _numbers(x[keep_x]),
        "y": _numbers(y[keep_y]),
        "loss": [_numbers(one) for one in guessed],
        "accuracy": [[None if np.isnan(share) else round(float(share), 4) for share in one] for one in accuracy],
        "known": np.where(finite, 1, np.where(done, LOST, np.where(far > NEAR, FAR, UNKNOWN))).tolist(),
        "middle": [int(row), int(column)],
        "path": path and {"x": _numbers(path["x"]), "y": _numbers(path["y"]), "labels": list(path["labels"])},
    }


def scene(
    panels: list[dict], seen: str, log: bool, cut: float | None, names: tuple[str, str], level: tuple[float, str]
) -> dict:
    """All panels on one scale.

    seen   one of SEEN; log: heights and colours by the logarithm of the loss
    cut    what is higher is drawn at that height; None for no limit
    names  of the two axes; level: a loss that is marked in the cross-section, and its name
    """
    if seen not in SEEN:
        raise ValueError(f"unknown view {seen!r}; known are {', '.join(SEEN)}")
    values = np.concatenate([np.array(p["loss"])[np.array(p["known"]) == 1] for p in panels] or [np.zeros(0)])
    low = max(float(values.min(initial=np.inf)), 1e-4) if len(values) else 0.1
    high = float(values.max(initial=0)) if len(values) else 10.0
    high = max(min(high, cut or np.inf), low * 1.5)
    return {
        "panels": panels,
        "seen": seen,
        "log": log,
        "range": [low if log else 0.0, high],
        "names": list(names),
        "level": {"at": level[0], "name": level[1]},
        "table": colours.SEQUENTIAL.tobytes().hex(),
        "colours": [[colours.BLUE, colours.VERMILLION], [colours.SKY_BLUE, colours.VERMILLION]],
    }


def filled(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unknown places get the mean logarithm of the known ones in the smallest square around them that has any.

    values float [rows, columns] > 0 where known -> (the same, all finite; how far the nearest known one is, int
    [rows, columns], 0 at itself). Where nothing is known: 1 everywhere, far away.
    """
    if not known.any():
        return np.ones(values.shape), np.full(values.shape, max(values.shape))
    log = np.where(known, np.log(np.clip(values, 1e-9, None, where=known, out=np.ones(values.shape))), 0.0)
    found, have, reach, far = log.copy(), known.copy(), 1, np.zeros(values.shape, int)
    while not have.all():
        total, count = _sums(log, reach), _sums(known.astype(float), reach)
        fresh = ~have & (count > 0.5)
        found[fresh] = total[fresh] / count[fresh]
        far[fresh] = reach
        have |= fresh
        reach += 1
    return np.where(known, values, np.exp(found)), far


def _sums(values: np.ndarray, reach: int) -> np.ndarray:
    """The sum in the square that reaches so far to each side of each place."""
    rows, columns = values.shape
    table = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    top, left = np.maximum(np.arange(rows) - reach, 0), np.maximum(np.arange(columns) - reach, 0)
    bottom, right = np.minimum(np.arange(rows) + reach + 1, rows), np.minimum(np.arange(columns) + reach + 1, columns)
    return (
        table[np.ix_(bottom, right)]
        - table[np.ix_(top, right)]
        - table[np.ix_(bottom, left)]
        + table[np.ix_(top, left)]
    )


def _thin(axis: np.ndarray) -> np.ndarray:
    """Indices of at most MOST places: both ends, and always the 0."""
    if len(axis) <= MOST:
        return np.arange(len(axis))
    some = np.linspace(0, len(axis) - 1, MOST - 1).round().astype(int)
    return np.unique(np.append(some, np.abs(axis).argmin()))


def _numbers(values) -> list[float]:
    """Five digits are more than a screen shows."""
    return [float(f"{value:.5g}") for value in np.clip(np.asarray(values, float), -1e12, 1e12)]
