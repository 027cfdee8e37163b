"""What the channels of a layer answer most: one pass over pictures, and for each channel the few strongest answers kept.

Zeiler, Fergus: Visualizing and Understanding Convolutional Networks (ECCV 2014), section 4: the nine strongest answers
of a feature map, one a picture, each shown as the part of the picture that the unit sees.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..as_found import evaluating
from ..data.preprocessing import Preprocessing, enlarge, normalise
from ..networks.resnet import ACTIVATIONS
from ..problems import Problem, one_of
from .receptive_field import Sides

KEPT = 9
BATCH_PIXELS = 64 * 64**2  # of the pictures that go through the network at once
CUTS = {32: 8, 64: 4}  # squares along a photograph's shorter side for networks of at most so many pixels; larger ones take 2
ACTIVATION_KINDS = {type(make()).__name__ for make in ACTIVATIONS.values()}


@dataclass(frozen=True)
class Strongest:
    """The strongest answers of every channel of a layer, at most one a picture, the strongest first.

    values    float32 [channels, kept]; fewer than asked for where there are fewer pictures
    pictures, rows, columns   int64 [channels, kept]: the picture, and the unit of the map in it
    answered  int64 [channels]: pictures in which the channel is above 0 anywhere
    seen      pictures looked through
    """

    values: np.ndarray
    pictures: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    answered: np.ndarray
    seen: int


@dataclass(frozen=True)
class Patch:
    """What one unit sees. picture: its index; value: what the unit says; pixels: uint8 [h, w, C], cut at the border."""

    picture: int
    value: float
    pixels: np.ndarray


class Reached(Exception):
    """The layer has answered; what comes after it is not needed."""


def batch_of(size: int) -> int:
    """Pictures of `size` pixels a side that go through the network at once."""
    return max(1, BATCH_PIXELS // size**2)


def with_more(found: Strongest | None, model: nn.Module, images: Tensor, preprocessing: Preprocessing, layer: str,
              kept: int = KEPT) -> Strongest:
    """What was found so far, and a batch more. None begins.

    images  uint8 [N, C, H, H], those after the `found.seen` first ones; as many channels as the network takes
    Memory is bounded by the batch and the layer's width. The model is left as it was found. Problem for an unknown layer,
    and for answers that are not finite.
    """
    maps = _answers(model, normalise(enlarge(images, preprocessing.size), preprocessing), layer)
    maps = maps.reshape(*maps.shape[:2], *maps.shape[2:] or (1, 1))
    values, units = maps.flatten(2).max(dim=2)
    if not torch.isfinite(values).all():
        raise Problem(f"{layer} answers with numbers that are not finite: the weights are damaged; choose another checkpoint.")
    before = found.seen if found else 0
    pictures = torch.arange(before, before + len(maps)).expand(maps.shape[1], -1)
    new = [values.T, pictures, units.T // maps.shape[3], units.T % maps.shape[3]]
    answered = (values > 0).sum(dim=0)
    if found:
        old = (found.values, found.pictures, found.rows, found.columns)
        new = [torch.cat([torch.from_numpy(a), b], dim=1) for a, b in zip(old, new)]
        answered += torch.from_numpy(found.answered)
    order = new[0].argsort(dim=1, descending=True, stable=True)[:, :kept]  # of equal answers the earlier picture
    return Strongest(*(part.gather(1, order).numpy() for part in new), answered.numpy(), before + len(maps))


def _answers(model: nn.Module, batch: Tensor, layer: str) -> Tensor:
    module, answers = module_of(model, layer), []

    def keep(module, inputs, output):
        answers.append(output.detach().clone())
        raise Reached

    with evaluating(model), torch.no_grad():
        module.register_forward_hook(keep)  # taken off by `evaluating`
        try:
            model(batch)
        except Reached:
            pass
    return answers[0]


def module_of(model: nn.Module, layer: str) -> nn.Module:
    modules = dict(model.named_modules())
    return modules[one_of("layer", layer, modules)]


def strongest(model: nn.Module, images: Tensor, preprocessing: Preprocessing, layer: str, kept: int = KEPT,
              progress: Callable[[int, int], None] | None = None) -> Strongest:
    """One pass over all pictures. progress is called with (done, all) pictures; what it raises ends the work."""
    found, step = None, batch_of(preprocessing.size)
    for start in range(0, len(images), step):
        found = with_more(found, model, images[start:start + step], preprocessing, layer, kept)
        if progress:
            progress(found.seen, len(images))
    return found


def best_patches(model: nn.Module, images: Tensor, preprocessing: Preprocessing, layer: str, channel: int, field: Sides,
                 count: int = KEPT, progress: Callable[[int, int], None] | None = None) -> list[Patch]:
    """The `count` strongest answers of one channel, at most one a picture, the strongest first.

    images    uint8 [N, C, H, H], as many channels as the network takes, at most of its size
    field     what a unit of the layer sees, from analysis.receptive_field
    progress  called with (done, all) pictures; what it raises ends the work
    """
    found = strongest(model, images, preprocessing, layer, count, progress)
    return [Patch(int(picture), float(value), _cut(images[int(picture)], preprocessing.size, at, field))
            for picture, value, *at in zip(found.pictures[channel], found.values[channel],
                                           found.rows[channel], found.columns[channel])]


def _cut(image: Tensor, size: int, at: tuple[int, int], field: Sides) -> np.ndarray:
    """What the unit at (row, column) sees of a picture [C, H, W] -> [h, w, C]."""
    whole = enlarge(image[None], size)[0]
    (top, bottom), (left, right) = (
        (max(0, start), min(length, end)) for (start, end), length in zip(frame(at, field), whole.shape[1:]))
    return whole[:, top:bottom, left:right].permute(1, 2, 0).numpy()


def frame(at: tuple[int, int], field: Sides) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) of what a unit sees, in pixels; beyond the picture is padding."""
    return tuple((side.start + int(place) * side.jump, side.start + int(place) * side.jump + side.size)
                 for side, place in zip(field, at))


def patches(found: Strongest, images: Tensor, size: int, channel: int, field: Sides) -> np.ndarray:
    """What the strongest units of a channel see, all of one size: uint8 [kept, h, w, 4]; padding is transparent.

    Along a side where a unit sees more than the picture has, the whole picture is shown.
    """
    tiles = []
    for place in range(found.values.shape[1]):
        whole = enlarge(images[int(found.pictures[channel, place])][None], size)[0]
        colour = whole.expand(3, -1, -1).permute(1, 2, 0).numpy()
        opaque = np.concatenate([colour, np.full((*colour.shape[:2], 1), 255, dtype=np.uint8)], axis=2)
        for axis, (start, end) in enumerate(frame((found.rows[channel, place], found.columns[channel, place]), field)):
            if end - start < opaque.shape[axis]:
                opaque = _part(opaque, start, end, axis)
        tiles.append(opaque)
    return np.stack(tiles)


def _part(pixels: np.ndarray, start: int, end: int, axis: int) -> np.ndarray:
    """start..end along an axis; what lies outside the picture is 0."""
    length = pixels.shape[axis]
    inside = np.take(pixels, np.arange(max(0, start), min(length, end)), axis=axis)
    widths = [(0, 0)] * pixels.ndim
    widths[axis] = (max(0, -start), max(0, end - length))
    return np.pad(inside, widths)


def squares(photograph, size: int) -> Tensor:
    """A photograph (PIL, RGB) cut into squares of `size` pixels without overlap: uint8 [N, 3, size, size]."""
    cuts = next((cuts for limit, cuts in CUTS.items() if size <= limit), 2)
    scale = cuts * size / min(photograph.size)
    pixels = np.asarray(photograph.resize([max(cuts * size, round(side * scale)) for side in photograph.size]))
    rows, columns = (length // size for length in pixels.shape[:2])
    pixels = pixels[:rows * size, :columns * size].reshape(rows, size, columns, size, 3).transpose(0, 2, 4, 1, 3)
    return torch.from_numpy(np.ascontiguousarray(pixels.reshape(-1, 3, size, size)))


# Which layers to ask


def layers(of_network) -> list:
    """The layers whose answers have a sign: what enters an activation, every sum, and the last one, the classes.

    of_network  layers as in Summary. Behind a ReLU a channel that does not answer is 0 everywhere, and no gradient comes
    back from there (a picture made for it would stay grey); before it the same channel says how far it is from answering.
    """
    asked = {layer.inputs[0] for layer in of_network if layer.kind in ACTIVATION_KINDS and layer.inputs}
    last = len(of_network) - 1
    return [layer for number, layer in enumerate(of_network)
            if number in asked or layer.kind == "Add" or number == last]


def first_to_show(offered: list, size: int):
    """The deepest of these layers whose units see at most half the picture: parts of things, not whole pictures."""
    small = [layer for layer in offered if max(layer.receptive_field) <= size / 2]
    return small[-1] if small else offered[0]
