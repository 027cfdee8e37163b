"""A run's metrics become the right lines over every x, and an epoch's row is the mean over its pictures."""

import numpy as np
import pytest

from resnet_viz.drawing import training as drawing
from resnet_viz.drawing.training import Plan

PLAN = Plan(total_steps=20, epochs=2, batch_size=10)


def columns(**values):
    length = len(values["step"])
    return {
        name: np.array(values.get(name, [0.0] * length), dtype=float)
        for name in ("epoch", "step", "images", "loss", "accuracy", "lr", "elapsed_s")
    }


METRICS = {
    "train": columns(
        step=[1, 5, 10, 20],
        epoch=[0, 0, 0, 1],
        images=[10, 50, 100, 200],
        loss=[2.4, 2.0, 1.0, 0.5],
        accuracy=[0.1, 0.2, 0.5, 0.8],
        lr=[0.1, 0.1, 0.2, 0.05],
        elapsed_s=[1, 2, 4, 8],
    ),
    "val": columns(
        step=[10, 20], epoch=[1, 2], images=[100, 200], loss=[1.2, 0.7], accuracy=[0.4, 0.7], elapsed_s=[4, 8]
    ),
    "test": columns(step=[20], epoch=[2], images=[200], loss=[0.8], accuracy=[0.65], elapsed_s=[8]),
}


@pytest.mark.parametrize(
    "x_axis, train, val, end",
    [
        ("step", [1, 5, 10, 20], [10, 20], 20),
        ("epoch", [0.1, 0.5, 1, 2], [1, 2], 2),
        ("images", [10, 50, 100, 200], [100, 200], 200),
        ("seconds", [1, 2, 4, 8], [4, 8], None),
    ],
)
def test_lines_over_every_x(x_axis, train, val, end):
    lines = drawing.lines(METRICS, "loss", x_axis, 0.5, PLAN)
    assert [(line.name, line.style) for line in lines] == [
        ("training", "raw"),
        ("training", "smooth"),
        ("validation", "points"),
        ("test", "points"),
    ]
    np.testing.assert_allclose(lines[0].x, train)
    np.testing.assert_allclose(lines[2].x, val)
    assert (lines[0].y == METRICS["train"]["loss"]).all()
    assert drawing.x_end(x_axis, PLAN) == end


def test_without_smoothing_the_measured_line_stands_alone_and_without_rows_there_is_none():
    assert [line.style for line in drawing.lines({"train": METRICS["train"]}, "accuracy", "step", 0, PLAN)] == [
        "smooth"
    ]
    assert drawing.lines({}, "loss", "epoch", 0.6, Plan()) == []
    assert drawing.rate_line({}, "step", Plan()) == []


def test_a_changed_learning_rate_is_marked_at_its_step_on_every_x():
    events = [{"command": "pause", "value": None, "step": 3}, {"command": "lr", "value": 0.2, "step": 5}]
    assert [(mark.x, mark.text) for mark in drawing.rate_events(events, METRICS, "seconds", PLAN)] == [
        (2.0, "learning rate 0.2")
    ]


def test_guessing_is_ln_classes_and_one_over_classes():
    assert drawing.guessing("loss", 10)[0].y == pytest.approx(2.302585)
    assert drawing.guessing("accuracy", 4)[0].y == 0.25
    assert drawing.guessing("loss", None) == []


def test_an_epochs_row_weighs_by_pictures_and_names_what_was_evaluated():
    first, second = drawing.epochs_table(METRICS)
    assert first["training loss"] == pytest.approx((10 * 2.4 + 40 * 2.0 + 50 * 1.0) / 100)
    assert first["validation accuracy"] == 0.4
    assert second["validation loss"] == 0.7 and second["steps done"] == 20


def test_an_epoch_that_is_not_over_has_no_row():
    unfinished = {"train": METRICS["train"], "val": {name: values[:1] for name, values in METRICS["val"].items()}}
    assert [row["epoch"] for row in drawing.epochs_table(unfinished)] == [1]
    assert [row["epoch"] for row in drawing.epochs_table({"train": METRICS["train"]})] == [1]
