"""The paper's tables: what we compute beside what it prints."""

from functools import cache

import pytest
import torch

from resnet_viz.analysis import paper_table
from resnet_viz.analysis.paper_table import (
    PRINTED_ERRORS,
    PRINTED_FLOPS,
    VARIANTS,
    cifar_rows,
    depth_in,
    imagenet_columns,
)
from resnet_viz.networks import zoo

columns = cache(imagenet_columns)
TABLE_1 = {  # as the paper prints it: kernels and filters of a block, blocks of each stage
    18: (([3, 64], [3, 64]), (2, 2, 2, 2)),
    34: (([3, 64], [3, 64]), (3, 4, 6, 3)),
    50: (([1, 64], [3, 64], [1, 256]), (3, 4, 6, 3)),
    101: (([1, 64], [3, 64], [1, 256]), (3, 4, 23, 3)),
    152: (([1, 64], [3, 64], [1, 256]), (3, 8, 36, 3)),
}


@pytest.mark.parametrize("depth", TABLE_1)
def test_brackets_and_sizes_are_those_of_table_1(depth):
    block, times = TABLE_1[depth]
    (column,) = [column for column in columns("v1", False) if column.depth == depth]
    assert column.stem == (7, 64, 2) and column.pool == (3, 2) and column.sides == (112, 56, 28, 14, 7)
    for stage, bracket in enumerate(column.brackets):
        assert bracket.lines == tuple((kernel, filters * 2**stage) for kernel, filters in block)
        assert bracket.times == times[stage]


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_stride_stands_where_the_variant_puts_it(variant):
    for column in columns(variant, False):
        where = 1 if len(column.brackets[0].lines) == 3 and variant == "v1.5" else 0
        assert [bracket.strided for bracket in column.brackets] == [None, where, where, where]


def test_the_papers_variant_comes_nearest_to_its_printed_row():
    for column in columns("v1", True):
        off = {variant: abs(column.macs[variant] / PRINTED_FLOPS[column.depth] - 1) for variant in VARIANTS}
        assert off["v1"] < 0.02 and off["v1"] <= off["v1.5"]
        assert round(column.macs["v1"] / 1e9, 2) == {18: 1.81, 34: 3.66, 50: 3.86, 101: 7.57, 152: 11.28}[column.depth]
        newer = {18: 1.81, 34: 3.66, 50: 4.09, 101: 7.80, 152: 11.51}
        assert round(column.macs["v1.5"] / 1e9, 2) == newer[column.depth]


@pytest.mark.parametrize(("bias", "params"), [
    (False, [11_689_512, 21_797_672, 25_557_032, 44_549_160, 60_192_808]),
    (True, [11_694_312, 21_806_184, 25_583_592, 44_601_832, 60_268_520]),
])
def test_parameters_with_and_without_biases(bias, params):
    for variant in VARIANTS:
        assert [column.params for column in columns(variant, bias)] == params


@pytest.mark.hard
def test_rows_of_the_cifar_family():
    for row in cifar_rows():
        n = row.n
        assert row.depth == 6 * n + 2
        assert row.maps == {32: (1 + 2 * n, 16), 16: (2 * n, 32), 8: (2 * n, 64)}  # section 4.2
        assert 1 + sum(layers for layers, _ in row.maps.values()) == row.depth  # and the linear layer
        for kind, name, arguments in (("A", "resnet", {"shortcut": "A"}), ("B", "resnet", {"shortcut": "B"}),
                                      ("plain", "plain", {})):
            model = zoo.build(f"{name}{row.depth}", arguments, device="meta")
            assert row.params[kind] == sum(p.numel() for p in model.parameters())
            convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d)]
            assert len(convolutions) == row.depth - 1 + (2 if kind == "B" else 0)
        assert row.macs["A"] == row.macs["plain"] < row.macs["B"]
        assert row.printed == PRINTED_ERRORS.get(row.depth)
    assert {row.depth for row in cifar_rows() if row.printed} == {20, 32, 44, 56, 110}


@pytest.mark.parametrize(("family", "network", "depth"), [
    ("imagenet", "resnet50", 50), ("cifar", "resnet20", 20), ("cifar", "plain56", 56), ("imagenet", "resnet20", None),
    ("cifar", "resnet18-cifar", None), ("imagenet", "custom-resnet", None), ("cifar", "resnet50", None),
])
def test_which_column_a_network_is(family, network, depth):
    assert depth_in(family, network) == depth


def test_printed_figures_are_quotations_for_every_column():
    assert set(PRINTED_FLOPS) == {column.depth for column in columns("v1", False)}
    assert "CVPR 2016" in paper_table.__doc__
