"""The parts of pictures that excite one channel of a layer most: one pass, one number a picture kept."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..data.preprocessing import Preprocessing, enlarge, normalise
from ..problems import one_of
from .as_found import evaluating
from .receptive_field import Sides

BATCH_PIXELS = 64 * 64**2  # of the pictures that go through the network at once
CUTS = {32: 8, 64: 4}  # squares along a photograph's shorter side for networks of at most so many pixels; larger ones take 2


@dataclass(frozen=True)
class Patch:
    """What one unit sees. picture: its index; value: what the unit says; pixels: uint8 [h, w, C], cut at the border."""

    picture: int
    value: float
    pixels: np.ndarray


class _Reached(Exception):
    """The layer has answered; what comes after it is not needed."""


def best_patches(model: nn.Module, images: Tensor, preprocessing: Preprocessing, layer: str, channel: int, field: Sides,
                 count: int = 9, progress: Callable[[int, int], None] | None = None) -> list[Patch]:
    """The `count` strongest answers of a channel, at most one a picture, the strongest first.

    images    uint8 [N, C, H, H], as many channels as the network takes, at most of its size
    field     what a unit of the layer sees, from analysis.receptive_field
    progress  called with (done, all) pictures; what it raises ends the work
    The model is left as it was found.
    """
    module = dict(model.named_modules())[one_of("layer", layer, dict(model.named_modules()))]
    answers = []

    def keep(module, inputs, output):
        answers.append(output[:, channel].detach().clone())
        raise _Reached

    found, size = [], preprocessing.size
    step = max(1, BATCH_PIXELS // size**2)
    with evaluating(model), torch.no_grad():
        module.register_forward_hook(keep)  # taken off by `evaluating`
        for start in range(0, len(images), step):
            batch = normalise(enlarge(images[start:start + step], size), preprocessing)
            try:
                model(batch)
            except _Reached:
                maps = answers.pop()
            flat = maps.reshape(len(maps), -1)
            found += [(float(value), start + i, divmod(int(at), maps.shape[-1] if maps.ndim == 3 else 1))
                      for i, (value, at) in enumerate(zip(*flat.max(dim=1)))]
            found = sorted(found, key=lambda one: (-one[0], one[1]))[:count]
            if progress:
                progress(min(start + step, len(images)), len(images))
    return [Patch(picture, value, _cut(enlarge(images[picture:picture + 1], size)[0], at, field)) for value, picture, at in found]


def _cut(image: Tensor, at: tuple[int, int], field: Sides) -> np.ndarray:
    """What the unit at (row, column) sees of a picture [C, H, W] -> [h, w, C]."""
    (top, bottom), (left, right) = (
        (max(0, side.start + place * side.jump), min(length, side.start + place * side.jump + side.size))
        for side, place, length in zip(field, at, image.shape[1:]))
    return image[:, top:bottom, left:right].permute(1, 2, 0).numpy()


def squares(photographs: list, size: int) -> Tensor:
    """Photographs (PIL, RGB) cut into squares of `size` pixels without overlap: uint8 [N, 3, size, size]."""
    cuts = next((cuts for limit, cuts in CUTS.items() if size <= limit), 2)
    found = []
    for photograph in photographs:
        scale = cuts * size / min(photograph.size)
        pixels = np.asarray(photograph.resize([max(cuts * size, round(side * scale)) for side in photograph.size]))
        rows, columns = (length // size for length in pixels.shape[:2])
        pixels = pixels[:rows * size, :columns * size].reshape(rows, size, columns, size, 3).transpose(0, 2, 4, 1, 3)
        found.append(pixels.reshape(-1, 3, size, size))
    return torch.from_numpy(np.concatenate(found))
