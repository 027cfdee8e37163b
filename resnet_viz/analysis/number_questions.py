"""Questions whose answer is a number: of the operations on the screen, and of any other."""

from random import Random

import numpy as np

from ..number_text import plain
from .operations import Worked
from .questions import Question, ask


def ask_number(random: Random, text: str, right: float, wrong: list[tuple[float, str]], why: str) -> Question:
    """A question for a number; should every mistake come to the right number, one beside it is offered."""
    options = {}
    for value, mistake in [*wrong, (right + 1, "It is one off."), (right - 2, "It is two off.")]:
        if plain(value) != plain(right) and np.isfinite(value):
            options.setdefault(plain(value), mistake)
        if len(options) == 4:
            break
    return ask(text, plain(right), options, why, random)


def output_by_chance(worked: Worked, random: Random) -> tuple[int, int, np.ndarray, float, str]:
    """An output by chance: row, column, its window, its number, and how it came about."""
    at = random.randrange(worked.output.size)
    row, column = divmod(at, worked.output.shape[1])
    return row, column, worked.patch(row, column), float(worked.output[row, column]), worked.said[at]
