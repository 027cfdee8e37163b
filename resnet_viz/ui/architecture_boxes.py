"""The parts of a network as what is drawn and what stands in the table: labels, boxes, arcs, rows."""

from collections.abc import Iterable

from ..analysis.architecture import Layer, Summary
from ..analysis.architecture_graph import Part, around, level_parts, parts, walk
from ..analysis.layer_shapes import Shape
from ..drawing.architecture import Arc, Box, Group, Span
from .networks import shape_text

STRIPS = {"BatchNorm2d": "norm", "Add": "add"}  # kind -> look; what is neither convolution, pool nor linear is "act"
WHOLE = ("Conv2d", "Linear", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "PadShortcut")
POOLS = {"MaxPool2d": "max", "AvgPool2d": "average", "AdaptiveAvgPool2d": "average"}
WAYS = {"projection": "1×1", "padding": "zeros"}
NUMBERS = ("params", "macs", "activation_bytes")


# The drawing

def groups(summary: Summary, found: tuple[Part, ...], level: str) -> list[Group]:
    """What drawing.architecture.drawn takes, for one zoom level; rows are numbered as `rows` does."""
    number = {id(part): index for index, part in enumerate(walk(found))}
    return _Labels(summary, number).groups(found, level)


class _Labels:
    """Writes the labels in forward order: the size of the maps stands where it changes."""

    def __init__(self, summary: Summary, number: dict[int, int]):
        self.summary, self.number = summary, number
        self.shape: Shape = ()

    def groups(self, found: tuple[Part, ...], level: str) -> list[Group]:
        picture = self.summary.input_shape
        labels = (("name", "picture"),) if level != "layer" else ()
        labels += (("soft", f"{picture[0]:,} channel{'s' * (picture[0] > 1)}"), ("soft", _side(picture)))
        self.shape = picture
        first = Span((Box("picture", picture[0], picture[1], labels=labels),), (), "picture" * (level == "layer"))
        drawn = [Group((first,))]
        for part in found:
            if level == "stage" or part.kind != "stage":
                drawn.append(Group((self.span(part, level),)))
            else:
                paper = f"conv{part.stage + 1}_x, " if _as_the_paper(self.summary) else ""
                blocks = sum(inner.count for inner in part.parts)
                drawn.append(Group(tuple(self.span(inner, level) for inner in part.parts), part.key,
                                   f"{paper}{blocks} block{'s' * (blocks > 1)}", part.stage))
        return drawn

    def span(self, part: Part, level: str) -> Span:
        leaves = part.parts or (part,)
        if level == "layer":
            boxes = tuple(self.box(leaf, self.of_layer(leaf)) for leaf in leaves if not _is_around(leaf))
            title = _name(part) + (f"  × {part.count}" if part.count > 1 else "")
            return Span(boxes, tuple(self.arcs_over_layers(part)), title)
        label = self.of_stage if part.kind == "stage" else self.of_block if part.stage else self.of_unit
        labels = label(part)
        return Span((self.box(part, labels, (labels[0],)),), tuple(_arcs(part, self.number[id(part)])))

    def box(self, part: Part, labels: list[str], named: tuple[str, ...] = ()) -> Box:
        kind = part.kind if not part.parts else "part"
        look = "part" if part.parts or kind in WHOLE else STRIPS.get(kind, "act")
        shape = part.layers[-1].output_shape
        self.shape = shape if look == "part" else self.shape
        lines = tuple(("name" if text in named else "soft", text) for text in filter(None, labels))
        many = part.count > 1 and bool(part.parts)
        return Box(look, shape[0], _pixels(shape), self.number[id(part)], part.stage, lines, many)

    def of_stage(self, part: Part) -> list[str]:
        blocks = sum(inner.count for inner in part.parts)
        shape = part.layers[-1].output_shape
        return [part.key, f"{shape[0]:,} maps", _side(shape), f"{blocks} block{'s' * (blocks > 1)}"]

    def of_block(self, part: Part) -> list[str]:
        many = [f"× {part.count}"] if part.count > 1 and not part.shortcut else []
        return [_name(part), *self.changed(part.layers[-1].output_shape), *many]

    def of_unit(self, part: Part) -> list[str]:
        return [_name(part), _operation(part.layers[0]), *self.changed(part.layers[-1].output_shape)]

    def of_layer(self, part: Part) -> list[str]:
        if part.kind not in WHOLE:
            return []
        shape = part.layers[-1].output_shape
        side = [_side(shape)] if len(shape) == 3 and shape[1:] != self.shape[1:] else []
        many = f"{shape[0]:,}" if len(shape) == 3 else f"{shape[0]:,} outputs"
        return [_operation(part.layers[0]), many, *side]

    def changed(self, shape: Shape) -> list[str]:
        if shape == self.shape:
            return []
        return [f"{shape[0]:,} maps", _side(shape)] if len(shape) == 3 else [f"{shape[0]:,} outputs"]

    def arcs_over_layers(self, part: Part) -> Iterable[Arc]:
        if part.shortcut:
            leaf = next((leaf for leaf in part.parts if _is_around(leaf)), None)
            tag = f"{WAYS[part.shortcut]}, {leaf.layers[0].output_shape[0]:,}" if leaf else _times(part.count)
            yield Arc(leaf is not None, part.count, tag, self.number[id(leaf)] if leaf else None)


def _arcs(part: Part, row: int) -> Iterable[Arc]:
    """Of a block or stage: the changed shortcuts inside, x itself outside."""
    for way in ("projection", "padding", "identity"):
        count = sum(inner.count for inner in walk((part,)) if inner.shortcut == way)
        if count:
            tag = " ".join(filter(None, (WAYS.get(way), _times(count))))
            yield Arc(way != "identity", count, tag, row)


def _times(count: int) -> str:
    return f"× {count}" if count > 1 else ""


def _is_around(leaf: Part) -> bool:
    return around(leaf.layers[0])


def _pixels(shape: Shape) -> int:
    return shape[1] if len(shape) == 3 else 1


def _side(shape: Shape) -> str:
    return " × ".join(f"{n:,}" for n in shape[1:])


def _name(part: Part) -> str:
    """Short, under the title of its stage: ".0", ".1 – .35"; of what is in no stage its first layer."""
    if not part.stage:
        return part.layers[0].name
    first, last = ("." + name.rpartition(".")[2] for name in (part.names[0], part.names[-1]))
    return f"{first} – {last}" if part.count > 1 else first


def _operation(layer: Layer) -> str:
    """A convolution's or pool's window, as the paper writes it; nothing for a linear layer."""
    if layer.kind == "AdaptiveAvgPool2d":
        return POOLS[layer.kind]
    if not layer.kernel:
        return ""
    return " ".join(filter(None, (POOLS.get(layer.kind), "×".join(map(str, layer.kernel)))))


def _as_the_paper(summary: Summary) -> bool:
    """Whether the stages are table 1's conv2_x to conv5_x: behind a 7x7 convolution and a 3x3 pool."""
    first = [layer for layer in summary.layers[:5] if layer.kernel]
    return [layer.kernel for layer in first[:2]] == [(7, 7), (3, 3)] and first[1].kind == "MaxPool2d"


# The table

def rows(summary: Summary, found: tuple[Part, ...]) -> list[dict]:
    """Every part with its numbers, the outer one before what it opens to; `parent` is the number of a row, or -1."""
    whole = {layer.name: layer for layer in summary.layers}
    number = {id(part): index for index, part in enumerate(walk(found))}
    parent = {id(inner): number[id(part)] for part in walk(found) for inner in part.parts}
    return [{"parent": parent.get(id(part), -1), **_row(part, whole)} for part in walk(found)]


def _row(part: Part, whole: dict[str, Layer]) -> dict:
    first, last = part.layers[0], part.layers[-1]
    only = first if not part.parts else None
    seen = [whole[name + last.name.removeprefix(part.names[0])].receptive_field for name in part.names] \
        if part.count > 1 else [last.receptive_field]
    ends = dict.fromkeys((seen[0][0], seen[-1][0]))
    return {
        "key": part.key,
        "name": _long_name(part),  # "" where it is the key
        "count": part.count,
        "kind": _kind(part),
        "input": shape_text(first.input_shape),
        "output": shape_text(last.output_shape),
        "window": _window(only) if only else "",
        "weight": shape_text(only.weight_shape) if only else "",
        **{key: part.total(key) for key in NUMBERS},
        "sees": " – ".join(f"{end:,}" for end in ends),
        "jump": last.jump[0],
        "shade": part.stage,
    }


def _long_name(part: Part) -> str:
    """Of several blocks the first and the last; "" for what is called by its key."""
    return f"{part.names[0]} … {part.names[-1].rpartition('.')[2]}" if part.count > 1 and part.parts else ""


def _kind(part: Part) -> str:
    if part.kind == "stage":
        blocks = {inner.kind: 0 for inner in part.parts}
        for inner in part.parts:
            blocks[inner.kind] += inner.count
        return " + ".join(f"{count} × {kind}" for kind, count in blocks.items())
    return part.kind if part.kind != "layers" else " + ".join(layer.kind for layer in part.layers)


def _window(layer: Layer) -> str:
    """Kernel / stride / padding, one number where height and width are alike."""
    if not layer.kernel:
        return ""
    sides = ((layer.kernel, layer.stride, layer.padding) if layer.padding is not None else (layer.kernel, layer.stride))
    return " / ".join(str(side[0]) if side[0] == side[1] else "×".join(map(str, side)) for side in sides)


def of(summary: Summary, level: str, folded: bool) -> tuple[tuple[Part, ...], list[Group]]:
    """The tree of parts, and what is drawn of it at one level."""
    found = parts(summary, folded)
    return found, groups(summary, found, level)


def frontier(found: tuple[Part, ...], level: str) -> list[int]:
    """Numbers of the rows that one level shows."""
    number = {id(part): index for index, part in enumerate(walk(found))}
    return [number[id(part)] for part in level_parts(found, level)]
