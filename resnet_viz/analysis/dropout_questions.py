"""Questions on dropout, and on its quarrel with batch norm."""

from collections.abc import Sequence
from functools import partial
from random import Random

from ..number_text import percent
from . import dropout
from .dropout import INPUTS, Draws
from .learning_words import short
from .questions import Maker, Question, ask, few
from .variance_shift import Shift


def makers(found: Draws, draw: int) -> list[Maker]:
    return [partial(one_input, found.p), partial(asked, found), partial(how_many, found.p), partial(spread, found)]


def one_input(p: float, random: Random) -> Question:
    """What PyTorch makes of one input that is left while learning."""
    x = random.choice((0.8, 1.5, 2.0, 3.0))
    right = short(x / (1 - p), 3)
    return ask(f"`nn.Dropout({short(p)})` in **training** mode gets x = {short(x)} and does not silence it. What "
               "does it hand on?", right,
               few({short(x): "That is what the slides' dropout does; PyTorch scales while it learns.",
                              short(x * (1 - p), 3): "That is what the slides multiply by when asked; PyTorch "
                                                     "divides, and while it "
                                                     "learns.",
                              short(x / p, 3): "Divided by the chance to be **left**, 1 − p, not by p.",
                              "0": "It is not silenced.", short(x * (1 + p), 3): ""}, right),
               f"{short(x)} / (1 − {short(p)}) = {right}, so that the mean stays {short(x)}.", random)


def asked(found: Draws, random: Random) -> Question:
    """The output in evaluation mode, by either convention."""
    slides = random.random() < 0.5
    sum_, p = found.asked(True), found.p
    right = short(found.asked(not slides), 3)
    mistake = ("PyTorch's: it has scaled while learning." if slides else
               "the slides': PyTorch has scaled while learning already.")
    who = "as the slides do it" if slides else "in PyTorch (`model.eval()`)"
    return ask(f"The neuron's weighted sum of all its inputs is {short(sum_, 3)}; p = {short(p)}. What does it give "
               f"when it is **asked**, {who}?",
               right,
               few({short(found.asked(slides), 3): f"That is {mistake}",
                              short(sum_ / (1 - p), 3): "Divided by 1 − p is what PyTorch does while learning.",
                              short(sum_ * p, 3): "p is the share that is silenced, not the one that is left.",
                              short(sum_ + 1, 3): ""}, right),
               f"{short(1 - p)} · {short(sum_, 3)} = {right}." if slides else "In evaluation mode dropout does "
                   "nothing.", random)


def how_many(p: float, random: Random) -> Question:
    right = "It varies: each is drawn on its own"
    mean = short(INPUTS * p)
    return ask(f"A layer with {INPUTS} inputs and dropout p = {short(p)}. How many are silenced in a step?", right,
               {f"always {mean}": f"{mean} is the mean. That a fixed number falls out is the slides' mistake "
                                  "(\"fixed-size batch\").",
                f"at most {mean}": "It can be all of them.",
                "the same ones in every step": "They are drawn anew in every step."},
               f"The number is binomial with mean {mean}; {percent(float(dropout.chances(p)[0]))} of the draws "
               "silence none.", random)


def spread(found: Draws, random: Random) -> Question:
    right = "more noise in the sum"
    return ask("Inputs are scaled so that the mean of the sum stays. What does **not** stay?", right,
               {"nothing changes at all": "A single draw is off by its silenced inputs.",
                "the number of weights": "Weights stay, inputs "
                "are silenced.", "the answer when it is asked": "That is what the scaling keeps."},
               f"Its standard deviation is {short(dropout.spread(found), 3)} here instead of 0. A batch norm behind "
               "it learns that "
               "variance: see the part on batch norm.", random)


# The quarrel with batch norm


def shift_makers(found: Sequence[Shift], at: int) -> list[Maker]:
    return [unit_variance, partial(ratio_of, found), partial(why_worse, found), where_to_put]


def unit_variance(random: Random) -> Question:
    """Variance in training of a number with mean 0."""
    variance, p = random.choice((1.0, 2.0, 4.0)), random.choice((0.2, 0.5, 0.75))
    right = short(variance / (1 - p), 3)
    return ask(f"Numbers with mean 0 and variance {short(variance)} go through `nn.Dropout({short(p)})` in training "
               "mode. What is their variance "
               "behind it?", right,
               few({short(variance): "The mean stays; the variance does not.",
                              short(variance * (1 - p), 3): "That is without the division by 1 − p, as the slides' "
                                                            "dropout has it.",
                              short(variance / (1 - p) ** 2, 3): "The scaling alone; but a share p of them is 0.",
                              short(variance / p + 1, 3): ""}, right),
               f"E[x²] / (1 − p) − E[x]² = {short(variance)} / {short(1 - p)} = {right}.", random)


def ratio_of(found: Sequence[Shift], random: Random) -> Question:
    one = random.choice([shift for shift in found if shift.p > 0])
    right = "less than 1: it divides by too much"
    return ask(f"p = {short(one.p)}: the batch norm behind dropout learned a variance of {short(one.trained, 3)}. "
               "Dropout is switched off. What "
               "variance does the batch norm give then, before gamma and beta?", right,
               {"exactly 1: that is what batch norm is for": "With its running statistics it divides by what it "
                                                             "learned, not by what there is.",
                "more than 1: the signal is stronger without dropout": "The mean is the same and the variance smaller.",
                "0: there is no noise left": "The pictures still differ."},
               f"Measured: {short(one.output, 3)}.", random)


def why_worse(found: Sequence[Shift], random: Random) -> Question:
    one = max(found, key=lambda shift: shift.p)
    right = "its batch norms: their statistics belong to other numbers"
    return ask(f"With p = {short(one.p)} {percent(one.right)} are right instead of {percent(one.mended)}, with "
               "dropout **off** and the very same weights. "
               "What is at fault?", right,
               {"dropout silences what it needs": "It is off.", "the weights have become worse": "No weight was "
                   "changed.",
                "it has learned by heart": "It has learned nothing new."},
               "Learn the running statistics once more without dropout, and the loss is gone.", random)


def where_to_put(random: Random) -> Question:
    right = "behind the last batch norm, in front of the last linear layer"
    return ask("Where does dropout do batch norm no harm?", right,
               {"in front of every batch norm": "There each of them learns a variance that is not there when asked.",
                "between the two convolutions of each block": "A batch norm follows.",
                "in front of the first convolution": "All batch norms follow."},
               "No batch norm comes after it. That is also where the slides put it: \"on the last layers\".", random)
