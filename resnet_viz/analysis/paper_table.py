"""The tables of the paper, computed from our own networks, beside the figures that the paper prints.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (CVPR 2016), table 1 (ImageNet family), section 4.2
and table 6 (CIFAR family). What is called printed is quoted from there; everything else is worked out from the layers.
"""

from dataclasses import dataclass
from itertools import groupby

from ..networks.zoo import CIFAR_NUMBERS, IMAGENET_DEPTHS
from .architecture import Layer, Summary, fold, summary

PRINTED_FLOPS = {18: 1.8e9, 34: 3.6e9, 50: 3.8e9, 101: 7.6e9, 152: 11.3e9}  # table 1; the paper means multiply-adds
PRINTED_ERRORS = {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43}  # table 6: test error on CIFAR-10, percent
VARIANTS = ("v1", "v1.5")
SIZES = {"imagenet": 224, "cifar": 32}  # pixels a side


@dataclass(frozen=True)
class Bracket:
    """One cell of table 1: the convolutions of a block, and how often the block is there.

    lines    (kernel, filters) of each, e.g. (3, 64)
    strided  which line has stride 2 in the first block of the stage; None where none has
    times    blocks in the stage
    """

    lines: tuple[tuple[int, int], ...]
    strided: int | None
    times: int


@dataclass(frozen=True)
class Column:
    """One network of table 1.

    stem      (kernel, filters, stride) of the first convolution
    pool      (kernel, stride) of the max pool behind it
    sides     output size behind the first convolution and each stage, pixels
    macs      by variant: the stride of a bottleneck on its first 1x1 ("v1") or on its 3x3 ("v1.5")
    """

    network: str
    depth: int
    stem: tuple[int, int, int]
    pool: tuple[int, int]
    sides: tuple[int, ...]
    brackets: tuple[Bracket, ...]
    params: int
    macs: dict[str, int]


def imagenet_columns(variant: str, conv_bias: bool) -> tuple[Column, ...]:
    """Table 1: the five networks for pictures of 224 pixels a side and 1000 classes."""
    return tuple(_column(depth, variant, conv_bias) for depth in IMAGENET_DEPTHS)


def _column(depth: int, variant: str, conv_bias: bool) -> Column:
    found = {kind: summary(f"resnet{depth}", {"variant": kind, "conv_bias": conv_bias}, SIZES["imagenet"])
             for kind in VARIANTS}
    whole = found[variant]
    stages = [row for row in fold(whole, "stage") if row.name in whole.containers]
    stem, pool = whole.layers[0], next(layer for layer in whole.layers if layer.kind == "MaxPool2d")
    return Column(
        network=f"resnet{depth}",
        depth=depth,
        stem=(stem.kernel[0], stem.output_shape[0], stem.stride[0]),
        pool=(pool.kernel[0], pool.stride[0]),
        sides=(stem.output_shape[1], *(stage.output_shape[1] for stage in stages)),
        brackets=tuple(_bracket(whole, stage.name) for stage in stages),
        params=whole.totals["params"],
        macs={kind: each.totals["macs"] for kind, each in found.items()},
    )


def _main_way(whole: Summary) -> list[Layer]:
    """The convolutions that the paper counts: none of a shortcut's."""
    return [layer for layer in whole.layers if layer.kind == "Conv2d" and ".downsample" not in layer.name]


def _bracket(whole: Summary, stage: str) -> Bracket:
    convolutions = [layer for layer in _main_way(whole) if layer.name.startswith(f"{stage}.")]
    blocks = [list(block) for _, block in groupby(convolutions, key=lambda layer: layer.name.split(".")[1])]
    strided = [number for number, layer in enumerate(blocks[0]) if layer.stride[0] > 1]
    lines = tuple((layer.kernel[0], layer.output_shape[0]) for layer in blocks[0])
    return Bracket(lines, strided[0] if strided else None, len(blocks))


@dataclass(frozen=True)
class CifarRow:
    """One depth of section 4.2.

    n         blocks in a stage; the network has 6n + 2 layers with weights
    maps      side of the maps -> (layers with weights, filters), as the section's own small table
    params    by shortcut: "A" (zeros), "B" (1x1 convolution), "plain" (none)
    macs      likewise
    printed   test error on CIFAR-10 in percent, from table 6; None where the paper has none
    """

    depth: int
    n: int
    maps: dict[int, tuple[int, int]]
    params: dict[str, int]
    macs: dict[str, int]
    printed: float | None


def cifar_rows() -> tuple[CifarRow, ...]:
    """Section 4.2: the depths of the zoo, for pictures of 32 pixels a side and ten classes."""
    return tuple(_cifar_row(depth) for depth in CIFAR_NUMBERS)


def _cifar_row(depth: int) -> CifarRow:
    kinds = {"A": (f"resnet{depth}", {"shortcut": "A"}), "B": (f"resnet{depth}", {"shortcut": "B"}),
             "plain": (f"plain{depth}", {})}
    found = {kind: summary(*network, SIZES["cifar"]) for kind, network in kinds.items()}
    maps: dict[int, tuple[int, int]] = {}
    for layer in _main_way(found["plain"]):
        filters, side, _ = layer.output_shape
        maps[side] = (maps.get(side, (0, 0))[0] + 1, filters)
    return CifarRow(depth, (depth - 2) // 6, maps, {kind: each.totals["params"] for kind, each in found.items()},
                    {kind: each.totals["macs"] for kind, each in found.items()}, PRINTED_ERRORS.get(depth))


def depth_in(family: str, network: str) -> int | None:
    """The depth of the column or row that a network of the zoo is; None where it is in no table of that family."""
    names = {"imagenet": {f"resnet{depth}": depth for depth in IMAGENET_DEPTHS},
             "cifar": {f"{kind}{depth}": depth for depth in CIFAR_NUMBERS for kind in ("resnet", "plain")}}
    return names[family].get(network)
