"""The lesson on learning: its parts, each with its controls and its film."""

from . import learning_descent, learning_neuron, learning_slopes, learning_ways, lesson
from .page import problems

PARTS = {  # name on the screen -> its controls and what they make, for the reader's way from a slope to a training run
    "A neuron": learning_neuron.scene,
    "A mistake": learning_descent.scene,
    "A slope": learning_slopes.tangents,
    "Chain rule": learning_slopes.chain,
    "Momentum and Adam": learning_ways.optimisers,
    "Schedules": learning_ways.plans,
    "Batch size": learning_ways.batches,
}


def choose_part() -> str:
    return lesson.choose_part(PARTS, "A mistake")


def show(part: str) -> None:
    """The part's controls, its film, and under it what is said of the frame where the film rests."""
    with problems():
        lesson.show("learning", part, PARTS[part]())
