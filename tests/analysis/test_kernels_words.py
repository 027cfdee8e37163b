"""Words about kernels whose pattern is known before."""

import numpy as np
import pytest

from resnet_viz.analysis import kernels, kernels_patterns, kernels_words
from resnet_viz.analysis.kernels import Comparison

UPRIGHT = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], dtype=np.float32)
GREEN = np.zeros((3, 3, 3), dtype=np.float32)
GREEN[1] = 1.0


def seen(now: np.ndarray, before: np.ndarray | None) -> Comparison:
    return Comparison(before, now, np.arange(len(now))[::-1], 2.0, None if before is None else kernels.change(before, now),
                      kernels_patterns.patterns(now))


@pytest.fixture
def pair():
    """An upright grey edge and a green blob, both twice as strong as before; numbers 1 and 0."""
    now = np.stack([np.stack([UPRIGHT] * 3), GREEN])
    return seen(now, now / 2)


def test_hues_and_lines_by_name():
    named = {0: "red", 30: "orange", 60: "yellow", 120: "green", 180: "cyan", 240: "blue", 300: "magenta", 359: "red"}
    assert {hue: kernels_words.hue_name(hue) for hue in named} == named
    lines = {0: "level", 45: "rising", 90: "upright", 135: "falling", 179: "level"}
    assert {angle: kernels_words.line_name(angle) for angle in lines} == lines


def test_what_each_is_called(pair):
    length = np.linalg.norm(np.stack([UPRIGHT] * 3))
    assert kernels_words.names(pair, "Filter") == [
        f"Filter 1: norm {length:.3g}, moved 1.00 times its length, upright lines (90°), mostly light and dark",
        "Filter 0: norm 3, moved 1.00 times its length, mostly green and its opposite"]
    assert kernels_words.sentence(pair, 1) == "Norm 3, moved 1.00 times its length, mostly green and its opposite."


def test_the_finding_counts_them(pair):
    assert kernels_words.describe("conv1", pair).startswith("2 kernels of 3 x 3 of conv1: 1 oriented, 1 coloured; they moved by 1.00 of")
    assert "**1 of 2** are oriented (1 were before" in kernels_words.counted(pair)
    assert "**1** are mostly colour (1 before" in kernels_words.counted(pair)


def test_of_now_alone_and_of_one_weight():
    alone = seen(np.stack([UPRIGHT, 2 * UPRIGHT]), None)
    assert kernels_words.describe("conv1", alone).endswith("number 0 has the largest norm, 6.93.")  # it stands second
    assert "before" not in kernels_words.counted(alone)
    single = seen(np.array([[[3.0]]], dtype=np.float32), None)
    assert kernels_words.counted(single) == "" and "1 kernel of 1 x 1 of conv1;" in kernels_words.describe("conv1", single)
    assert kernels_words.names(single, "Input") == ["Input 0: norm 3"]


def test_the_wave_in_words():
    blur, = kernels_patterns.responses(np.ones((1, 3, 3)))
    assert "flat areas" in kernels_words.wave(blur)
    edge, = kernels_patterns.responses(UPRIGHT[None])
    assert kernels_words.wave(edge).startswith("stripes 4.1 pixels apart most, upright (90°")  # 33 / 8: [-1, 0, 1] has its peak at 1/4
