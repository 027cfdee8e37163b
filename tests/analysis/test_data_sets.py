"""Mean pictures and statistics against torch's own, and the questions and words of the lesson on data."""

import math
import re
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from resnet_viz.analysis import data_pipeline, data_questions, data_sets, data_words
from resnet_viz.data.sources import Pictures

RNG = torch.Generator().manual_seed(0)
IMAGES = torch.randint(0, 256, (60, 3, 5, 7), dtype=torch.uint8, generator=RNG)
LABELS = torch.stack([torch.randint(0, 4, (60,), generator=RNG), torch.randint(0, 2, (60,), generator=RNG)], 1)
PICTURES = Pictures(IMAGES, LABELS, ("a", "b", "c", "d", "e", "left", "right"), (5, 2), "made")
PHOTO = Image.fromarray(np.random.default_rng(1).integers(0, 256, (30, 41, 3), dtype=np.uint8))


def test_statistics_are_torchs():
    mean, std = data_sets.statistics(IMAGES)
    unit = IMAGES.double() / 255
    np.testing.assert_allclose(mean, unit.mean((0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(std, unit.std((0, 2, 3), correction=0), rtol=1e-10)
    assert data_sets.statistics(torch.full((3, 1, 2, 2), 255, dtype=torch.uint8)) == ((1.0,), (0.0,))


def test_large_data_is_summed_in_parts(monkeypatch):
    whole = data_sets.statistics(IMAGES), data_sets.mean_pictures(IMAGES, LABELS[:, 0], 5)
    monkeypatch.setattr(data_sets, "CHUNK", 300)
    assert data_sets.statistics(IMAGES) == whole[0]
    np.testing.assert_array_equal(data_sets.mean_pictures(IMAGES, LABELS[:, 0], 5), whole[1])


def test_mean_pictures_are_the_means_of_their_classes():
    found = data_sets.mean_pictures(IMAGES, LABELS[:, 0], 5)
    for label in range(4):
        expected = IMAGES[LABELS[:, 0] == label].double().mean(0).round().permute(1, 2, 0)
        np.testing.assert_array_equal(found[label], expected)
    assert (found[4] == 128).all(), "a class without pictures"
    first = data_sets.mean_pictures(IMAGES, LABELS[:, 0], 5, most=1)
    np.testing.assert_array_equal(first[2], IMAGES[LABELS[:, 0] == 2][0].permute(1, 2, 0))
    np.testing.assert_array_equal(data_sets.of_class(IMAGES, LABELS[:, 0], 2, 1)[0], first[2])


def test_summary_and_rows_of_a_head():
    found = data_sets.summary(PICTURES, 1)
    assert found.classes == ("left", "right") and found.counts == tuple(torch.bincount(LABELS[:, 1]).tolist())
    assert found.pictures == 60 and found.shape == (3, 5, 7)
    rows = data_sets.by_class(PICTURES, 0)
    assert [row["class"] for row in rows] == list("abcde") and math.isnan(rows[4]["mean"])
    assert rows[1]["std"] == pytest.approx(float((IMAGES[LABELS[:, 0] == 1].double() / 255).std(correction=0)))


def test_ever_larger_samples_come_to_the_whole():
    rows = data_sets.samples(IMAGES, (1, 10, 100))
    assert [row["pictures"] for row in rows] == [1, 10, 60]
    assert rows[-1]["mean green"] == data_sets.statistics(IMAGES)[0][1]
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    assert rows[0]["std blue"] == pytest.approx(float((IMAGES[order[0], 2].double() / 255).std(correction=0)))


@pytest.mark.parametrize("recipe", ["training", "evaluation"])
def test_the_code_that_is_shown_gives_the_tensor_that_is_shown(recipe):
    way = data_pipeline.ways(PHOTO, recipe, 3)[-1]
    space = {"picture": PHOTO}
    with torch.random.fork_rng():
        exec(data_words.code(recipe, "CIFAR-10's mean and std", way.draw.seed if way.draw else 0), space)  # noqa: S102
    np.testing.assert_array_equal(space["x"], data_pipeline.normalised(way.pixels, "CIFAR-10's mean and std"))


def test_words_have_the_numbers_of_now():
    way = data_pipeline.train(PHOTO, 5)
    assert f"{100 * way.draw.area(41, 30):.0f}\u00a0%" in data_words.said(PHOTO.size, way, "training")
    assert ("and mirrored" in data_words.said(PHOTO.size, way, "training")) == way.draw.mirrored
    byte = way.pixels[112, 112, 0]
    value = transforms.Normalize([0.485] * 3, [0.229] * 3)(transforms.ToTensor()(np.full((1, 1, 3), byte, np.uint8)))[0, 0, 0]
    assert f"= {value:.4f}" in data_words.formulas(PHOTO.size, way, "training", "ImageNet's mean and std")[-1]
    assert "349.9" in data_words.formulas(PHOTO.size, data_pipeline.evaluation(PHOTO), "evaluation", "0 to 1")[0]
    rows = data_words.normalisation_rows(way.pixels)
    assert rows[2]["mean of blue"] == pytest.approx(way.pixels[..., 2].mean() / 255, rel=1e-5) and rows[3]["from"] >= -1


# Questions


def makers():
    way = data_pipeline.train(PHOTO, 5)
    return {
        "picture": data_questions.of_a_picture(PHOTO.size, way, "ImageNet's mean and std"),
        "picture, 0 to 1": data_questions.of_a_picture((224, 224), way, "0 to 1"),
        "normalisations": data_questions.of_normalisations(way),
        "data": data_questions.of_data(data_sets.summary(PICTURES)),
        "grey data": data_questions.of_data(data_sets.Summary("grey", ("a", "b"), (1, 1), (1, 8, 8), (0.5,), (0.1,))),
        "imagenet": data_questions.of_imagenet(100.0),
        "fine-tuning": data_questions.of_fine_tuning(64, 10, 271_824),
    }


@pytest.mark.parametrize(("part", "makers"), makers().items(), ids=lambda part: part if isinstance(part, str) else "")
def test_every_question_has_a_right_and_a_wrong_answer_and_says_why(part, makers):
    assert len(makers) >= 3
    for maker in makers:
        for seed in range(60):
            question = maker(Random(seed))
            assert 2 <= len(question.options) == len(set(question.options)) and question.why
            assert question == maker(Random(seed))


def right(maker, seed: int) -> tuple[str, str]:
    question = maker(Random(seed))
    return question.text, question.options[question.right]


def test_right_answers_are_torchs():
    way = data_pipeline.train(PHOTO, 5)
    to_tensor = transforms.ToTensor()
    for seed in range(40):
        text, said = right(data_questions.of_a_picture(PHOTO.size, way, "ImageNet's mean and std")[0], seed)
        byte = int(text.split(" has ")[1].split()[0])
        mean, std = float(text.split("mean ")[2].split(",")[0]), float(text.split("deviation ")[1].split(". ")[0])
        value = transforms.Normalize([mean] * 3, [std] * 3)(to_tensor(np.full((1, 1, 3), byte, np.uint8)))[0, 0, 0]
        assert float(said) == pytest.approx(float(value), abs=6e-4)
        text, said = right(data_questions.of_a_picture(PHOTO.size, way, "0 to 1")[1], seed)
        size = [int(word.replace(",", "")) for word in text.split() if word.replace(",", "").isdecimal()]
        assert said == "{} × {}".format(*transforms.Resize(256)(Image.new("L", tuple(size[:2]))).size)


def test_right_answers_of_counting():
    for seed in range(30):
        text, said = right(data_questions.of_fine_tuning(64, 10, 271_824)[0], seed)
        classes = int(text.split("one for ")[1].split()[0])
        assert int(said.replace(",", "")) == sum(p.numel() for p in torch.nn.Linear(64, classes).parameters())
        text, said = right(data_questions.of_data(data_sets.summary(PICTURES))[2], seed)
        values = np.array([int(number) for number in re.search(r"pixels, (\d+) and (\d+),", text).groups()]) / 255
        assert said == f"mean {values.mean():.1f}, std {values.std():.1f}"
    assert data_questions.duration(data_questions.download_seconds(100)) == "4 h" and data_questions.duration(60 * 60 * 50) == "2 d 2 h"
