"""What one unit of a layer sees of the picture: size and jump, worked out from kernels and strides alone.

Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks (Distill 2019). A window of k pixels,
stride s and padding p over units that see r pixels and lie j apart: r + d (k - 1) j pixels, s j apart (d: dilation).
"""

from dataclasses import dataclass
from functools import reduce

Sides = tuple["Field", "Field"]  # (height, width)


@dataclass(frozen=True)
class Field:
    """Along one side, in pixels of the picture.

    size   how many pixels one unit sees; those beyond the border are padding
    jump   how far neighbouring units are apart
    start  the first pixel that the first unit sees; negative in the padding
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    def through(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> "Field":
        """What a unit sees behind one more window."""
        return Field(self.size + dilation * (kernel - 1) * self.jump, stride * self.jump,
                     self.start - padding * self.jump)

    def with_other(self, other: "Field") -> "Field":
        """Behind a sum of two ways, e.g. a residual addition: all that either of them sees."""
        start = min(self.start, other.start)
        end = max(self.start + self.size, other.start + other.size)
        return Field(end - start, max(self.jump, other.jump), start)


def span(field: Field, unit: int, pixels: int) -> tuple[int, int]:
    """The first pixel that a unit sees and the one after its last, along a side of `pixels`; what else it sees is padding.

    Both are the same where it sees nothing but padding.
    """
    start = field.start + unit * field.jump
    return min(max(start, 0), pixels), max(min(start + field.size, pixels), 0)


def fields(layers) -> list[Sides]:
    """(height, width) of each layer; `layers` as in Summary, each after those whose outputs it takes."""
    seen: list[Sides] = []
    maps: list[tuple[int, int]] = []  # the units along each side; behind a flattening those that were flattened
    for layer in layers:
        sources = [seen[i] if i >= 0 else (Field(), Field()) for i in layer.inputs]
        before = layer.input_shape[1:] if len(layer.input_shape) == 3 else maps[layer.inputs[0]]
        together = [reduce(Field.with_other, ways) for ways in zip(*sources)]
        seen.append(tuple(field.through(*window) for field, window in zip(together, _windows(layer, before))))
        maps.append(_map_after(layer, before))
    return seen


def _map_after(layer, before: tuple[int, int]) -> tuple[int, int]:
    if layer.kind == "Linear":
        return 1, 1
    return layer.output_shape[1:] if len(layer.output_shape) == 3 else before


def _windows(layer, before: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """(kernel, stride, padding, dilation) of height and width; one pixel, stride 1 for what looks at no neighbours."""
    if layer.kind == "Linear":
        return [(n, n, 0, 1) for n in before]  # it sees every unit of the map
    if layer.kind == "AdaptiveAvgPool2d":
        return [(-(-n // out), n // out, 0, 1) for n, out in zip(before, layer.output_shape[1:])]
    one, none = (1, 1), (0, 0)
    return list(zip(layer.kernel or one, layer.stride or one, layer.padding or none, layer.dilation or one))
