"""Curves as plain arrays: what a line chart shows, thinned and smoothed, and the sentence that says it.

Nothing here knows a browser. The live chart of the ui packs these records into bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STYLES = ("raw", "smooth", "points")  # thin and pale | thick | one marker an epoch, joined
MAX_POINTS = 960  # two for each pixel column of a chart that takes half a screen: 8 bytes each, with every look


@dataclass(frozen=True)
class Line:
    """One line: x and y of the same length, colours for a light and a dark ground. One name is one legend entry."""

    name: str
    x: np.ndarray
    y: np.ndarray
    colours: tuple[str, str]
    style: str = "smooth"
    dash: tuple[int, ...] = ()


@dataclass(frozen=True)
class Event:
    """A vertical mark at x with a few words, e.g. a learning rate that was changed by hand."""

    x: float
    text: str


@dataclass(frozen=True)
class Level:
    """A horizontal mark at y with a few words, e.g. what guessing would give; it never stretches the axis."""

    y: float
    text: str


def downsample(x: np.ndarray, y: np.ndarray, limit: int = MAX_POINTS) -> np.ndarray:
    """Indices of at most `limit` points that keep the order, both ends, and every bucket's lowest and highest point.

    x is only asked for its length: the buckets hold equally many points. Values that are not finite never count as an
    extreme; a bucket without a finite value keeps its first point, so that the gap stays visible.
    """
    count = len(y)
    if len(x) != count:
        raise ValueError(f"x has {len(x)} values, y has {count}")
    if limit < 4:
        raise ValueError("limit must be at least 4: both ends and one bucket's two extremes")
    if count <= limit:
        return np.arange(count)
    buckets = (limit - 2) // 2
    inner = np.asarray(y[1:-1], dtype=np.float64)
    size = -(-len(inner) // buckets)
    padded = np.full(buckets * size, np.nan)
    padded[: len(inner)] = inner
    padded = padded.reshape(buckets, size)
    finite = np.isfinite(padded)
    lowest = np.where(finite, padded, np.inf).argmin(axis=1)
    highest = np.where(finite, padded, -np.inf).argmax(axis=1)
    start = 1 + np.arange(buckets) * size
    chosen = np.concatenate([[0], start + lowest, start + highest, [count - 1]])
    return np.unique(chosen[chosen < count])


def smooth(y: np.ndarray, amount: float) -> np.ndarray:
    """Exponential moving average with debiasing: the mean so far, each step back weighing `amount` times less.

    amount in [0, 1); 0 returns y. A value that is not finite is left out of the average and stays NaN at its own place.
    Same as s = amount s + (1 - amount) y, divided by 1 - amount^t (Kingma & Ba 2015, section 3), without a loop.
    """
    if not 0 <= amount < 1:
        raise ValueError(f"smoothing must be in [0, 1), got {amount}")
    y = np.asarray(y, dtype=np.float64)
    known = np.isfinite(y)
    if amount == 0 or len(y) == 0:
        return np.where(known, y, np.nan)
    weight = _decayed_sum(known.astype(np.float64), amount)
    total = _decayed_sum(np.where(known, y, 0.0), amount)
    return np.where(known, total / np.maximum(weight, 1e-300), np.nan)


def _decayed_sum(values: np.ndarray, decay: float) -> np.ndarray:
    """s[t] = values[t] + decay s[t-1], in blocks so short that decay^-length is below 1e6 (float64 keeps 9 digits)."""
    length = int(np.clip(np.log(1e6) / -np.log(decay), 1, max(1, len(values))))
    blocks = -(-len(values) // length)
    padded = np.zeros(blocks * length)
    padded[: len(values)] = values
    powers = decay ** np.arange(length)
    inside = np.cumsum(padded.reshape(blocks, length) / powers, axis=1) * powers
    carried, carry, step = np.empty(blocks), 0.0, decay**length
    for block, last in enumerate(inside[:, -1].tolist()):
        carried[block] = carry
        carry = last + step * carry
    return (inside + carried[:, None] * powers * decay).reshape(-1)[: len(values)]


def number(value: float, percent: bool = False) -> str:
    """A value as people read it: 91.3 %, 0.412, 1,234, 3.2e-05."""
    if not np.isfinite(value):
        return "not a number"
    if percent:
        return f"{100 * value:.1f} %"
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def describe(title: str, lines: list[Line], x_label: str, percent: bool = False) -> str:
    """The finding of a chart, for the alt text: of each line where it began, where it stands, and its best.

    A raw line is left out where a smoothed one of the same name stands in for it.
    """
    smoothed = {line.name for line in lines if line.style == "smooth"}
    parts = [
        _describe_line(line, x_label, percent)
        for line in lines
        if len(line.y) and not (line.style == "raw" and line.name in smoothed)
    ]
    return f"{title}: " + "; ".join(parts) + "." if parts else f"{title}: no points yet."


def _describe_line(line: Line, x_label: str, percent: bool) -> str:
    known = np.flatnonzero(np.isfinite(line.y))
    if len(known) == 0:
        return f"{line.name} is not a number"
    y, x = np.asarray(line.y)[known], np.asarray(line.x)[known]
    first, last = float(y[0]), float(y[-1])
    if len(y) == 1:
        return f"{line.name} is {number(last, percent)} at {x_label} {number(float(x[0]))}"
    spread = float(y.max() - y.min())
    change = (
        "stays near"
        if abs(last - first) <= 0.02 * max(abs(first), spread, 1e-12)
        else "falls from" if last < first else "rises from"
    )
    best = int(y.argmax() if percent else y.argmin())
    course = f"{line.name} {change} {number(first, percent)}" + (
        "" if change == "stays near" else f" to {number(last, percent)}"
    )
    if best == len(y) - 1 or change == "stays near":
        tail = ""
    else:
        tail = (
            f" ({'highest' if percent else 'lowest'} {number(float(y[best]), percent)} at {x_label}"
            f" {number(float(x[best]))})"
        )
    broken = ", and then is no longer a number" if known[-1] != len(line.y) - 1 else ""
    return f"{course} at {x_label} {number(float(x[-1]))}{tail}{broken}"
