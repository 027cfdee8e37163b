"""Calibration: the parts as scikit-learn cuts them, the softmax and loss as torch has them, the best temperature
by a search."""

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve

from resnet_viz.analysis import calibration, error_words

RANDOM = np.random.default_rng(0)
SURE = RANDOM.uniform(0.3, 1, 4_000)


def test_the_parts_are_scikit_learns():
    right = RANDOM.random(len(SURE)) < SURE**2
    found = calibration.calibration(SURE, right)
    share, mean = calibration_curve(right, SURE, n_bins=calibration.BINS)
    assert np.allclose(found.accuracy[found.count > 0], share) and np.allclose(found.confidence[found.count > 0], mean)
    weights = found.count[found.count > 0] / len(SURE)
    assert found.error == pytest.approx((weights * np.abs(share - mean)).sum())
    assert found.overconfidence == pytest.approx(SURE.mean() - right.mean()) and found.overconfidence > 0.1
    assert "promises too much" in error_words.sureness(found)


def test_who_is_right_as_often_as_promised_makes_no_error():
    found = calibration.calibration(SURE, RANDOM.random(len(SURE)) < SURE)
    assert found.error < 0.04 and abs(found.overconfidence) < 0.03
    modest = calibration.calibration(np.full(100, 0.5), np.ones(100, bool))
    assert modest.error == pytest.approx(0.5) and "too modest" in error_words.sureness(modest)


def test_both_ends_belong_to_a_part():
    found = calibration.calibration(np.array([0.0, 0.1, 1.0]), np.array([False, True, True]))
    assert found.count.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 0, 1] and np.isnan(found.accuracy[1])


def test_softening_is_the_softmax_of_torch_and_keeps_the_answers():
    logits = RANDOM.normal(0, 8, (50, 5)).astype(np.float32)
    true = RANDOM.integers(0, 5, 50)
    for temperature in (0.5, 1.0, 3.0):
        scaled = torch.from_numpy(logits).double() / temperature
        assert np.allclose(calibration.softened(logits, temperature), scaled.softmax(1).numpy())
        expected = torch.nn.functional.cross_entropy(scaled, torch.from_numpy(true))
        assert calibration.loss(logits, true, temperature) == pytest.approx(float(expected))
        assert np.array_equal(calibration.softened(logits, temperature).argmax(1), logits.argmax(1))


def test_the_best_temperature_undoes_what_was_done_to_the_logits():
    logits = RANDOM.normal(0, 2, (20_000, 4))
    powers = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    true = (powers.cumsum(1) < RANDOM.random(len(powers))[:, None]).sum(1).clip(0, 3)
    assert calibration.best_temperature(logits, true) == pytest.approx(1, abs=0.05)
    found = calibration.best_temperature(2.5 * logits, true)
    assert found == pytest.approx(2.5, abs=0.12)
    grid = np.linspace(0.5, 5, 46)
    assert abs(grid[np.argmin([calibration.loss(2.5 * logits, true, t) for t in grid])] - found) <= 0.1
