"""Questions about depth: from the gradients on the screen, and from two depths in training."""

from collections.abc import Sequence
from functools import partial
from random import Random

from ..number_text import percent
from . import depth
from .depth import Learned, Way
from .depth_words import title
from .gradient_words import number
from .questions import Maker, Question, ask, few


def of_ways(ways: Sequence[Way], names: Sequence[str]) -> list[Maker]:
    """About products over depth, these networks, and what 0.25 does and does not say."""
    return [quarter_power, partial(factor_of, ways, names), partial(arrives, ways, names), partial(bound, ways, names),
            shortcut_slope]


def quarter_power(random: Random) -> Question:
    """0.25 to some power."""
    layers = random.choice((5, 10, 18, 30, 50, 108))
    right = number(depth.SLOPE ** layers)
    return ask(f"A sigmoid's slope is at most 0.25. What do {layers} sigmoids in a row leave of a gradient, at the "
               "most, "
               "if nothing else multiplies it?", right,
               few({number(depth.SLOPE / layers): "That divides by the number of layers; slopes multiply.",
                                number(depth.SLOPE * layers): "That adds up. Slopes along a chain multiply.",
                                number(0.5 ** layers): "That takes 0.5, the sigmoid's value at 0; its slope there is "
                                                       "0.25."}, right),
               f"0.25 to the power of {layers} is {right}.", random)


def factor_of(ways: Sequence[Way], names: Sequence[str], random: Random) -> Question:
    """The mean factor a layer, from what is left at the end."""
    at = random.randrange(len(ways))
    way, name = ways[at], names[at]
    last = (way.lost or len(way.shares)) - 1
    left, right = way.share(last), number(way.factor(last))
    return ask(f"**{name}**, {last} layers back from the last convolution: {number(left)} of its pull is left. What "
               "does "
               "one layer let through on average (in the geometric mean)?", right,
               few({number(left / last): "That divides by the layers; they multiply.",
                                number(depth.SLOPE): "0.25 is the most that a sigmoid's own slope can be; weights, "
                                                     "batch "
                                                     "norm and shortcuts multiply too.",
                                number(left): "That is what all of them together let through.",
                                number(way.factor(last) ** 2): "That is two layers."}, right),
               f"The {last}-th root of {number(left)} is {right}.", random)


def arrives(ways: Sequence[Way], names: Sequence[str], random: Random) -> Question:
    """Which network's first layer hears most of the loss."""
    best = max(range(len(ways)), key=lambda i: ways[i].shares[-1])
    others = [i for i in range(len(ways)) if i != best]
    wrong = {names[i]: f"Its first layer gets {number(float(ways[i].shares[-1]))} of it." for i in others}
    return ask("In which of these networks does the first layer get the largest part of the last convolution's pull?",
               names[best], few(wrong, names[best], 4) or {"none of them": "One always gets most."},
               f"Its first layer gets {number(float(ways[best].shares[-1]))} of it. Most is not best: far above 1 the "
               "signal explodes.", random)


def bound(ways: Sequence[Way], names: Sequence[str], random: Random) -> Question:
    """Whether 0.25^layers holds for a network on the screen: the article's argument taken literally."""
    at = random.randrange(len(ways))
    way, name = ways[at], names[at]
    last = len(way.shares) - 1
    left, most = float(way.shares[-1]), float(depth.quarter(last))
    texts = {True: f"less than 0.25 to the power of {last}, which is {number(most)}",
             False: f"more than 0.25 to the power of {last}, which is {number(most)}"}
    right = texts[left < most]
    why = ("the weights are small and multiply too" if left < most else
           "0.25 bounds the slope of a sigmoid only; what the weights, batch norm, shortcuts or another activation "
           "make "
           "of it is not bounded by it")
    return ask(f"**{name}**, {way.depth} layers: the first layer gets of the last convolution's pull ...", right,
               {texts[not left < most]: "The article argues with 0.25 a layer and stops there. Measured, it is only "
                                        "one of "
                                        "the factors."},
               f"It gets {number(left)}: {why}.", random)


def shortcut_slope(random: Random) -> Question:
    """1 + F' through several blocks."""
    slope, blocks = random.choice((-0.1, 0.05, 0.1, 0.2)), random.choice((9, 18, 27, 54))
    right = number((1 + slope) ** blocks)
    return ask(f"{blocks} residual blocks x + F(x), each with F' = {number(slope)}. By how much is a gradient "
               "multiplied "
               "on its way through all of them?", right,
               few({number(slope ** blocks): "That is the plain network: it forgets the 1 of the shortcut.",
                                number(1 + slope): "That is one block.",
                                number(1 + slope * blocks): "That adds up; slopes along a chain multiply.",
                                "exactly 1": "Only if F' were 0."}, right),
               f"(1 {'+' if slope > 0 else '−'} {number(abs(slope))}) to the power of {blocks} is {right}.", random)


# Two depths in training


def of_learned(pairs: dict[str, tuple[Learned, Learned]]) -> list[Maker]:
    return [partial(why_worse, pairs), partial(would_be_overfitting, pairs), partial(vanished, pairs),
            partial(points, pairs), copied]


def why_worse(pairs: dict[str, tuple[Learned, Learned]], random: Random) -> Question:
    shallow, deep = pairs["plain"]
    right = "Degradation: the optimiser does not find what the deeper network could do"
    return ask(f"{title(deep).capitalize()} is wrong on {percent(float(deep.train[-1]))} of its **training** pictures, "
               f"{title(shallow)} on {percent(float(shallow.train[-1]))}. Both have batch norm. What is that?", right,
               {"Overfitting: it has too many weights": "Overfitting would make the training error smaller.",
                "Vanishing gradients: its first layers learn nothing":
                    f"With batch norm they do not vanish: the first layer's gradient was "
                    f"{number(float(deep.reach[-1]))} times the last convolution's at the end.",
                "It has too few weights": f"It has more than {title(shallow)}, and contains it."},
               "A deeper network can copy the shallower one and let the other layers pass everything on. That it ends "
               "worse on its own training pictures means that it was not found.", random)


def would_be_overfitting(pairs: dict[str, tuple[Learned, Learned]], random: Random) -> Question:
    shallow = pairs["plain"][0]
    train = float(shallow.train[-1])
    test, low, high = shallow.test, percent(0.4 * train), percent(1.5 * train)
    worse = percent(min(1.2 * test, 0.95))
    right = f"training error {low}, test error {worse}"
    return ask(f"{title(shallow).capitalize()} has a training error of {percent(train)} and a test error of "
               f"{percent(test)}. "
               "Which of these would a deeper network show that **overfits**?", right,
               {f"training error {high}, test error {worse}": "Worse at both: that is degradation.",
                f"training error {low}, test error {percent(0.6 * test)}": "Better at both: that is simply a better "
                    "network.",
                f"training error {high}, test error {percent(0.6 * test)}":
                    "That happens where training is made harder on purpose, by augmentation or dropout."},
               "Overfitting means better on what was learned, worse on everything else.", random)


def vanished(pairs: dict[str, tuple[Learned, Learned]], random: Random) -> Question:
    deep = pairs[random.choice(list(pairs))][1]
    epoch = random.randrange(len(deep.epochs))
    ratio = float(deep.reach[epoch])
    right = f"about {number(float(f'{ratio:.1g}'))} times the last convolution's"
    return ask(f"{title(deep).capitalize()} with batch norm, in epoch {int(deep.epochs[epoch])} of its training. How "
               "strong "
               "was the gradient of its **first** layer?", right,
               few({f"{number(depth.SLOPE ** (deep.depth - 2))} of the last convolution's":
                                f"That is 0.25 to the power of {deep.depth - 2}, a sigmoid's bound; here are ReLU and "
                                "batch norm.",
                                "exactly 0": "Then the first layer would never have changed.",
                                "a million times the last convolution's": "With batch norm plain networks tend that "
                                    "way "
                                                                          "before the first step, at much greater "
                                                                              "depth."}, right),
               f"Measured in the run: {number(ratio)} times. It is no vanishing gradient.", random)


def points(pairs: dict[str, tuple[Learned, Learned]], random: Random) -> Question:
    word = random.choice(list(pairs))
    shallow, deep = pairs[word]
    a, b = round(100 * shallow.test, 1), round(100 * deep.test, 1)
    doubt = 100 * depth.doubt(shallow, deep, "test")
    texts = {"real": "more than chance: depth changed the result", "chance": "within chance: nobody can say which is "
        "better"}
    right = texts["real" if abs(b - a) > doubt else "chance"]
    return ask(f"{title(shallow).capitalize()} errs on {a:.1f} % of 10,000 test pictures, {title(deep)} on {b:.1f} "
               "%. Two "
               f"standard errors of the difference are {doubt:.1f} points. The difference is ...", right,
               few(dict.fromkeys(texts.values(), f"{abs(b - a):.1f} against {doubt:.1f} points."), right),
               f"{abs(b - a):.1f} points against {doubt:.1f}; and another first draw moves both once more.", random)


def copied(random: Random) -> Question:
    """The construction of He et al., section 1."""
    deep, shallow = random.choice(((56, 20), (110, 56), (34, 18)))
    right = "Copy the shallow one, and let the other layers pass on what they get"
    return ask(f"How can a plain network of {deep} layers do at least as well on its training pictures as one of "
               f"{shallow}?",
               right,
               {"It cannot: more layers always lose something": "A layer that passes on what it gets loses nothing.",
                "By learning its training pictures by heart": "That says nothing about why it could be **at least** as "
                                                              "good.",
                "Only with shortcuts": "Shortcuts make it easy to find; possible it is without them."},
               f"{deep - shallow} layers that do nothing are a solution by construction (He et al. 2016, section 1). "
               "That "
               "training does not find it is the degradation problem.", random)
