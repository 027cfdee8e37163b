"""Predictions against torch's own softmax and torchvision's own transforms."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from resnet_viz import checkpoints, number_text
from resnet_viz.analysis import prediction_words, predictions
from resnet_viz.checkpoints import Checkpoint
from resnet_viz.data import examples
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

PREPROCESSING = Preprocessing(32, 36, (0.49, 0.48, 0.45), (0.25, 0.24, 0.26))
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def checkpoint_of(
    network="resnet8", arguments=None, classes=NAMES, heads=(10,), preprocessing=PREPROCESSING
) -> Checkpoint:
    torch.manual_seed(0)
    model = zoo.build(network, arguments)
    with torch.no_grad():
        model.fc.weight.mul_(20)  # far from uniform, so that orders and lacks of softmax show
    return Checkpoint(network, network, arguments or {}, model.state_dict(), classes, heads, preprocessing)


@pytest.fixture(scope="module")
def photographs() -> list[Image.Image]:
    return [examples.read(example) for example in examples.examples()]


def torchs_logits(checkpoint, images):
    from torchvision.transforms import v2

    p = checkpoint.preprocessing
    prepare = v2.Compose(
        [
            v2.Resize(p.resize),
            v2.CenterCrop(p.size),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(p.mean, p.std),
        ]
    )
    with torch.no_grad():
        return checkpoints.model(checkpoint)(torch.stack([prepare(image) for image in images]))


def test_probabilities_are_torchs_softmax_of_torchvisions_pixels(photographs):
    checkpoint = checkpoint_of()
    logits = torchs_logits(checkpoint, photographs)
    found = predictions.predict(checkpoints.model(checkpoint), checkpoint, photographs)
    for row, (verdict,) in zip(logits, found):
        values, indices = row.softmax(0).sort(descending=True)
        assert [a.index for a in verdict.answers] == indices.tolist()
        assert [a.label for a in verdict.answers] == [NAMES[i] for i in indices]
        torch.testing.assert_close(torch.tensor([a.probability for a in verdict.answers]), values, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(torch.tensor(verdict.logits), row[indices], atol=1e-4, rtol=1e-4)
        assert sum(a.probability for a in verdict.answers) == pytest.approx(1, abs=1e-12)
    assert len({verdict.answers[0].probability for (verdict,) in found}) > 1  # the pictures matter


def test_each_head_has_a_softmax_of_its_own(photographs):
    heads = (5, 3, 2)
    checkpoint = checkpoint_of(arguments={"heads": list(heads)}, classes=None, heads=heads)
    logits = torchs_logits(checkpoint, photographs[:1])[0]
    verdicts = predictions.predict(checkpoints.model(checkpoint), checkpoint, photographs[:1])[0]
    assert [len(v.answers) for v in verdicts] == [5, 3, 2]
    for verdict, own, start in zip(verdicts, logits.split(heads), (0, 5, 8)):
        best = int(own.argmax())
        assert verdict.answers[0].index == start + best and verdict.answers[0].label == str(start + best)
        assert verdict.answers[0].probability == pytest.approx(float(own.softmax(0)[best]), abs=1e-5)


def test_batches_do_not_change_the_answer(photographs, monkeypatch):
    checkpoint = checkpoint_of()
    model = checkpoints.model(checkpoint)
    together = predictions.predict(model, checkpoint, photographs)
    monkeypatch.setattr(predictions, "BATCH_PIXELS", 1)
    for (one,), (other,) in zip(predictions.predict(model, checkpoint, photographs), together):
        assert one.answers[0].label == other.answers[0].label
        assert one.logits == pytest.approx(other.logits, abs=1e-4)


def test_entropy_and_margin():
    probabilities = [0.5, 0.25, 0.125, 0.125]
    verdict = predictions.Verdict(
        tuple(predictions.Answer(str(i), i, p) for i, p in enumerate(probabilities)), (3.0, 2.0, 1.0, 1.0)
    )
    wanted = torch.distributions.Categorical(torch.tensor(probabilities)).entropy().item() / math.log(2)
    assert verdict.entropy_bits == pytest.approx(wanted) == pytest.approx(1.75)
    assert verdict.margin == 0.25
    certain = predictions.Verdict((predictions.Answer("a", 0, 1.0), predictions.Answer("b", 1, 0.0)), (9.0, -9.0))
    assert certain.entropy_bits == 0 and certain.margin == 1


@pytest.mark.parametrize(
    "probabilities, word",
    [
        ([0.97, 0.02, 0.01], "Nearly certain"),
        ([0.35, 0.33, 0.32], "does not know"),
        ([0.48, 0.42, 0.10], "Torn between"),
        ([0.75, 0.15, 0.10], "Fairly sure"),
        ([0.55, 0.35, 0.10], "Leans towards"),
        ([1.0], "only one class"),
    ],
)
def test_sureness_in_words(probabilities, word):
    verdict = predictions.Verdict(
        tuple(predictions.Answer("abc"[i], i, p) for i, p in enumerate(probabilities)), tuple(probabilities)
    )
    assert word in prediction_words.sureness(verdict)


def test_percent_never_rounds_to_certainty():
    assert [number_text.percent(f).replace("\xa0", " ") for f in (0, 0.0004, 0.8312, 0.9996, 1)] == [
        "0.0 %",
        "under 0.1 %",
        "83.1 %",
        "over 99.9 %",
        "100.0 %",
    ]


def test_the_stations_of_a_picture():
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, 16:80] = (200, 100, 50)  # the middle square is one colour, what is cut away is black
    seen = predictions.what_the_network_saw(
        Image.fromarray(pixels), Preprocessing(32, 32, (0.5, 0.5, 0.5), (0.25, 0.5, 1.0))
    )
    assert seen.crop_box == (16, 0, 80, 64) and seen.original.shape == (64, 96, 3) and seen.cropped.shape == (64, 64, 3)
    assert seen.resized.shape == (32, 32, 3) and (seen.resized[5:-5, 5:-5] == (200, 100, 50)).all()
    wanted = [(v / 255 - 0.5) / s for v, s in zip((200, 100, 50), (0.25, 0.5, 1.0))]
    assert np.allclose(seen.normalised[:, 16, 16], wanted, atol=1e-5)


def test_a_grey_network_sees_grey():
    preprocessing = Preprocessing(28, 28, (0.5,), (0.5,))
    seen = predictions.what_the_network_saw(examples.read(examples.default()), preprocessing)
    assert seen.normalised.shape == (1, 28, 28) and np.ptp(seen.resized, axis=2).max() == 0


def test_of_files_answers_the_good_ones(tmp_path):
    checkpoint = checkpoint_of()
    examples.read(examples.default()).save(tmp_path / "cat.png")
    (tmp_path / "text.png").write_text("no picture")
    paths = [str(tmp_path / name) for name in ("cat.png", "text.png", "missing.png")]
    good, text, missing = predictions.of_files(checkpoint, paths, top_k=3)
    assert good["error"] is None and len(good["top"]) == 3 and set(good["top"][0]) == {"label", "index", "probability"}
    assert good["caution"] is None, "weights without a run have nothing to compare with"
    assert text == {"image": paths[1], "top": [], "caution": None, "error": text["error"]} and "not a picture" in text["error"]
    assert missing["top"] == [] and "cannot be read" in missing["error"]


def test_damaged_weights_are_a_sentence(photographs):
    checkpoint = checkpoint_of()
    checkpoint.state["fc.bias"][0] = float("nan")
    with pytest.raises(Problem, match="not finite"):
        predictions.predict(checkpoints.model(checkpoint), checkpoint, photographs[:1])


def test_the_model_is_left_as_found(photographs):
    checkpoint = checkpoint_of()
    model = checkpoints.model(checkpoint)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    predictions.predict(model, checkpoint, photographs[:1])
    assert not model.training and all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
