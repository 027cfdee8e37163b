"""What a hostile file is: how it is made, through which door it goes, and what may come of it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ANSWER, PROBLEM, EITHER = r"\Aanswer: ", r"\Aproblem: ", r"\A(answer|problem): "


@dataclass(frozen=True)
class Case:
    """One hostile file.

    make    gives its bytes, or fills the path itself (a folder) and gives None
    upload  what the person's browser calls it
    wanted  a regular expression for "answer: ..." or "problem: ..."; EITHER where damage may be harmless
    trap    whether opened without care it would run code
    """

    name: str
    door: str
    make: Callable[[], bytes] | Callable[[Path], None]
    wanted: str = PROBLEM
    upload: str = "file"
    folder: bool = False
    trap: bool = False


def problem(words: str) -> str:
    return PROBLEM + f"(?s:.*)(?:{words})"


def answer(words: str) -> str:
    return ANSWER + f"(?s:.*)(?:{words})"


def truncations(name: str, door: str, upload: str, whole: Callable[[], bytes], wanted: str = PROBLEM) -> list[Case]:
    """Cut off at every tenth."""

    def cut(tenth: int) -> Callable[[], bytes]:
        return lambda: whole()[: len(whole()) * tenth // 10]

    return [Case(f"{name} cut at {tenth}0 %", door, cut(tenth), wanted, upload) for tenth in range(10)]


def flips(name: str, door: str, upload: str, whole: Callable[[], bytes], count: int) -> list[Case]:
    """Some bytes changed, drawn by the case's own name; the last of them only near the start, where headers are."""

    def flipped(number: int) -> Callable[[], bytes]:
        def make() -> bytes:
            draw, data = random.Random(f"{name}-{number}"), bytearray(whole())
            reach = len(data) if number % 2 else min(len(data), 400)
            for _ in range(draw.choice([1, 3, 8])):
                data[draw.randrange(reach)] = draw.randrange(256)
            return bytes(data)

        return make

    return [Case(f"{name} flipped {number}", door, flipped(number), EITHER, upload) for number in range(count)]
