"""Words, formulas and code of a prediction: the numbers in them are the prediction's."""

import re

import pytest
import torch

from resnet_viz import checkpoints
from resnet_viz.analysis import prediction_words as words
from resnet_viz.analysis import predictions
from resnet_viz.analysis.predictions import Answer, Verdict
from resnet_viz.data import examples
from resnet_viz.data.preprocessing import Preprocessing

from .test_predictions import checkpoint_of


def verdict_of(logits: list[float]) -> Verdict:
    probabilities = torch.tensor(logits, dtype=torch.float64).softmax(0).tolist()
    return Verdict(tuple(Answer(f"c{i}", i, p) for i, p in enumerate(probabilities)), tuple(logits))


@pytest.mark.parametrize(
    "logits", [[2.0, 1.0], [5.5, 1.25, 0.5, -1.0, -2.0], [400.0, 399.0, 380.0], [0.0, -0.5, -60.0, -61.0]]
)
def test_the_formula_adds_up(logits):
    """The numbers of the last fraction give the percentage after it, to the digits that are shown."""
    text = words.softmax_formula(verdict_of(logits))
    numerator, denominator, percent = re.search(
        r"\\frac\{([^{}]*(?:\{[,0-9-]*\}[^{}]*)*)\}\{([^{}]*(?:\{[,0-9-]*\}[^{}]*)*)\} = ([\d.]+)\\,", text
    ).groups()

    def value(term: str) -> float:
        term = term.replace("{,}", "")
        if r"\cdot" in term:
            mantissa, exponent = re.match(r"([\d.]+) \\cdot 10\^\{(-?\d+)\}", term).groups()
            return float(mantissa) * 10 ** int(exponent)
        return float(term)

    assert 100 * value(numerator) / sum(map(value, denominator.split(" + "))) == pytest.approx(float(percent), abs=0.1)


@pytest.mark.parametrize(
    "arguments, heads, channels", [({}, (10,), 3), ({"heads": [5, 3], "in_channels": 1}, (5, 3), 1)]
)
def test_the_code_gives_the_same_probabilities(tmp_path, arguments, heads, channels):
    preprocessing = Preprocessing(32, 36, (0.4914, 0.4822, 0.4465)[:channels], (0.247, 0.2435, 0.2616)[:channels])
    checkpoint = checkpoint_of(arguments=arguments, classes=None, heads=heads, preprocessing=preprocessing)
    model = checkpoints.model(checkpoint)
    image = examples.read(examples.default())
    image.save(tmp_path / "cat.png")
    names = {"model": model}
    exec(words.code(preprocessing, heads, str(tmp_path / "cat.png")), names)
    parts = names["probabilities"] if len(heads) > 1 else [names["probabilities"]]
    for verdict, part in zip(predictions.predict(model, checkpoint, [image])[0], parts):
        wanted = part[0].sort(descending=True).values.tolist()
        assert [a.probability for a in verdict.answers] == pytest.approx(wanted, abs=2e-3)  # grey: another rounding


def test_the_story_tells_what_was_lost():
    image = examples.read(examples.default())  # 451 x 300
    seen = predictions.what_the_network_saw(image, Preprocessing(32, 32, (0.5,) * 3, (0.25,) * 3))
    text = " ".join(words.story(seen, [verdict_of([2.0, 1.0, 0.0])])).replace("\xa0", " ")
    assert (
        "33.5 % of the picture" in text
        and "1,024 pixels: one for every 87.9" in text
        and "3 words (c0, c1, c2)" in text
    )
    small = image.resize((16, 16))
    text = " ".join(
        words.story(predictions.what_the_network_saw(small, Preprocessing(32, 32, (0.5,) * 3, (0.25,) * 3)), [])
    )
    assert "blown up" in text and "never seen" not in text
