"""Tables as text: what is written is read back by an independent reader and is the same."""

import csv
import io
import re

import pytest

from resnet_viz.__main__ import main
from resnet_viz.analysis.architecture import FOLDS, summary
from resnet_viz.analysis.table_text import FORMATS, Table, of_layers, to_csv, to_latex, to_markdown

NASTY = Table(("name", "half_full", "n"), (("a_b & c|d", None, 1234567), (r"50 % of $x^2$ \ ~", "3 × 3", 2),
                                           ("#{1} *bold* `code` [link] <b>", "x,\"y\"", None)))


def words(cells):
    """How people write numbers; nothing where there is none."""
    return [f"{c:,}" if isinstance(c, int) else f"{c:.4g}" if isinstance(c, float) else c or "" for c in cells]


def read_markdown(text):
    """(alignment, rows of cells) of a table by GitHub's rules: a bar parts cells unless a backslash escapes it."""
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines()]
    rows = [[re.sub(r"\\([\\`*_|<\[])", r"\1", cell.strip()) for cell in line] for line in lines]
    return ["r" if cell.endswith(":") else "l" for cell in rows[1]], [rows[0], *rows[2:]]


def read_latex(text):
    r"""(alignment, rows of cells) of a tabular: & parts cells, \\ ends rows, commands are read one by one."""
    letters, body = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}\n(.*)\\end\{tabular\}\n", text, re.DOTALL).groups()
    tokens = re.findall(r"\\\\\n|\\hline\n|\$\\times\$|\\text\w+\{\}|\\[&%$#_{}]|&|.", body)
    rows, cell = [[]], ""
    meaning = {r"$\times$": "×", r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^",
               r"\textless{}": "<", r"\textgreater{}": ">", r"\textbar{}": "|"}
    for token in tokens:
        if token in ("&", "\\\\\n"):
            rows[-1].append(cell.strip())
            cell = ""
            if token != "&":
                rows.append([])
        elif token != "\\hline\n":
            assert len(token) > 1 or token not in "$#%_^~\\{}<>|", f"unescaped {token}"
            cell += meaning.get(token, token[1:] if token[0] == "\\" else token)
    return list(letters), rows[:-1]


def tables():
    return [NASTY, *(of_layers(summary("resnet8", {"shortcut": "B"}, 32), level) for level in FOLDS),
            of_layers(summary("simple-cnn", {}, 32))]


@pytest.mark.parametrize("table", tables())
def test_csv_is_read_back_as_it_was(table):
    head, *rows = csv.reader(io.StringIO(to_csv(table)))
    assert tuple(head) == table.columns
    assert rows == [["" if cell is None else str(cell) for cell in row] for row in table.rows]
    for row, read in zip(table.rows, rows):
        assert all(type(cell)(text) == cell for cell, text in zip(row, read) if cell is not None)


@pytest.mark.parametrize(("write", "read"), [(to_markdown, read_markdown), (to_latex, read_latex)])
@pytest.mark.parametrize("table", tables())
def test_markdown_and_latex_are_read_back_as_they_were(write, read, table):
    letters, (head, *rows) = read(write(table))
    assert head == list(table.columns)
    assert rows == [words(row) for row in table.rows]
    assert letters == ["r" if numeric else "l" for numeric in table.numeric()]


def test_only_numbers_are_set_to_the_right():
    assert NASTY.numeric() == [False, False, True]
    assert Table(("a",), ()).numeric() == [False] and Table(("a",), ((None,),)).numeric() == [False]


@pytest.mark.parametrize("level", FOLDS)
@pytest.mark.parametrize(("network", "size"), [("resnet50", 224), ("hw4-resnet", 32), ("simple-cnn", 32)])
def test_the_rows_above_the_total_add_up_to_it(network, size, level):
    table = of_layers(summary(network, {}, size), level)
    *rows, total = [dict(zip(table.columns, row)) for row in table.rows]
    assert total["layer"] == "total"
    for column in ("params", "macs", "activation_bytes"):
        assert sum(row[column] for row in rows) == total[column]
    for column in ("share of params", "share of macs"):
        assert sum(row[column] for row in rows) == pytest.approx(total[column]) == 1


def test_every_format_has_a_name():
    assert {name: write(NASTY) for name, write in FORMATS.items()} == {
        "csv": to_csv(NASTY), "markdown": to_markdown(NASTY), "latex": to_latex(NASTY)}


@pytest.mark.parametrize("form", FORMATS)
def test_the_command_prints_them(form, capsys):
    assert main(["summary", "resnet8", "--shortcut", "B", "--format", form]) == 0
    assert capsys.readouterr().out == FORMATS[form](of_layers(summary("resnet8", {"shortcut": "B"}, 32)))
