"""Questions on landscapes, made from those on the screen; wrong options are mistakes that people make."""

import math
from functools import partial
from random import Random

from ..number_text import duration, percent
from . import landscape
from .landscape import Landscape
from .landscape_words import title
from .number_questions import ask_number
from .questions import Maker, Question, ask

FILTERS = ((3, 4), (6, 8), (5, 12), (8, 15))  # of whole lengths
GRIDS = (11, 31, 41, 51, 101)


def makers(found: list[Landscape]) -> list[Maker]:
    """All kinds that fit what is shown."""
    kinds = [height, share, work, jitter] if found[0].path is None else [outside, height, work, jitter]
    own = [normalised, rescaled] if found[0].path is None else []
    return [partial(kind, found) for kind in kinds[:1]] + own + [partial(kind, found) for kind in kinds[1:]]


def normalised(random: Random) -> Question:
    weights, drawn = random.choice(FILTERS), random.choice(FILTERS[:2])
    drawn = drawn if math.hypot(*drawn) != math.hypot(*weights) else (5, 12)
    length, own = math.hypot(*drawn), math.hypot(*weights)
    right = drawn[0] * own / length
    return ask_number(
        random,
        f"A filter has the weights ({weights[0]}, {weights[1]}), and ({drawn[0]}, {drawn[1]}) was drawn for it. What "
        "is the first "
        "number of the direction after filter normalisation?",
        right,
        [
            (float(drawn[0]), "That is what was drawn: a large draw would move a small filter beyond recognition."),
            (drawn[0] / length, "That makes the direction 1 long for every filter, large or small."),
            (drawn[0] * own, "That forgets to divide by the length of what was drawn."),
        ],
        f"The filter is {own:g} long, the draw {length:g}: {drawn[0]} × {own:g} / {length:g}.",
    )


def rescaled(random: Random) -> Question:
    times = random.choice([2, 5, 10, 100])
    return ask(
        f"Every weight of a convolution before batch norm is made {times} times as large. What changes?",
        "The answers stay. Without filter normalisation the surface would look flatter along it; with it, it stays, "
        "too.",
        {
            f"The answers are {times} times as large.": "Batch norm divides by the deviation, which has grown as well.",
            "The loss gets larger, for large weights are bad.": "In training weight decay would say so; the loss "
                                                                "itself sees the same answers.",
            "Nothing at all, however the directions are made.": "A step of 1 along a direction that did not grow is "
                                                                f"{times} times smaller beside these weights.",
        },
        "Batch norm takes the scale out again (with the statistics of the new weights), so only the length of a step "
        "beside the "
        "weights means something (Li et al. 2018, section 3).",
        random,
    )


def height(found: list[Landscape], random: Random) -> Question:
    one = random.choice(found)
    right, lowest = landscape.middle_loss(one), float(one.loss[one.finite].min(initial=landscape.middle_loss(one)))
    return ask_number(
        random,
        f"How high is the surface of {title(one)} in the very middle?",
        right,
        [
            (0.0, "Training ends where it stands, not at 0; and these are not the pictures it learned from."),
            (landscape.guessing(one), "That is the loss of who guesses."),
            (lowest, "That is the lowest point of the plane. The network's own place is the middle, lowest or not."),
        ],
        f"The middle is the network itself: its plain loss on these {one.recipe['images']:,} pictures.",
    )


def share(found: list[Landscape], random: Random) -> Question:
    one = random.choice(found)
    right = landscape.share_below(one, landscape.guessing(one))
    wrong = {percent(1 - right): "That is where guessing is better."}
    wrong |= {
        percent(landscape.share_below(other, landscape.guessing(other))): f"That is {title(other)}'s."
        for other in found
        if other is not one
    }
    wrong[percent((right + 0.37) % 1)] = (
        "Too far off: look at the dashed line in the cross-section and where the surface is below it."
    )
    return ask(
        f"On which share of the plane is {title(one)} better than guessing (loss under {landscape.guessing(one):.3g})?",
        percent(right),
        wrong,
        f"{int((one.loss[one.done] < landscape.guessing(one)).sum()):,} of {int(one.done.sum()):,} points lie below "
        "it.",
        random,
    )


def work(found: list[Landscape], random: Random) -> Question:
    one, grid = random.choice(found), random.choice(GRIDS)
    images, known = one.recipe["images"], int(one.done.sum())
    right = grid * grid * images
    each = one.recipe["seconds"] / known if known else 0.0
    return ask_number(
        random,
        f"How many pictures go through {title(one)} for a grid of {grid} × {grid} on these {images:,} pictures?",
        float(right),
        [
            (
                float(2 * grid * images),
                "That is a row and a column; the plane has a row for every place of the column.",
            ),
            (float(grid * grid), "That is the number of points; each asks the network all pictures."),
            (float(grid**3 * images), "That would be a cube, with a third direction."),
        ],
        f"{grid} × {grid} × {images:,}: twice as fine takes four times as long. At the speed of the one above it would "
        "take "
        f"{duration(each * grid * grid)}.",
    )


def outside(found: list[Landscape], random: Random) -> Question:
    first, second = found[0].recipe.get("explained", [0.0, 0.0])
    return ask(
        f"The first component holds {percent(first)} of the path's variance, the second {percent(second)}. How much of "
        "it does the plane not show?",
        percent(1 - first - second),
        {
            percent(1 - first): "The second component is in the plane, too.",
            percent(first + second): "That is what it does show.",
            percent(second): "That is the second component's share.",
        },
        "Principal components stand at right angles, so their shares add up.",
        random,
    )


def jitter(found: list[Landscape], random: Random) -> Question:
    low, high = sorted(
        random.sample((50.69, 55.14, 71.15, 55.72, 71.32, 67.60, 75.05, 72.21, 73.46, 70.31), 2)
    )  # printed by source B
    return ask(
        f"In a lecture's run the test accuracy jumps between {low:g} % and {high:g} % from epoch to epoch. What does "
        "that say of the surface?",
        "Little: large steps across a valley, and running statistics that lag behind, jump so in a plain bowl as well.",
        {
            "It hops from one minimum to a better one, towards the global one.": "That is what source B says; the "
                                                                                 "jitter does not prove it.",
            "The surface itself jumps.": "The surface is as smooth as the network's sums; only ReLU puts kinks in it.",
            "The network had learned its pictures by heart.": "That shows in a gap between training and test accuracy, "
                                                              "not in jumps.",
        },
        "To see where a run went one must look at its weights, for example as a path in the plane of its principal "
        "components.",
        random,
    )
