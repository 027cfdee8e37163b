"""Questions of the lesson on batch norm, from the numbers on the screen."""

from functools import partial
from random import Random

import numpy as np

from ..number_text import percent, plain
from .batch_norm import Channel, Running, Wobble, Worked, spread
from .batch_norm_words import weight
from .number_questions import ask_number
from .questions import Maker, Question, ask

LECTURE = "A lecture says that batch norm is switched off in evaluation; it is not."


# Two moods


def of_moods(
    by_size: dict[int, Wobble],
    size: int,
    channel: Channel,
    still: np.ndarray,
    label: int,
    names: tuple[str, ...],
    frame: int,
) -> list[Maker]:
    found = by_size[size]
    return [
        partial(one_number, found, channel, frame),
        partial(company, found, still, label, names),
        partial(how_many, found),
        partial(calmest, by_size, label, names[label]),
    ]


def one_number(found: Wobble, channel: Channel, frame: int, random: Random) -> Question:
    """What the first batch norm makes of a number, in one mode or the other."""
    x, mean, variance = (float(part[frame]) for part in (found.first.value, found.first.mean, found.first.variance))
    train, still = channel.normalise(x, mean, variance), channel.normalise(x, channel.mean, channel.variance)
    mode = random.choice(("training", "evaluation"))
    right, other = (train, still) if mode == "training" else (still, train)
    used = (mean, variance) if mode == "training" else (channel.mean, channel.variance)
    return ask_number(
        random,
        f"{channel.layer}, channel 0: x = {plain(x)}, γ = {plain(channel.scale)}, β = {plain(channel.shift)}. "
        f"The batch has mean {plain(mean)} and "
        f"variance {plain(variance)}; the running ones are {plain(channel.mean)} and {plain(channel.variance)}. What "
        f"comes out in **{mode}** mode?",
        right,
        [
            (other, "Those are the statistics of the other mode."),
            (x, LECTURE),
            ((x - used[0]) / used[1] * channel.scale + channel.shift, "Divide by the root of the variance."),
        ],
        f"({plain(x)} − {plain(used[0])}) / √{plain(used[1])}, times γ, plus β.",
    )


def company(found: Wobble, still: np.ndarray, label: int, names: tuple[str, ...], random: Random) -> Question:
    """What other batch mates do in evaluation."""
    right, others = percent(still[label]), found.answers[:, label]
    wrong = {
        percent(others[random.randrange(len(others))]): "That is one of the answers in training mode.",
        percent(float(others.mean())): "That is the mean of the answers in training mode.",
        percent(1 / len(still)): "That would be no answer at all: all classes alike.",
    }
    return ask(
        f"In **evaluation** mode the picture is put among {found.size - 1} others that it has not met yet. What "
        f"does the network give "
        f"{names[label]}?",
        right,
        wrong,
        "The running statistics belong to no batch: the answer is the same in any company.",
        random,
    )


def how_many(found: Wobble, random: Random) -> Question:
    """How many numbers one mean is taken from."""
    pictures, side, channels = random.choice((4, 8, 16, 32)), random.choice((4, 8, 16)), random.choice((3, 16, 64))
    return ask_number(
        random,
        f"A batch of {pictures} pictures arrives at a batch norm as {channels} channels of "
        f"{side} × {side}. From how many numbers is "
        "each mean taken?",
        pictures * side * side,
        [
            (side * side, "That is one picture's; the mean goes over the batch too."),
            (pictures * side * side * channels, "Each channel has a mean of its own."),
            (pictures * channels, "The mean goes over the places, not over the channels."),
        ],
        f"{pictures} pictures × {side} × {side} places, one channel at a time. (Here it was "
        f"{found.first.count:,} in the first batch norm.)",
    )


def calmest(by_size: dict[int, Wobble], label: int, name: str, random: Random) -> Question:
    """The measured spread of a batch size, among those of others."""
    asked = random.choice(sorted(by_size))
    spreads = {size: f"{100 * spread(found.answers, label):.1f} points" for size, found in by_size.items()}
    right = spreads[asked]
    wrong = {text: f"That is batch size {size}." for size, text in spreads.items() if text != right}
    return ask(
        f"Here {name} spreads by which standard deviation at batch size **{asked}**?",
        right,
        dict(list(wrong.items())[:3]) or {"50.0 points": "No probability spreads so far here."},
        "Means over more pictures differ less from batch to batch; but a probability near 0 % or 100 % cannot "
        "spread far at any size.",
        random,
    )


# Running statistics


def of_running(found: Running, step: int, count: int) -> list[Maker]:
    """count  numbers in a batch"""
    return [partial(next_mean, found, step), partial(how_far, found), partial(which_variance, found, count)]


def next_mean(found: Running, step: int, random: Random) -> Question:
    """One step of the running mean."""
    step = random.randint(max(1, step - 5), min(len(found.means) - 1, step + 5))
    before, batch, m = float(found.means[step - 1]), float(found.batch_means[step - 1]), weight(found, step)
    given = "all batches count alike (`momentum=None`)" if found.momentum is None else f"the momentum is {plain(m)}"
    return ask_number(
        random,
        f"The running mean is {plain(before)}; batch number {step} has mean {plain(batch)}, and "
        f"{given}. What is the running mean afterwards?",
        (1 - m) * before + m * batch,
        [
            (
                m * before + (1 - m) * batch,
                "That is the optimisers' momentum, the share that is kept; here it is the share that is new.",
            ),
            (batch, "Only a share of the batch's mean comes in."),
            (before + m * batch, "The old one has to make room: times 1 − m."),
            ((before + batch) / 2, "That would be half and half."),
        ],
        f"{plain(1 - m)} · {plain(before)} + {plain(m)} · {plain(batch)}.",
    )


def how_far(found: Running, random: Random) -> Question:
    """The share of the way after some steps."""
    m, steps = random.choice((0.01, 0.1, 0.2)), random.choice((5, 10, 20, 40))
    gone = 1 - (1 - m) ** steps
    return ask(
        f"With momentum {m:g}, how much of the way from 0 to the data's mean has the running mean gone after "
        f"{steps} steps, if all batches are alike?",
        percent(gone),
        {
            percent(1 - gone): "That is what is left.",
            percent(min(m * steps, 1.0)): "Each step goes a share of what is *left*, not of the whole.",
            percent(m): "That is one step.",
            percent(m**steps): "The old one is multiplied by 1 − m, not by m.",
        },
        f"Each step leaves 1 − {m:g} of the distance: 1 − {1 - m:g}^{steps} = {percent(gone)}.",
        random,
    )


def which_variance(found: Running, count: int, random: Random) -> Question:
    """The running variance learns from the unbiased one."""
    n, biased = random.choice((2, 4, 5, 10)), random.choice((1.0, 2.0, 4.0, 9.0))
    return ask_number(
        random,
        f"A batch gives a channel {n} numbers with a mean squared distance of {plain(biased)} "
        f"from their mean. Which variance does the **running** "
        "variance learn from?",
        biased * n / (n - 1),
        [
            (biased, "The batch itself is normalised with that one."),
            (biased * (n - 1) / n, "The other way round: n over n − 1."),
            (biased**0.5, "That is a standard deviation."),
        ],
        f"The unbiased one, divided by n − 1: {plain(biased)} · {n} / {n - 1}. With the {count:,} numbers of "
        f"a batch here the two hardly differ.",
    )


# By numbers


def of_numbers(found: Worked, scale: float, shift: float) -> list[Maker]:
    return [partial(mean_of, found), partial(variance_of, found), partial(output_of, found, scale, shift), learned]


def mean_of(found: Worked, random: Random) -> Question:
    """A channel's mean over the batch."""
    c, n = random.randrange(found.x.shape[1]), random.randrange(found.x.shape[0])
    numbers = found.x[:, c]
    return ask_number(
        random,
        f"What is the mean of channel {c} over this batch?",
        float(numbers.mean()),
        [
            (float(found.x[n, c].mean()), f"That is picture {n} alone; the mean goes over all pictures."),
            (float(found.x.mean()), "That is over all channels; each has a mean of its own."),
            (float(found.x[n].mean()), f"That is picture {n} over all channels: layer norm does so."),
        ],
        f"{int(numbers.sum())} / {numbers.size}.",
    )


def variance_of(found: Worked, random: Random) -> Question:
    c = random.randrange(found.x.shape[1])
    numbers = found.x[:, c]
    return ask_number(
        random,
        f"The {numbers.size} numbers of channel {c} have squared distances from their mean that "
        f"add up to "
        f"{plain(float(numbers.var() * numbers.size))}. By which variance is the batch normalised in "
        f"training?",
        float(numbers.var()),
        [
            (float(numbers.var(ddof=1)), "That one, divided by n − 1, is for the running variance."),
            (float(numbers.std()), "That is the standard deviation."),
            (float(found.x.var()), "That is over all channels."),
        ],
        f"The biased one: divided by {numbers.size}.",
    )


def output_of(found: Worked, scale: float, shift: float, random: Random) -> Question:
    """One cell through the whole of it."""
    n, c, r, k = (random.randrange(size) for size in found.x.shape)
    x, mean, variance = float(found.x[n, c, r, k]), float(found.mean[c]), float(found.variance[c])
    return ask_number(
        random,
        f"x = {plain(x)}, mean {plain(mean)}, variance {plain(variance)}, γ = {plain(scale)}, β "
        f"= {plain(shift)}: what is y?",
        float(found.output[n, c, r, k]),
        [
            ((x - mean) / variance * scale + shift, "Divide by the root of the variance."),
            (float(found.normal[n, c, r, k]), "Then come γ and β."),
            ((x - mean) * scale + shift, "It is divided by the root of the variance."),
            (x * scale + shift, LECTURE),
        ],
        f"({plain(x)} − {plain(mean)}) / √{plain(variance)} · {plain(scale)} + {plain(shift)}.",
    )


def learned(random: Random) -> Question:
    """How many parameters a batch norm has."""
    channels = random.choice((3, 16, 32, 64, 256))
    return ask_number(
        random,
        f"How many numbers of a batch norm with {channels} channels does the **gradient** change?",
        2 * channels,
        [
            (4 * channels, "Running mean and variance are no parameters: no gradient reaches them."),
            (channels, "Each channel has a scale and a shift."),
            (2, "Every channel has its own pair."),
        ],
        f"A scale γ and a shift β for each channel: 2 · {channels}.",
    )
