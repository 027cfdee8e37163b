"""What is said and asked of dropout: its two scalings, how many fall silent, and its quarrel with batch norm."""

from collections.abc import Sequence

from ..number_text import percent
from . import dropout
from .dropout import INPUTS, Draws
from .learning_words import short, tex
from .variance_shift import Shift


def said(found: Draws, draw: int) -> str:
    """One draw, and the means up to it."""
    ours, slides = found.training(True)[draw], found.training(False)[draw]
    return (f"Draw {draw + 1:,}: {int(found.silenced[draw])} of {INPUTS} inputs are silenced. The neuron gives "
            f"{short(float(ours), 3)} as "
            f"PyTorch scales it, {short(float(slides), 3)} as the slides do. Mean so far: "
            f"{short(float(found.means(True)[draw]), 3)} and "
            f"{short(float(found.means(False)[draw]), 3)}; asked it gives {short(found.asked(True), 3)} and "
            f"{short(found.asked(False), 3)}.")


def story(found: Draws) -> list[str]:
    p, count = found.p, len(found.kept)
    return [
        f"While it learns, each input of the neuron is silenced with chance p = {short(p)}, anew in every step: no "
        "weight can rely on "
        "one other weight being there. When it is asked, all inputs are there.",
        "All of them are more than it is used to, so somebody has to scale. **PyTorch** divides what is left by 1 − "
        f"p = {short(1 - p)} "
        "while it learns and leaves it alone when asked (\"inverted dropout\"). **The slides** leave it alone while "
        "it learns and "
        f"multiply by {short(1 - p)} when asked. In both the mean while learning is the answer when asked: "
        f"{short(found.asked(True), 3)} in the one, {short(found.asked(False), 3)} in the other.",
        f"Over these {count:,} draws the means came to {short(float(found.means(True)[-1]), 3)} and "
        f"{short(float(found.means(False)[-1]), 3)}; a single draw is off by {short(dropout.spread(found), 3)} "
        "(standard deviation, "
        "PyTorch's scaling).",
        "It is not a fixed number that falls silent, as the slides' \"fixed-size batch\" and the lab's picture of "
        "12 connections "
        f"that become 6 suggest: each input is drawn on its own. Here it was between {int(found.silenced.min())} and "
        f"{int(found.silenced.max())} of {INPUTS}; exactly {round(INPUTS * p)} comes up in "
        f"{percent(float(dropout.chances(p)[round(INPUTS * p)]))} of the draws.",
    ]


def formulas(found: Draws, draw: int) -> list[str]:
    kept = found.kept[draw]
    terms = found.inputs * found.weights
    total = tex(float(terms[kept].sum()), 3)
    q = tex(1 - found.p)
    return [
        rf"\text{{PyTorch, learning: }} \frac{{1}}{{1 - p}} \sum_i m_i w_i x_i = \frac{{{total}}}{{{q}}} = "
        rf"{tex(float(found.training(True)[draw]), 3)} \qquad \text{{asked: }} \sum_i w_i x_i = "
        rf"{tex(found.asked(True), 3)}",
        rf"\text{{slides, learning: }} \sum_i m_i w_i x_i = {total} \qquad \text{{asked: }} (1 - p) \sum_i w_i x_i = "
        rf"{q} \cdot "
        rf"{tex(found.asked(True), 3)} = {tex(found.asked(False), 3)}",
        rf"P(k \text{{ silenced}}) = \binom{{{INPUTS}}}{{k}} p^k (1 - p)^{{{INPUTS} - k}}, \qquad \text{{mean }} "
        rf"{INPUTS}\,p = {tex(INPUTS * found.p)}",
    ]


def code(p: float) -> str:
    return (f"drop = nn.Dropout({short(p)})\n\ndrop.train()\ndrop(x)   # x * mask / (1 - {short(p)}), another mask "
            "each time\n\ndrop.eval()\n"
            "drop(x)   # x itself\n\n# as the slides do it, by hand\n"
            f"x * mask              # while learning\nx * (1 - {short(p)})       # when asked")


def rows(found: Draws) -> list[dict]:
    """Draw by draw."""
    columns = {"silenced": found.silenced, "PyTorch": found.training(True), "slides": found.training(False),
               "mean, PyTorch": found.means(True), "mean, slides": found.means(False)}
    return [{"draw": i + 1} | {name: values[i].item() for name, values in columns.items()}
            for i in range(len(found.kept))]


# The quarrel with batch norm


def shift_said(one: Shift) -> str:
    return (f"p = {short(one.p)}: the batch norm learned a variance of {short(one.trained, 3)} and meets "
            f"{short(one.asked, 3)} when dropout is off: "
            f"{percent(one.ratio)} of it. {percent(one.right)} right, {percent(one.mended)} with statistics learned "
            "without dropout.")


def shift_story(found: Sequence[Shift], where: str) -> list[str]:
    last = found[-1]
    return [
        f"**{where}**, as it was trained. Dropout is put before the second batch norm of each block, every batch "
        "norm learns its running "
        "mean and variance anew, no weight changes; then dropout is switched off, as always when a network is asked.",
        "Dropout keeps the mean of a number and adds variance. Batch norm keeps that variance in its running "
        "statistics, and divides by "
        f"it also when dropout is off. With p = {short(last.p)} it divides by a variance of {short(last.trained, 3)} "
        "where there is "
        f"{short(last.asked, 3)}: what comes out has the variance {short(last.output, 3)} instead of 1.",
        f"From block to block this adds up: {percent(found[0].right)} right without dropout, {percent(last.right)} "
        f"with p = {short(last.p)}, "
        "though dropout is off when it is asked and no weight is another. This is the variance shift of Li et al. 2019 "
        "(Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift).",
        "So put dropout behind the last batch norm (in front of the last linear layer, as the slides advise), or "
        "learn the statistics once "
        "more without it: then nothing is lost.",
    ]


def shift_formulas(one: Shift) -> list[str]:
    p = tex(one.p)
    return [r"\mathrm{Var}_{\text{learning}} = \frac{E[x^2]}{1 - p} - E[x]^2 \qquad \mathrm{Var}_{\text{asked}} = "
            r"E[x^2] - E[x]^2",
            rf"p = {p}: \quad \mathrm{{Var}}_{{\text{{learning}}}} = {tex(one.expected, 3)} \text{{ by the formula, "
            rf"}} {tex(one.trained, 3)} "
            r"\text{ learned}",
            rf" \frac{{\mathrm{{Var}}_{{\text{{asked}}}}}}{{\mathrm{{Var}}_{{\text{{learning}}}}}} = "
            rf"\frac{{{tex(one.asked, 3)}}}{{{tex(one.trained, 3)}}} = {tex(one.asked / one.trained, 3)}"]


SHIFT_CODE = """x = drop(x)        # training: variance E[x^2] / (1 - p) - E[x]^2, which bn keeps as running_var
x = bn(x)          # evaluation: drop does nothing, the variance is smaller, bn divides by the old one

# the way out: dropout behind the last batch norm
return self.fc(self.dropout(torch.flatten(self.avgpool(x), 1)))"""


def shift_rows(found: Sequence[Shift]) -> list[dict]:
    return [{"p": one.p, "variance, learned": one.trained, "variance, asked": one.asked,
             "by the formula": one.expected, "asked / learned": one.ratio,
             "variance behind": one.output, "right": one.right} for one in found]
