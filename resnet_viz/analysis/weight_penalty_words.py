"""What is said and asked of two weights under a penalty."""

from collections.abc import Sequence
from functools import partial
from random import Random

import numpy as np

from . import weight_penalty
from .learning_words import short, tex
from .questions import Maker, Question, ask
from .weight_penalty import FAIR, STARTS, squares

SLIDES = "The slides draw it so, as if the penalty pulled the weights together."


def pair(weights, digits: int = 3) -> str:
    """(0.35, 3.15)."""
    return "(" + ", ".join(short(float(value), digits) for value in weights) + ")"


def said(now: Sequence[np.ndarray], step: int) -> str:
    """Where both paths are."""
    where = "; ".join(f"from {pair(start)} to {pair(weights)}, b² + c² = {short(squares(weights), 3)}"
                      for start, weights in zip(STARTS, now))
    return f"After {step} step{'s' * (step != 1)}: {where}." if step else (
        f"The slides' two pairs: {pair(STARTS[0])} has b² + c² = {squares(STARTS[0]):g}, {pair(STARTS[1])} has "
        f"{squares(STARTS[1]):g}.")


def finding(penalty: str, data: bool) -> str:
    """What descent does to two weights, in one sentence."""
    return {
        ("L2", False): "L2 makes both smaller by the same factor: the ratio stays, both go straight to 0.",
        ("L1", False): "L1 takes the same from both until one is 0: the difference stays as long.",
        ("L2", True): "The data hold the sum, L2 shrinks the difference: the two weights end up equal.",
        ("L1", True): "The data hold the sum, and L1 does not care how it is shared out: the difference stays.",
    }[penalty, data]


def story(penalty: str, data: bool, strength: float, rate: float, paths: Sequence[np.ndarray]) -> list[str]:
    """Sentences with the numbers of this setting."""
    factor, first = short(1 - rate * strength, 3), pair(paths[0][1], 4)
    lines = [
        f"**The slides' argument.** b² + c² is {squares(STARTS[0]):g} for {pair(STARTS[0])} and "
        f"{squares(STARTS[1]):g} for "
        f"{pair(STARTS[1])}, so L2 would prefer equal weights and pull them together. But these two pairs have "
        "different sums. "
        f"With the sum of {pair(STARTS[0])} the fair comparison is {pair(FAIR)}: {squares(FAIR):g}.",
        f"**What descent does here.** {finding(penalty, data)}",
    ]
    if not data and penalty == "L2":
        lines.append(f"Each step multiplies b and c by 1 − {short(rate)} · {short(strength)} = {factor}: "
                     f"{pair(STARTS[0])} becomes "
                     f"{pair(STARTS[0])} · {factor} = {first}. c stays {short(STARTS[0][1] / STARTS[0][0])} times b "
                     "for ever. "
                     "That is why it is called weight decay.")
    elif not data:
        lines.append(f"Each step takes {short(rate)} · {short(strength)} = {short(rate * strength, 3)} from both, "
                     "whatever their size; "
                     "a weight that arrives at 0 stays there (or jitters by one step). So L1 leaves few weights that "
                     "are not 0.")
    elif penalty == "L2":
        end = paths[0][-1]
        lines.append(f"So the picture of the slides comes true only with data that fix the sum: the sum is now "
                     f"{short(float(end.sum()), 3)}, the difference has fallen from 8 to "
                     f"{short(float(end[1] - end[0]), 3)}. It is the "
                     "difference that decays, since the data have nothing against it.")
    else:
        end = paths[0][-1]
        lines.append(f"The sum is now {short(float(end.sum()), 3)}, the difference "
                     f"{short(float(end[1] - end[0]), 3)}, as at the "
                     "beginning. Of all ways to share out a sum, L1 prefers none (as long as both are positive).")
    lines.append("In a network every weight feels the data too: those that the loss needs hold out, the others fade.")
    return lines


def formulas(penalty: str, data: bool, strength: float, rate: float, path: np.ndarray, step: int) -> list[str]:
    """The loss, its gradient and the next step of the first path."""
    b, c = (float(value) for value in path[step])
    extra = r" + (b + c - 10)^2" if data else ""
    pull = weight_penalty.gradient(path[step], penalty, strength, data)
    after = path[step] - rate * pull
    value = r"\tfrac{a}{2}\,(b^2 + c^2)" if penalty == "L2" else r"a\,(|b| + |c|)"
    slope = "a\\,b" if penalty == "L2" else r"a\,\mathrm{sign}(b)"
    more = r" + 2\,(b + c - 10)" if data else ""
    lines = [rf"L = {value}{extra}, \qquad \frac{{\partial L}}{{\partial b}} = {slope}{more}",
             rf"b \leftarrow {tex(b)} - {tex(rate)} \cdot {tex(float(pull[0]))} = {tex(float(after[0]))} \qquad "
             rf"c \leftarrow {tex(c)} - {tex(rate)} \cdot {tex(float(pull[1]))} = {tex(float(after[1]))}"]
    if penalty == "L2":
        lines.append(rf"c - b \leftarrow (1 - \eta a)\,(c - b) = {tex(1 - rate * strength)} \cdot {tex(c - b)} = "
                     rf"{tex(float(after[1] - after[0]))}")
    return lines


def code(penalty: str, data: bool, strength: float, rate: float, steps: int) -> str:
    """The same in PyTorch."""
    value = f"{strength} / 2 * w.square().sum()" if penalty == "L2" else f"{strength} * w.abs().sum()"
    more = " + (w.sum() - 10) ** 2" if data else ""
    also = f"\n\n# also: torch.optim.SGD([w], lr={rate}, weight_decay={strength})" if penalty == "L2" else ""
    return ("import torch\n\nw = torch.tensor([1.0, 9.0], requires_grad=True)\noptimizer = torch.optim.SGD([w], "
            f"lr={rate})\n"
            f"for step in range({steps}):\n    loss = {value}{more}\n    optimizer.zero_grad()\n    loss.backward()\n"
            f"    optimizer.step()\nprint(w.detach()){also}")


# Questions


def makers(penalty: str, data: bool, strength: float, rate: float, weights) -> list[Maker]:
    return [partial(decayed, strength, rate), partial(subtracted, strength, rate), fair_comparison, what_stays,
            partial(shared_out, penalty)]


def _first(right: str, wrong: dict[str, str], most: int = 3) -> dict[str, str]:
    return dict([(text, why) for text, why in wrong.items() if text != right][:most])


def decayed(strength: float, rate: float, random: Random) -> Question:
    """One step of L2 alone."""
    w = np.array([random.randint(1, 4), random.randint(5, 9)], float)
    after = weight_penalty.descend(w, "L2", strength, rate, 1, False)[1]
    mean, by = w.mean(), rate * strength
    right = pair(after, 4)
    return ask(f"(b, c) = {pair(w)}, nothing but the penalty (a / 2)(b² + c²) with a = {short(strength)}, learning "
               f"rate {short(rate)}. "
               "Where are they after one step of gradient descent?", right,
               _first(right, {pair(w + by * (mean - w), 4): f"{SLIDES} Its gradient is a · w: both shrink by the "
                                                            "same factor.",
                              pair(w - by, 4): "That is L1: the same amount from both.",
                              pair(w * (1 - 2 * by), 4): "That forgets the half: the gradient of (a / 2) w² is a w.",
                              pair(w * (1 + by), 4): "Downhill, not uphill."}),
               f"Both times 1 − {short(rate)} · {short(strength)} = {short(1 - by, 3)}.", random)


def subtracted(strength: float, rate: float, random: Random) -> Question:
    """One step of L1 alone."""
    w = np.array([random.randint(1, 4), -random.randint(5, 9)], float)
    after = weight_penalty.descend(w, "L1", strength, rate, 1, False)[1]
    right, by = pair(after, 4), rate * strength
    return ask(f"(b, c) = {pair(w)}, nothing but the penalty a (|b| + |c|) with a = {short(strength)}, learning rate "
               f"{short(rate)}. "
               "Where are they after one step?", right,
               _first(right, {pair(w * (1 - by), 4): "That is L2: the same factor for both.",
                              pair(w - by, 4): "The sign counts: a negative weight goes up, towards 0.",
                              pair(w + np.sign(w) * by, 4): "That goes away from 0."}),
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
               right, _first(right, wrong),
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
               _first(right, {pair(other, 3): f"That is what {'L1' if penalty == 'L2' else 'L2'} makes of it.",
                              pair((0, 0)): "The data hold the sum up.", pair((10, 0)): "Nothing prefers b to c."}),
               finding(penalty, True), random)
