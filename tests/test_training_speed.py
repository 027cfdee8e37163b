"""The rows of the benchmark about training; the timings themselves are `make bench`'s to print."""

import importlib.util

import pytest
import torch

from resnet_viz import bench, training_speed

ROWS = {row[1]: row[2] for row in bench.MEASURES}


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when told so."""
    now = [0.0]
    monkeypatch.setattr(training_speed.time, "perf_counter", lambda: now[0])
    return now


def test_the_rows_are_printed_with_their_bars():
    assert ROWS[training_speed.beside_constant_batch] == "over 0.90 x" and ROWS[training_speed.beside_textbook_loop] == "over 1.4 x"
    assert sum(name.startswith("GPU: ") for name, _, _ in bench.MEASURES) == 2


def test_without_a_gpu_its_rows_say_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    said = [measure() for name, measure, _ in bench.MEASURES if name.startswith("GPU: ")]
    assert said == [{"figure": "no GPU here: not measured"}] * 2
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert training_speed.on_gpu(lambda: {"ratio": 1})() == {"ratio": 1}


def test_without_airbench_the_row_says_so(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "airbench is not installed" in training_speed.rate_beside_airbench()["figure"]


def test_the_ratio_is_theirs_over_ours_in_their_medians():
    assert training_speed._ratio([1.0, 4.0, 1.0], [2.0, 8.0, 1.0], 128) == {"ratio": 2.0, "figure": "2.00 x (128 against 64 images/s)"}


def test_seconds_of_a_step_are_the_mean(clock):
    def step(seconds):
        clock[0] += seconds

    assert training_speed._seconds(step, [1, 2, 6]) == 3


def test_both_sides_do_their_work_in_turns(monkeypatch):
    """Shortened: that the constant batch stays and ours changes, and that every step of both trains."""
    learned = []
    learn = training_speed.Update.learn

    def watched(self, batch, *rest):
        learned.append(batch.pictures.flatten()[:200].tolist())
        return learn(self, batch, *rest)

    monkeypatch.setattr(training_speed.Update, "learn", watched)
    monkeypatch.setattr(training_speed, "recipe", lambda recipe=training_speed.recipe: training_speed.replace(
        recipe(), network="resnet8", train_limit=128, batch_size=8, threads=1))
    for name, value in (("BATCH", 8), ("WARM", 1), ("PAIRS", 3)):
        monkeypatch.setattr(training_speed, name, value)
    found = training_speed.beside_constant_batch()
    assert found["ratio"] > 0 and "images/s" in found["figure"]
    ours, constant = learned[::2], learned[1::2]
    assert len(ours) == len(constant) == 4 and all(c == constant[0] for c in constant) and len({tuple(o) for o in ours}) == 4


def test_the_textbook_loop_trains_from_its_workers(monkeypatch):
    monkeypatch.setattr(training_speed, "recipe", lambda recipe=training_speed.recipe: training_speed.replace(
        recipe(), network="resnet8", train_limit=128, batch_size=8, threads=1))
    for name, value in (("BATCH", 8), ("BLOCKS", 1), ("STEPS", 2)):
        monkeypatch.setattr(training_speed, name, value)
    assert training_speed.beside_textbook_loop()["ratio"] > 0


def test_operations_are_three_times_a_forward_pass():
    """Less what the first layer need not pass back; against a convolution counted by hand."""
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, bias=False), torch.nn.Conv2d(4, 5, 1, bias=False))
    first, second = 2 * 2 * 36 * 4 * 27, 2 * 2 * 36 * 5 * 4  # 2 pictures of 8x8 -> 6x6
    assert training_speed._operations(model, torch.randn(2, 3, 8, 8)) == 2 * first + 3 * second
