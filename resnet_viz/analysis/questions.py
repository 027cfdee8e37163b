"""Questions that are asked before the answer is shown: made from the numbers on the screen, marked, and explained.

A lesson gives makers, functions (random.Random) -> Question; what else they need they carry themselves. The same seed
gives the same question, so a link carries it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

Maker = Callable[[Random], "Question"]


@dataclass(frozen=True)
class Question:
    """One question with the options in the order of show.

    text     Markdown, with the numbers of now
    options  two or more texts (Markdown), all different
    right    index of the right one
    why      the explanation of the right one
    wrongs   for each option what its mistake would be; "" for the right one, and where there is nothing to say
    """

    text: str
    options: tuple[str, ...]
    right: int
    why: str
    wrongs: tuple[str, ...]


def ask(text: str, right: str, wrong: dict[str, str], why: str, random: Random) -> Question:
    """A question with its options shuffled.

    wrong   option -> what the mistake is, e.g. "That is what the slides print: they drop the 4."; one that reads like
            the right answer is left out, for with some numbers a mistake does no harm
    Raises ValueError where no wrong option is left.
    """
    mistakes = {option: mistake for option, mistake in wrong.items() if option != right}
    if not mistakes:
        raise ValueError(f"no wrong option is left for {text!r}")
    options = [right, *mistakes]
    random.shuffle(options)
    return Question(text, tuple(options), options.index(right), why, tuple(mistakes.get(option, "") for option in options))


def few(wrong: dict[str, str], right: str, count: int = 3) -> dict[str, str]:
    """The first so many wrong options that do not read like the right one: likely mistakes stand before mere numbers."""
    return dict([(option, mistake) for option, mistake in wrong.items() if option != right][:count])


def draw(makers: list[Maker], seed: int) -> Question:
    """The question of this number: each maker in turn, each time with other numbers."""
    return makers[seed % len(makers)](Random(seed))


def mark(question: Question, chosen: int) -> tuple[bool, str]:
    """(whether the option is right, what to say of it)."""
    if chosen == question.right:
        return True, f"Yes. {question.why}"
    mistake = question.wrongs[chosen]
    return False, f"No: it is {question.options[question.right]}. {mistake + ' ' if mistake else ''}{question.why}"
