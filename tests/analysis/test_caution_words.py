"""The caution in words and in the table: with this picture's and this run's own numbers."""

import numpy as np
import pytest
import torch

from resnet_viz import checkpoints, familiarity
from resnet_viz.analysis import prediction_words as words
from resnet_viz.analysis import predictions
from resnet_viz.analysis.predictions import Answer, Verdict
from resnet_viz.data import examples
from resnet_viz.data.preprocessing import see
from resnet_viz.familiarity import Caution, Familiarity

FAMILIAR = Familiarity({"a": 2, "b": 2}, np.zeros(4), np.zeros(8), np.ones((2, 2)), np.zeros(700), 2.5, 0.042, 500,
                       {"noise": 1.0, "text": 0.85}, "x")
VERDICT = Verdict((Answer("cat", 1, 0.75), Answer("dog", 0, 0.25)), (2.0, 0.9))


def plain(text: str) -> str:
    return text.replace("\xa0", " ").replace("\u2212", "-")


@pytest.mark.parametrize(("caution", "said"), [
    (Caution(3.0, 0.031, True), "Unlike anything it learned from: only 3.1 % of the validation pictures"),
    (Caution(9.0, 0.0, True), "none of the validation pictures"),
    (Caution(0.5, 0.6, False), "Nothing strange: 60.0 % of the validation pictures"),
])
def test_a_warning_says_how_many_are_as_strange(caution, said):
    assert said in plain(words.warning(caution))


def test_the_story_gives_value_threshold_false_alarms_and_catches():
    (line,) = words.caution_story(Caution(-0.07, 0.9, False), FAMILIAR)
    for said in ("2 convolutions", "-0.07", "2.50", "700 validation pictures", "Of 500 test pictures 4.2 %", "noise 100.0 %",
                 "text 85.0 %"):
        assert said in plain(line)
    assert words.caution_story(None, None) == [words.NO_CAUTION]
    assert "for nothing" not in words.reliability(Familiarity(**{**vars(FAMILIAR), "false_alarms": None}))


def test_the_formula_has_the_right_sign():
    assert "= 3.00 > 2.50" in words.strangeness_formula(Caution(3.0, 0.03, True), FAMILIAR)
    assert r"= 1.00 \le 2.50" in words.strangeness_formula(Caution(1.0, 0.3, False), FAMILIAR)


def test_the_table_has_entropy_margin_and_caution():
    known, unknown = predictions.table(["a.png", "b.png"], [((VERDICT,), Caution(3.0, 0.01, True)), ((VERDICT,), None)])
    assert known["picture"] == "a.png" and (known["class"], known["second"]) == ("cat", "dog")
    assert known["margin"] == 0.5 and known["entropy, bits"] == pytest.approx(0.8113, abs=1e-4)
    assert (known["caution"], known["as strange"]) == (True, 0.01)
    assert "caution" not in unknown and "as strange" not in unknown
    (heads,) = predictions.table(["a.png"], [((VERDICT, VERDICT), None)])
    assert heads["class 1"] == heads["class 2"] == "cat" and "class" not in heads


def test_caution_and_answer_of_one_pass_are_those_of_two():
    checkpoint = checkpoints.read(checkpoints.find("resnet20-cifar10-jpeg"))
    model, familiar = checkpoints.model(checkpoint), familiarity.of(checkpoint)
    images = [examples.read(examples.find(name)) for name in ("cat", "rocket")]
    both = predictions.answers(model, checkpoint, images, familiar)
    assert [verdicts for verdicts, _ in both] == predictions.predict(model, checkpoint, images)
    inputs = torch.cat([see(image, checkpoint.preprocessing).tensor for image in images])
    found = familiarity.strangeness(model, inputs, familiar)
    assert [caution.strangeness for _, caution in both] == pytest.approx(found.tolist())
    assert [caution.unlike for _, caution in both] == (found > familiar.threshold).tolist() == [False, True]
