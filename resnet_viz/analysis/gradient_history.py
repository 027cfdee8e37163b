"""The gradient thermometer's numbers: how strongly each layer was pulled at, moment by moment of a run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..new_lines import NewLines

READINGS = ("norm", "update_ratio")  # L2 norm of the gradient of the mean data loss | |dw| / |w| of that step


@dataclass(frozen=True)
class History:
    """What gradients.jsonl says.

    layers   names of the convolutions and linear layers, the input's first
    steps    int64 [moments], ascending
    norm, update_ratio   float64 [layers, moments], 0 or more; NaN where a row does not name the layer
    """

    layers: tuple[str, ...]
    steps: np.ndarray
    norm: np.ndarray
    update_ratio: np.ndarray

    def reading(self, name: str) -> np.ndarray:
        """One of READINGS."""
        return {"norm": self.norm, "update_ratio": self.update_ratio}[name]

    @property
    def last_convolution(self) -> int:
        """Which layer is the last before the classifier; the only one where there is nothing else."""
        return max(len(self.layers) - 2, 0)

    @property
    def every(self) -> int:
        """Steps from one moment to the next, as most of them lie; 0 of a single one."""
        return int(np.median(np.diff(self.steps))) if len(self.steps) > 1 else 0


class Reader:
    """gradients.jsonl of a run, read on from where the last refresh ended."""

    def __init__(self, run: Path):
        self.lines = NewLines(run / "gradients.jsonl")
        self._forget()

    def _forget(self) -> None:
        self._layers, self._count = (), 0
        self._steps, self._tables = np.empty(0, np.int64), np.empty((2, 0, 0))

    def refresh(self) -> History | None:
        """All that is known by now; None as long as no row was written."""
        rows, anew = self.lines.read()
        if anew:
            self._forget()
        rows = [row for row in rows if all(isinstance(row.get(name), dict) for name in READINGS)
                and isinstance(row.get("step"), int)]
        if rows:
            self._add(rows)
        if not self._layers:
            return None
        return History(self._layers, self._steps[:self._count], *self._tables[:, :, :self._count])

    def _add(self, rows: list[dict]) -> None:
        if not self._layers:
            self._layers = tuple(rows[0]["norm"])
            self._tables = np.empty((2, len(self._layers), 0))
        first, self._count = self._count, self._count + len(rows)
        if self._count > len(self._steps):  # room for twice as many: a look does not copy all that was there before
            more = 2 * self._count - len(self._steps)
            self._steps = np.pad(self._steps, (0, more))
            self._tables = np.pad(self._tables, ((0, 0), (0, 0), (0, more)))
        # only behind what was there: whoever holds an older history goes on drawing it
        self._steps[first:self._count] = [row["step"] for row in rows]
        self._tables[:, :, first:self._count] = [
            [[_number(row[name].get(layer)) for row in rows] for layer in self._layers] for name in READINGS]


def _number(value) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def reach(values: np.ndarray, first: int, last: int) -> float:
    """The first layer's value against the last convolution's, in the geometric mean over some moments.

    values [layers, moments]; NaN where one of them is 0 or unknown at every moment.
    """
    known = (values[first] > 0) & (values[last] > 0)
    if not known.any():
        return float("nan")
    return float(np.exp(np.mean(np.log(values[first][known]) - np.log(values[last][known]))))


def table(history: History) -> list[dict]:
    """One row a layer: both readings at the first and at the last moment, and the range in between."""
    rows = []
    for index, layer in enumerate(history.layers):
        row: dict = {"layer": layer, "number": index + 1}
        for name, words in (("norm", "gradient"), ("update_ratio", "update / weight")):
            values = history.reading(name)[index]
            row |= {f"{words}, first": float(values[0]), f"{words}, now": float(values[-1]),
                    f"{words}, least": float(np.nanmin(values)) if np.isfinite(values).any() else float("nan"),
                    f"{words}, most": float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")}
        rows.append(row)
    return rows
