"""Two runs on shared axes, and the difference of their curves around its zero line."""

import numpy as np

from .colours import BLUE, GREY, LIGHT_GREY, ORANGE, SKY_BLUE, VERMILLION
from .curves import Event, Level, Line, smooth
from .training import X_AXES, Metrics, Plan

LANES = ((BLUE, SKY_BLUE), (VERMILLION, ORANGE))  # on light and on dark ground
DASHES = ((), (7, 3))  # of the first and of the second: told apart without colour too
VALIDATED = (2, 3)
INK = (GREY, LIGHT_GREY)
NO_DIFFERENCE = "no difference"


def training(metrics: Metrics, column: str, x_axis: str, smoothing: float, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """x and smoothed y of the training rows of one run, as `lines` draws them; empty where there are none."""
    if "train" not in metrics:
        return np.empty(0), np.empty(0)
    return X_AXES[x_axis](metrics["train"], plan), smooth(metrics["train"][column], smoothing)


def lines(lanes: list[tuple[str, Metrics, Plan]], column: str, x_axis: str, smoothing: float) -> list[Line]:
    """Of both runs: training as measured (thin) and smoothed (thick), validation as points. column: loss or accuracy."""
    found = []
    for (name, metrics, plan), colours, dash in zip(lanes, LANES, DASHES):
        if "train" in metrics:
            x, y = training(metrics, column, x_axis, 0.0, plan)
            found += [Line(name, x, y, colours, "raw")] if smoothing else []
            found.append(Line(name, x, smooth(y, smoothing), colours, "smooth", dash))
        if "val" in metrics:
            x = X_AXES[x_axis](metrics["val"], plan)
            found.append(Line(f"{name}, validation", x, metrics["val"][column], colours, "points", VALIDATED))
    return found


def difference_lines(smoothed, raw, factor: float = 1.0) -> list[Line]:
    """The difference as measured (thin) and smoothed (thick), times `factor`, around a grey line at zero.

    smoothed, raw   records with ascending x and the difference there; raw None where nothing was smoothed
    """
    if not len(smoothed.x):
        return []
    ends = np.array([min(0.0, smoothed.x[0]), smoothed.x[-1]])
    measured = [Line("difference", raw.x, factor * raw.difference, INK, "raw")] if raw else []
    return [
        Line(NO_DIFFERENCE, ends, np.zeros(2), INK, "smooth", (1, 4)),
        *measured,
        Line("difference", smoothed.x, factor * smoothed.difference, INK, "smooth"),
    ]


def zero_level(names: tuple[str, str], column: str) -> list[Level]:
    """What it means to lie above the zero line of second - first."""
    leader = names[0] if column == "loss" else names[1]
    return [Level(0.0, f"above this line {leader} leads")]


def crossing_events(crossings: tuple[float, ...]) -> list[Event]:
    """A mark at the first change of the lead."""
    return [Event(crossings[0], "first crossing")] if crossings else []


def epochs_side_by_side(names: tuple[str, str], tables: tuple[list[dict], list[dict]]) -> list[dict]:
    """Rows by epoch: loss and accuracy of both, and second - first; tables as drawing.training.epochs_table makes them."""
    rows = []
    for first, second in zip(*tables):
        row = {"epoch": first["epoch"]}
        for column in ("training loss", "validation loss", "training accuracy", "validation accuracy"):
            if column in first and column in second:
                row |= {f"{column}, {name}": each[column] for name, each in zip(names, (first, second))}
                row[f"{column}, difference"] = second[column] - first[column]
        rows.append(row)
    return rows
