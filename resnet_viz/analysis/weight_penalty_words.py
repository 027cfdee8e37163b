"""What is said and asked of two weights under a penalty."""

from collections.abc import Sequence

import numpy as np

from . import weight_penalty
from .learning_words import short, tex
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
