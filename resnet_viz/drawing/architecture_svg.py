"""The drawing of a network as SVG text, and its colours for light and for dark ground."""

from html import escape

from . import colours
from .architecture import SIZES, Drawing, PlacedArc, PlacedBox, Text

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", "Helvetica Neue", Arial, sans-serif'
LOOKS = {"light": (colours.GROUND, colours.INK, colours.ACCENT),
         "dark": (colours.DARK_GROUND, colours.INK_ON_DARK, colours.ACCENT_ON_DARK)}

PALEST = {"light": 5, "dark": 7}  # of 20 steps from the ground to the accent: dark colours are harder to tell apart


def svg(drawing: Drawing) -> str:
    """One <svg> element with classes; `style` gives their colours. Elements with a row say so in data-row."""
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}" '
             f'width="{_n(drawing.width)}" height="{_n(drawing.height)}">']
    for left, right, y in drawing.flows:
        parts.append(f'<path class="flow" d="M{_n(left)} {_n(y)}H{_n(right)}m-5-4l5 4l-5 4"/>')
    for left, right, y, shade in drawing.rules:
        parts.append(f'<path class="rule r{shade}" d="M{_n(left)} {_n(y)}H{_n(right)}"/>')
    parts += [_arc(arc) for arc in drawing.arcs]
    others: list[Text] = []
    words: dict[int | None, list[Text]] = {placed.box.row: [] for placed in drawing.boxes}
    words[None] = others
    for text in drawing.texts:
        words.get(text.row, others).append(text)
    parts += [_box(placed, [] if placed.box.row is None else words[placed.box.row]) for placed in drawing.boxes]
    parts += [_text(text, alone=True) for text in others]
    return "".join([*parts, "</svg>"])


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _row(row: int | None) -> str:
    return "" if row is None else f' data-row="{row}"'


def _arc(placed: PlacedArc) -> str:
    wide, high = (placed.right - placed.left) / 2, placed.shoulder - placed.top
    path = (f"M{_n(placed.left)} {_n(placed.foot)}V{_n(placed.shoulder)}A{_n(wide)} {_n(high)} 0 0 1 "
            f"{_n(placed.right)} {_n(placed.shoulder)}V{_n(placed.landing)}")
    kind = "arc dashed" if placed.arc.dashed else "arc"
    return f'<path class="{kind}" data-count="{placed.arc.count}"{_row(placed.arc.row)} d="{path}"/>'


def _box(placed: PlacedBox, words: list[Text]) -> str:
    box, (left, right) = placed.box, placed.column
    low = max([placed.y + placed.height, *(text.y + 3 for text in words)])
    wide, high = right - left, low - placed.y + 4
    hit = f'<path class="hit" d="M{_n(left)} {placed.y - 4:.0f}h{_n(wide)}v{high:.0f}h-{_n(wide)}z"/>'
    shape = f'x="{_n(placed.x)}" y="{_n(placed.y)}" width="{_n(placed.width)}" height="{_n(placed.height)}"'
    behind = "".join(f'<rect class="behind" {shape} transform="translate({n} {-n})"/>' for n in (5, 2.5)) * box.many
    if box.look == "add":
        x, y, r = placed.x + placed.width / 2, placed.y + placed.height / 2, placed.width / 2
        drawn = (f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}"/><path class="plus" d="M{_n(x - 4)} {_n(y)}h8'
                 f'm-4-4v8"/>')
    else:
        drawn = f"{behind}<rect {shape}/>"
    return f'<g class="box {box.look} s{box.shade}"{_row(box.row)}>{hit}{drawn}{"".join(map(_text, words))}</g>'


def _text(text: Text, alone: bool = False) -> str:
    left, row = "" if text.middle else " left", _row(text.row) if alone else ""
    return f'<text class="{text.look}{left}"{row} x="{_n(text.x)}" y="{_n(text.y)}">{escape(text.text)}</text>'


def style(stages: int, look: str) -> str:
    """CSS rules for `svg` on "light" or "dark" ground: stages are steps of the accent's colour, the rest is grey."""
    ground, ink, accent = LOOKS[look]
    steps = colours.between(ground, accent, 21)
    ramp = colours.between(steps[PALEST[look]], steps[17], max(stages, 2))
    soft = colours.between(ground, ink, 11)[7]
    grey = colours.between(ground, colours.GREY, 11)[3]
    rules = [f"svg{{font-family:{FONT}}}",
             f"text{{fill:{soft};text-anchor:middle;font-variant-numeric:tabular-nums}}",
             "text.left{text-anchor:start}",
             *(f"text.{name}{{font-size:{size:g}px}}" for name, size in SIZES.items()),
             f"text.name,text.title{{fill:{ink};font-weight:600}}", f"text.tag{{fill:{ink}}}",
             f".flow,.arc,.plus{{fill:none;stroke:{soft};stroke-width:1.25}}",
             f".arc,.plus{{stroke:{ink};stroke-width:1.5}}", ".dashed{stroke-dasharray:4.5 3}",
             ".hit{fill:none;pointer-events:all}", ".rule{stroke-width:3;stroke-linecap:round}",
             f"rect,circle{{stroke-width:1;stroke:{colours.GREY};fill:{grey}}}", f".picture rect{{fill:{ground}}}",
             f".add circle{{fill:{ground};stroke:{ink};stroke-width:1.25}}"]
    for number, colour in enumerate(ramp[:stages], start=1):
        pale = colours.between(ground, colour, 3)[1]
        rules += [f".s{number} rect{{fill:{colour};stroke:{accent}}}", f".norm.s{number} rect{{fill:{pale}}}",
                  f".r{number}{{stroke:{colour};--shade:{colour}}}"]
    return "".join([*rules, f".norm.s0 rect{{fill:{colours.between(ground, grey, 3)[1]}}}",
                    *(f".act.s{number} rect{{fill:{ground}}}" for number in range(stages + 1))])
