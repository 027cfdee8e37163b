"""One row of an input, its padding, and under it every window that slides along: plain numbers -> SVG text."""

from dataclasses import dataclass

from .colours import BLUE, GREY, VERMILLION

CELL, TAP, GAP = 18, 9, 26  # pixels: a side of a cell, height of a window's line, width of what is left out
WHOLE, HEAD, TAIL = 44, 24, 14  # cells: a longer row than WHOLE shows its first and last ones
MOST_LINES = 12  # of windows under the cells; with more overlapping ones only some of them are drawn


@dataclass(frozen=True)
class Row:
    """`n` pixels with `padding` cells at each end, and `positions` windows of `kernel` cells, `stride` cells apart."""

    n: int
    kernel: int
    stride: int
    padding: int
    dilation: int
    positions: int

    @property
    def cells(self) -> int:
        """Pixels and padding."""
        return self.n + 2 * self.padding

    @property
    def reach(self) -> int:
        """Cells from the first to the last that a window takes."""
        return self.dilation * (self.kernel - 1) + 1

    def taps(self, window: int) -> list[int]:
        """The cells that one window takes."""
        return [window * self.stride + self.dilation * tap for tap in range(self.kernel)]

    def shown(self) -> list[int]:
        """The cells that are drawn: all of a short row, else the first and the last."""
        if self.cells <= WHOLE:
            return list(range(self.cells))
        return [*range(HEAD), *range(self.cells - TAIL, self.cells)]

    def used(self, cell: int) -> bool:
        """Whether any window takes it."""
        first = max(0, -(-(cell - self.reach + 1) // self.stride))
        last = min(self.positions - 1, cell // self.stride)
        return any((cell - window * self.stride) % self.dilation == 0 for window in range(first, last + 1))


def svg(row: Row) -> str:
    """Cells on top: filled pixels, dashed padding, a cross where no window comes; under them one line a window."""
    shown = row.shown()
    left = {cell: 1 + i * CELL + (GAP if cell - i else 0) for i, cell in enumerate(shown)}
    lines = min(MOST_LINES, row.positions, -(-row.reach // row.stride))
    parts = [_cell(x, row.padding <= cell < row.padding + row.n, row.used(cell)) for cell, x in left.items()]
    parts += [_window(row, window, left, CELL + 8 + TAP * line) for window, line in _drawn(row, left, lines)]
    wide, high = max(left.values()) + CELL + 1, CELL + 10 + TAP * lines
    if len(shown) < row.cells:
        middle = left[shown[HEAD - 1]] + CELL + GAP / 2
        parts += [f'<circle cx="{middle + dx:g}" cy="{1 + CELL / 2:g}" r="1.5" fill="{GREY}"/>' for dx in (-6, 0, 6)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}">'
            f'{"".join(parts)}</svg>')


def _drawn(row: Row, left: dict[int, int], lines: int) -> list[tuple[int, int]]:
    """(window, line under the cells) of those that take a cell which is drawn; no two on a line overlap."""
    turns = max(1, -(-row.reach // row.stride))
    last = [cell // row.stride for cell in left]  # that could reach each cell; on every line one of the `turns` before
    near = {window - (window - line) % turns for window in last for line in range(lines)}
    return [(window, window % turns) for window in sorted(near)
            if 0 <= window < row.positions and any(tap in left for tap in row.taps(window))]


def _cell(x: int, is_pixel: bool, used: bool) -> str:
    side = CELL - 3
    look = 'fill-opacity="0.35"' if is_pixel else 'fill-opacity="0" stroke-dasharray="3 2"'
    cross = f"M{x} 1l{side} {side}m0 {-side}l{-side} {side}"
    unused = f'<path class="unused" d="{cross}" stroke="{VERMILLION}" stroke-width="2" fill="none"/>'
    return (f'<rect x="{x}" y="1" width="{side}" height="{side}" rx="2" fill="{GREY}" stroke="{GREY}" {look}/>'
            + ("" if used else unused))


def _window(row: Row, window: int, left: dict[int, int], y: int) -> str:
    """A line from its first to its last cell, and a square at each that it takes."""
    seen = [left[tap] for tap in row.taps(window) if tap in left]
    squares = "".join(f"M{x} {y - 3}h{CELL - 3}v6h{3 - CELL}z" for x in seen)
    return (f'<path class="window" d="M{min(seen)} {y}H{max(seen) + CELL - 3}" stroke="{BLUE}" stroke-width="4"/>'
            f'<path d="{squares}" fill="{BLUE}"/>')
