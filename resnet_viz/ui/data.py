"""The lesson on data: its parts, from one picture to the archive of a million, and what fine-tuning does with them."""

from . import data_fine_tuning, data_imagenet, data_picture, data_sets
from .page import problems

PARTS = {  # name on the screen -> what draws it
    "One picture": data_picture.steps,
    "Normalisations": data_picture.normalisations,
    "Data sets": data_sets.browse,
    "ImageNet": data_imagenet.way,
    "Fine-tuning": data_fine_tuning.film,
}


def show(part: str) -> None:
    with problems():
        PARTS[part]()
