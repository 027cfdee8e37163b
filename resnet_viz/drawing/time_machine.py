"""The film of a run: its numbers as the browser gets them, and one frame as a picture for a GIF or a video."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from . import colours, kernels, tiles
from .curves import downsample

STEPS_OF_A_WEIGHT = 32767  # int16: finer than the float16 of the snapshots at the end of the scale
WALL, GAP, MARGIN, TITLE, CURVE = 368, 28, 32, 84, 150  # pixels of a film's frame
WIDTH = 3 * WALL + 2 * GAP + 2 * MARGIN
INK, SOFT, GROUND = colours.rgb(colours.INK), colours.rgb(colours.GREY), (255, 255, 255)
SCALES = ("kernel", "layer")


# Numbers


def pack(head: dict, arrays: dict[str, np.ndarray]) -> bytes:
    """The bytes that time_machine.js reads: uint32 head length, JSON head padded to 4 bytes, then the arrays.

    Each array starts at a multiple of 4; head["arrays"] tells name -> {type, shape, at}, `at` from the end of the head.
    Types are u1, u2, i2 and f4, little endian.
    """
    described, parts, at = {}, [], 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        described[name] = {"type": array.dtype.str[1:], "shape": list(array.shape), "at": at}
        data += b"\0" * (-len(data) % 4)
        parts.append(data)
        at += len(data)
    text = json.dumps({**head, "arrays": described}, ensure_ascii=False, allow_nan=False).encode()
    return len(text).to_bytes(4, "little") + text + b" " * (-len(text) % 4) + b"".join(parts)


def whole_numbers(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights as int16 and the limit: weight = number x limit / 32,767, wrong by at most limit / 65,534."""
    limit = float(np.abs(weights).max())
    return np.round(weights * (STEPS_OF_A_WEIGHT / limit if limit else 0)).astype(np.int16), limit


def colour_places(maps: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Maps [moments, channels, h, w] as uint8 places on the diverging scale; limits [channels], for all moments."""
    limits = limits.reshape(1, -1, 1, 1)
    scaled = np.divide(maps, limits, out=np.zeros(maps.shape, dtype=np.float64), where=limits > 0)
    return np.round((np.clip(scaled, -1, 1) + 1) / 2 * 255).astype(np.uint8)


def thinned_curve(x: np.ndarray, y: np.ndarray, limit: int = 800) -> tuple[np.ndarray, np.ndarray]:
    """A curve of at most `limit` points that keeps its extremes; points that are not finite are left out."""
    known = np.isfinite(y)
    x, y = x[known], y[known]
    kept = downsample(x, y, limit)
    return x[kept].astype(np.float32), y[kept].astype(np.float32)


def limits(before: np.ndarray, now: np.ndarray, scale: str, whole: float) -> np.ndarray | float:
    """The weight at which the colours end: of each kernel one before, now and in the difference, or `whole` for all."""
    return whole if scale == "layer" else np.maximum(kernels.limits(before), kernels.limits(now))


# Pictures


@dataclass(frozen=True)
class Curve:
    """What stands under the kernels of a film: y over x from 0 to the last frame's number, and y's name."""

    x: np.ndarray
    y: np.ndarray
    name: str


def frames(weights: np.ndarray, titles: Sequence[str], scale: str, curve: Curve | None) -> Iterator[np.ndarray]:
    """A picture uint8 [H, W, 3] of every frame: before, now, difference, and where on the curve it stands.

    weights  float32 [frames, n, 3, k, k] or [frames, n, k, k], in the order of show
    titles   a line for each frame; scale as in SCALES. H and W are even, as video wants them.
    """
    whole = float(np.abs(weights).max())
    for number, (now, title) in enumerate(zip(weights, titles)):
        yield _frame(weights[0], now, limits(weights[0], now, scale, whole), title, curve, number)


def _frame(before: np.ndarray, now: np.ndarray, limit, title: str, curve: Curve | None, number: int) -> np.ndarray:
    columns = tiles.columns_for(len(now))
    walls = [tiles.wall(kernels.coloured(part, limit), columns, WALL) for part in (before, now, now - before)]
    height = walls[0].shape[0]
    whole = TITLE + height + MARGIN + (CURVE + MARGIN if curve else 0)
    picture = np.full((whole + whole % 2, WIDTH, 3), GROUND, dtype=np.uint8)
    for place, wall in enumerate(walls):
        left = _left(place, wall.shape[1])
        part = picture[TITLE : TITLE + height, left : left + wall.shape[1]]
        seen = wall[..., 3:] > 0
        part[:] = np.where(seen, wall[..., :3], part)
    return _written(picture, title, curve, number, TITLE + height + MARGIN, walls[0].shape[1])


def _left(place: int, wide: int) -> int:
    """Where the wall at a place 0, 1, 2 begins: the outer ones at the margins."""
    return MARGIN + place * (WIDTH - 2 * MARGIN - wide) // 2


def _written(picture: np.ndarray, title: str, curve: Curve | None, number: int, top: int, wide: int) -> np.ndarray:
    """The words and the curve, drawn by Pillow with the typeface that it brings along."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    large, small = (ImageFont.load_default(size) for size in (24, 17))
    pen.text((MARGIN, 18), title, INK, large)
    for place, name in enumerate(("before", "now", "difference")):
        pen.text((_left(place, wide), TITLE - 24), name, SOFT, small)
    if curve is not None and len(curve.y) > 1:
        _draw_curve(pen, curve, number, top, small)
    return np.asarray(image)


def _draw_curve(pen, curve: Curve, number: int, top: int, font) -> None:
    low, high = float(curve.y.min()), float(curve.y.max())
    end = float(curve.x[-1]) or 1.0
    left, width = MARGIN + 130, WIDTH - 2 * MARGIN - 140

    def at(x, y) -> tuple[float, float]:
        return left + width * float(x) / end, top + CURVE - 12 - (CURVE - 24) * (float(y) - low) / ((high - low) or 1)

    pen.text((MARGIN, top), curve.name, SOFT, font)
    pen.text((MARGIN, top + 24), f"{high:.3g}", SOFT, font)
    pen.text((MARGIN, top + CURVE - 30), f"{low:.3g}", SOFT, font)
    pen.line([at(x, y) for x, y in zip(curve.x, curve.y)], colours.rgb(colours.LIGHT_GREY), 2)
    gone = curve.x <= number
    points = [at(x, y) for x, y in zip(curve.x[gone], curve.y[gone])]
    if len(points) > 1:
        pen.line(points, colours.rgb(colours.ACCENT), 3)
    x, y = at(number, np.interp(number, curve.x, curve.y))
    pen.line([(x, top), (x, top + CURVE - 6)], SOFT, 1)
    pen.ellipse([x - 6, y - 6, x + 6, y + 6], colours.rgb(colours.ACCENT))
