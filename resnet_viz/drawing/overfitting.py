"""Curves of the lesson on overfitting: what was learned (dashed) and what was kept back (solid)."""

from collections.abc import Sequence

import numpy as np

from .colours import BLUE, ORANGE, SKY_BLUE, VERMILLION
from .curves import Event, Line

LANES = ((VERMILLION, ORANGE), (BLUE, SKY_BLUE))  # on light and on dark ground
LEARNED = (3, 4)


def lines(lanes: Sequence[tuple[str, dict[str, np.ndarray]]], column: str) -> list[Line]:
    """Two lines a lane. lanes: (name, train_x, x and for each column (loss, accuracy) train_<column> and <column>)."""
    found = []
    for (name, curves), colours in zip(lanes, LANES):
        found.append(Line(f"{name}, kept back", curves["x"], curves[column], colours, "smooth"))
        found.append(Line(f"{name}, learned", curves["train_x"], curves[f"train_{column}"], colours, "smooth", LEARNED))
    return found


def stops(lanes: Sequence[tuple[str, float]]) -> list[Event]:
    """A mark where each lane's loss on pictures kept back is least: (name, epoch)."""
    return [Event(epoch, f"{name}: least loss") for name, epoch in lanes]
