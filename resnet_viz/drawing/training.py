"""The curves of one run: the columns of metrics.jsonl as lines over a chosen x."""

from dataclasses import dataclass

import numpy as np

from .colours import BLUE, GREEN, GREY, LIGHT_GREY, ORANGE, SKY_BLUE, VERMILLION
from .curves import Event, Level, Line, smooth

Metrics = dict[str, dict[str, np.ndarray]]  # split -> column -> values, as runs.Metrics reads them

STYLES = {  # split -> name on screen, colour on light and on dark ground, dash
    "train": ("training", (BLUE, SKY_BLUE), ()),
    "val": ("validation", (VERMILLION, ORANGE), (5, 3)),
    "test": ("test", (GREEN, GREEN), ()),
}
RATE = (GREY, LIGHT_GREY)


@dataclass(frozen=True)
class Plan:
    """How long a run is going to be; None where it is not known yet."""

    total_steps: int | None = None
    epochs: int | None = None
    batch_size: int | None = None


def _epochs(columns: dict[str, np.ndarray], plan: Plan) -> np.ndarray:
    """Epochs with their fraction: the file counts finished ones, a batch in the middle belongs in the middle."""
    if plan.total_steps and plan.epochs:
        return columns["step"] * (plan.epochs / plan.total_steps)
    return columns["epoch"]


X_AXES = {  # name on screen -> function (columns, plan) -> x
    "step": lambda columns, plan: columns["step"],
    "epoch": _epochs,
    "images": lambda columns, plan: columns["images"],
    "seconds": lambda columns, plan: columns["elapsed_s"],
}


def lines(metrics: Metrics, column: str, x_axis: str, smoothing: float, plan: Plan) -> list[Line]:
    """Lines of `column`, "loss" or "accuracy".

    Training as measured (thin) and, with smoothing, averaged over it (thick); validation and test as points.
    """
    found = []
    for split, (name, colours, dash) in STYLES.items():
        if split not in metrics:
            continue
        x, y = X_AXES[x_axis](metrics[split], plan), metrics[split][column]
        if split != "train":
            found.append(Line(name, x, y, colours, "points", dash))
        elif smoothing:
            found += [Line(name, x, y, colours, "raw"), Line(name, x, smooth(y, smoothing), colours)]
        else:
            found.append(Line(name, x, y, colours))
    return found


def rate_line(metrics: Metrics, x_axis: str, plan: Plan) -> list[Line]:
    """The learning rate of the training rows."""
    if "train" not in metrics:
        return []
    return [Line("learning rate", X_AXES[x_axis](metrics["train"], plan), metrics["train"]["lr"], RATE)]


def x_end(x_axis: str, plan: Plan) -> float | None:
    """Where the x axis is going to end; None where nobody knows."""
    images = plan.total_steps * plan.batch_size if plan.total_steps and plan.batch_size else None
    return {"step": plan.total_steps, "epoch": plan.epochs, "images": images, "seconds": None}[x_axis]


def rate_events(events: list[dict], metrics: Metrics, x_axis: str, plan: Plan) -> list[Event]:
    """A mark wherever the learning rate was changed by hand.

    The events know the step; every other x is read off the training rows.
    """
    changes = [
        event for event in events if event.get("command") == "lr" and isinstance(event.get("value"), (int, float))
    ]
    if not changes or "train" not in metrics:
        return []
    steps, x = metrics["train"]["step"], X_AXES[x_axis](metrics["train"], plan)
    return [
        Event(
            float(event["step"] if x_axis == "step" else np.interp(event["step"], steps, x)),
            f"learning rate {event['value']:g}",
        )
        for event in changes
    ]


def guessing(column: str, classes: int | None) -> list[Level]:
    """What a network that knows nothing would get: the loss ln(classes), or the share 1 / classes."""
    if not classes or classes < 2:
        return []
    return [Level(float(np.log(classes)) if column == "loss" else 1 / classes, f"guessing among {classes:,} classes")]


def epochs_table(metrics: Metrics) -> list[dict]:
    """One row for each finished epoch: the mean over its training batches, and validation.

    In the mean a row of the metrics weighs as many images as it covers.
    """
    train, val = metrics.get("train"), metrics.get("val")
    if train is None:
        return []
    images = np.maximum(np.diff(train["images"], prepend=0.0), 1)
    rows = []
    for epoch in np.unique(train["epoch"]).astype(int).tolist():
        of_epoch = train["epoch"] == epoch
        row = {"epoch": epoch + 1, "steps done": int(train["step"][of_epoch][-1])}
        row |= {
            f"training {column}": float(np.average(train[column][of_epoch], weights=images[of_epoch]))
            for column in ("loss", "accuracy")
        }
        if val is not None:
            after = np.flatnonzero(val["epoch"] == epoch + 1)
            if len(after) == 0:
                break  # this one is not over
            row |= {f"validation {column}": float(val[column][after[-1]]) for column in ("loss", "accuracy")}
        rows.append(
            row | {
                "learning rate": float(train["lr"][of_epoch][-1]),
                "seconds": float(train["elapsed_s"][of_epoch][-1]),
            }
        )
    # without evaluations only the next epoch's begin says that one is over
    return rows if val is not None else rows[:-1]
