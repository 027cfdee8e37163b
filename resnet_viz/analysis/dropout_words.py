"""What is said and asked of dropout: its two scalings, how many fall silent, and its quarrel with batch norm."""

from collections.abc import Sequence
from functools import partial
from random import Random

from ..number_text import percent
from . import dropout
from .dropout import INPUTS, Draws
from .learning_words import short, tex
from .questions import Maker, Question, ask
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


# Questions on dropout


def makers(found: Draws, draw: int) -> list[Maker]:
    return [partial(one_input, found.p), partial(asked, found), partial(how_many, found.p), partial(spread, found)]


def _first(right: str, wrong: dict[str, str], most: int = 3) -> dict[str, str]:
    return dict([(text, why) for text, why in wrong.items() if text != right][:most])


def one_input(p: float, random: Random) -> Question:
    """What PyTorch makes of one input that is left while learning."""
    x = random.choice((0.8, 1.5, 2.0, 3.0))
    right = short(x / (1 - p), 3)
    return ask(f"`nn.Dropout({short(p)})` in **training** mode gets x = {short(x)} and does not silence it. What "
               "does it hand on?", right,
               _first(right, {short(x): "That is what the slides' dropout does; PyTorch scales while it learns.",
                              short(x * (1 - p), 3): "That is what the slides multiply by when asked; PyTorch "
                                                     "divides, and while it "
                                                     "learns.",
                              short(x / p, 3): "Divided by the chance to be **left**, 1 − p, not by p.",
                              "0": "It is not silenced.", short(x * (1 + p), 3): ""}),
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
               _first(right, {short(found.asked(slides), 3): f"That is {mistake}",
                              short(sum_ / (1 - p), 3): "Divided by 1 − p is what PyTorch does while learning.",
                              short(sum_ * p, 3): "p is the share that is silenced, not the one that is left.",
                              short(sum_ + 1, 3): ""}),
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


# The quarrel


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


def shift_makers(found: Sequence[Shift], at: int) -> list[Maker]:
    return [unit_variance, partial(ratio_of, found), partial(why_worse, found), where_to_put]


def unit_variance(random: Random) -> Question:
    """Variance in training of a number with mean 0."""
    variance, p = random.choice((1.0, 2.0, 4.0)), random.choice((0.2, 0.5, 0.75))
    right = short(variance / (1 - p), 3)
    return ask(f"Numbers with mean 0 and variance {short(variance)} go through `nn.Dropout({short(p)})` in training "
               "mode. What is their variance "
               "behind it?", right,
               _first(right, {short(variance): "The mean stays; the variance does not.",
                              short(variance * (1 - p), 3): "That is without the division by 1 − p, as the slides' "
                                                            "dropout has it.",
                              short(variance / (1 - p) ** 2, 3): "The scaling alone; but a share p of them is 0.",
                              short(variance / p + 1, 3): ""}),
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
