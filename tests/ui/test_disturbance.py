"""The bars of the live view: which rows, in which order, and what the browser's wishes become."""

import numpy as np

from resnet_viz.analysis.predictions import Answer, Verdict
from resnet_viz.familiarity import Caution
from resnet_viz.ui import disturbance


class Network:
    title = "one"


def verdict(*shares: float) -> Verdict:
    order = sorted(range(len(shares)), key=lambda i: -shares[i])
    return Verdict(tuple(Answer(f"c{i}", i, shares[i]) for i in order), tuple(float(np.log(shares[i])) for i in order))


BEFORE = verdict(0.5, 0.2, 0.1, 0.08, 0.07, 0.05)


def test_rows_keep_their_places_while_the_bars_move():
    found = disturbance.rows(verdict(0.2, 0.5, 0.1, 0.08, 0.07, 0.05), BEFORE, 4)
    assert [row["label"] for row in found] == ["c0", "c1", "c2", "c3"]
    assert [(row["share"], row["was"], row["first"]) for row in found[:2]] == [(0.2, 0.5, False), (0.5, 0.2, True)]


def test_who_rises_gets_a_row():
    found = disturbance.rows(verdict(0.1, 0.05, 0.1, 0.05, 0.1, 0.6), BEFORE, 3)
    assert [row["label"] for row in found] == ["c0", "c1", "c5"] and found[2]["first"] and found[2]["was"] == 0.05


def test_the_caution_stands_in_the_first_answer():
    found = disturbance._answers(Network, (BEFORE, BEFORE), (BEFORE, BEFORE), Caution(9.0, 0.0, True), 1)
    assert [part["unlike"] for part in found] == [True, False] and found[0]["caution"] and not found[1]["caution"]
    assert [part["title"] for part in found] == ["Classifier 1 of 2", "Classifier 2 of 2"]


def test_few_pixels_are_sent_without_loss():
    assert disturbance._data_url(np.zeros((32, 32, 1), np.uint8)).startswith("data:image/png;base64,")
    assert disturbance._data_url(np.zeros((224, 224, 3), np.uint8)).startswith("data:image/jpeg;base64,")
