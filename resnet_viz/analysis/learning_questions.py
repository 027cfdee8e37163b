"""Questions about learning by hand, from the numbers on the screen; what a source misprinted is an option."""

import math
from functools import partial
from random import Random

import numpy as np

from . import learning
from .learning_words import PRINTED, PRINTED_AFTER, short
from .questions import Maker, Question, ask, few

PRINTS = "That is what the slides print. They drop the −4 when they expand (f − 4)²"


# Descent


def of_descent(weights, samples: np.ndarray, rate: float) -> list[Maker]:
    """About one sample at these weights, and about the learning rate for all samples."""
    return [partial(gradient, weights, samples[0]), partial(step, weights, samples[0], rate),
            partial(outcome, weights, samples[0], rate), partial(rate_of, samples), epochs]


def _is_the_slides(weights, sample) -> bool:
    return tuple(weights) == learning.START and tuple(sample) == learning.SAMPLE


def gradient(weights, sample, random: Random) -> Question:
    """One of the three slopes at the current weights."""
    (a, b, target), which = sample, random.randrange(3)
    name, factor = learning.NAMES[which], (a, b, 1.0)[which]
    f = a * weights[0] + b * weights[1] + weights[2]
    right = 2 * (f - target) * factor
    wrong = {}
    if _is_the_slides(weights, sample):
        more = ", and even so 2 · 16 · 1 is 32." if PRINTED[which] == 37 else "."
        wrong[short(PRINTED[which])] = f"{PRINTS}{more}"
    wrong = {short(2 * f * factor): "That forgets the target: 2 f instead of 2 (f − t)."} | wrong | {
              short((f - target) * factor): "The 2 from the square is missing.",
              short(-right): "The sign is that of the step, which goes against the slope."}
    wrong |= {short(right + 1): "", short(right * 2): ""}
    return ask(f"With x = {short(weights[0])}, y = {short(weights[1])}, z = {short(weights[2])} the sample (a, b) = "
               f"({short(a)}, {short(b)}) gives f = {short(f)}; the target is {short(target)}. What is the slope of "
               f"L = (f − t)² along **{name}**?", short(right), few(wrong, short(right), 3),
               f"2 (f − t) times what {name} is multiplied by: 2 · ({short(f)} − {short(target)}) · {short(factor)} = "
               f"{short(right)}.",
               random)


def step(weights, sample, rate: float, random: Random) -> Question:
    """One weight after one step."""
    which = random.randrange(3)
    slope = learning.gradient(weights, np.array([sample]))[which]
    old, name = weights[which], learning.NAMES[which]
    right = short(old - rate * slope, 5)
    return ask(f"The slope along **{name}** is {short(slope)}, the learning rate {short(rate)}. {name} is "
               f"{short(old, 5)} now. "
               "What is it after one step?", right,
               few({short(old + rate * slope, 5): "That goes uphill: the step goes against the slope.",
                     short(old - slope, 5): "That forgets the learning "
                         "rate.", short(-rate * slope, 5): "That is the change, not the weight.",
                     short(old + 1, 5): ""}, right, 3),
               f"{short(old, 5)} − {short(rate)} · {short(slope)} = {right}.", random)


def outcome(weights, sample, rate: float, random: Random) -> Question:
    """f after a step of all three weights."""
    samples = np.array([sample])
    moved = tuple(w - rate * g for w, g in zip(weights, learning.gradient(weights, samples)))
    f, before = float(learning.outputs(moved, samples)[0]), float(learning.outputs(weights, samples)[0])
    right = short(f, 5)
    wrong = {short(PRINTED_AFTER, 5): f"{PRINTS}, so that their slopes are too large."} if (
        _is_the_slides(weights, sample) and rate == 0.001) else {}
    wrong |= {short(before - rate * 2 * (before - sample[2]), 5): "That moves f by the slope of z alone; a and b "
        "count too.",
              short(2 * before - f, 5): "That goes the wrong way: away from the "
                  "target.", short(before, 5): "Every step changes f, for the weights move."}
    wrong |= {short(f + 1, 5): ""}
    return ask(f"f is {short(before)} and should be {short(sample[2])}. All three weights take one step with rate "
               f"{short(rate)}. "
               "What is f then?", right, few(wrong, right, 3),
               f"The new weights are {', '.join(short(w, 5) for w in moved)}, and with a = {short(sample[0])}, b = "
               f"{short(sample[1])} "
               f"they give {right}.", random)


SAYS = {"crawls": "The loss falls very slowly", "falls": "The loss falls in every step, without crossing the valley",
        "overshoots": "Every step crosses the valley, and the loss still "
                      "falls", "diverges": "The loss grows without end"}


def rate_of(samples: np.ndarray, random: Random) -> Question:
    """What a learning rate will do, before it is tried."""
    largest = learning.largest_rate(samples)
    rate = float(f"{largest * random.choice((0.01, 0.3, 0.8, 0.9, 1.2, 3)):.2g}")
    behaves = learning.behaviour(rate, samples)
    factor = 1 - rate * learning.curvatures(samples)[-1]
    return ask(f"Along its steepest direction this loss has the curvature {short(2 / largest)}. What happens with a "
               f"learning rate "
               f"of {short(rate)}?", SAYS[behaves], {said: "" for said in SAYS.values()},
               f"There each step multiplies the mistake by 1 − {short(rate)} · {short(2 / largest)} = "
               f"{short(factor, 3)}. Between 0 "
               "and 1 it shrinks, between −1 and 0 it changes sides and shrinks, below −1 it grows.", random)


def epochs(random: Random) -> Question:
    """Steps of an epoch."""
    count, batch = random.choice((50_000, 45_000, 60_000, 1_281_167)), random.choice((32, 64, 100, 128, 256))
    right = math.ceil(count / batch)
    return ask(f"{count:,} pictures, {batch:,} a batch: how many steps has an epoch?", f"{right:,}",
               few({f"{count // batch:,}": "That leaves the last, smaller batch "
                   "out.", f"{count:,}": "That is a step a picture: batch size 1.",
                     f"{batch:,}": "That is the size of a batch.", f"{right + batch:,}": ""}, f"{right:,}", 3),
               f"{count:,} / {batch:,} = {count / batch:,.2f}, and what is left over makes one more, smaller "
               f"batch.", random)


# Slope and chain


def of_slope(x: float) -> list[Maker]:
    return [partial(slope_at, x), partial(which_way, x), partial(secant, x)]


def slope_at(x: float, random: Random) -> Question:
    x = x or 1.0
    right = short(2 * x)
    return ask(f"How steep is y = x² at x = {short(x)}?", right,
               few({short(x * x): "That is the height, "
                                   "y.", short(x): "The 2 is "
                                   "missing.", short(-2 * x): "That is the other tangent's slope, "
                     f"at x = "
                     f"{short(-x)}.", short(2 * x + 1): ""}, right, 3), f"The slope of x² is 2x = 2 · {short(x)} = "
                     f"{right}.", random)


def which_way(x: float, random: Random) -> Question:
    x = (x or 1.0) * random.choice((1, -1))
    rate = random.choice((0.1, 0.25, 0.5, 1.0, 1.1))
    after = x - rate * 2 * x
    right = short(after)
    return ask(f"We are at x = {short(x)} and want y = x² smaller. Where does one step with learning rate "
               f"{short(rate)} lead?", right,
               few({short(x + rate * 2 * x): "That goes uphill.", short(x - 2 * x): "That forgets the learning rate.",
                     short(x - rate * x): "The slope is 2x, not "
                         "x.", short(after + 0.5): "", short(after - 1): ""}, right, 3),
               f"{short(x)} − {short(rate)} · 2 · {short(x)} = {right}"
               + (", on the other side and no lower: too large a rate." if abs(after) >= abs(x) else "."), random)


def secant(x: float, random: Random) -> Question:
    h = random.choice((1.0, 0.5, 0.1, 0.01))
    right = short(learning.secant_slope(x, h), 5)
    return ask(f"Instead of the tangent we take the line through x = {short(x)} and x + {short(h)}. What is its "
               f"slope?", right,
               few({short(2 * x, 5): "That is the tangent's; the line's comes to it as h goes to 0.",
                     short(2 * x + 2 * h, 5): "That is the slope of the tangent at the other "
                         "point.", short(2 * x - h, 5): "That is the line to the left, "
                     "to x − "
                     "h."}, right, 3), f"((x + h)² − x²) / h = 2x + h = {short(2 * x)} + {short(h)} = {right}.", random)


def of_chain(w: float) -> list[Maker]:
    return [partial(value_of, w), partial(back_one, w), partial(whole_slope, w)]


def value_of(w: float, random: Random) -> Question:
    w = random.choice((w or 1.0, 1.0, 2.0, -1.0, 0.5))
    c = learning.chain(w)
    right = short(c.z)
    return ask(f"w = {short(w)}. What is z?", right,
               few({short(c.y): "That is y: one link is "
                                 "missing.", short(4 * c.y): "y has to be squared.", short(16 * w**8): "",
                     short(c.dz_dw): "That is the slope of z along w.", short(c.z + 1): ""}, right, 3),
               f"x = {short(c.x)}, y = 2x³ = {short(c.y)}, z = 4y² = {right}; or at once 16 w¹².", random)


def back_one(w: float, random: Random) -> Question:
    w = random.choice((w or 1.0, 1.0, 2.0, -1.0))
    c = learning.chain(w)
    right = short(c.dz_dx)
    return ask(f"w = {short(w)}, so x = {short(c.x)} and y = {short(c.y)}. Over the last link dz/dy = "
               f"{short(c.dz_dy)} has come back. "
               "What is dz/dx?", right,
               few({short(c.dz_dy + c.dy_dx): "Slopes along a chain are multiplied, not "
                   "added.", short(c.dy_dx): "That is dy/dx, one link's own slope.",
                     short(c.dz_dy): "That is still dz/dy.", short(c.dz_dx + 1): ""}, right, 3),
               f"dz/dx = dz/dy · dy/dx = {short(c.dz_dy)} · 6x² = {short(c.dz_dy)} · {short(c.dy_dx)} = {right}, the "
               f"same as 96 x⁵.", random)


def whole_slope(w: float, random: Random) -> Question:
    w = random.choice((w or 1.0, 1.0, -1.0, 2.0))
    c = learning.chain(w)
    right = short(c.dz_dw)
    return ask(f"w = {short(w)}. The three links have the slopes 2w = {short(c.dx_dw)}, 6x² = {short(c.dy_dx)} and 8y "
               f"= {short(c.dz_dy)}. "
               "What is dz/dw?", right,
               few({short(c.dx_dw + c.dy_dx + c.dz_dy): "Slopes along a chain are multiplied, not "
                   "added.", short(c.dz_dx): "The first link's slope, 2w, is missing.",
                     short(c.z): "That is z itself.", short(c.dz_dw + 1): ""}, right, 3),
               f"{short(c.dx_dw)} · {short(c.dy_dx)} · {short(c.dz_dy)} = {right}, the same as 192 w¹¹.", random)
