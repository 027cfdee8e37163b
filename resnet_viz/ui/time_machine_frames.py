"""All frames of the time machine as the bytes that its component reads, with the words that stand beside them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..analysis import pinned_maps, time_machine
from ..analysis.fixed_pictures import FixedPictures
from ..analysis.pinned_maps import Maps
from ..analysis.time_machine import Film, Movement
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from ..drawing import colours, tiles
from ..drawing import time_machine as drawing
from .pictures import NamedPicture

MOST_BARS, MOST_CLASSES = 20, 100  # bars of one picture's answer; classes of a confusion matrix
THUMBNAIL = 64  # pixels a side of the ten pictures


@dataclass(frozen=True)
class Reel:
    """What is looked at: kernels [frames, n, ...] of one layer in the order of show, and how far they moved.

    numbers    int64 [n]: which kernel stands at each place; movement is in that order, unordered in that of the layer
    stamp      changes when the run has a new snapshot
    """

    run: Path
    film: Film
    checkpoint: Checkpoint
    fixed: FixedPictures
    metrics: dict
    layer: str
    filter: int
    numbers: np.ndarray
    weights: np.ndarray
    movement: Movement
    unordered: Movement
    stamp: str
    scale: str
    unit: str

    @property
    def labels(self) -> np.ndarray | None:
        return self.fixed.labels

    @property
    def reads_pictures(self) -> bool:
        """Whether these are the kernels of the first convolution, each with a feature map of its own."""
        return self.layer == first_convolution(self.checkpoint)


def first_convolution(checkpoint: Checkpoint) -> str:
    return pinned_maps.first_convolution(checkpoint.network, checkpoint.arguments)[0]


def payload(reel: Reel, maps: Maps | None, map_layer: str, picture: NamedPicture | None) -> bytes:
    """All frames as the bytes that time_machine.js reads."""
    film = reel.film
    numbers, _ = drawing.whole_numbers(reel.weights)
    names = reel.checkpoint.classes or tuple(map(str, range(film.probabilities.shape[2])))
    bars, shares = _bars(film.probabilities, names, reel.labels, reel.checkpoint.heads[0])
    arrays = {
        "kernels": numbers,
        "moved": reel.movement.relative.astype(np.float32),
        "cosine": reel.movement.cosine.astype(np.float32),
        "whole": reel.movement.whole.astype(np.float32),
        "probabilities": shares,
        "diverging": colours.DIVERGING,
        "sequential": colours.SEQUENTIAL,
    }
    arrays |= {name: values.astype(np.float32) for name, values in time_machine.losses(film, reel.metrics).items()}
    for split, name in (("train", "loss"), ("val", "val")):
        rows = reel.metrics.get(split)
        seen = np.flatnonzero(rows["step"] <= film.step[-1]) if rows is not None else []
        x, y = (rows["step"][seen], rows["loss"][seen]) if rows is not None else (np.zeros(0), np.zeros(0))
        arrays[f"{name}_x"], arrays[f"{name}_y"] = drawing.thinned_curve(time_machine.places(film, x), y)
    few = film.confusion is not None and film.confusion.shape[1] <= MOST_CLASSES
    if few:
        arrays["confusion"] = np.minimum(film.confusion, 2**16 - 1).astype(np.uint16)
    if reel.fixed.images is not None:
        arrays["pictures"] = _thumbnails(reel.fixed.images)
    if maps is not None:
        arrays |= _map_arrays(reel, maps, picture)
    deep = maps is not None and not np.array_equal(maps.moments, film.step)
    head = {
        "run": reel.run.name,
        "layer": f"{reel.layer}:{reel.filter}",
        "unit": reel.unit,
        "scale": reel.scale,
        "colour": reel.weights.ndim == 5,
        "numbers": reel.numbers.tolist(),
        "first": int(time_machine.most_moved(reel.movement.relative)[0]),
        "columns": tiles.columns_for(len(reel.numbers)),
        "step": film.step.tolist(),
        "images": film.images.tolist(),
        "lr": film.lr.tolist(),
        "when": [time_machine.when(film, i) for i in range(len(film))],
        "ticks": ticks(film, reel.unit),
        "bars": bars,
        "asked": film.probabilities.shape[1],
        "labels": [names[i] for i in reel.labels] if reel.labels is not None else None,
        "classes": list(names[: film.confusion.shape[1]]) if few else [],
        "channels": maps.channels.tolist() if maps is not None else [],
        "picture": picture.name if picture else "",
        "map_moments": _moments(film, maps, deep),
        "maps_are_kernels": bool(maps is not None and not deep and reel.reads_pictures),
        "alt": {"kernels": time_machine.describe(film, reel.layer, reel.unordered)},
        "notes": _notes(reel, maps, map_layer, deep, few),
    }
    return drawing.pack(head, arrays)


def _map_arrays(reel: Reel, maps: Maps, picture: NamedPicture) -> dict[str, np.ndarray]:
    limits = np.abs(maps.maps).max(axis=(0, 2, 3))
    by = reel.film.step if np.array_equal(maps.moments, reel.film.step) else reel.film.epoch
    pixels = np.asarray(see(picture.image, reel.checkpoint.preprocessing).resized.convert("RGB"))
    return {
        "maps": drawing.colour_places(maps.maps, limits),
        "pinned": pixels,
        "map_of": pinned_maps.moment_of_frames(maps, by).astype(np.uint16),
    }


def _moments(film: Film, maps: Maps | None, deep: bool) -> list[str]:
    if maps is None:
        return []
    if not deep:
        return [time_machine.when(film, i) for i in range(len(film))]
    return [f"the end of epoch {epoch}" if epoch else "before training" for epoch in maps.moments.tolist()]


def _thumbnails(images: np.ndarray) -> np.ndarray:
    """Every so many-th pixel, so that a side has at most twice THUMBNAIL; uint8 [n, h, w, 3]."""
    every = max(1, -(-max(images.shape[1:3]) // (2 * THUMBNAIL)))
    return images[:, ::every, ::every]


def _bars(probabilities: np.ndarray, names: tuple[str, ...], labels: np.ndarray | None, classes: int):
    """(names, float32 [frames, pictures, bars]) of the first head: all classes, or of many those that matter here."""
    own = probabilities[:, :, :classes]
    if classes <= MOST_BARS:
        return list(names[:classes]), own
    peak = own.max(axis=(0, 1))
    if labels is not None:
        peak[labels] = np.inf
    kept = np.sort(np.argsort(-peak, kind="stable")[:MOST_BARS])
    return [names[i] for i in kept], own[:, :, kept]


def ticks(film: Film, unit: str) -> list[tuple[int, str]]:
    """(frame, text) under the time line: whole epochs, or the steps or images of every frame."""
    if unit == "epochs":
        ends = [i for i in range(len(film)) if film.epoch[i] and (i == 0 or film.epoch[i] != film.epoch[i - 1])]
        return [(0, "start"), *((i, f"{film.epoch[i]:,}") for i in ends)]
    values = film.step if unit == "steps" else film.images
    return [(i, f"{value:,}") for i, value in enumerate(values.tolist())]


def _notes(reel: Reel, maps: Maps | None, map_layer: str, deep: bool, few: bool) -> dict[str, str]:
    film, notes = reel.film, {}
    every = "Every snapshot takes the same room, so the first epoch, where most happens, is wide."
    notes["thinned"] = (
        every
        if film.taken == len(film)
        else (
            f"{len(film):,} of the {film.taken:,} snapshots are shown: the first and the last, the first epoch, "
            f"and the rest evenly. {every}"
        )
    )
    notes["answers"] = (
        ""
        if reel.fixed.images is not None
        else ("The pictures themselves were not kept with this run; they are the first test picture of each class.")
    )
    notes["confusion"] = (
        ""
        if few
        else (
            "No pictures were held out of the training, so there is nothing to count."
            if film.confusion is None
            else f"{film.confusion.shape[1]:,} classes are too many for a matrix on this page."
        )
    )
    notes["maps_title"] = f"Feature maps of {map_layer}"
    if maps is None:
        return notes | {"maps": "Choose a picture to follow what the layer makes of it."}
    by = "the filters that stand first above" if not deep and reel.reads_pictures else "the filters that moved most"
    which = "the channels that vary most in the last epoch" if deep else by
    shown = len(maps.channels)
    many = f"All {maps.of:,} maps" if shown == maps.of else f"{shown:,} of {maps.of:,} maps: {which}"
    told = [f"{many}. Red where the pattern is, blue where its opposite is; each map has one scale for all moments."]
    told += ["They change at the end of each epoch, when the weights were kept."] if deep else []
    told += [f"Each pixel is the mean of {maps.shrunk} × {maps.shrunk}."] if maps.shrunk > 1 else []
    return notes | {"maps": " ".join(told)}
