"""Landscapes as files: what is written is read, half a file and a stranger's get one sentence, nothing is unpickled."""

import io
import json
import zipfile

import numpy as np
import pytest

from resnet_viz.analysis import landscape, landscape_file
from resnet_viz.analysis.landscape import Path

from ..refusals import refused

RECIPE = {
    "checkpoint": "one",
    "network": "resnet8",
    "weights": "a",
    "data": "digits",
    "pictures": "b",
    "split": "test",
    "plane": "random",
    "images": 5,
    "heads": [10],
    "seed": 0,
    "seconds": 1.5,
    "torch": "2",
    "command": "c",
    "example": {"layer": "conv1.weight", "weights": 1.0, "drawn": 2.0},
}


def made(grid=5, **changes):
    axis = landscape.axis(grid)
    found = landscape.empty(axis, axis, RECIPE | changes)
    for place, loss in (((2, 2), 0.5), ((2, 3), np.inf), ((2, 1), np.nan), ((0, 0), 7.0)):
        landscape.with_point(found, place, loss, 0.25)
    return found


def test_what_is_written_is_read(tmp_path):
    file, path = tmp_path / "deep" / "a.npz", Path(np.arange(3), *np.random.default_rng(0).random((3, 3)))
    for one in (made(), landscape.Landscape(**{**vars(made(plane="path")), "path": path})):
        landscape_file.write(file, one)
        back = landscape_file.read(file)
        for name in landscape_file.ARRAYS:
            np.testing.assert_array_equal(getattr(back, name), getattr(one, name))
        assert back.recipe == one.recipe and (back.path is None) == (one.path is None)
        np.testing.assert_array_equal(back.finite, [[r == c and r in (0, 2) for c in range(5)] for r in range(5)])
        if one.path is not None:
            np.testing.assert_array_equal(back.path.left, path.left)
    landscape.with_point(back, (1, 1), 1.0, 0.0)  # gone on with
    assert back.done.sum() == 5 and file.stat().st_size < 4000


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with refused("cannot be written"):
        landscape_file.write(tmp_path / "file" / "a.npz", made())


def parts():
    packed = {name: getattr(made(), name) for name in landscape_file.ARRAYS}
    return packed | {"recipe": recipe_bytes(RECIPE | {"version": 1})}


def recipe_bytes(recipe):
    return np.frombuffer(json.dumps(recipe).encode(), np.uint8)


def without(name):
    return {key: value for key, value in parts().items() if key != name}


class Boom:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


HOSTILE = {
    "pickle": lambda: parts() | {"loss": np.array([Boom()], dtype=object)},
    "recipe pickled": lambda: parts() | {"recipe": np.array([Boom()], dtype=object)},
    "nothing": dict,
    "no loss": lambda: without("loss"),
    "no recipe": lambda: without("recipe"),
    "more": lambda: parts() | {"evil": np.zeros(3)},
    "text as loss": lambda: parts() | {"loss": np.array([["a"] * 5] * 5)},
    "loss too small": lambda: parts() | {"loss": np.zeros((4, 5))},
    "grid too large": lambda: {
        **{n: np.zeros((999, 999), k) for n, (k, d) in landscape_file.ARRAYS.items() if d == 2},
        "x": np.arange(999.0),
        "y": np.arange(999.0),
        "recipe": parts()["recipe"],
    },
    "axis falls": lambda: parts() | {"x": landscape.axis(5)[::-1].copy()},
    "axis without the network": lambda: parts() | {"x": np.arange(5.0) + 0.5},
    "axis NaN": lambda: parts() | {"y": np.array([-1, 0, 1, np.nan, 2])},
    "negative loss": lambda: parts() | {"loss": np.full((5, 5), -1.0)},
    "accuracy 2": lambda: parts() | {"accuracy": np.full((5, 5), 2.0)},
    "recipe is a list": lambda: parts() | {"recipe": recipe_bytes([1])},
    "recipe is no JSON": lambda: parts() | {"recipe": np.frombuffer(b"{", np.uint8)},
    "recipe too deep": lambda: parts() | {"recipe": np.frombuffer(b"[" * 60000, np.uint8)},
    "recipe with NaN": lambda: parts() | {"recipe": recipe_bytes(RECIPE | {"version": 1, "more": float("nan")})},
    "another version": lambda: parts() | {"recipe": recipe_bytes(RECIPE | {"version": 2})},
    "no heads": lambda: parts() | {"recipe": recipe_bytes(RECIPE | {"version": 1, "heads": []})},
    "checkpoint is a number": lambda: parts() | {"recipe": recipe_bytes(RECIPE | {"version": 1, "checkpoint": 3})},
    "images negative": lambda: parts() | {"recipe": recipe_bytes(RECIPE | {"version": 1, "images": -3})},
    "path missing": lambda: parts() | {"recipe": recipe_bytes(RECIPE | {"version": 1, "plane": "path"})},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_one_sentence(tmp_path, name):
    np.savez_compressed(tmp_path / "a.npz", **HOSTILE[name]())
    with refused("a.npz is no landscape"):
        landscape_file.read(tmp_path / "a.npz")


def test_no_file_no_zip_half_a_zip_and_a_bomb(tmp_path):
    landscape_file.write(tmp_path / "good.npz", made())
    data = (tmp_path / "good.npz").read_bytes()
    for content in (b"", b"PK\x03\x04", b"no zip at all", data[:-30], data[:200], np.array(3).tobytes()):
        (tmp_path / "a.npz").write_bytes(content)
        with refused("no landscape"):
            landscape_file.read(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("loss.npy", bytes(64 * 2**20))
    with refused("no landscape"):
        landscape_file.read(tmp_path / "a.npz")
    header = io.BytesIO()  # announces a petabyte
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**24, 2**24)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("loss.npy", header.getvalue())
    with refused("no landscape"):
        landscape_file.read(tmp_path / "a.npz")
    with refused("cannot be read"):
        landscape_file.read(tmp_path / "missing.npz")
