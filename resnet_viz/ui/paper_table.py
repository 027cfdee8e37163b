"""The paper's tables on the screen: computed cells, the printed figures beside them, and which column is yours."""

import streamlit as st

from ..analysis import paper_table
from ..analysis.paper_table import PRINTED_FLOPS, CifarRow, Column
from ..analysis.table_text import Table
from ..problems import Problem
from . import state, table_download, wide_table
from .networks import Choice

FAMILIES = {"imagenet": "ImageNet, 18 to 152 layers", "cifar": "CIFAR-10, 8 to 110 layers"}
VARIANTS = {"v1": "v1: on the first 1×1", "v1.5": "v1.5: on the 3×3"}
SOURCE = "He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, CVPR 2016"
TIMES = " × "


def show(choice: Choice) -> None:
    """The table of the family that the chosen network is in, unless the other is asked for."""
    start = "cifar" if paper_table.depth_in("cifar", choice.network) else "imagenet"
    family = st.segmented_control("Table", list(FAMILIES), default=start, required=True, format_func=FAMILIES.get,
                                  key=f"paper-{choice.network}", bind="query-params", label_visibility="collapsed")
    {"imagenet": _imagenet, "cifar": _cifar}[family](choice)


@st.cache_data(max_entries=4, show_spinner="Working out five networks ...")
def _columns(variant: str, conv_bias: bool) -> tuple[Column, ...]:
    return paper_table.imagenet_columns(variant, conv_bias)


@st.cache_data(max_entries=1, show_spinner="Working out 21 networks ...")
def _rows() -> tuple[CifarRow, ...]:
    return paper_table.cifar_rows()


def _whose(family: str, choice: Choice) -> tuple[int | None, str]:
    """The depth to mark, and the word that says why: the checkpoint's network, else the one chosen above."""
    try:
        mine = paper_table.depth_in(family, state.current_checkpoint().network)
    except Problem:
        mine = None
    if mine:
        return mine, "your checkpoint"
    return paper_table.depth_in(family, choice.network), "chosen above"


def _imagenet(choice: Choice) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        variant = st.segmented_control("Stride 2 of a bottleneck", list(VARIANTS), default="v1.5", required=True,
                                       format_func=VARIANTS.get, key="paper-variant", bind="query-params",
                                       help="v1 is the paper's network, v1.5 torchvision's and this product's")
        conv_bias = st.toggle("Biases in the convolutions", key="paper-biases", bind="query-params",
                              help="Some course code has them; each filter then learns one number more")
    columns = _columns(variant, conv_bias)
    depth, why = _whose("imagenet", choice)
    depths = [column.depth for column in columns]
    marked = depths.index(depth) + 2 if depth else None
    head = ["Layer", "Output", *({"text": f"{column.depth}-layer", "note": why if column.depth == depth else ""}
                                 for column in columns)]
    last = columns[-1]
    wide_table.show("table-1", f"Table 1 of the paper, computed: ResNet-152 has {last.params:,} parameters and "
                    f"{last.macs[variant] / 1e9:.2f} billion multiply-adds; the paper prints "
                    f"{PRINTED_FLOPS[152] / 1e9:.1f}.", head, _imagenet_rows(columns, variant), marked)
    st.caption(f"Printed: table 1 of {SOURCE}; its \"FLOPs\" are multiply-adds (MACs), so FLOPs = 2 × MACs. All other "
               "numbers are worked out here from the layers, for a picture of 224 × 224 and 1,000 classes. "
               "/2: stride 2 in the first block of the stage, which halves height and width.")
    table = Table(("network", "params", "macs v1", "macs v1.5", "printed macs"), tuple(
        (c.network, c.params, c.macs["v1"], c.macs["v1.5"], int(PRINTED_FLOPS[c.depth])) for c in columns))
    table_download.buttons(table, "paper-table-1")


def _imagenet_rows(columns: tuple[Column, ...], variant: str) -> list[list[wide_table.Cell]]:
    first, span = columns[0], {"span": len(columns)}
    kernel, filters, stride = first.stem
    pool, pool_stride = first.pool
    rows = [["conv1", _side(first.sides[0]), {"text": f"{kernel}×{kernel}, {filters}, stride {stride}", **span}],
            ["", _side(first.sides[1]), {"text": f"{pool}×{pool} max pool, stride {pool_stride}", **span}]]
    for stage, side in enumerate(first.sides[1:]):
        rows.append([{"text": f"conv{stage + 2}_x", "note": f"layer{stage + 1}"}, _side(side),
                     *(_bracket(column.brackets[stage]) for column in columns)])
    rows.append(["", "1×1", {"text": "average pool, 1000-d fc, softmax", **span}])
    rows.append(["Parameters", "", *({"text": f"{column.params:,}", "right": True} for column in columns)])
    rows.append([{"text": "FLOPs, printed", "note": "multiply-adds"}, "", *(
        {"text": f"{PRINTED_FLOPS[column.depth] / 1e9:.1f} × 10⁹", "right": True} for column in columns)])
    for kind in VARIANTS:
        note = "as drawn above" if kind == variant else "beside the printed"
        rows.append([{"text": f"MACs, {kind}", "note": note}, "",
                     *(_macs(column, kind, kind == variant) for column in columns)])
    return rows


def _side(pixels: int) -> str:
    return f"{pixels}×{pixels}"


def _bracket(bracket: paper_table.Bracket) -> wide_table.Cell:
    lines = [f"{kernel}×{kernel}, {filters}" + (" /2" if number == bracket.strided else "")
             for number, (kernel, filters) in enumerate(bracket.lines)]
    return {"bracket": lines, "times": f"× {bracket.times}"}


def _macs(column: Column, kind: str, strong: bool) -> wide_table.Cell:
    """With how far it is from the printed figure."""
    off = column.macs[kind] / PRINTED_FLOPS[column.depth] - 1
    return {"text": f"{column.macs[kind] / 1e9:.2f} × 10⁹", "note": f"{abs(off):.1%} {'more' if off > 0 else 'less'}",
            "right": True, "strong": strong}


def _cifar(choice: Choice) -> None:
    rows = _rows()
    depth, why = _whose("cifar", choice)
    _cifar_recipe(rows[0])
    depths = [row.depth for row in rows]
    head = ["", *({"text": f"{row.depth}-layer", "note": why if row.depth == depth else f"n = {row.n}",
                    "right": True} for row in rows)]
    lines = [
        *([{"text": f"Layers at {side}×{side}", "note": f"{filters} filters"},
           *({"text": f"{row.maps[side][0]:,}", "right": True} for row in rows)]
          for side, (_, filters) in rows[0].maps.items()),
        _numbers("Parameters", "shortcut A: zeros", rows, lambda row: f"{row.params['A']:,}"),
        _numbers("Parameters", "shortcut B: 1×1 convolutions", rows, lambda row: f"{row.params['B']:,}"),
        _numbers("Parameters", "plain twin, no shortcut", rows, lambda row: f"{row.params['plain']:,}"),
        _numbers("MACs", "shortcut A and plain", rows, lambda row: f"{row.macs['A'] / 1e6:,.1f} M"),
        _numbers("MACs", "shortcut B", rows, lambda row: f"{row.macs['B'] / 1e6:,.1f} M"),
        _numbers("Test error, printed", "CIFAR-10, shortcut A", rows,
                 lambda row: f"{row.printed:.2f} %" if row.printed else "–"),
    ]
    wide_table.show("cifar-table", "The paper's networks for CIFAR-10: from 8 to 110 layers, "
                    f"{rows[0].params['A']:,} to {rows[-1].params['A']:,} parameters; the plain twins have as many.",
                    head, lines, depths.index(depth) + 1 if depth else None)
    st.caption(f"Printed: table 6 of {SOURCE}, trained on the original CIFAR-10; 8 and "
               "14 layers are not in it. All other numbers are worked out here from the layers, for a picture of "
               "32 × 32 and ten classes. Layers are those with weights; the linear layer is the last of the 6n + 2. Zeros cost "
               "nothing: with shortcut A a network has exactly the parameters of its plain twin.")
    keys = ("A", "B", "plain")
    table = Table(("layers", "n", *(f"params {key}" for key in keys), *(f"macs {key}" for key in keys),
                   "printed test error, percent"),
                  tuple((row.depth, row.n, *(row.params[key] for key in keys), *(row.macs[key] for key in keys),
                         row.printed) for row in rows))
    table_download.buttons(table, "paper-cifar-table")


def _cifar_recipe(row: CifarRow) -> None:
    """Section 4.2's own small table, which makes all of them."""
    steps = [f"{'1 + ' if number == 0 else ''}2n layers of {filters} filters at {side}{TIMES}{side}"
             for number, (side, (_, filters)) in enumerate(row.maps.items())]
    st.markdown(f"One recipe, any depth: {', then '.join(steps)}, an average over the map, and a linear layer.")


def _numbers(name: str, note: str, rows: tuple[CifarRow, ...], text) -> list[wide_table.Cell]:
    return [{"text": name, "note": note}, *({"text": text(row), "right": True} for row in rows)]
