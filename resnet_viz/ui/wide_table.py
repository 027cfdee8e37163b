"""A table to read, not to sort: brackets and words in its cells, its first column stays while the rest scrolls inside.

A cell is a text, or a dict:
    text     what it says            note     a smaller line under it
    bracket  lines between brackets  times    behind the bracket, e.g. "× 3"
    lines    [text, note] under each other, the text of the cell above them as their title
    span     columns it takes        right    set to the right, for numbers
    strong   true for what counts most
A head cell is a text, or a dict of text and note; `marked` frames one column, and its note must say why.
"""

from .component import component

_table = component("wide_table")

Cell = str | dict


def show(key: str, label: str, head: list[Cell], rows: list[list[Cell]], marked: int | None = None) -> None:
    """Draw it; `label` tells its finding to who cannot see it. The first cell of a row is its name."""
    _table(key=key, data={"label": label, "head": head, "rows": rows, "marked": marked}, height="content")
