"""A checkpoint, a picture and a class by name -> the map, and what to say about it: the command `explain`."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .. import checkpoints
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from ..problems import Problem
from . import predictions
from .attributions import METHODS, anatomy, attribute, default_layer


@dataclass(frozen=True)
class Explanation:
    """One map, float32 [H, W], over what the network saw, uint8 [H, W, 3].

    target, probability  the class that is explained and what the network gives it; layer None where none is asked
    """

    method: str
    heat: np.ndarray
    seen: np.ndarray
    target: str
    probability: float
    layer: str | None


def index_of(checkpoint: Checkpoint, target: str) -> int:
    """The output that a class's name or number means; a name goes before a number, however it is capitalised."""
    names = [name.casefold() for name in checkpoint.classes or ()]
    places = [i for i, name in enumerate(names) if name == target.strip().casefold()]
    if len(places) > 1:
        raise Problem(f"Several classes are called {target:.60}; give the number: {' or '.join(map(str, places))}.")
    if places:
        return places[0]
    if target.strip().isdecimal() and int(target) < sum(checkpoint.heads):
        return int(target)
    known = f"one of its names, e.g. {checkpoint.classes[0]}, or " if names else ""
    raise Problem(f"{checkpoint.name} has no class {target!r:.60}; give {known}a number from 0 to "
                  f"{sum(checkpoint.heads) - 1:,}.")


def explain(checkpoint: Checkpoint, image: Image.Image, method: str, layer: str | None = None,
            target: str | None = None, progress=None) -> Explanation:
    """The map of a picture (PIL, RGB); without a target, of the class that the network itself names first."""
    model, seen = checkpoints.model(checkpoint), see(image, checkpoint.preprocessing)
    verdicts = predictions.predict(model, checkpoint, [image])[0]
    answers = {answer.index: answer for verdict in verdicts for answer in verdict.answers}
    index = verdicts[0].answers[0].index if target is None else index_of(checkpoint, target)
    heat = attribute(model, seen.tensor, method, index, layer, progress)
    of_layer = METHODS[method].of_layer
    return Explanation(method, heat, np.asarray(seen.resized.convert("RGB")), answers[index].label,
                       answers[index].probability,
                       (layer or default_layer(anatomy(model, seen.tensor))) if of_layer else None)
