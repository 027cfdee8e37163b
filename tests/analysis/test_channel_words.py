"""What is said of channels, against counting by hand."""

from collections import Counter

import numpy as np
import pytest

from resnet_viz.analysis import channel_words as words
from resnet_viz.analysis.channels import Strongest
from resnet_viz.problems import Problem

DICE = np.random.default_rng(0)
LABELS = DICE.integers(0, 4, 50)
CLASSES = ("ant", "bee", "cat", "dog")


def some(channels: int = 12, kept: int = 9) -> Strongest:
    values = -np.sort(-DICE.normal(size=(channels, kept)).astype(np.float32), axis=1)
    pictures = np.stack([DICE.permutation(50)[:kept] for _ in range(channels)])
    nothing = np.zeros_like(pictures)
    return Strongest(values, pictures, nothing, nothing, DICE.integers(0, 51, channels), 50)


def test_the_commonest_class_is_the_one_that_counting_finds():
    found = some(40)
    common, times = words.commonest(found, LABELS)
    for channel, pictures in enumerate(found.pictures):
        counted = Counter(LABELS[pictures].tolist())
        assert times[channel] == max(counted.values()) == counted[common[channel]]
        equal = [label for label, n in counted.items() if n == times[channel]]
        assert common[channel] == min(equal, key=LABELS[pictures].tolist().index)  # the one that is answered most


def test_rows_and_sentences_say_the_same():
    found = some()
    rows = words.rows(found, LABELS, CLASSES, [str(i) for i in range(12)])
    common, times = words.commonest(found, LABELS)
    assert [row["of one class"] for row in rows] == times.tolist()
    assert [row["above 0"] for row in rows] == pytest.approx((found.answered / 50).tolist())
    said = words.finding(found, LABELS, CLASSES, "conv1")
    best = int(times.argmax())
    assert f"{(times >= 5).sum()} have more than half of their 9 strongest in one class" in said
    assert f"channel {best}: {times[best]} of {CLASSES[common[best]]}" in said
    assert f"{rows[3]['strongest']:.3g}, {rows[3]['of one class']} of them in pictures of {rows[3]['commonest']}" in words.of_channel(
        found, LABELS, CLASSES, 3)
    assert words.places(found, LABELS, CLASSES, 3)[8] == f"{found.values[3, 8]:.3g} {CLASSES[LABELS[found.pictures[3, 8]]]}"


def test_silent_channels_are_counted():
    found = some()
    found.answered[:] = 7
    assert words.finding(found, LABELS, CLASSES, "a").endswith("none stays silent.")
    found.answered[[2, 5]] = 0
    assert words.silent(found) == 2 and words.finding(found, LABELS, CLASSES, "a").endswith("2 stay silent.")


def test_every_order_has_every_channel_once():
    found = some()
    for by in words.ORDERS:
        assert sorted(words.order(found, LABELS, by).tolist()) == list(range(12))
    assert words.order(found, LABELS, "strongest")[0] == found.values[:, 0].argmax()
    assert words.order(found, LABELS, "seldom")[0] == found.answered.argmin()
    times = words.commonest(found, LABELS)[1][words.order(found, LABELS, "class")]
    assert (np.diff(times) <= 0).all()
    with pytest.raises(Problem, match="Unknown order"):
        words.order(found, LABELS, "hue")
