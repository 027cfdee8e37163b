"""The confusion matrix as colours and as a sentence, beside scikit-learn; pictures made smaller, beside Pillow."""

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix

from resnet_viz.drawing import answers, colours

CLASSES = ("cat", "dog", "ship")


@pytest.fixture
def answered():
    """(true classes, answers, their matrix counted in a loop as the trainer's rows and columns mean it)."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 500)
    said = np.where(rng.random(500) < 0.7, true, rng.integers(0, 3, 500))
    matrix = np.zeros((3, 3), int)
    for row, column in zip(true, said):
        matrix[row, column] += 1
    return true, said, matrix


def test_shares_are_those_of_scikit_learn(answered):
    true, said, matrix = answered
    np.testing.assert_allclose(answers.shares(matrix), confusion_matrix(true, said, normalize="true"))


def test_a_class_without_pictures_is_no_division_by_zero():
    assert answers.shares(np.array([[0, 0], [1, 3]])).tolist() == [[0, 0], [0.25, 0.75]]


def test_brighter_means_more_and_the_ends_of_the_scale_are_nothing_and_all():
    picture = answers.confusion_picture(np.array([[8, 0, 0], [5, 5, 0], [1, 8, 1]]))
    assert picture.shape == (3, 3, 3) and picture.dtype == np.uint8
    assert (picture[0, 0] == colours.SEQUENTIAL[-1]).all() and (picture[0, 1] == colours.SEQUENTIAL[0]).all()
    light = picture.astype(float) @ (0.2, 0.7, 0.1)
    assert light[2, 1] > light[1, 1] > light[2, 0] > light[0, 1]


def test_the_sentence_counts_and_names_the_worst_mistake():
    matrix = np.array([[90, 10, 0], [30, 70, 0], [0, 0, 100]])
    assert answers.confusion_finding(matrix, CLASSES) == (
        "300 validation pictures, 86.7 % right; most often dog is taken for cat (30.0 %)."
    )
    assert answers.confusion_finding(np.diag([5, 5, 5]), CLASSES).endswith("100.0 % right, none mistaken.")
    assert "0.0 % right" in answers.confusion_finding(np.zeros((3, 3), int), CLASSES)


def test_the_ten_answers_in_a_sentence():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0, 0, 1]])
    assert answers.picture_finding(probabilities, np.arange(3), CLASSES) == "2 of 3 are right; dog is taken for cat."
    assert answers.picture_finding(np.eye(3), np.arange(3), CLASSES) == "3 of 3 are right."
    assert answers.picture_finding(np.eye(3), None, CLASSES) == "The answers are cat, dog, ship."


@pytest.mark.parametrize("side", [32, 64, 128, 224])
def test_a_large_picture_becomes_small_as_pillow_does_it(side):
    picture = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    small = answers.thumbnail(picture)
    assert max(small.shape[:2]) <= 64
    block = side // len(small)
    theirs = np.asarray(Image.fromarray(picture).reduce(block))
    assert np.abs(small.astype(int) - theirs[: len(small), : len(small)]).max() <= 1
    if side <= 64:
        assert (small == picture).all()
