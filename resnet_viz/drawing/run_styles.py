"""How the lines of runs look: six Okabe-Ito colours times five dash patterns, by a number that a run keeps."""

from dataclasses import dataclass

from .colours import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILLION
from .curves import Line, smooth
from .training import X_AXES, Metrics, Plan

COLOURS = ((BLUE, SKY_BLUE), (VERMILLION, VERMILLION), (GREEN, GREEN), (ORANGE, ORANGE), (PURPLE, PURPLE), (SKY_BLUE, BLUE))
DASHES = ((), (7, 4), (2, 3), (9, 3, 2, 3), (14, 4))  # pixels drawn and left out


def style(number: int) -> tuple[tuple[str, str], tuple[int, ...]]:
    """((colour on light ground, on dark ground), dash) of the run with that number; 30 of them, then from the start.

    The first six runs differ in colour, the next in dash as well. Yellow and black are left out: one cannot be seen on
    white, the other is ink.
    """
    return COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]


@dataclass(frozen=True)
class Lane:
    """One run among several: its name in the legend, the number of its style, its metrics, how long it is going to be."""

    name: str
    number: int
    metrics: Metrics
    plan: Plan


def lines(lanes: list[Lane], split: str, column: str, x_axis: str, smoothing: float) -> list[Line]:
    """One curve a run: validation as points; training as measured (thin) under its average. Runs without it have none.

    split is train or val, column loss or accuracy, x_axis one of drawing.training.X_AXES, smoothing in [0, 1).
    """
    found = []
    for lane in lanes:
        if split not in lane.metrics:
            continue
        columns, (colours, dash) = lane.metrics[split], style(lane.number)
        x, y = X_AXES[x_axis](columns, lane.plan), columns[column]
        if split != "train":
            found.append(Line(lane.name, x, y, colours, "points", dash))
            continue
        found += [Line(lane.name, x, y, colours, "raw")] if smoothing else []
        found.append(Line(lane.name, x, smooth(y, smoothing), colours, "smooth", dash))
    return found
