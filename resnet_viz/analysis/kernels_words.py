"""What is seen of kernels, in words: for who cannot see the pictures, and beside them."""

import numpy as np

from .kernels import Comparison, finite, norms
from .kernels_patterns import Response, patterns

HUES = ("red", "orange", "yellow", "yellow-green", "green", "green-blue", "cyan", "light blue", "blue", "violet",
        "magenta", "pink")  # every 30 degrees of the colour circle
LINES = ("level", "rising", "upright", "falling")  # every 45 degrees, from left to right


def hue_name(hue: float) -> str:
    return HUES[round(hue / 30) % 12]


def line_name(angle: float) -> str:
    """Of lines at so many degrees counter-clockwise from horizontal."""
    return LINES[round(angle / 45) % 4]


def describe(layer: str, seen: Comparison) -> str:
    """The finding in one sentence."""
    side = " x ".join(str(n) for n in seen.now.shape[-2:])
    text = f"{len(seen.now):,} kernel{'s' * (len(seen.now) > 1)} of {side} of {layer}{_counted(seen)}"
    if seen.change is None:
        strongest = int(norms(seen.now).argmax())
        return f"{text}; number {seen.order[strongest]} has the largest norm, {norms(seen.now)[strongest]:.3g}."
    if seen.change.relative == 0:
        return f"{text}, exactly as they were before training."
    moved = finite(seen.change.relatives)
    most, least = (f"number {seen.order[place]}" for place in (moved.argmax(), moved.argmin()))
    return (f"{text}; they moved by {seen.change.relative:.2f} of their length before training "
            f"(cosine {seen.change.cosine:.2f}); "
            f"{most} moved most ({moved.max():.2f}), {least} least ({moved.min():.2f}).")


def _counted(seen: Comparison) -> str:
    if seen.now.shape[-1] == 1:
        return ""
    text = f": {int(seen.patterns.oriented.sum()):,} oriented"
    return text if seen.patterns.colour is None else f"{text}, {int(seen.patterns.coloured.sum()):,} coloured"


def counted(seen: Comparison) -> str:
    """How many have a direction and a colour, now and before training; nothing of kernels of one weight."""
    if seen.now.shape[-1] == 1:
        return ""
    total, now = len(seen.now), seen.patterns
    before = None if seen.before is None else patterns(seen.before)
    text = f"**{int(now.oriented.sum()):,} of {total:,}** are oriented"
    text += f" ({int(before.oriented.sum()):,} were before training)" if before else ""
    text += ": their lines have a clearer direction than 99 of 100 kernels of noise have."
    if now.colour is not None:
        text += f" **{int(now.coloured.sum()):,}** are mostly colour"
        text += f" ({int(before.coloured.sum()):,} before: noise is colourful)" if before else ""
        text += f", **{total - int(now.coloured.sum()):,}** mostly light and dark."
    return text


def names(seen: Comparison, what: str) -> list[str]:
    """What each kernel is called while one looks at it: its number, how far it moved, what it is.

    what  "Filter" or "Input"
    """
    strengths = norms(seen.now)
    return [", ".join([f"{what} {number}: norm {strengths[place]:.3g}", *_facts(seen, place)])
            for place, number in enumerate(seen.order)]


def _facts(seen: Comparison, place: int) -> list[str]:
    found, facts = seen.patterns, []
    if seen.change is not None and np.isfinite(seen.change.relatives[place]):
        facts.append(f"moved {seen.change.relatives[place]:.2f} times its length")
    if seen.now.shape[-1] > 1 and found.oriented[place]:
        facts.append(f"{line_name(found.angle[place])} lines ({found.angle[place]:.0f}°)")
    if found.colour is not None:
        facts.append(f"mostly {hue_name(found.hue[place])} and its opposite" if found.coloured[place] else "mostly light and dark")
    return facts


def sentence(seen: Comparison, place: int) -> str:
    """The same of one kernel, as a sentence."""
    return f"Norm {norms(seen.now)[place]:.3g}" + "".join(f", {fact}" for fact in _facts(seen, place)) + "."


def wave(response: Response) -> str:
    """Which wave a kernel answers most."""
    if not np.isfinite(response.period):
        return "flat areas most: it is a blur"
    return (f"stripes {response.period:.1f} pixels apart most, {line_name(response.angle)} "
            f"({response.angle:.0f}° from level)")
