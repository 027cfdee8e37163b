"""Curves of the lesson on overfitting: what was learned (dashed) and what was kept back (solid)."""

from collections.abc import Sequence

import numpy as np

from .colours import BLUE, GREEN, ORANGE, PURPLE, SKY_BLUE, VERMILLION
from .curves import Event, Line

LANES = (  # on light and on dark ground
    (VERMILLION, ORANGE),
    (BLUE, SKY_BLUE),
    (GREEN, GREEN),
    (PURPLE, PURPLE),
    (ORANGE, VERMILLION),
)
LEARNED = (3, 4)


def lines(lanes: Sequence[tuple[str, dict[str, np.ndarray]]], column: str) -> list[Line]:
    """Two lines a lane; of more than two lanes only what was kept back.

    lanes   (name, train_x, x and for each column (loss, accuracy) train_<column> and <column>)
    """
    found = []
    for (name, curves), colours in zip(lanes, LANES):
        found.append(Line(f"{name}, kept back", curves["x"], curves[column], colours, "smooth"))
        if len(lanes) <= 2:
            learned = curves["train_x"], curves[f"train_{column}"]
            found.append(Line(f"{name}, learned", *learned, colours, "smooth", LEARNED))
    return found


def stops(lanes: Sequence[tuple[str, float]]) -> list[Event]:
    """A mark where each lane's loss on pictures kept back is least: (name, epoch)."""
    return [Event(epoch, f"{name}: least loss") for name, epoch in lanes]
