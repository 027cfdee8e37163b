"""The lesson on depth: gradients on their way back before anything is learned, and two depths in training."""

from . import depth_learned, depth_ways, lesson
from .page import problems

PARTS = {"Before the first step": depth_ways.scene, "In training": depth_learned.scene}


def choose_part() -> str:
    return lesson.choose_part(PARTS, "Before the first step")


def show(part: str) -> None:
    with problems():
        lesson.show("depth", part, PARTS[part]())
        if part == "In training":
            depth_learned.again()
