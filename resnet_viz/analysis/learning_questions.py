"""Questions about learning by hand, from the numbers on the screen. What a source printed wrongly is among the options."""

import math
from functools import partial
from random import Random

import numpy as np

from . import learning, learning_optimisers
from .learning_words import PRINTED, PRINTED_AFTER, short
from .questions import Maker, Question, ask

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
               f"L = (f − t)² along **{name}**?", short(right), _few(wrong, short(right), 3),
               f"2 (f − t) times what {name} is multiplied by: 2 · ({short(f)} − {short(target)}) · {short(factor)} = {short(right)}.",
               random)


def step(weights, sample, rate: float, random: Random) -> Question:
    """One weight after one step."""
    which = random.randrange(3)
    slope = learning.gradient(weights, np.array([sample]))[which]
    old, name = weights[which], learning.NAMES[which]
    right = short(old - rate * slope, 5)
    return ask(f"The slope along **{name}** is {short(slope)}, the learning rate {short(rate)}. {name} is {short(old, 5)} now. "
               "What is it after one step?", right,
               _few({short(old + rate * slope, 5): "That goes uphill: the step goes against the slope.",
                     short(old - slope, 5): "That forgets the learning rate.", short(-rate * slope, 5): "That is the change, not the weight.",
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
    wrong |= {short(before - rate * 2 * (before - sample[2]), 5): "That moves f by the slope of z alone; a and b count too.",
              short(2 * before - f, 5): "That goes the wrong way: away from the target.", short(before, 5): "Every step changes f, for the weights move."}
    wrong |= {short(f + 1, 5): ""}
    return ask(f"f is {short(before)} and should be {short(sample[2])}. All three weights take one step with rate {short(rate)}. "
               "What is f then?", right, _few(wrong, right, 3),
               f"The new weights are {', '.join(short(w, 5) for w in moved)}, and with a = {short(sample[0])}, b = {short(sample[1])} "
               f"they give {right}.", random)


SAYS = {"crawls": "The loss falls very slowly", "falls": "The loss falls in every step, without crossing the valley",
        "overshoots": "Every step crosses the valley, and the loss still falls", "diverges": "The loss grows without end"}


def rate_of(samples: np.ndarray, random: Random) -> Question:
    """What a learning rate will do, before it is tried."""
    largest = learning.largest_rate(samples)
    rate = float(f"{largest * random.choice((0.01, 0.3, 0.8, 0.9, 1.2, 3)):.2g}")
    behaves = learning.behaviour(rate, samples)
    factor = 1 - rate * learning.curvatures(samples)[-1]
    return ask(f"Along its steepest direction this loss has the curvature {short(2 / largest)}. What happens with a learning rate "
               f"of {short(rate)}?", SAYS[behaves], {said: "" for said in SAYS.values()},
               f"There each step multiplies the mistake by 1 − {short(rate)} · {short(2 / largest)} = {short(factor, 3)}. Between 0 "
               "and 1 it shrinks, between −1 and 0 it changes sides and shrinks, below −1 it grows.", random)


def epochs(random: Random) -> Question:
    """Steps of an epoch."""
    count, batch = random.choice((50_000, 45_000, 60_000, 1_281_167)), random.choice((32, 64, 100, 128, 256))
    right = math.ceil(count / batch)
    return ask(f"{count:,} pictures, {batch:,} a batch: how many steps has an epoch?", f"{right:,}",
               _few({f"{count // batch:,}": "That leaves the last, smaller batch out.", f"{count:,}": "That is a step a picture: batch size 1.",
                     f"{batch:,}": "That is the size of a batch.", f"{right + batch:,}": ""}, f"{right:,}", 3),
               f"{count:,} / {batch:,} = {count / batch:,.2f}, and what is left over makes one more, smaller batch.", random)


# Slope and chain


def of_slope(x: float) -> list[Maker]:
    return [partial(slope_at, x), partial(which_way, x), partial(secant, x)]


def slope_at(x: float, random: Random) -> Question:
    x = x or 1.0
    right = short(2 * x)
    return ask(f"How steep is y = x² at x = {short(x)}?", right,
               _few({short(x * x): "That is the height, y.", short(x): "The 2 is missing.", short(-2 * x): "That is the other tangent's slope, "
                     f"at x = {short(-x)}.", short(2 * x + 1): ""}, right, 3), f"The slope of x² is 2x = 2 · {short(x)} = {right}.", random)


def which_way(x: float, random: Random) -> Question:
    x = (x or 1.0) * random.choice((1, -1))
    rate = random.choice((0.1, 0.25, 0.5, 1.0, 1.1))
    after = x - rate * 2 * x
    right = short(after)
    return ask(f"We are at x = {short(x)} and want y = x² smaller. Where does one step with learning rate {short(rate)} lead?", right,
               _few({short(x + rate * 2 * x): "That goes uphill.", short(x - 2 * x): "That forgets the learning rate.",
                     short(x - rate * x): "The slope is 2x, not x.", short(after + 0.5): "", short(after - 1): ""}, right, 3),
               f"{short(x)} − {short(rate)} · 2 · {short(x)} = {right}"
               + (", on the other side and no lower: too large a rate." if abs(after) >= abs(x) else "."), random)


def secant(x: float, random: Random) -> Question:
    h = random.choice((1.0, 0.5, 0.1, 0.01))
    right = short(learning.secant_slope(x, h), 5)
    return ask(f"Instead of the tangent we take the line through x = {short(x)} and x + {short(h)}. What is its slope?", right,
               _few({short(2 * x, 5): "That is the tangent's; the line's comes to it as h goes to 0.",
                     short(2 * x + 2 * h, 5): "That is the slope of the tangent at the other point.", short(2 * x - h, 5): "That is the line to the left, "
                     "to x − h."}, right, 3), f"((x + h)² − x²) / h = 2x + h = {short(2 * x)} + {short(h)} = {right}.", random)


def of_chain(w: float) -> list[Maker]:
    return [partial(value_of, w), partial(back_one, w), partial(whole_slope, w)]


def value_of(w: float, random: Random) -> Question:
    w = random.choice((w or 1.0, 1.0, 2.0, -1.0, 0.5))
    c = learning.chain(w)
    right = short(c.z)
    return ask(f"w = {short(w)}. What is z?", right,
               _few({short(c.y): "That is y: one link is missing.", short(4 * c.y): "y has to be squared.", short(16 * w**8): "",
                     short(c.dz_dw): "That is the slope of z along w.", short(c.z + 1): ""}, right, 3),
               f"x = {short(c.x)}, y = 2x³ = {short(c.y)}, z = 4y² = {right}; or at once 16 w¹².", random)


def back_one(w: float, random: Random) -> Question:
    w = random.choice((w or 1.0, 1.0, 2.0, -1.0))
    c = learning.chain(w)
    right = short(c.dz_dx)
    return ask(f"w = {short(w)}, so x = {short(c.x)} and y = {short(c.y)}. Over the last link dz/dy = {short(c.dz_dy)} has come back. "
               "What is dz/dx?", right,
               _few({short(c.dz_dy + c.dy_dx): "Slopes along a chain are multiplied, not added.", short(c.dy_dx): "That is dy/dx, one link's own slope.",
                     short(c.dz_dy): "That is still dz/dy.", short(c.dz_dx + 1): ""}, right, 3),
               f"dz/dx = dz/dy · dy/dx = {short(c.dz_dy)} · 6x² = {short(c.dz_dy)} · {short(c.dy_dx)} = {right}, the same as 96 x⁵.", random)


def whole_slope(w: float, random: Random) -> Question:
    w = random.choice((w or 1.0, 1.0, -1.0, 2.0))
    c = learning.chain(w)
    right = short(c.dz_dw)
    return ask(f"w = {short(w)}. The three links have the slopes 2w = {short(c.dx_dw)}, 6x² = {short(c.dy_dx)} and 8y = {short(c.dz_dy)}. "
               "What is dz/dw?", right,
               _few({short(c.dx_dw + c.dy_dx + c.dz_dy): "Slopes along a chain are multiplied, not added.", short(c.dz_dx): "The first link's slope, 2w, is missing.",
                     short(c.z): "That is z itself.", short(c.dz_dw + 1): ""}, right, 3),
               f"{short(c.dx_dw)} · {short(c.dy_dx)} · {short(c.dz_dy)} = {right}, the same as 192 w¹¹.", random)


# Ways downhill


def of_optimisers(rate: float, momentum: float) -> list[Maker]:
    return [partial(momentum_step, rate, momentum), partial(adam_first, rate, momentum), partial(steepest, rate)]


def momentum_step(rate: float, momentum: float, random: Random) -> Question:
    v, g = random.randint(1, 9), random.randint(-9, 9) or 2
    right = short(-rate * (momentum * v + g))
    return ask(f"Momentum {short(momentum)}, learning rate {short(rate)}. So far v = {v}, and the new gradient is {g}. By how much does the "
               "weight change?", right,
               _few({short(-rate * g): "That is plain descent: it forgets v.", short(rate * (momentum * v + g)): "Against the slope, not along it.",
                     short(-rate * (momentum * v + (1 - momentum) * g)): "That is Adam's mean; torch.optim.SGD adds the whole gradient.",
                     short(-rate * (v + g)): "v has to be multiplied by the momentum first."}, right, 3),
               f"v = {short(momentum)} · {v} + {g} = {short(momentum * v + g)}, and the weight changes by −{short(rate)} · v = {right}.", random)


def adam_first(rate: float, momentum: float, random: Random) -> Question:
    g = random.choice((0.001, 0.2, 3, 40))
    right = short(-learning_optimisers.adam([g], rate, momentum), 3)
    return ask(f"Adam's very first step with rate {short(rate)}: the gradient is {short(g)}. How far does the weight move?", right,
               _few({short(rate * g, 3): "That is plain descent.", short(rate * g * (1 - momentum), 3): "That lacks the division by the root of s.",
                     short(rate * (1 - momentum) / math.sqrt(0.001), 3): "That forgets to correct m and s for having begun at 0.",
                     short(2 * rate, 3): ""}, right, 3),
               f"At first m / (1 − β₁) is g and s / (1 − 0.999) is g², and g / |g| is 1: the step is the learning rate, whatever the gradient.",
               random)


def steepest(rate: float, random: Random) -> Question:
    """Whether plain descent survives a ravine."""
    curve = random.choice((5, 10, 20, 40, 100))
    factor = 1 - rate * curve
    says = {"It creeps or falls straight to the bottom": 0 <= factor < 1, "It zigzags from wall to wall, and comes down": -1 < factor < 0,
            "It is thrown out": factor <= -1}
    right = next(said for said, holds in says.items() if holds)
    return ask(f"A ravine has the curvature {curve} across. What does plain descent with rate {short(rate)} do there?", right,
               {said: "" for said in says}, f"Each step multiplies the distance to the bottom by 1 − {short(rate)} · {curve} = {short(factor, 3)}.", random)


def of_schedules(rates: dict[str, np.ndarray]) -> list[Maker]:
    return [partial(highest, rates), partial(scaled_loss, rates), epochs]


def highest(rates: dict[str, np.ndarray], random: Random) -> Question:
    """Which schedule has the highest rate at a moment."""
    moments = [i for i in range(0, len(next(iter(rates.values()))), 5) if _one_highest(rates, i)]
    at = random.choice(moments)
    right = _one_highest(rates, at)
    return ask(f"Which schedule gives the largest step at step {at:,} of {len(next(iter(rates.values()))):,}?", right,
               {name: f"It is at {short(float(values[at]), 3)} there." for name, values in rates.items() if name != right},
               f"It is at {short(float(rates[right][at]), 3)} there.", random)


def _one_highest(rates: dict[str, np.ndarray], at: int) -> str | None:
    ordered = sorted(((float(values[at]), name) for name, values in rates.items()), reverse=True)
    return ordered[0][1] if ordered[0][0] > 1.02 * ordered[1][0] else None


def scaled_loss(rates: dict[str, np.ndarray], random: Random) -> Question:
    """Which schedule ends lowest, and why."""
    ends = {name: float(learning_optimisers.expected_losses(values)[-1]) for name, values in rates.items()}
    right = min(ends, key=ends.get)
    return ask("All begin at the same place and meet the same noise. Which of these schedules has the lowest loss at the end?", right,
               {name: f"It ends at {short(value, 3)}." for name, value in ends.items() if name != right},
               f"It ends at {short(ends[right], 3)}: large steps cover the long way first, small ones at the end average the noise out.", random)


def of_batches(samples: np.ndarray, at, rate: float) -> list[Maker]:
    return [partial(noise, len(samples)), updates, epochs]


def noise(count: int, random: Random) -> Question:
    """How the noise falls with the batch."""
    factor = random.choice((4, 16, 25, 100))
    right = f"{math.isqrt(factor)} times smaller"
    return ask(f"Batches of a very large data set become {factor} times larger. What happens to the noise of their gradients (its standard "
               "deviation)?", right, {f"{factor} times smaller": "That is the variance, the noise squared.", "It stays": "A mean of more samples is surer.",
                                      f"{math.isqrt(factor)} times larger": "A mean of more samples is surer, not less sure."},
               f"The mean of B independent samples has 1 / √B of one sample's noise: √{factor} = {math.isqrt(factor)}.", random)


def updates(random: Random) -> Question:
    """How the number of steps changes."""
    batch, factor = random.choice((16, 32, 64)), random.choice((2, 4, 8))
    count = batch * factor * random.randint(10, 400)
    right = f"{count // (batch * factor):,} instead of {count // batch:,}"
    return ask(f"{count:,} samples, and the batch grows from {batch} to {batch * factor}. How many steps has an epoch then?", right,
               {f"{count // batch:,}, as before": "An epoch shows every sample once: larger batches are fewer.",
                f"{factor * count // batch:,} instead of {count // batch:,}": "Larger batches are fewer, not more."},
               f"{count:,} / {batch * factor} = {count // (batch * factor):,}.", random)


def of_neuron(names: list[str], products: np.ndarray, biases: np.ndarray) -> list[Maker]:
    """products [neurons, inputs]: weight times input."""
    return [partial(sum_of, names, products, biases), partial(strongest, names, products, biases), relu_of]


def sum_of(names: list[str], products: np.ndarray, biases: np.ndarray, random: Random) -> Question:
    """One logit from the sum of its products and its bias."""
    i = random.randrange(len(names))
    total, bias = float(products[i].sum()), float(biases[i])
    right = short(total + bias)
    return ask(f"The {products.shape[1]:,} products of the neuron *{names[i]}* add up to {short(total)}; its bias is {short(bias)}. What is its "
               "logit?", right, _few({short(total): "The bias is missing.", short(max(total + bias, 0)): "The last layer has no ReLU.",
                                      short(total - bias): "The bias is added.", short(total + bias + 1): ""}, right, 3),
               f"{short(total)} + {short(bias)} = {right}. The last layer has no activation of its own; softmax comes after all.", random)


def strongest(names: list[str], products: np.ndarray, biases: np.ndarray, random: Random) -> Question:
    logits = products.sum(axis=1) + biases
    some = random.sample(range(len(names)), min(4, len(names)))
    right = max(some, key=lambda i: logits[i])
    listed = ", ".join(f"*{names[i]}* {short(float(logits[i]))}" for i in some)
    return ask(f"Logits: {listed}. Which of these classes has the highest probability?", names[right],
               {names[i]: f"e^{short(float(logits[i]))} is smaller." for i in some if i != right},
               "Softmax keeps the order: the largest logit has the largest probability, also where all are negative.", random)


def relu_of(random: Random) -> Question:
    """A neuron with two inputs."""
    a, b, x, y, z = (random.randint(-5, 5) for _ in range(5))
    total = a * x + b * y + z
    right = str(max(total, 0))
    return ask(f"A neuron has the weights {x} and {y}, the bias {z} and a ReLU. What does it make of the inputs {a} and {b}?", right,
               _few({str(total): "ReLU makes a negative sum 0.", str(max(a * x + b * y, 0)): "The bias is missing.", str(abs(total)): "ReLU cuts off, it does not mirror.",
                     str(max(total, 0) + 1): "", str(max(total, 0) + 2): ""}, right, 3),
               f"{a} · {x} + {b} · {y} + {z} = {total}, and ReLU gives max(0, {total}) = {right}.", random)


def _few(wrong: dict[str, str], right: str, count: int) -> dict[str, str]:
    """The first so many that differ from the right one: explained mistakes stand before mere other numbers."""
    return dict([(option, mistake) for option, mistake in wrong.items() if option != right][:count])
