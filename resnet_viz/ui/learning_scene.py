"""What each part of the lesson on learning gives: its film, and what is said under it at the frame where it rests."""

from collections.abc import Callable
from dataclasses import dataclass

from ..analysis.questions import Maker


@dataclass(frozen=True)
class Scene:
    """One part with its settings.

    film      of drawing/player.py
    story     lines of Markdown
    formula   frame -> lines of LaTeX with that frame's numbers
    code      the PyTorch lines that do it
    rows      frame by frame, for the table
    makers    frame -> questions from that frame's numbers
    note      one caption under the film; "" for none
    """

    film: dict
    story: list[str]
    formula: Callable[[int], list[str]]
    code: str
    rows: list[dict]
    makers: Callable[[int], list[Maker]]
    note: str = ""
