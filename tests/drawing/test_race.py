"""Two runs as lines on shared axes."""

from types import SimpleNamespace

import numpy as np

from resnet_viz.drawing import race
from resnet_viz.drawing.curves import smooth
from resnet_viz.drawing.training import Plan


def metrics(factor):
    step = np.arange(1.0, 6)
    columns = {"step": step, "epoch": step // 2, "images": 10 * step, "elapsed_s": step / 2,
               "loss": factor / step, "accuracy": factor * step / 20, "lr": step}
    return {"train": columns, "val": {name: values[1::2] for name, values in columns.items()}}


LANES = [("residual", metrics(1), Plan()), ("plain", metrics(2), Plan())]


def test_both_runs_have_raw_smoothed_and_validated_lines_in_their_own_colours_and_dashes():
    lines = race.lines(LANES, "loss", "step", 0.5)
    assert [(line.name, line.style) for line in lines] == [
        ("residual", "raw"), ("residual", "smooth"), ("residual, validation", "points"),
        ("plain", "raw"), ("plain", "smooth"), ("plain, validation", "points")]
    assert len({line.colours for line in lines}) == 2
    np.testing.assert_array_equal(lines[3].y, LANES[1][1]["train"]["loss"])
    np.testing.assert_allclose(lines[4].y, smooth(LANES[1][1]["train"]["loss"], 0.5))
    assert lines[1].dash != lines[4].dash, "told apart without colour"
    assert [line.style for line in race.lines(LANES, "loss", "step", 0.0)] == ["smooth", "points"] * 2
    assert race.lines([("one", {}, Plan()), LANES[0]], "loss", "step", 0.0)[0].name == "residual"


def test_what_is_compared_is_what_is_drawn():
    x, y = race.training(LANES[0][1], "accuracy", "images", 0.7, Plan())
    drawn = race.lines(LANES, "accuracy", "images", 0.7)[1]
    np.testing.assert_array_equal(x, drawn.x)
    np.testing.assert_array_equal(y, drawn.y)
    assert [len(part) for part in race.training({}, "loss", "step", 0.5, Plan())] == [0, 0]


def test_the_difference_always_has_its_zero_line():
    far = SimpleNamespace(x=np.array([1.0, 2, 3]), difference=np.array([0.5, 0.4, 0.3]))
    zero, raw, smoothed = race.difference_lines(far, far, 100.0)
    np.testing.assert_array_equal(zero.y, [0, 0])
    np.testing.assert_array_equal(zero.x, [0, 3])
    np.testing.assert_allclose(smoothed.y, [50, 40, 30])
    assert raw.style == "raw" and len(race.difference_lines(far, None)) == 2
    assert race.difference_lines(SimpleNamespace(x=np.empty(0), difference=np.empty(0)), None) == []


def test_above_the_zero_line_the_one_with_less_loss_or_more_right_answers_leads():
    assert race.zero_level(("a", "b"), "loss")[0].text == "above this line a leads"
    assert race.zero_level(("a", "b"), "accuracy")[0].text == "above this line b leads"


def test_the_first_crossing_is_marked():
    assert [event.x for event in race.crossing_events((3.0, 7.0))] == [3.0] and race.crossing_events(()) == []


def test_epochs_stand_side_by_side_as_long_as_both_have_them():
    tables = [[{"epoch": 1, "training loss": 2.0, "validation loss": 2.5}, {"epoch": 2, "training loss": 1.0}],
              [{"epoch": 1, "training loss": 3.0, "validation loss": 2.0}]]
    (row,) = race.epochs_side_by_side(("a", "b"), tables)
    assert row == {"epoch": 1, "training loss, a": 2.0, "training loss, b": 3.0, "training loss, difference": 1.0,
                   "validation loss, a": 2.5, "validation loss, b": 2.0, "validation loss, difference": -0.5}
