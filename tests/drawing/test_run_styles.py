"""Styles of runs: thirty of them, told apart by colour and dash, and one curve a run."""

import numpy as np

from resnet_viz.drawing import run_styles
from resnet_viz.drawing.colours import OKABE_ITO
from resnet_viz.drawing.curves import smooth
from resnet_viz.drawing.run_styles import Lane
from resnet_viz.drawing.training import Plan


def test_thirty_styles_of_okabe_ito_colours():
    styles = [run_styles.style(number) for number in range(30)]
    assert len(set(styles)) == 30 and run_styles.style(30) == styles[0]
    for ground in (0, 1):
        assert len({(colours[ground], dash) for colours, dash in styles}) == 30
        assert {colours[ground] for colours, _ in styles} <= set(OKABE_ITO) - {"#000000", "#F0E442"}
    assert len({colours for colours, _ in styles[:6]}) == 6 and {dash for _, dash in styles[:6]} == {()}


def metrics(split, *values):
    steps = np.arange(1, len(values) + 1) * 10.0
    return {split: {"step": steps, "epoch": steps / 10, "images": steps * 32, "elapsed_s": steps, "loss": np.array(values),
                    "accuracy": np.array(values) / 10}}


def test_one_curve_a_run_with_its_own_style():
    lanes = [Lane("a", 0, metrics("val", 1.0, 2.0), Plan()), Lane("b", 7, metrics("train", 3.0, 4.0), Plan()),
             Lane("c", 8, metrics("val", 5.0), Plan())]
    found = run_styles.lines(lanes, "val", "accuracy", "images", 0.5)
    assert [line.name for line in found] == ["a", "c"] and found[0].style == "points"
    np.testing.assert_allclose(found[0].x, [320, 640])
    np.testing.assert_allclose(found[0].y, [0.1, 0.2])
    assert [(line.colours, line.dash) for line in found] == [run_styles.style(0), run_styles.style(8)]


def test_training_is_smoothed_over_what_was_measured():
    lane = Lane("b", 7, metrics("train", 3.0, 4.0, 1.0), Plan())
    raw, smoothed = run_styles.lines([lane], "train", "loss", "step", 0.5)
    np.testing.assert_allclose(raw.y, [3, 4, 1])
    np.testing.assert_allclose(smoothed.y, smooth(np.array([3.0, 4, 1]), 0.5))
    assert (raw.style, smoothed.style, smoothed.dash) == ("raw", "smooth", run_styles.style(7)[1])
    assert [line.style for line in run_styles.lines([lane], "train", "loss", "step", 0.0)] == ["smooth"]
