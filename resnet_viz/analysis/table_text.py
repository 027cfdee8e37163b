"""A table as text that other programs read: CSV, Markdown, LaTeX."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from .architecture import Layer, Summary, fold
from .layer_shapes import Shape

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """Names of columns and the rows under them; None is an empty cell, a column of numbers only is set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def numeric(self) -> list[bool]:
        """Of each column: whether nothing but numbers stands in it."""
        cells = list(zip(*self.rows)) or [()] * len(self.columns)
        return [any(cell is not None for cell in column)
                and all(cell is None or isinstance(cell, int | float) for cell in column) for column in cells]


def shape_text(shape: Shape | None) -> str | None:
    """(64, 112, 112) -> "64 × 112 × 112"."""
    return None if shape is None else " × ".join(f"{n:,}" for n in shape)


def side_text(sides: Shape | None) -> int | str | None:
    """(3, 3) -> 3, for height and width are the same nearly always; (1, 3) -> "1 × 3"."""
    return sides[0] if sides and len(set(sides)) == 1 else shape_text(sides)


def of_layers(summary: Summary, level: str = "layer") -> Table:
    """Everything that is known of each layer (or stage, or block), and the totals as the last row."""
    totals = {**summary.totals, "activation_bytes": sum(layer.activation_bytes for layer in summary.layers)}
    rows = fold(summary, level)
    found = [_row(row, totals) for row in rows]
    found.append({"layer": "total", **{key: totals[key] for key in ("params", "macs", "activation_bytes")},
                  "share of params": 1.0, "share of macs": 1.0})
    columns = tuple(key for key in _row(rows[0], totals) if any(row.get(key) is not None for row in found))
    return Table(columns, tuple(tuple(row.get(column) for column in columns) for row in found))


def _row(row: Layer, totals: dict[str, int]) -> dict[str, Cell]:
    return {
        "layer": row.name,
        "kind": row.kind,
        "input": shape_text(row.input_shape),
        "output": shape_text(row.output_shape),
        **{key: side_text(getattr(row, key)) for key in ("kernel", "stride", "padding", "dilation")},
        "groups": row.groups,
        "weight": shape_text(row.weight_shape),
        "params": row.params,
        "share of params": row.params / totals["params"],
        "macs": row.macs,
        "share of macs": row.macs / totals["macs"],
        "activation_bytes": row.activation_bytes,
        "receptive field": side_text(row.receptive_field),
        "jump": side_text(row.jump),
    }


def to_csv(table: Table) -> str:
    """Numbers as programs want them: no thousands separators, all digits (RFC 4180, lines end with a line feed)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([table.columns, *table.rows])
    return text.getvalue()


def _for_people(cell: Cell) -> str:
    """Thousands separators, four significant digits of a fraction."""
    if cell is None or isinstance(cell, str):
        return cell or ""
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:.4g}"


def _markdown_cell(cell: Cell) -> str:
    text = _for_people(cell)
    for sign in "\\`*_|<[":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def to_markdown(table: Table) -> str:
    """As GitHub reads tables; padded, so that the text is a table too."""
    numeric = table.numeric()
    lines = [[_markdown_cell(cell) for cell in line] for line in (table.columns, *table.rows)]
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(table.columns))]
    rule = ["-" * (width - 1) + ":" if right else "-" * width for width, right in zip(widths, numeric)]
    padded = [[cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(line, widths, numeric)]
              for line in (lines[0], rule, *lines[1:])]
    return "".join(f"| {' | '.join(line)} |\n" for line in padded)


LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "×": r"$\times$",
         "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
         **{sign: f"\\{sign}" for sign in "&%$#_{}"}}


def _latex_cell(cell: Cell) -> str:
    return "".join(LATEX.get(sign, sign) for sign in " ".join(_for_people(cell).split()))


def to_latex(table: Table) -> str:
    """A plain tabular without any package."""
    head, *lines = [" & ".join(_latex_cell(cell) for cell in line) + r" \\" for line in (table.columns, *table.rows)]
    letters = "".join("r" if right else "l" for right in table.numeric())
    return "\n".join([rf"\begin{{tabular}}{{{letters}}}", r"\hline", head, r"\hline", *lines, r"\hline",
                      r"\end{tabular}", ""])


FORMATS: dict[str, Callable[[Table], str]] = {"csv": to_csv, "markdown": to_markdown, "latex": to_latex}
