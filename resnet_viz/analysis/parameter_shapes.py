"""A network through the shapes of its parameters: per stage the first block, its projection, the other blocks x N."""

from dataclasses import dataclass
from math import prod

from .architecture import Layer, Summary, repeats
from .layer_shapes import Shape
from .table_text import Table, shape_text

WORDS = {2: "both blocks", 3: "all three blocks"}


@dataclass(frozen=True)
class Tensor:
    """One learned tensor.

    name  as in the state dict of the first block it stands for, e.g. "layer1.1.conv1.weight"
    what  "weights", "bias", "scale γ" or "shift β"
    """

    name: str
    shape: Shape
    what: str


@dataclass(frozen=True)
class Part:
    """Tensors that belong together, and how many blocks have the same; params are those of all of them."""

    title: str
    tensors: tuple[Tensor, ...]
    times: int = 1

    @property
    def params(self) -> int:
        """Numbers learned, in all of the blocks."""
        return self.times * sum(prod(tensor.shape) for tensor in self.tensors)


@dataclass(frozen=True)
class Section:
    """A stage, or the layers before, between or behind the stages; `paper` is the paper's name of a stage, or ""."""

    name: str
    paper: str
    parts: tuple[Part, ...]

    @property
    def params(self) -> int:
        """Numbers learned, in all of its parts."""
        return sum(part.params for part in self.parts)


def sections(summary: Summary) -> tuple[Section, ...]:
    """Everything a network learns, in forward order; equal blocks once, with their number.

    Each convolution is followed by its bias (where it has one) and the two vectors of its batch norm.
    """
    stages = {repeat.first.rpartition(".")[0] for repeat in repeats(summary)}
    groups: list[tuple[str, list[Layer]]] = []
    for layer in (layer for layer in summary.layers if layer.params):
        stage = layer.name.split(".")[0]
        if stage not in stages:
            stage = layer.name if layer.kind != "BatchNorm2d" or not groups else groups[-1][0]
        if not groups or groups[-1][0] != stage:
            groups.append((stage, []))
        groups[-1][1].append(layer)
    return tuple(Section(name, _in_the_paper(name, summary), tuple(_parts(name, rows, summary))) if name in stages
                 else Section(name, "", (Part("", _tensors(rows)),)) for name, rows in groups)


def _in_the_paper(stage: str, summary: Summary) -> str:
    """Table 1 calls torchvision's layer1 conv2_x, where its stem is before it; other networks have no such names."""
    has_its_stem = any(layer.kind == "MaxPool2d" and layer.kernel == (3, 3) for layer in summary.layers)
    return f"conv{int(stage.removeprefix('layer')) + 1}_x" if has_its_stem else ""


def _parts(stage: str, rows: list[Layer], summary: Summary):
    """The blocks of one stage: those that are equal together, the way around a block apart from its own layers."""
    own = [repeat for repeat in repeats(summary) if repeat.first.startswith(f"{stage}.")]
    number = 1
    for index, repeat in enumerate(own):
        block = [layer for layer in rows if layer.name.startswith(f"{repeat.first}.")]
        around = [layer for layer in block if layer.name.startswith(f"{repeat.first}.downsample")]
        yield Part(_title(index, number, repeat.count, len(own)),
                   _tensors(layer for layer in block if layer not in around), repeat.count)
        if around:
            yield Part("shortcut projection", _tensors(around), repeat.count)
        number += repeat.count


def _title(index: int, number: int, count: int, kinds: int) -> str:
    """What a reader calls the blocks that begin at `number`."""
    if kinds == 1:
        return "the only block" if count == 1 else WORDS.get(count, f"all {count} blocks")
    if index == 0:
        return "first block" if count == 1 else f"first {count} blocks"
    if kinds == 2:
        return "the other block" if count == 1 else f"the other {count} blocks"
    return f"block {number}" if count == 1 else f"blocks {number} to {number + count - 1}"


def _tensors(layers) -> tuple[Tensor, ...]:
    found = []
    for layer in layers:
        is_norm = layer.kind == "BatchNorm2d"
        found.append(Tensor(f"{layer.name}.weight", layer.weight_shape, "scale γ" if is_norm else "weights"))
        if layer.params > prod(layer.weight_shape):
            found.append(Tensor(f"{layer.name}.bias", layer.weight_shape[:1], "shift β" if is_norm else "bias"))
    return tuple(found)


def by_layer(part: Part) -> tuple[tuple[Tensor, ...], ...]:
    """A part's tensors as a reader takes them: weights, and the vectors that follow them."""
    found: list[list[Tensor]] = []
    for tensor in part.tensors:
        if tensor.what == "weights" or not found:
            found.append([])
        found[-1].append(tensor)
    return tuple(tuple(tensors) for tensors in found)


def table(found: tuple[Section, ...]) -> Table:
    """One row a tensor, and the total as the last row; `blocks` says how many have the same."""
    rows = [(section.name, part.title or None, part.times, tensor.name, shape_text(tensor.shape), tensor.what,
             part.times * prod(tensor.shape))
            for section in found for part in section.parts for tensor in part.tensors]
    total = ("total", None, None, None, None, None, sum(section.params for section in found))
    return Table(("section", "part", "blocks", "tensor", "shape", "what", "params"), (*rows, total))
