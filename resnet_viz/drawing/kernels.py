"""Kernels as colours: a filter over red, green and blue as a picture, a single slice on the diverging scale.

The scale is symmetric about 0, so equal colours mean equal weights wherever the same limit was used.
"""

import numpy as np

from . import colours, tiles

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


def walls(before: np.ndarray | None, now: np.ndarray, limit: float | None, width: int = WIDTH) -> dict[str, np.ndarray]:
    """Before, now and the difference, each as one picture uint8 [H, W, 4] with the same tiles in the same order.

    limit  the weight at which the colours of all three end; None gives every kernel of every wall a scale of its own
    Without a before there is only "now".
    """
    parts = {"now": now} if before is None else {"before": before, "now": now, "difference": now - before}
    columns = tiles.columns_for(len(now))
    drawn = {name: coloured(part, limits(part) if limit is None else limit) for name, part in parts.items()}
    return {name: tiles.wall(part, columns, width) for name, part in drawn.items()}


def scale_bar(in_colour: bool, width: int = 256, height: int = 12) -> np.ndarray:
    """The colours from -limit to +limit, uint8 [height, width, 3]."""
    ramp = np.linspace(-1, 1, width)
    if in_colour:
        line = coloured(np.broadcast_to(ramp, (1, 3, 1, width)), 1)[0]
    else:
        line = colours.signed(ramp[None], 1)
    return np.ascontiguousarray(np.broadcast_to(line, (height, width, 3)))
