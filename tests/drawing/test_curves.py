"""Thinning keeps what the eye looks for, smoothing equals the plain loop, and the sentences state the finding."""

import numpy as np
import pytest

from resnet_viz.drawing import curves


def noisy(count, seed=0):
    return np.random.default_rng(seed).normal(size=count).cumsum()


@pytest.mark.parametrize("count", [1201, 1202, 2399, 2400, 10_000, 100_003])
def test_downsampling_keeps_extremes_order_and_ends(count):
    y = noisy(count)
    x = np.arange(count)
    kept = curves.downsample(x, y)
    assert len(kept) <= curves.MAX_POINTS
    assert len(kept) > curves.MAX_POINTS * 0.6
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0 and kept[-1] == count - 1
    assert {int(y.argmin()), int(y.argmax())} <= set(kept.tolist())


@pytest.mark.parametrize("where", [1, 777, 4_321, 9_997, 9_998, 9_999])
def test_a_single_spike_survives_wherever_it_is(where):
    y = np.zeros(10_000)
    y[where] = 5
    assert where in curves.downsample(np.arange(10_000), y, 100)


@pytest.mark.parametrize("count", [0, 1, 2, curves.MAX_POINTS])
def test_short_input_is_unchanged(count):
    assert curves.downsample(np.arange(count), np.zeros(count)).tolist() == list(range(count))


def test_values_that_are_not_finite_hide_no_extreme_and_leave_a_gap():
    y = noisy(10_000)
    y[3_000:6_000] = np.nan
    y[100] = np.inf
    kept = curves.downsample(np.arange(10_000), y, 200)
    finite = np.where(np.isfinite(y), y, np.nan)
    assert {int(np.nanargmin(finite)), int(np.nanargmax(finite))} <= set(kept.tolist())
    assert np.isnan(y[kept]).sum() > 20


def plain_loop(y, amount):
    state, out = 0.0, []
    for step, value in enumerate(y, start=1):
        state = amount * state + (1 - amount) * value
        out.append(state / (1 - amount**step))
    return np.array(out)


@pytest.mark.parametrize("amount", [0.001, 0.1, 0.6, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("count", [1, 7, 1000])
def test_smoothing_equals_the_plain_loop(amount, count):
    y = noisy(count)
    np.testing.assert_allclose(curves.smooth(y, amount), plain_loop(y, amount), rtol=1e-7, atol=1e-9)


def test_smoothing_nothing_changes_nothing_and_a_constant_stays():
    y = noisy(50)
    assert (curves.smooth(y, 0) == y).all()
    np.testing.assert_allclose(curves.smooth(np.full(500, 2.5), 0.97), 2.5)
    assert len(curves.smooth(np.array([]), 0.5)) == 0


def test_smoothing_steps_over_a_missing_value():
    y = np.array([1.0, np.nan, 3.0])
    smoothed = curves.smooth(y, 0.5)
    assert np.isnan(smoothed[1])
    assert smoothed[2] == pytest.approx((3 + 0.25 * 1) / 1.25)


@pytest.mark.parametrize("amount", [-0.1, 1, 2])
def test_smoothing_outside_its_range_is_refused(amount):
    with pytest.raises(ValueError):
        curves.smooth(np.zeros(3), amount)


def line(name, y, **more):
    return curves.Line(name, np.arange(1, len(y) + 1) * 10, np.array(y), ("#000000", "#ffffff"), **more)


def test_the_sentence_says_where_each_line_began_ended_and_was_best():
    text = curves.describe(
        "Loss", [line("training", [2.3, 1.0, 0.5]), line("validation", [2.0, 0.7, 0.9], style="points")], "step"
    )
    assert (
        text
        == "Loss: training falls from 2.3 to 0.5 at step 30; "
        "validation falls from 2 to 0.9 at step 30 (lowest 0.7 at step 20)."
    )


def test_the_sentence_in_percent_and_without_points_and_with_a_broken_end():
    assert "rises from 10.0 % to 90.0 %" in curves.describe("Accuracy", [line("a", [0.1, 0.9])], "epoch", percent=True)
    assert curves.describe("Loss", [], "step") == "Loss: no points yet."
    assert "no longer a number" in curves.describe("Loss", [line("a", [2.0, 1.0, np.nan])], "step")
    assert curves.describe("Loss", [line("a", [0.5])], "step") == "Loss: a is 0.5 at step 10."


def test_a_raw_line_is_not_told_twice():
    assert curves.describe("L", [line("a", [2, 1], style="raw"), line("a", [2, 1])], "step").count("a falls") == 1
