"""Two curves against each other: the difference, the crossings and the sentences, against cases worked out by hand."""

import numpy as np
import pytest

from resnet_viz.analysis import race

NAMES = ("residual", "plain")


def rows(**columns):
    length = len(next(iter(columns.values())))
    return {name: np.asarray(columns.get(name, np.arange(length)), dtype=float)
            for name in ("epoch", "step", "images", "loss", "accuracy", "lr", "elapsed_s")}


def test_the_difference_is_second_minus_first_on_the_denser_x_of_the_common_stretch():
    found = race.compare([0, 10, 20, 30], [4, 3, 2, 1], [5, 25], [10, 30])
    np.testing.assert_array_equal(found.x, [10, 20])
    np.testing.assert_allclose(found.difference, [15 - 3, 25 - 2])
    assert found.crossings == ()


def test_straight_lines_cross_where_geometry_says():
    x = np.arange(100.0)
    found = race.compare(x, 10 - 0.1 * x, x, 5 + 0.13 * x)  # 10 - 0.1 x = 5 + 0.13 x
    assert found.crossings == (pytest.approx(5 / 0.23),)
    back = race.compare(x, 5 + 0.13 * x, x, 10 - 0.1 * x)
    assert back.crossings == found.crossings


def test_a_sine_crosses_zero_at_its_roots():
    x = np.linspace(0.5, 9.0, 2000)
    found = race.compare(x, np.zeros(2000), x, np.sin(x))
    np.testing.assert_allclose(found.crossings, [np.pi, 2 * np.pi], atol=1e-5)


def test_jitter_is_no_crossing_and_the_last_change_of_sign_counts():
    lasting = race.LASTING
    difference = [1.0] * lasting + [-1, 1, -1, 1] + [-1.0] * lasting
    x = np.arange(len(difference))
    found = race.compare(x, np.zeros(len(x)), x, difference)
    assert found.crossings == (lasting + 3.5,)
    short = [1.0] * lasting + [-1.0] * (lasting - 1) + [1.0] * lasting
    x = np.arange(len(short))
    assert race.compare(x, np.zeros(len(x)), x, short).crossings == ()


def test_equal_beginnings_are_no_lead():
    difference = [0.0] * 10 + [0.5] * 10
    x = np.arange(20)
    assert race.compare(x, np.zeros(20), x, difference).crossings == ()


@pytest.mark.parametrize("empty", [([], []), ([1.0], [np.nan])])
def test_without_points_there_is_nothing_to_compare(empty):
    found = race.compare(*empty, [1, 2], [3, 4])
    assert len(found.x) == 0 and found.crossings == ()
    assert "Too few points" in race.finding("loss", NAMES, found, "step")


def test_points_that_are_no_numbers_are_left_out():
    x = np.arange(20.0)
    y = np.where(x == 7, np.nan, x)
    assert np.isfinite(race.compare(x, y, x, x + 1).difference).all()


def test_the_finding_says_who_leads_by_how_much_and_since_when():
    x = np.arange(1000.0)
    found = race.compare(x, 2 - x / 1000, x, 1.5 - x / 4000)  # crosses at 666.67, ends at 1.001 against 1.25
    said = race.finding("loss", NAMES, found, "step")
    assert said.startswith("**residual** is ahead of **plain** at step 999: its training loss is 0.25 lower.")
    assert said.endswith("The curves cross first at step 667.")
    upside = race.compare(x, x / 2000, x, x / 1000)
    said = race.finding("accuracy", NAMES, upside, "epoch")
    assert said == ("**plain** is ahead of **residual** at epoch 999.0: its training accuracy is 50.0 percentage points"
                    " higher. The lead has not changed hands.")
    assert race.finding("loss", NAMES, race.compare(x, x, x, x), "images").startswith("Both have the same training loss")


def test_the_story_says_what_was_measured():
    metrics = tuple(
        {"train": rows(epoch=[0, 0, 1, 1], images=[10, 20, 30, 40], loss=[2, 1.5, *loss]),
         "val": rows(epoch=[1, 2], loss=loss, accuracy=accuracy), "test": rows(accuracy=[accuracy[-1]])}
        for loss, accuracy in (([1.0, 0.8], [0.5, 0.7]), ([1.4, 1.2], [0.62, 0.6])))
    depth = {"depth": ("20 layers", "56 layers")}
    said = "\n".join(race.story(("20 layers", "56 layers"), depth, metrics))
    assert "One thing differs. depth: 20 layers against 56 layers." in said and "the order of the pictures" in said
    assert "20 layers came to 70.0\u00a0% right, 56 layers to 62.0\u00a0%" in said and "8.0 percentage points apart" in said
    assert "(56 layers) has the higher loss on its own training pictures too: that is not overfitting" in said
    assert "70.0\u00a0% for 20 layers, 60.0\u00a0% for 56 layers" in said
    other = "\n".join(race.story(NAMES, depth, metrics[::-1]))
    assert "no degradation here" in other
    assert "degradation" not in "\n".join(race.story(NAMES, {**depth, "seed": ("seed 0", "seed 1")}, metrics))


@pytest.mark.parametrize(("differs", "said"), [
    ({}, "the very same recipe"),
    ({race.UNREADABLE: ("", "")}, "cannot be read here"),
    ({"seed": ("seed 0", "seed 1")}, "this much is chance"),
    ({"weight decay (l2)": ("weight decay (l2): 0.1", "weight decay (l2): 0.0")}, "weight decay (l2): 0.1 against 0.0."),
    ({"a": ("1", "2"), "b": ("3", "4")}, "differ in 2 things, so nobody can say which of them decides: a, b."),
])
def test_what_differs_is_said_as_it_is(differs, said):
    assert said in race.story(NAMES, differs, ({}, {}))[0]


def test_other_pictures_have_no_common_order():
    said = race.story(NAMES, {"held out for validation": ("0.1", "0.2")}, ({}, {}))[0]
    assert "order of the pictures" not in said


def test_formulas_fit_the_switch_and_hold_the_last_numbers():
    x = np.arange(10.0)
    compared = race.compare(x, 2 - x / 10, x, 2 - x / 20)
    said = race.formulas({"shortcuts": ("residual", "plain")}, compared, "step")
    assert said[1] == r"\Delta(\text{step 9}) = 1.550 - 1.100 = 0.450"
    assert "F(x) + x" in said[2] and "first: residual; second: plain" in said[2]
    assert len(race.formulas({}, race.compare([], [], x, x), "step")) == 1
