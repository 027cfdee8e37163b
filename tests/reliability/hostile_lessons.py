"""Landscapes and lecture plans that are none."""

import io
import json
import struct
import tempfile
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from resnet_viz.analysis import landscape, landscape_file, plan

from ..analysis.test_landscape_file import RECIPE
from . import good
from .cases import EITHER, PROBLEM, Case, answer, flips, problem, truncations

WHOLE = answer("landscape of 5 x 5, 1 points")


@lru_cache(maxsize=1)
def whole() -> bytes:
    axis = landscape.axis(5)
    found = landscape.empty(axis, axis, RECIPE)
    landscape.with_point(found, (2, 2), 0.5, 0.25)
    with tempfile.TemporaryDirectory() as folder:
        landscape_file.write(path := Path(folder) / "a.npz", found)
        return path.read_bytes()


def array(values, **how) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values), **how)
    return file.getvalue()


def announced(shape: str, kind: str = "<f8", data: bytes = bytes(64)) -> bytes:
    """An array's file whose head says what is not there."""
    head = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head + data


def recipe(**changes) -> bytes:
    return array(np.frombuffer(json.dumps({**RECIPE, "version": 1, **changes}).encode(), np.uint8))


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch evil",)


def with_members(**changes) -> bytes:
    """The good landscape with other arrays, by their names; a name it lacks is added."""
    with zipfile.ZipFile(io.BytesIO(whole())) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    return good.zipped({**members, **{f"{name}.npy": data for name, data in changes.items()}})


def landscapes() -> list[Case]:
    changes = {
        "an array of pickled objects": {"loss": lambda: array([Evil()], allow_pickle=True)},
        "a recipe that is a pickle": {"recipe": lambda: array(Evil(), allow_pickle=True)},
        "an array of 2^60 numbers": {"loss": lambda: announced("(1152921504606846976,)")},
        "an array of 4 billion numbers": {"loss": lambda: announced("(65536, 65536)")},
        "an array of a shape below 0": {"loss": lambda: announced("(-5, 5)")},
        "a shape that is a call": {"loss": lambda: announced("__import__('os').system('touch evil')")},
        "a shape 3,000 deep": {"loss": lambda: announced("(" * 3000 + ")" * 3000)},
        "an array of objects": {"loss": lambda: announced("(5, 5)", "|O", bytes(200))},
        "an array of texts": {"loss": lambda: array([["a"] * 5] * 5)},
        "an array of 10 MB of zeros": {"x": lambda: array(np.zeros(1_250_000))},
        "an array of 100 MB of zeros": {"x": lambda: array(np.zeros(12_500_000))},
        "an array that is none": {"recipe": lambda: b"{}"},
        "a head that never ends": {"loss": lambda: announced("((")},
        "an axis of NaN": {"x": lambda: array([np.nan] * 5)},
        "an axis backwards": {"x": lambda: array([2.0, 1, 0, -1, -2])},
        "a loss below 0": {"loss": lambda: array(np.full((5, 5), -1.0)), "done": lambda: array(np.ones((5, 5), bool))},
        "another array": {"evil": lambda: array([1])},
        "a way out": {"../evil": lambda: array([1])},
        "a recipe of NaN": {"recipe": lambda: recipe(seconds=float("nan"))},
        "a recipe of 5,000 digits": {
            "recipe": lambda: array(np.frombuffer(b'{"version": ' + b"9" * 5000 + b"}", np.uint8))
        },
        "a recipe 50,000 deep": {"recipe": lambda: array(np.frombuffer(b"[" * 50_000, np.uint8))},
        "a recipe of half characters": {"recipe": lambda: recipe(checkpoint="\ud800")},
        "a recipe that turns the text": {"recipe": lambda: recipe(checkpoint="\u202ex\x1b[2J")},
        "a recipe of lists of lists": {"recipe": lambda: recipe(more=[[[[]]]])},
        "a seed below 0": {"recipe": lambda: recipe(seed=-1)},
    }
    either = ("a recipe of half characters", "a recipe that turns the text")
    found = [
        Case("whole landscape", "landscape", whole, WHOLE, "l.npz"),
        *truncations("landscape", "landscape", "l.npz", whole),
        *flips("landscape", "landscape", "l.npz", whole, 8),
    ]
    return found + [
        Case(
            f"landscape with {name}",
            "landscape",
            lambda c=change: with_members(**{key: make() for key, make in c.items()}),
            EITHER if name in either else PROBLEM,
            "l.npz",
        )
        for name, change in changes.items()
    ]


def plans() -> list[Case]:
    good_plan = plan.SHIPPED.read_bytes

    def step(**changes) -> bytes:
        return json.dumps(
            {
                "resnet_viz_plan": 1,
                "title": "t",
                "steps": [{"page": "learning", "settings": "", "question": "?", "minutes": 5, **changes}],
            }
        ).encode()

    made = {
        "that is empty": (b"", PROBLEM),
        "50,000 deep": (b"[" * 50_000, PROBLEM),
        "in bytes that are no text": (b"\xff\xfe", PROBLEM),
        "of a megabyte": (b" " * 2**20, PROBLEM),
        "of half characters": (step(question="\ud800"), EITHER),
        "that turns the text": (step(question="\u202ex\x1b[2J"), EITHER),
        "of NaN minutes": (step(minutes=float("nan")), PROBLEM),
        "of true minutes": (step(minutes=True), PROBLEM),
        "of 10^400 minutes": (step(minutes=10**400), PROBLEM),
        "of a page elsewhere": (step(page="http://evil/"), PROBLEM),
        "of a page above": (step(page="../../etc/passwd"), PROBLEM),
        "whose settings lead elsewhere": (step(settings="javascript:alert(1)"), PROBLEM),
        "whose settings are many": (step(settings="&".join(f"a{n}=1" for n in range(900))), PROBLEM),
        "whose settings are half characters": (step(settings="a=\ud800"), EITHER),
        "whose settings hold a zero": (step(settings="a=%00"), PROBLEM),
        "of tags": (step(question="<script>alert(1)</script>"), answer("1 step")),
        "of 5,000 digits": (b'{"resnet_viz_plan": ' + b"9" * 5000 + b"}", PROBLEM),
        "with a key twice": (b'{"resnet_viz_plan": 1, "resnet_viz_plan": 2, "steps": []}', PROBLEM),
        "of code": (step(__class__="x"), PROBLEM),
    }
    return [
        Case("whole plan", "plan", good_plan, answer("steps"), "p.json"),
        *truncations("plan", "plan", "p.json", good_plan),
        *flips("plan", "plan", "p.json", good_plan, 8),
        *(
            Case(f"plan {name}", "plan", lambda data=data: data, wanted, "p.json")
            for name, (data, wanted) in made.items()
        ),
    ]


def cases() -> list[Case]:
    return [
        *landscapes(),
        Case(
            "landscape that is a zip of nothing", "landscape", lambda: good.zipped({}), problem("no landscape"), "l.npz"
        ),
        *plans(),
    ]
