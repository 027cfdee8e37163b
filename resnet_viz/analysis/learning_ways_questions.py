"""Questions about ways downhill and about a neuron, from the numbers on the screen."""

import math
from functools import partial
from random import Random

import numpy as np

from . import learning_optimisers
from .learning_questions import epochs
from .learning_words import short
from .questions import Maker, Question, ask, few


def of_optimisers(rate: float, momentum: float) -> list[Maker]:
    return [partial(momentum_step, rate, momentum), partial(adam_first, rate, momentum), partial(steepest, rate)]


def momentum_step(rate: float, momentum: float, random: Random) -> Question:
    v, g = random.randint(1, 9), random.randint(-9, 9) or 2
    right = short(-rate * (momentum * v + g))
    return ask(f"Momentum {short(momentum)}, learning rate {short(rate)}. So far v = {v}, and the new gradient is "
               f"{g}. By how much does the "
               "weight change?", right,
               few({short(-rate * g): "That is plain descent: it forgets "
                                       "v.", short(rate * (momentum * v + g)): "Against the slope, not along it.",
                     short(-rate * (momentum * v + (1 - momentum) * g)): "That is Adam's mean; torch.optim.SGD adds "
                         "the whole gradient.",
                     short(-rate * (v + g)): "v has to be multiplied by the momentum first."}, right, 3),
               f"v = {short(momentum)} · {v} + {g} = {short(momentum * v + g)}, and the weight changes by "
               f"−{short(rate)} · v = {right}.", random)


def adam_first(rate: float, momentum: float, random: Random) -> Question:
    g = random.choice((0.001, 0.2, 3, 40))
    right = short(-learning_optimisers.adam([g], rate, momentum), 3)
    return ask(f"Adam's very first step with rate {short(rate)}: the gradient is {short(g)}. How far does the weight "
               f"move?", right,
               few({short(rate * g, 3): "That is plain "
                   "descent.", short(rate * g * (1 - momentum), 3): "That lacks the division by the root of s.",
                     short(rate * (1 - momentum) / math.sqrt(0.001), 3): "That forgets to correct m and s for having "
                         "begun at 0.",
                     short(2 * rate, 3): ""}, right, 3),
               "At first m / (1 − β₁) is g and s / (1 − 0.999) is g², and g / |g| is 1: the step is the learning "
               "rate, whatever the gradient.",
               random)


def steepest(rate: float, random: Random) -> Question:
    """Whether plain descent survives a ravine."""
    curve = random.choice((5, 10, 20, 40, 100))
    factor = 1 - rate * curve
    says = {"It creeps or falls straight to the "
            "bottom": 0 <= factor < 1, "It zigzags from wall to wall, and comes down": -1 < factor < 0,
            "It is thrown out": factor <= -1}
    right = next(said for said, holds in says.items() if holds)
    return ask(f"A ravine has the curvature {curve} across. What does plain descent with rate {short(rate)} do "
               f"there?", right,
               {said: "" for said in says}, f"Each step multiplies the distance to the bottom by 1 − {short(rate)} · "
                   f"{curve} = {short(factor, 3)}.", random)


def of_schedules(rates: dict[str, np.ndarray]) -> list[Maker]:
    return [partial(highest, rates), partial(scaled_loss, rates), epochs]


def highest(rates: dict[str, np.ndarray], random: Random) -> Question:
    """Which schedule has the highest rate at a moment."""
    moments = [i for i in range(0, len(next(iter(rates.values()))), 5) if _one_highest(rates, i)]
    at = random.choice(moments)
    right = _one_highest(rates, at)
    return ask(f"Which schedule gives the largest step at step {at:,} of {len(next(iter(rates.values()))):,}?", right,
               {name: f"It is at {short(float(values[at]), 3)} "
                      f"there." for name, values in rates.items() if name != right},
               f"It is at {short(float(rates[right][at]), 3)} there.", random)


def _one_highest(rates: dict[str, np.ndarray], at: int) -> str | None:
    ordered = sorted(((float(values[at]), name) for name, values in rates.items()), reverse=True)
    return ordered[0][1] if ordered[0][0] > 1.02 * ordered[1][0] else None


def scaled_loss(rates: dict[str, np.ndarray], random: Random) -> Question:
    """Which schedule ends lowest, and why."""
    ends = {name: float(learning_optimisers.expected_losses(values)[-1]) for name, values in rates.items()}
    right = min(ends, key=ends.get)
    return ask("All begin at the same place and meet the same noise. Which of these schedules has the lowest loss at "
               "the end?", right,
               {name: f"It ends at {short(value, 3)}." for name, value in ends.items() if name != right},
               f"It ends at {short(ends[right], 3)}: large steps cover the long way first, small ones at the end "
               f"average the noise out.", random)


def of_batches(samples: np.ndarray, at, rate: float) -> list[Maker]:
    return [partial(noise, len(samples)), updates, epochs]


def noise(count: int, random: Random) -> Question:
    """How the noise falls with the batch."""
    factor = random.choice((4, 16, 25, 100))
    right = f"{math.isqrt(factor)} times smaller"
    return ask(f"Batches of a very large data set become {factor} times larger. What happens to the noise of their "
               f"gradients (its standard "
               "deviation)?", right, {f"{factor} times "
                                      f"smaller": "That is the variance, the noise "
                                      "squared.", "It stays": "A mean of more samples is surer.",
                                      f"{math.isqrt(factor)} times "
                                      f"larger": "A mean of more samples is surer, not less sure."},
               f"The mean of B independent samples has 1 / √B of one sample's noise: √{factor} = "
               f"{math.isqrt(factor)}.", random)


def updates(random: Random) -> Question:
    """How the number of steps changes."""
    batch, factor = random.choice((16, 32, 64)), random.choice((2, 4, 8))
    count = batch * factor * random.randint(10, 400)
    right = f"{count // (batch * factor):,} instead of {count // batch:,}"
    return ask(f"{count:,} samples, and the batch grows from {batch} to {batch * factor}. How many steps has an epoch "
               f"then?", right,
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
    return ask(f"The {products.shape[1]:,} products of the neuron *{names[i]}* add up to {short(total)}; its bias is "
               f"{short(bias)}. What is its "
               "logit?", right, few({short(total): "The bias is "
               "missing.", short(max(total + bias, 0)): "The last layer has no ReLU.",
                                      short(total - bias): "The bias is "
                                          "added.", short(total + bias + 1): ""}, right, 3),
               f"{short(total)} + {short(bias)} = {right}. The last layer has no activation of its own; softmax comes "
               f"after all.", random)


def strongest(names: list[str], products: np.ndarray, biases: np.ndarray, random: Random) -> Question:
    logits = products.sum(axis=1) + biases
    some = random.sample(range(len(names)), min(4, len(names)))
    right = max(some, key=lambda i: logits[i])
    listed = ", ".join(f"*{names[i]}* {short(float(logits[i]))}" for i in some)
    return ask(f"Logits: {listed}. Which of these classes has the highest probability?", names[right],
               {names[i]: f"e^{short(float(logits[i]))} is smaller." for i in some if i != right},
               "Softmax keeps the order: the largest logit has the largest probability, also where all are "
               "negative.", random)


def relu_of(random: Random) -> Question:
    """A neuron with two inputs."""
    a, b, x, y, z = (random.randint(-5, 5) for _ in range(5))
    total = a * x + b * y + z
    right = str(max(total, 0))
    return ask(f"A neuron has the weights {x} and {y}, the bias {z} and a ReLU. What does it make of the inputs {a} "
               f"and {b}?", right,
               few({str(total): "ReLU makes a negative sum "
                                 "0.", str(max(a * x + b * y, 0)): "The bias is "
                                 "missing.", str(abs(total)): "ReLU cuts off, it does not mirror.",
                     str(max(total, 0) + 1): "", str(max(total, 0) + 2): ""}, right, 3),
               f"{a} · {x} + {b} · {y} + {z} = {total}, and ReLU gives max(0, {total}) = {right}.", random)
