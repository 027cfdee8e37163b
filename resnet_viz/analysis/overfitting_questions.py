"""Questions about learning by heart, from the curves on the screen and from the record of all cures."""

from collections.abc import Sequence
from functools import partial
from random import Random

from ..number_text import percent, plain
from .overfitting import Curves, Ended
from .questions import Maker, Question, ask, few


def of_curves(shown: Sequence[Curves], ends: Sequence[Ended]) -> list[Maker]:
    """About the first curves on the screen; without any, only what holds for all."""
    found: list[Maker] = [signs, why_dropout_looks_worse, more_pictures]
    if shown:
        found = [partial(when_to_stop, shown[0]), partial(gap, shown), *found]
    if ends:
        found.append(partial(which_cure, ends))
    return found


def when_to_stop(one: Curves, random: Random) -> Question:
    """The epoch of the least loss on pictures kept back."""
    right, last = f"epoch {int(one.x[one.stop])}", int(one.x[-1])
    least_learned = int(round(float(one.train_x[int(one.train_loss.argmin())])))
    return ask(f"**{one.name}**, {last} epochs. Of which epoch does early stopping keep the weights?", right,
               few({f"epoch {last}": "The last one: the loss on what was learned is least there, not that on "
                                               "pictures kept back.",
                              f"epoch {least_learned}": "There the loss on what was **learned** is least.",
                              "epoch 1": "Stopping at once is early, but nothing is learned yet.",
                              f"epoch {int(one.x[one.stop]) + 4}": ""}, right),
               f"The loss on pictures kept back is least there: {plain(float(one.loss[one.stop]))}; at the end it is "
               f"{plain(float(one.loss[-1]))}.", random)


def gap(shown: Sequence[Curves], random: Random) -> Question:
    """Generalisation gap of one of the recipes."""
    one = random.choice(list(shown))
    right = plain(float(one.loss[-1] - one.train_loss[-1]))
    return ask(f"**{one.name}**: loss {plain(float(one.train_loss[-1]))} on what it learned, "
               f"{plain(float(one.loss[-1]))} on "
               "pictures kept back. How large is the gap that overfitting is measured by?", right,
               few({plain(float(one.loss[-1] + one.train_loss[-1])): "The gap is the difference, not the "
                   "sum.",
                              plain(float(one.loss[-1] - one.loss[one.stop])): "That is how far the loss rose after "
                                  "its best "
                                                                              "epoch.",
                              plain(float(one.loss[one.stop])): "That is the least loss on pictures kept back.",
                              plain(float(one.loss[-1]) + 1): ""}, right),
               "Loss on pictures kept back minus loss on what was learned.", random)


def signs(random: Random) -> Question:
    """Which pair of changes is overfitting."""
    right = "learned: falls; kept back: rises"
    return ask("From one epoch to the next, what do the two losses do when a network begins to learn by heart?", right,
               {"learned: falls; kept back: falls": "That is learning.",
                "learned: rises; kept back: rises": "That is a learning rate too large, or degradation.",
                "learned: rises; kept back: falls": "That can happen by chance in a noisy epoch."},
               "What is learned no longer carries over: it fits these very pictures.", random)


def why_dropout_looks_worse(random: Random) -> Question:
    right = "It is measured while inputs are silenced, or on changed pictures; the other one is not"
    return ask("With dropout or augmentation the loss on what is learned often lies **above** the one on pictures "
               "kept back. "
               "Why?", right,
               {"The network overfits": "Then it would lie far below.",
                "The two curves were exchanged": "They were not.",
                "The pictures kept back are easier": "They are drawn by chance from the same pool."},
               "Cures make the task harder while learning, and are switched off when pictures are only asked.", random)


def more_pictures(random: Random) -> Question:
    right = "more pictures to learn from"
    return ask("Which of these shrinks the gap for certain in the long run?", right,
               {"more epochs": "It is then known even better by heart.",
                "a lower loss on what is learned": "That is the other end of the gap: it widens it.",
                "a larger network": "It has still more room to store pictures; often it does no harm, but it is no "
                                    "cure."},
               "With more pictures than it can store it has to learn what they have in common. Choose 100 or 300 "
               "digits above.",
               random)


def which_cure(ends: Sequence[Ended], random: Random) -> Question:
    """Two recipes of the record: which ended with the smaller loss on pictures kept back."""
    first, second = random.sample(list(ends), 2)
    better, worse = sorted((first, second), key=lambda one: one.loss)
    return ask(f"With the fewest digits, {better.count} seeds each: which of the two ended with the smaller mean "
               "loss on pictures kept "
               f"back: **{first.name}** or **{second.name}**?", better.name,
               {worse.name: f"It ended at {plain(worse.loss)}, {better.name} at {plain(better.loss)}.",
                "both the same, to three digits": "They differ more than that."},
               f"{better.name}: {plain(better.loss)}, right {percent(better.accuracy)} (from {percent(better.least)} "
               "to "
               f"{percent(better.most)}); {worse.name}: {plain(worse.loss)}, right {percent(worse.accuracy)}. "
               "Another three "
               "seeds can change the order of two that lie close.", random)
