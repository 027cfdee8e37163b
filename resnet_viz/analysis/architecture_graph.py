"""A network as the parts of a drawing and of a folding table: stages, blocks, layers, and their shortcuts."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from ..networks import zoo
from ..problems import one_of
from .architecture import FOLDS, Layer, Summary, repeats

OPENS = ("Conv2d", "Linear", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d")  # what follows one belongs to it
SHORTCUTS = {"Conv2d": "projection", "PadShortcut": "padding"}  # kind of layer on the way around a block


@dataclass(frozen=True)
class Part:
    """A layer, a few that belong together, a block, equal blocks that follow one another, or a stage.

    key       unique in a network: "layer3.0.conv1", "conv1 + bn1 + act1", "layer3.0", "layer3"
    kind      class of the layer or block; "stage"; "layers"
    layers    the leaf layers of one of the `count`, in forward order
    names     paths of the equal blocks it stands for; of anything else its key alone
    stage     number of the stage it is in, from 1; 0 outside
    shortcut  of a block: "identity", "projection", "padding"; None without, or of what is no block
    parts     what it opens to; () of a layer
    """

    key: str
    kind: str
    layers: tuple[Layer, ...]
    names: tuple[str, ...]
    stage: int = 0
    shortcut: str | None = None
    parts: tuple["Part", ...] = ()

    @property
    def count(self) -> int:
        return len(self.names)

    def total(self, number: str) -> int:
        """Sum of params, macs or activation_bytes over everything it stands for."""
        if self.parts and self.kind == "stage":
            return sum(part.total(number) for part in self.parts)
        return self.count * sum(getattr(layer, number) for layer in self.layers)


def parts(summary: Summary, folded: bool = True) -> tuple[Part, ...]:
    """The network in forward order, stages as one part each; `folded`: equal blocks in a row are one part too."""
    stage_of = FOLDS["stage"]
    runs = {repeat.first: repeat.names for repeat in repeats(summary)}
    if not folded:
        runs = {name: (name,) for names in runs.values() for name in names}
    found: list[Part] = []
    number = 0
    for stage, group in groupby(summary.layers, key=lambda layer: stage_of(layer.name, summary.containers)):
        layers = list(group)
        if stage is None:
            found += _units(layers)
        else:
            number += 1
            inner = tuple(_blocks(layers, summary, runs, number))
            found.append(Part(stage, "stage", tuple(layers), (stage,), number, None, inner))
    return tuple(found)


def _blocks(layers: list[Layer], summary: Summary, runs: dict[str, tuple[str, ...]], stage: int) -> Iterator[Part]:
    block_of = FOLDS["block"]
    for name, group in groupby(layers, key=lambda layer: block_of(layer.name, summary.containers)):
        inside = tuple(group)
        if name is None:
            yield from _units(inside, stage)
        elif name in runs:
            names = runs[name]
            leaves = tuple(_leaf(layer, stage, names) for layer in inside)
            yield Part(name, summary.containers[name], inside, names, stage, _shortcut(inside), leaves)


def _shortcut(layers: tuple[Layer, ...]) -> str | None:
    """How x comes to the addition at the end of a block: what lies on the way of `downsample`, else x itself."""
    if not any(layer.kind == "Add" for layer in layers):
        return None
    return next((SHORTCUTS[layer.kind] for layer in layers if around(layer) and layer.kind in SHORTCUTS), "identity")


def around(layer: Layer) -> bool:
    """Whether a layer lies on the way around its block, not in it."""
    return "downsample" in layer.name.split(".")


def _leaf(layer: Layer, stage: int, blocks: tuple[str, ...] = ("",)) -> Part:
    names = tuple(block + layer.name.removeprefix(blocks[0]) for block in blocks)
    return Part(layer.name, layer.kind, (layer,), names, stage)


def _units(layers: Iterable[Layer], stage: int = 0) -> list[Part]:
    """Layers outside the blocks: each convolution, pool and linear layer with the batch norm, ReLU, ... behind it."""
    units: list[list[Layer]] = []
    for layer in layers:
        if layer.kind in OPENS or not units:
            units.append([])
        units[-1].append(layer)
    found = []
    for unit in units:
        leaves = tuple(_leaf(layer, stage) for layer in unit)
        key = " + ".join(layer.name for layer in unit)
        found.append(Part(key, "layers", tuple(unit), (key,), stage, None, leaves) if len(leaves) > 1 else leaves[0])
    return found


def level_parts(found: tuple[Part, ...], level: str) -> tuple[Part, ...]:
    """The parts of one zoom level, in forward order: together they are the whole network, none twice."""
    one_of("level", level, FOLDS)
    if level == "stage":
        return found
    blocks = tuple(inner for part in found for inner in (part.parts if part.kind == "stage" else (part,)))
    return blocks if level == "block" else tuple(leaf for part in blocks for leaf in part.parts or (part,))


def walk(found: Iterable[Part]) -> Iterator[Part]:
    """Every part and all that it opens to, the outer one first."""
    for part in found:
        yield part
        yield from walk(part.parts)


def shortcuts(found: Iterable[Part]) -> Counter:
    """How many shortcuts of each sort there are; a folded part counts as often as it stands for."""
    counted = Counter()
    for part in walk(found):
        if part.shortcut:
            counted[part.shortcut] += part.count
    return counted


def finding(summary: Summary) -> str:
    """What the drawing shows, as a sentence: blocks, shortcuts, and how many of these are more than x itself."""
    found = parts(summary)
    blocks = sum(part.count for part in walk(found) if part.kind not in ("stage", "layers") and part.parts)
    if not blocks:
        return f"{summary.network}: {len(summary.layers)} layers one after the other, without blocks."
    counted = shortcuts(found)
    total, changed = counted.total(), counted.total() - counted["identity"]
    begin = f"{summary.network}: {blocks} block{'s' * (blocks > 1)}"
    if not total:
        return f"{begin} without a shortcut."
    way = "padded with zeros" if counted["padding"] else f"1 × 1 projection{'s' * (changed > 1)}"
    more = f", {changed} of them {way}" if changed else ""
    return f"{begin} with {total} shortcut{'s' * (total > 1)}{more}."


def kin(network: str) -> dict[int, str]:
    """The networks of the zoo that differ from this one in depth alone, itself included, by their depth."""
    def pattern(name: str) -> tuple[str, str]:
        return re.sub(r"\d+", "#", name, count=1), zoo.NETWORKS[name].family

    if network not in zoo.NETWORKS or not re.search(r"\d", network) or zoo.NETWORKS[network].spec is None:
        return {}
    names = [name for name in zoo.NETWORKS if pattern(name) == pattern(network)]
    return {int(re.search(r"\d+", name).group()): name for name in names}
