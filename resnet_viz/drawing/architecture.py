"""A network drawn from left to right, like the paper's figure 3 turned: where every box, arc and label stands.

A box is as tall as its maps are large and as wide as they are many, both by the square root, so that four times as many
are drawn twice as wide. `drawn` chooses the scale of widths that needs the fewest rows; nothing overlaps.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import sqrt

WIDTH = 960  # pixels of a row
GAP, PAD, THIN, ROUND = 8, 4, 5, 15  # between boxes, at a span's ends, a strip's width, the circle of an addition
EDGE, ARROW = 2, 10  # left of everything: half of a line's own width; right of it: the head of the arrow
RISE, STEP = 13, 20  # of an arc above its shoulders, and from one arc to the next outer one
HEADER, LINE, BETWEEN = 43, 17, 24  # heights of a stage's title, of a line of labels, and between two rows
SIZES = {"name": 13.0, "soft": 12.0, "title": 14.0, "note": 12.0, "tag": 12.0}  # of the letters; at least 11
UNITS = (5.0, 3.6, 2.6, 2.2, 1.8, 1.5, 1.2, 1.0, 0.8, 0.6, 0.45)  # pixels of width for the root of one channel
FIXED = {"norm": THIN, "act": THIN, "add": ROUND}
NARROW = " .,:;|'ijlft"


@dataclass(frozen=True)
class Box:
    """One box: maps of `side` x `side` pixels, `channels` of them.

    look    "part" (a stage, block, convolution or pool), "norm" or "act" (batch norm, activation: strips of one width),
            "add" (a circle), "picture"
    row     of the table; None where it has none
    shade   number of its stage, 0 outside the stages
    labels  lines under it: (key of SIZES, text)
    many    drawn as a stack: it stands for several
    """

    look: str
    channels: int
    side: int
    row: int | None = None
    shade: int = 0
    labels: tuple[tuple[str, str], ...] = ()
    many: bool = False


@dataclass(frozen=True)
class Arc:
    """A shortcut, or `count` of them; `row` of the first layer on its way, where that has a row of its own."""

    dashed: bool
    count: int = 1
    tag: str = ""
    row: int | None = None


@dataclass(frozen=True)
class Span:
    """Boxes that stay together in a row under a title, and the arcs over them, the inner first, up to the addition."""

    boxes: tuple[Box, ...]
    arcs: tuple[Arc, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Group:
    """Spans under one title, e.g. a stage; "" for none."""

    spans: tuple[Span, ...]
    title: str = ""
    note: str = ""
    shade: int = 0


@dataclass(frozen=True)
class PlacedBox:
    box: Box
    x: float
    y: float
    width: float
    height: float
    column: tuple[float, float]  # x from, to: the room that is its own


@dataclass(frozen=True)
class PlacedArc:
    """Legs from `foot` up to `shoulder` at x = left and right, between them half an ellipse that ends at `top`."""

    arc: Arc
    left: float
    right: float
    foot: float
    landing: float
    shoulder: float
    top: float


@dataclass(frozen=True)
class Text:
    """A label whose middle (or left end) is at x, its baseline at y; `width` is an estimate from above."""

    text: str
    look: str
    x: float
    y: float
    middle: bool = True
    row: int | None = None

    @property
    def width(self) -> float:
        return text_width(self.text, self.look)


@dataclass(frozen=True)
class Drawing:
    """Everything in its place, in pixels; `flows` and `rules` are lines (x from, x to, y, shade)."""

    width: float
    height: float
    boxes: tuple[PlacedBox, ...]
    arcs: tuple[PlacedArc, ...]
    texts: tuple[Text, ...]
    flows: tuple[tuple[float, float, float], ...]
    rules: tuple[tuple[float, float, float, int], ...]


def text_width(text: str, look: str) -> float:
    """Pixels that a text takes at most in the usual sans-serif letters."""
    em = sum(0.3 if letter in NARROW else 0.68 if letter.isupper() or letter in "mwMW" else 0.56 for letter in text)
    return em * SIZES[look] * (1.06 if look in ("name", "title") else 1)


# How wide

def _box_width(box: Box, unit: float) -> float:
    return FIXED.get(box.look) or max(2.0, unit * sqrt(box.channels))


def _column_width(box: Box, unit: float) -> float:
    gap = 3 if FIXED.get(box.look) == THIN else GAP
    return max([_box_width(box, unit), *(text_width(text, look) for look, text in box.labels)]) + gap


def _span_width(span: Span, unit: float) -> float:
    boxes = sum(_column_width(box, unit) for box in span.boxes)
    words = [text_width(arc.tag, "tag") for arc in span.arcs] + [text_width(span.title, "name")]
    return max(boxes, *words) + 2 * PAD


def _group_width(group: Group, unit: float) -> float:
    words = max(text_width(group.title, "title"), text_width(group.note, "note")) + GAP
    return max(sum(_span_width(span, unit) for span in group.spans), words)


# Which row

def _rows(groups: list[Group], unit: float, width: float) -> list[list[Group]]:
    """Groups in rows of at most `width`; one that is wider is broken between its spans, as evenly as it goes."""
    width -= 2 * EDGE + ARROW
    rows, room = [[]], width
    for group in groups:
        for piece in _pieces(group, unit, width):
            wide = _group_width(piece, unit)
            if wide > room and rows[-1]:
                rows.append([])
                room = width
            rows[-1].append(piece)
            room -= wide
    return rows


def _pieces(group: Group, unit: float, width: float) -> Iterator[Group]:
    wide = _group_width(group, unit)
    count = min(len(group.spans), -int(-wide // width))
    while True:
        size = -(-len(group.spans) // count)
        pieces = [group.spans[i : i + size] for i in range(0, len(group.spans), size)]
        if size == 1 or all(sum(_span_width(span, unit) for span in piece) <= width for piece in pieces):
            break
        count += 1
    for number, piece in enumerate(pieces):
        yield replace(group, spans=tuple(piece), note=group.note if number == 0 else "continued")


def drawn(groups: list[Group], tallest: float = 120, width: float = WIDTH) -> Drawing:
    """Every box, arc and label in its place, in rows of `width` pixels (a span that is wider makes its row wider)."""
    flowed = [(unit, _rows(groups, unit, width)) for unit in UNITS]
    fewest = min(len(rows) for _, rows in flowed)
    unit, rows = next((unit, rows) for unit, rows in flowed if len(rows) == fewest)
    largest = max(box.side for group in groups for span in group.spans for box in span.boxes)
    hand = _Hand(unit, tallest / sqrt(largest), width)
    for row in rows:
        hand.row(row, last=row is rows[-1])
    return hand.finished()


class _Hand:
    """Draws row under row; scales: pixels of width for the root of a channel, of height for the root of a side."""

    def __init__(self, unit: float, tall: float, width: float):
        self.unit, self.tall, self.width = unit, tall, width
        self.top = 0.0
        self.boxes, self.arcs, self.texts, self.flows, self.rules = [], [], [], [], []

    def height(self, box: Box) -> float:
        return float(ROUND) if box.look == "add" else max(3.0, self.tall * sqrt(box.side))

    def reach(self, span: Span) -> float:
        """From the middle line up to the end of the outermost arc and its tag."""
        high = max(self.height(box) for box in span.boxes) / 2
        return high + (6 + STEP * (len(span.arcs) - 1) + RISE + LINE + 4 if span.arcs else 4)

    def row(self, groups: list[Group], last: bool) -> None:
        spans = [span for group in groups for span in group.spans]
        widths = {id(group): _group_width(group, self.unit) for group in groups}
        spare = self.width - 2 * EDGE - ARROW - sum(widths.values())
        extra = min(spare / len(spans), 44.0) if spare > 0 and len(spans) < 24 else 0.0
        header = HEADER * any(group.title for group in groups) + (LINE + 4) * any(span.title for span in spans)
        middle = self.top + header + max(self.reach(span) for span in spans)
        deep = max(self.height(box) for span in spans for box in span.boxes) / 2
        x = float(EDGE)
        for group in groups:
            start = x
            for span in group.spans:
                wide = _span_width(span, self.unit) + extra
                self.title(span, x, wide, self.top + header - 3)
                self.span(span, x, wide, middle, middle + deep + LINE + 2)
                x += wide
            x = max(x, start + widths[id(group)])
            self.header(group, start, x)
        lines = max(len(box.labels) for span in spans for box in span.boxes)
        self.flows.append((EDGE, x + ARROW if last else max(x + ARROW, self.width - EDGE), middle))
        self.top = middle + deep + lines * LINE + BETWEEN

    def header(self, group: Group, left: float, right: float) -> None:
        if group.title:
            self.texts.append(Text(group.title, "title", left + PAD, self.top + 15, middle=False))
            self.texts.append(Text(group.note, "note", left + PAD, self.top + 32, middle=False))
            self.rules.append((left + PAD, right - PAD, self.top + 39, group.shade))

    def title(self, span: Span, left: float, wide: float, y: float) -> None:
        """Over a single box in its middle, else where its arc or its first box begins."""
        if span.title:
            boxes = sum(_column_width(box, self.unit) for box in span.boxes)
            alone = len(span.boxes) == 1
            begin = PAD if span.arcs else min((wide - boxes) / 2, wide - PAD - text_width(span.title, "name"))
            x = left + (wide / 2 if alone else begin)
            self.texts.append(Text(span.title, "name", x, y, middle=alone))

    def span(self, span: Span, left: float, wide: float, middle: float, under: float) -> None:
        x = left + (wide - sum(_column_width(box, self.unit) for box in span.boxes)) / 2
        landing = None
        for box in span.boxes:
            column = _column_width(box, self.unit)
            self.box(box, (x, x + column), middle, under)
            if box.look == "add":
                landing = x + column / 2
            x += column
        high = middle - max(self.height(box) for box in span.boxes) / 2
        for number, arc in enumerate(span.arcs):
            inset = 4.0 * (len(span.arcs) - 1 - number)
            self.arc(arc, left + inset, (landing or left + wide) - inset, middle, high - 6 - STEP * number,
                     middle - ROUND / 2 if landing else middle)

    def box(self, box: Box, column: tuple[float, float], middle: float, under: float) -> None:
        wide, high = _box_width(box, self.unit), self.height(box)
        centre = sum(column) / 2
        self.boxes.append(PlacedBox(box, centre - wide / 2, middle - high / 2, wide, high, column))
        for number, (look, text) in enumerate(box.labels):
            self.texts.append(Text(text, look, centre, under + LINE * number, row=box.row))

    def arc(self, arc: Arc, left: float, right: float, foot: float, shoulder: float, landing: float) -> None:
        top = shoulder - min((right - left) / 2, RISE)
        self.arcs.append(PlacedArc(arc, left, right, foot, landing, shoulder, top))
        if arc.tag:
            self.texts.append(Text(arc.tag, "tag", (left + right) / 2, top - 4, row=arc.row))

    def finished(self) -> Drawing:
        ends = [end for _, end, _ in self.flows] + [text.x + text.width for text in self.texts if not text.middle]
        return Drawing(max([self.width, *ends]), self.top - BETWEEN + 8, tuple(self.boxes), tuple(self.arcs),
                       tuple(self.texts), tuple(self.flows), tuple(self.rules))
