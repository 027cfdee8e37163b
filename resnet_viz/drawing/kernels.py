"""Kernels as colours: a filter over red, green and blue as a picture, a single slice on the diverging scale.

The scale is symmetric about 0, so equal colours mean equal weights wherever the same limit was used.
"""

from math import floor, log10

import numpy as np

from . import colours, tiles

CELL, SMALL_CELL = 46, 40  # pixels of a square with a number in it
WIDTH = 720  # pixels of one wall: twice the width it usually has on screen, so that it stays sharp on fine displays


def limits(kernels: np.ndarray) -> np.ndarray:
    """The largest |weight| of each kernel: [n, ...] -> [n]."""
    return np.abs(kernels).reshape(len(kernels), -1).max(axis=1)


def coloured(kernels: np.ndarray, limits: np.ndarray | float) -> np.ndarray:
    """Kernels [n, 3, k, k] or [n, k, k] -> uint8 tiles [n, k, k, 3]; at +-limit the colours end.

    limits  one for all, or one for each kernel [n]; a limit of 0 draws zero everywhere
    """
    limits = np.broadcast_to(limits, len(kernels)).reshape(-1, *[1] * (kernels.ndim - 1))
    scaled = np.divide(kernels, limits, out=np.zeros(kernels.shape), where=limits > 0)
    if kernels.ndim == 3:
        return colours.signed(scaled, 1)
    return np.round(127.5 + 127.5 * np.clip(scaled, -1, 1)).astype(np.uint8).transpose(0, 2, 3, 1)  # grey is 0


def drawn(before: np.ndarray | None, now: np.ndarray, limit: float | None) -> dict[str, np.ndarray]:
    """Before, now and the difference as tiles uint8 [n, k, k, 3], pixel by pixel, in the same order.

    limit  the weight at which the colours of all three end; None gives every kernel of every wall a scale of its own
    Without a before there is only "now".
    """
    parts = {"now": now} if before is None else {"before": before, "now": now, "difference": now - before}
    return {name: coloured(part, limits(part) if limit is None else limit) for name, part in parts.items()}


def walls(before: np.ndarray | None, now: np.ndarray, limit: float | None, width: int = WIDTH) -> dict[str, np.ndarray]:
    """The same, each composed to one picture uint8 [H, W, 4]."""
    columns = tiles.columns_for(len(now))
    return {name: tiles.wall(part, columns, width) for name, part in drawn(before, now, limit).items()}


def numbers(kernel: np.ndarray, limit: float) -> str:
    """A kernel [k, k] as an SVG: every weight a square in its colour with its number in it; smaller for large kernels."""
    side = CELL if max(kernel.shape) <= 3 else SMALL_CELL
    high, wide = (side * length for length in kernel.shape)
    cells = [_cell(x * side, y * side, side, float(weight), limit) for (y, x), weight in np.ndenumerate(kernel)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
            f'font-family="sans-serif" font-size="{side / 3.6:.1f}" text-anchor="middle">{"".join(cells)}</svg>')


def _cell(x: int, y: int, side: int, weight: float, limit: float) -> str:
    red, green, blue = (int(c) for c in colours.signed(np.array(weight), limit))
    ink = colours.INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else colours.GROUND
    return (f'<rect x="{x}" y="{y}" width="{side - 1}" height="{side - 1}" fill="rgb({red},{green},{blue})"/>'
            f'<text x="{x + side // 2}" y="{y + 0.6 * side:g}" fill="{ink}">{number(weight, limit)}</text>')


def number(weight: float, limit: float) -> str:
    """A weight in at most six characters: as many digits after the point for all weights up to `limit` as it needs."""
    digits = 1 - floor(log10(limit)) if limit > 0 else 2
    if not 0 <= digits <= 3:
        mantissa, exponent = f"{weight:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−") if weight else "0"
    return f"{weight:.{digits}f}".replace("-", "−")


def enlarged(picture: np.ndarray, width: int) -> np.ndarray:
    """A picture [H, W, 3] at the largest whole multiple within `width`; a larger one stays as it is."""
    multiple = max(1, width // picture.shape[1])
    return picture.repeat(multiple, axis=0).repeat(multiple, axis=1)


def scale_bar(in_colour: bool, width: int = 256, height: int = 12) -> np.ndarray:
    """The colours from -limit to +limit, uint8 [height, width, 3]."""
    ramp = np.linspace(-1, 1, width)
    if in_colour:
        line = coloured(np.broadcast_to(ramp, (1, 3, 1, width)), 1)[0]
    else:
        line = colours.signed(ramp[None], 1)
    return np.ascontiguousarray(np.broadcast_to(line, (height, width, 3)))
