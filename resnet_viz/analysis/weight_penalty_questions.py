"""Questions on what L1 and L2 do to weights."""

from functools import partial
from random import Random

import numpy as np

from . import weight_penalty
from .learning_words import short
from .questions import Maker, Question, ask, few
from .weight_penalty_words import SLIDES, finding, pair


def makers(penalty: str, data: bool, strength: float, rate: float, weights) -> list[Maker]:
    return [partial(decayed, strength, rate), partial(subtracted, strength, rate), fair_comparison, what_stays,
            partial(shared_out, penalty)]


def decayed(strength: float, rate: float, random: Random) -> Question:
    """One step of L2 alone."""
    w = np.array([random.randint(1, 4), random.randint(5, 9)], float)
    after = weight_penalty.descend(w, "L2", strength, rate, 1, False)[1]
    mean, by = w.mean(), rate * strength
    right = pair(after, 4)
    return ask(f"(b, c) = {pair(w)}, nothing but the penalty (a / 2)(b² + c²) with a = {short(strength)}, learning "
               f"rate {short(rate)}. "
               "Where are they after one step of gradient descent?", right,
               few({pair(w + by * (mean - w), 4): f"{SLIDES} Its gradient is a · w: both shrink by the "
                                                            "same factor.",
                              pair(w - by, 4): "That is L1: the same amount from both.",
                              pair(w * (1 - 2 * by), 4): "That forgets the half: the gradient of (a / 2) w² is a w.",
                              pair(w * (1 + by), 4): "Downhill, not uphill."}, right),
               f"Both times 1 − {short(rate)} · {short(strength)} = {short(1 - by, 3)}.", random)


def subtracted(strength: float, rate: float, random: Random) -> Question:
    """One step of L1 alone."""
    w = np.array([random.randint(1, 4), -random.randint(5, 9)], float)
    after = weight_penalty.descend(w, "L1", strength, rate, 1, False)[1]
    right, by = pair(after, 4), rate * strength
    return ask(f"(b, c) = {pair(w)}, nothing but the penalty a (|b| + |c|) with a = {short(strength)}, learning rate "
               f"{short(rate)}. "
               "Where are they after one step?", right,
               few({pair(w * (1 - by), 4): "That is L2: the same factor for both.",
                              pair(w - by, 4): "The sign counts: a negative weight goes up, towards 0.",
                              pair(w + np.sign(w) * by, 4): "That goes away from 0."}, right),
               f"Each moves by {short(rate)} · {short(strength)} = {short(by, 3)} towards 0.", random)


def fair_comparison(random: Random) -> Question:
    """The slides' pair has another sum."""
    b, c = random.choice(((1, 9), (2, 8), (1, 7), (3, 9)))
    half = (b + c) / 2
    right = short(2 * half**2)
    wrong = {"41": "That is the slides' (4, 5): its sum is 9, not 10."} if (b, c) == (1, 9) else {}
    wrong |= {short((half - 1) ** 2 + half**2): "Another sum: one less.", short(b * b + c * c): "That is the pair "
        "itself.",
              short((b + c) ** 2): "That is the square of the sum."}
    return ask(f"b² + c² of ({b}, {c}) is {b * b + c * c}. What is it for two **equal** weights with the same sum?",
               right, few(wrong, right),
               f"({short(half)}, {short(half)}): {right}. The slides set (4, 5) with 41 beside (1, 9) with 82.", random)


def what_stays(random: Random) -> Question:
    penalty = random.choice(("L1", "L2"))
    texts = {"L2": "their ratio", "L1": "their difference"}
    other = texts["L1" if penalty == "L2" else "L2"]
    return ask(f"Two positive weights, nothing but {penalty} and gradient descent. What stays the same from step to "
               "step (as long as "
               "both are above 0)?", texts[penalty],
               {other: f"That is {'L1' if penalty == 'L2' else 'L2'}.", "their sum": "Both shrink, so does the sum.",
                "their mean": f"It shrinks with them. {SLIDES}"},
               "L2 multiplies both by the same factor; L1 takes the same amount from both.", random)


def shared_out(penalty: str, random: Random) -> Question:
    """Beside data that fix the sum."""
    b, c = random.choice(((1, 9), (2, 8), (3, 7)))
    end = weight_penalty.descend((b, c), penalty, 0.2, 0.1, 400, True)[-1]
    right = pair(end, 3)
    other = weight_penalty.descend((b, c), "L1" if penalty == "L2" else "L2", 0.2, 0.1, 400, True)[-1]
    return ask(f"The loss is (b + c − 10)² plus {penalty} with a = 0.2. Descent with rate 0.1 begins at ({b}, {c}). "
               "About where does it "
               "end?", right,
               few({pair(other, 3): f"That is what {'L1' if penalty == 'L2' else 'L2'} makes of it.",
                              pair((0, 0)): "The data hold the sum up.", pair((10, 0)): "Nothing prefers b to c."}, right),
               finding(penalty, True), random)
