"""What a network answers at one moment of its training: ten fixed pictures, and the confusion matrix of its classes."""

import numpy as np

from . import colours
from .curves import number


def shares(confusion: np.ndarray) -> np.ndarray:
    """Of each true class (row) the share that got each answer (column); a class without pictures is 0 throughout.

    confusion int [classes, classes] -> float64 of the same shape, in 0..1
    """
    totals = confusion.sum(axis=1, keepdims=True)
    return np.divide(confusion, totals, out=np.zeros(confusion.shape), where=totals > 0)


def confusion_picture(confusion: np.ndarray) -> np.ndarray:
    """One pixel a cell, uint8 [classes, classes, 3]: the square root of the share, so that rare mistakes are seen too."""
    return colours.unsigned(np.sqrt(shares(confusion)), 1)


def confusion_finding(confusion: np.ndarray, classes: tuple[str, ...]) -> str:
    """The matrix in a sentence: how many are right, and which class is most often taken for which other."""
    right = float(np.trace(confusion) / max(confusion.sum(), 1))
    wrong = shares(confusion)
    np.fill_diagonal(wrong, 0)
    true, said = np.unravel_index(wrong.argmax(), wrong.shape)
    start = f"{int(confusion.sum()):,} validation pictures, {number(right, percent=True)} right"
    if not wrong[true, said]:
        return f"{start}, none mistaken."
    return f"{start}; most often {classes[true]} is taken for {classes[said]} ({number(float(wrong[true, said]), percent=True)})."


def picture_finding(probabilities: np.ndarray, labels: np.ndarray | None, classes: tuple[str, ...]) -> str:
    """The ten answers in a sentence; probabilities float [pictures, classes], labels int [pictures] or None."""
    answers = probabilities.argmax(axis=1)
    if labels is None:
        return "The answers are " + ", ".join(classes[index] for index in answers) + "."
    wrong = [f"{classes[true]} is taken for {classes[said]}" for true, said in zip(labels, answers) if true != said]
    right = len(answers) - len(wrong)
    return f"{right} of {len(answers)} are right" + (f"; {', '.join(wrong)}." if wrong else ".")


def thumbnail(picture: np.ndarray, side: int = 64) -> np.ndarray:
    """At most `side` pixels in each direction, by the mean of whole blocks; uint8 [H, W, 3], smaller ones as they are."""
    block = -(-max(picture.shape[:2]) // side)
    height, width = (n // block * block for n in picture.shape[:2])
    blocks = picture[:height, :width].reshape(height // block, block, width // block, block, 3)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8)
