"""Landscapes as files: NumPy's npz with plain arrays, nothing pickled, the recipe as JSON in bytes.

A file may come from anybody: what it announces is looked at before anything is unpacked, and every number is checked.
"""

import io
import json
import zipfile
import zlib
from pathlib import Path as File
from tokenize import TokenError

import numpy as np

from .. import runs
from ..problems import Problem
from .landscape import GRIDS, Landscape, Path

VERSION = 1
MOST_BYTES = 16 * 2**20  # unpacked; the largest grid takes 1 MB
MOST_RECIPE = 2**16
MOST_MOMENTS = 10_000
TEXTS = ("checkpoint", "network", "weights", "data", "pictures", "split", "plane", "command")
COUNTS = ("images", "seed")
ARRAYS = {
    "x": (np.float64, 1),
    "y": (np.float64, 1),
    "loss": (np.float64, 2),
    "accuracy": (np.float64, 2),
    "done": (np.bool_, 2),
}
OF_A_PATH = {
    "path_epoch": (np.int64, 1),
    "path_x": (np.float64, 1),
    "path_y": (np.float64, 1),
    "path_left": (np.float64, 1),
}


def write(file: File, landscape: Landscape) -> None:
    """Replace the file as a whole: who reads it sees the old landscape or the new one. Problem where it cannot be."""
    arrays = {name: getattr(landscape, name) for name in ARRAYS}
    if landscape.path is not None:
        arrays |= {f"path_{name}": getattr(landscape.path, name) for name in ("epoch", "x", "y", "left")}
    text = json.dumps({"version": VERSION, **landscape.recipe}, allow_nan=False).encode()
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays, recipe=np.frombuffer(text, np.uint8))
    try:
        runs.write_atomic(file, packed.getvalue())
    except OSError as error:
        raise Problem(f"{file} cannot be written ({error.strerror or error}); choose another place.") from error


def read(file: File) -> Landscape:
    """The landscape in a file; Problem with one sentence for anything else."""
    try:
        data = file.read_bytes() if file.stat().st_size <= MOST_BYTES else b""
    except OSError as error:
        raise Problem(f"{file.name} cannot be read: {error.strerror or error}; choose another file.") from error
    try:
        arrays = _unpacked(data)
        recipe = _recipe(arrays.pop("recipe"))
        return _checked(arrays, recipe)
    except (
        ValueError,
        KeyError,
        TypeError,
        EOFError,
        OSError,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        SyntaxError,
        RecursionError,
        MemoryError,
        zlib.error,
        TokenError,  # what NumPy meets when it takes a broken head for one of Python 2
    ) as error:
        raise Problem(f"{file.name} is no landscape, or a damaged one; compute it again.") from error


def _unpacked(data: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        known = {f"{name}.npy" for name in (*ARRAYS, *OF_A_PATH, "recipe")}
        entries = archive.infolist()
        if len(entries) > len(known) or {entry.filename for entry in entries} - known:
            raise ValueError("other members than a landscape's")
        if sum(entry.file_size for entry in entries) > MOST_BYTES:
            raise ValueError("too large")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    if not all(isinstance(array, np.ndarray) for array in found.values()):
        raise ValueError("a member that is no array")  # NumPy gives its bytes as they are
    return found


def _recipe(bytes_: np.ndarray) -> dict:
    if bytes_.dtype != np.uint8 or bytes_.ndim != 1 or bytes_.size > MOST_RECIPE:
        raise ValueError("the recipe is no text")
    recipe = json.loads(bytes_.tobytes())
    if recipe.pop("version") != VERSION:
        raise ValueError("another version")
    heads = recipe["heads"]
    good = (
        all(isinstance(recipe[name], str) and len(recipe[name]) <= 1000 for name in TEXTS)
        and all(type(recipe[name]) is int and 0 <= recipe[name] < 2**63 for name in COUNTS)
        and type(recipe["seconds"]) in (int, float)
        and recipe["seconds"] >= 0
        and isinstance(heads, list)
        and 0 < len(heads) < 100
        and all(type(h) is int and 0 < h < 2**31 for h in heads)
        and all(_plain(value) for value in recipe.values())
        and all(map(str.isprintable, recipe))
    )
    if not good:
        raise ValueError("the recipe lacks something")
    return recipe


def _plain(value) -> bool:
    """A number, a text, or a short list or dictionary of those: JSON's own NaN and infinity are none."""
    if isinstance(value, float):
        return bool(np.isfinite(value))
    if isinstance(value, list | dict):
        parts = value.values() if isinstance(value, dict) else value
        return len(value) < 100 and all(not isinstance(part, list | dict) and _plain(part) for part in parts)
    return value is None or isinstance(value, int) or (isinstance(value, str) and value.isprintable())


def _checked(arrays: dict[str, np.ndarray], recipe: dict) -> Landscape:
    kinds = ARRAYS | (OF_A_PATH if recipe["plane"] == "path" else {})
    if set(arrays) != set(kinds):
        raise ValueError("not a landscape's arrays")
    for name, (kind, dimensions) in kinds.items():
        if arrays[name].dtype != kind or arrays[name].ndim != dimensions:
            raise ValueError(f"{name} is of another kind")
    grid = len(arrays["x"])
    if not GRIDS[0] <= grid <= GRIDS[1] or any(arrays[name].shape != (grid,) * arrays[name].ndim for name in ARRAYS):
        raise ValueError("sides that differ")
    for name in ("x", "y"):
        if not np.isfinite(arrays[name]).all() or (np.diff(arrays[name]) <= 0).any() or 0.0 not in arrays[name]:
            raise ValueError(f"{name} is no axis through 0")
    known = arrays["done"]
    share = arrays["accuracy"][known]
    if (arrays["loss"][known] < 0).any() or ((share < 0) | (share > 1)).any():
        raise ValueError("impossible losses")
    path = None
    if recipe["plane"] == "path":
        parts = [arrays.pop(name) for name in OF_A_PATH]
        if (
            not 0 < len(parts[0]) <= MOST_MOMENTS
            or len({part.shape for part in parts}) != 1
            or not all(np.isfinite(p).all() for p in parts)
        ):
            raise ValueError("no path")
        path = Path(*parts)
    return Landscape(**{name: arrays[name] for name in ARRAYS}, recipe=recipe, path=path)
