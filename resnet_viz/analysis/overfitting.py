"""Learning by heart: the loss on what was learned against the loss on what was not, and where one should have stopped.

Early stopping: keep the weights of the epoch whose loss on pictures kept back was least (Prechelt: Early Stopping - But
When?, 1998). The runs of this project keep them: best.safetensors, chosen by accuracy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..number_text import percent, plain

BY_HEART = 0.99  # of the training pictures right: learned
GAP = 1.5  # times as large a loss on pictures kept back as at its best: learned by heart

Metrics = dict[str, dict[str, np.ndarray]]  # split -> column -> values, as runs.Metrics reads them


@dataclass(frozen=True)
class Curves:
    """One run: x counts epochs, also parts of one; losses in nats, accuracies 0..1."""

    name: str
    train_x: np.ndarray
    train_loss: np.ndarray
    train_accuracy: np.ndarray
    x: np.ndarray
    loss: np.ndarray
    accuracy: np.ndarray

    @property
    def stop(self) -> int:
        """The index of the epoch with the least loss on pictures kept back."""
        return int(self.loss.argmin())

    @property
    def by_heart(self) -> bool:
        """All right on what it learned, and much worse on the rest than it once was."""
        return bool(self.train_accuracy[-1] >= BY_HEART and self.loss[-1] > GAP * self.loss[self.stop])


def curves(name: str, metrics: Metrics, pictures: int) -> Curves | None:
    """Of a run's metrics; None before its first epoch is over. pictures: how many it learns from."""
    train, val = metrics.get("train"), metrics.get("val")
    if train is None or val is None:
        return None
    return Curves(name, train["images"] / pictures, train["loss"], train["accuracy"], val["epoch"], val["loss"],
                  val["accuracy"])


@dataclass(frozen=True)
class Ended:
    """What several runs of one recipe came to, differing in the seed alone: means, and the range of the accuracies."""

    name: str
    train_loss: float
    loss: float
    accuracy: float
    least: float
    most: float
    best_loss: float
    best_accuracy: float
    stop: float
    count: int


def ended(name: str, found: Sequence[Curves]) -> Ended:
    """Ends and best moments of the runs of one recipe, averaged."""
    right = [float(one.accuracy[-1]) for one in found]
    mean = lambda values: float(np.mean(list(values)))  # noqa: E731
    return Ended(name, mean(one.train_loss[-1] for one in found), mean(one.loss[-1] for one in found), mean(right),
                 min(right), max(right), mean(one.loss[one.stop] for one in found),
                 mean(one.accuracy[one.stop] for one in found), mean(one.x[one.stop] for one in found), len(found))


def cut(one: Curves) -> Curves:
    """The same run, had it been stopped where its loss on pictures kept back was least."""
    kept = one.train_x <= one.x[one.stop]
    return Curves("early stopping", one.train_x[kept], one.train_loss[kept], one.train_accuracy[kept],
                  one.x[:one.stop + 1], one.loss[:one.stop + 1], one.accuracy[:one.stop + 1])


def finding(one: Curves) -> str:
    """What the curves show, in one sentence."""
    last = int(one.x[-1])
    if one.by_heart:
        return (f"By heart: after {last} epochs {percent(float(one.train_accuracy[-1]))} of what it learned is "
                "right, and the "
                f"loss on pictures kept back is {plain(float(one.loss[-1]))}; it was "
                f"{plain(float(one.loss[one.stop]))} after "
                f"epoch {int(one.x[one.stop])}.")
    return (f"After {last} epochs its loss is {plain(float(one.train_loss[-1]))} on what it learned and "
            f"{plain(float(one.loss[-1]))} on pictures kept back (least {plain(float(one.loss[one.stop]))}, epoch "
            f"{int(one.x[one.stop])}); {percent(float(one.accuracy[-1]))} of these are right.")


def rows(ends: Sequence[Ended]) -> list[dict]:
    """One row a recipe, for the table."""
    return [{"recipe": one.name, "loss, learned": one.train_loss, "loss, kept back": one.loss,
             "its least loss": one.best_loss, "in epoch": one.stop, "right, kept back": one.accuracy,
             "from": one.least, "to": one.most, "runs": one.count} for one in ends]


def story(shown: Sequence[Curves], ends: Sequence[Ended], pictures: int, parameters: int) -> list[str]:
    """Sentences about the curves on the screen and about all recipes."""
    base = shown[0]
    now = plain(float(base.train_loss[-1]))
    lines = [f"{pictures:,} pictures, {parameters:,} weights: there is room to store every picture, and nothing in "
             "the loss "
             "forbids it. The loss on what is learned does not tell: " + (
                 f"it falls all the way to {now}." if base.train_accuracy[-1] >= BY_HEART else f"so far it is {now}."),
             f"**{base.name.capitalize()}.** {finding(base)}"]
    if base.loss[-1] > base.loss[base.stop] and base.accuracy[-1] >= base.accuracy[base.stop]:
        lines.append("The share of right answers did not fall with it: the network has become surer, also where it is "
                     "wrong, and the loss is what being surely wrong costs.")
    lines += [f"**{one.name}.** {finding(one)}" for one in shown[1:]]
    if ends:
        lines.append(compared(ends))
    return lines


def compared(ends: Sequence[Ended]) -> str:
    """Which recipe left the least loss on pictures kept back, and what is within chance."""
    base, *cures = ends
    better = sorted((one for one in cures if one.loss < base.loss), key=lambda one: one.loss)
    said = ", ".join(f"{one.name} {plain(one.loss)}" for one in better)
    if not better:
        return f"None of the cures left a smaller loss on pictures kept back than {plain(base.loss)}."
    apart = [one.name for one in cures if one.least > base.most]
    rest = (f"In right answers {', '.join(apart)} lie above every run of the baseline." if apart else
            "In right answers the runs of all of them overlap: that difference is chance.")
    return (f"Loss on pictures kept back at the end, mean of {base.count} run{'s' * (base.count > 1)}: {base.name} "
            f"{plain(base.loss)}; {said}. {rest}")


# Formulas and code


def formulas(cure: str, shown: Sequence[Curves], config) -> list[str]:
    """What the cure adds to the loss or to a step, with the numbers of the recipe and of the curves."""
    lines = [CURE_FORMULAS[cure](config)] if cure in CURE_FORMULAS else []
    for one in shown:
        gap = float(one.loss[-1] - one.train_loss[-1])
        lines.append(rf"\text{{{one.name}: }} L_{{\text{{kept back}}}} - L_{{\text{{learned}}}} = {one.loss[-1]:.3f} - "
                     rf"{one.train_loss[-1]:.3f} = {gap:.3f}, \qquad \min_e L_{{\text{{kept back}}}}(e) = "
                     rf"{one.loss[one.stop]:.3f} \text{{ at }} e = {int(one.x[one.stop])}")
    return lines


CURE_FORMULAS = {
    "L1": lambda c: rf"L = \text{{cross-entropy}} + a \sum |w|, \quad a = {c.l1:g}",
    "L2": lambda c: (rf"w \leftarrow w\,(1 - \eta a) - \eta\,\text{{Adam}}(g) \quad \eta a = {c.lr:g} \cdot "
                     rf"{c.weight_decay:g} = {c.lr * c.weight_decay:g} \qquad \text{{(for plain descent: }} "
                     r"L + \tfrac{a}{2} \sum w^2\text{)}"),
    "dropout": lambda c: rf"x \leftarrow \frac{{m\,x}}{{1 - p}}, \quad P(m = 0) = p = {c.arguments['dropout']:g}",
    "augmentation": lambda c: (rf"x \leftarrow \text{{shift}}_{{\pm {c.crop_padding}\text{{ pixel}}}}"
                               rf"(\text{{turn}}_{{\pm {c.rotation:g}^\circ}}(x))"),
    "early stopping": lambda c: r"w = w_{e^*}, \quad e^* = \arg\min_e L_{\text{kept back}}(e)",
}
CODE = {
    "none": "optimizer = torch.optim.AdamW(model.parameters(), lr=0.003, weight_decay=0)",
    "L1": "penalty = sum(w.abs().sum() for w in model.parameters() if w.ndim > 1)\nloss = F.cross_entropy(model(x), "
          "y) + a * penalty",
    "L2": "torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=a)  # beside the gradient's own scale\n"
          "torch.optim.SGD(model.parameters(), lr=lr, weight_decay=a)    # as a / 2 times the sum of squares in the "
          "loss",
    "dropout": "x = torch.flatten(self.avgpool(x), 1)\nreturn self.fc(self.dropout(x))  # self.dropout = "
               "nn.Dropout(0.5)",
    "augmentation": "transforms.Compose([transforms.RandomRotation(10), transforms.RandomCrop(8, padding=1)])",
    "early stopping": "if loss_kept_back < best:\n    best, weights = loss_kept_back, "
                      "copy.deepcopy(model.state_dict())\n"
                      "...\nmodel.load_state_dict(weights)",
}
