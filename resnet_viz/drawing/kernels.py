"""Kernels as colours: a filter over red, green and blue as a picture, a single slice on the diverging scale.

The scale is symmetric about 0, so equal colours mean equal weights wherever the same limit was used.
"""

import numpy as np

from . import colours, tiles

CELL = 46  # pixels of a square with a number in it
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
    """A kernel [k, k] as an SVG: every weight a square in its colour with its number in it."""
    high, wide = (CELL * side for side in kernel.shape)
    cells = [_cell(x * CELL, y * CELL, float(weight), limit) for (y, x), weight in np.ndenumerate(kernel)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" '
            f'font-family="sans-serif" font-size="13" text-anchor="middle">{"".join(cells)}</svg>')


def _cell(x: int, y: int, weight: float, limit: float) -> str:
    red, green, blue = (int(c) for c in colours.signed(np.array(weight), limit))
    ink = colours.INK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else colours.GROUND
    return (f'<rect x="{x}" y="{y}" width="{CELL - 1}" height="{CELL - 1}" fill="rgb({red},{green},{blue})"/>'
            f'<text x="{x + CELL // 2}" y="{y + CELL // 2 + 5}" fill="{ink}">{number(weight)}</text>')


def number(weight: float) -> str:
    """A weight in at most five characters: two digits after the point, or none where it is too large or too small."""
    size = abs(weight)
    if size and not 0.005 <= size < 100:
        mantissa, exponent = f"{weight:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return f"{weight:.2f}".replace("-0.00", "0.00").replace("-", "−")


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
