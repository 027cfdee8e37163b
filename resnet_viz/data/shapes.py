"""The data set `shapes`: ten drawn shapes on busy backgrounds, made from a seed in under a second.

Every picture is 32 x 32 RGB and holds one shape of one class. Place, size, rotation, stretch, colours, textures,
clutter and noise are drawn without looking at the class, so only the outline gives it away. Some pictures are meant
to be hard: small, faint, or crossed by a bar. Nothing is copied from anywhere; this file is the whole source.

How a picture is drawn: the distance to the shape's outline is a formula (Quilez, "2D distance functions"), and a
pixel is inside by 0.5 - distance in pixels, cut to 0..1, which smooths the edge. All layers (background, its texture,
three bits of clutter, the shape, its texture, a bar in front) get a weight a pixel, and one matrix product with the
layers' colours paints the picture.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from .sources import Pictures, Progress

SIDE = 32
TRAIN, TEST = 20_000, 2_000
CHUNK = 100                                     # pictures at a time: their layers stay in the processor's cache
_AXIS = np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2


# ---------------------------------------------------------------- outlines: distance in radii, negative inside

def _circle(u, v):
    return np.sqrt(u * u + v * v) - 0.9


def _ring(u, v):
    return np.abs(np.sqrt(u * u + v * v) - 0.7) - 0.23


def _square(u, v):
    return np.maximum(np.abs(u), np.abs(v)) - 0.76


def _frame(u, v):
    return np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.62) - 0.2


def _triangle(u, v):
    return np.maximum(np.abs(u) * 0.866 + v * 0.5, -v) - 0.52


def _cross(u, v):
    u, v = np.abs(u), np.abs(v)
    return np.minimum(np.maximum(u - 0.28, v - 0.95), np.maximum(u - 0.95, v - 0.28))


def _star(u, v):
    """Five points, folded twice about the lines at 36 degrees so that one edge is left."""
    u = np.abs(u)
    for x, y in ((0.809, -0.588), (-0.809, -0.588)):
        over = np.maximum(u * np.float32(x) + v * np.float32(y), 0) * np.float32(2)
        u, v = u - over * np.float32(x), v - over * np.float32(y)
    u, v = np.abs(u), v - np.float32(1.0)
    # the edge from the outer point (0, 0) to the inner one; its outward normal is (0.89, 0.45) for a slim star
    return u * np.float32(0.86) + v * np.float32(0.51)


def _moon(u, v):
    bite = u - 0.45
    vv = v * v
    return np.maximum(np.sqrt(u * u + vv) - 0.95, 0.72 - np.sqrt(bite * bite + vv))


def _heart(u, v):
    u = np.abs(u)
    lobe = np.sqrt((u - 0.42) ** 2 + (v + 0.35) ** 2) - 0.5
    tip = np.maximum(u * 0.75 + v * 0.66 - 0.584, -0.08 - v)        # its side touches the lobe
    return np.minimum(lobe, tip)


def _arrow(u, v):
    u = np.abs(u)
    head = np.maximum(u * 0.78 - v * 0.62 - 0.6, v + 0.05)
    shaft = np.maximum(u - 0.22, np.abs(v - 0.4) - 0.55)
    return np.minimum(head, shaft)


OUTLINES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "arrow": _arrow, "circle": _circle, "cross": _cross, "frame": _frame, "heart": _heart,
    "moon": _moon, "ring": _ring, "square": _square, "star": _star, "triangle": _triangle}
CLASSES = tuple(OUTLINES)


# ---------------------------------------------------------------- pictures

def read(split: str, progress: Progress | None = None, seed: int = 0) -> Pictures:
    """20,000 "train" or 2,000 "test" pictures, the same number of each class, in random order.

    The two splits are independent draws. The same seed gives the same bytes (with one version of NumPy on one kind
    of processor; elsewhere a value may differ by one).
    """
    count = {"train": TRAIN, "test": TEST}[split]
    images, labels = generate(count, (seed, split == "test"))
    if progress:
        progress(count, count, "drawing shapes")
    return Pictures(torch.from_numpy(images), torch.from_numpy(labels)[:, None], CLASSES, (len(CLASSES),), "shapes")


def generate(count: int, seed: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """`count` pictures, uint8 [count, 3, 32, 32], and their labels, int64 [count]; balanced, shuffled."""
    shuffle, *seeds = np.random.SeedSequence(seed).spawn(1 + len(CLASSES) * (count // CHUNK // len(CLASSES) + 1))
    order = np.random.default_rng(shuffle).permutation(count)
    images, labels = np.empty((count, 3, SIDE, SIDE), np.uint8), np.empty(count, np.int64)
    jobs = []
    for label, places in enumerate(np.array_split(order, len(CLASSES))):    # a chunk is of one class: one formula
        labels[places] = label
        jobs += [(label, places[start:start + CHUNK]) for start in range(0, len(places), CHUNK)]

    def draw(job, seed_of_job) -> None:
        label, places = job
        images[places] = _draw(OUTLINES[CLASSES[label]], len(places), np.random.default_rng(seed_of_job))

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        list(pool.map(draw, jobs, seeds))
    return images, labels


def _draw(outline, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` pictures of one outline, uint8 [count, 3, 32, 32]."""
    random = lambda low, high, *shape: rng.uniform(low, high, (count, *shape)).astype(np.float32)   # noqa: E731
    weights = np.empty((count, 9, SIDE, SIDE), np.float32)
    radius = random(7, 12.5)
    u, v = _placed(random, radius, 15.5 - radius)
    inside = np.clip(np.float32(0.5) - outline(u, v) * radius[:, None, None], 0, 1)

    left = np.ones((count, SIDE, SIDE), np.float32)         # what upper layers leave of a pixel
    _over(left, _bar(random, random(-1.2, 1.5), random(5, 40)), weights[:, 0])
    _over(left, inside, weights[:, 1])
    np.multiply(weights[:, 1], _texture(random), out=weights[:, 2])
    _over(left, _bar(random, random(-2, 3), random(1.5, 5)), weights[:, 3])
    _over(left, _bar(random, random(-1.5, 2), random(3, 40)), weights[:, 4])
    _over(left, _dot(random), weights[:, 5])
    _over(left, _dot(random), weights[:, 6])
    weights[:, 7] = left
    np.multiply(left, _texture(random), out=weights[:, 8])

    pictures = _colours(random) @ weights.reshape(count, 9, SIDE * SIDE)
    noise = np.frombuffer(rng.bytes(pictures.size), np.uint8).reshape(pictures.shape).astype(np.float32)
    noise -= np.float32(127.5)
    noise *= (random(0, 1) ** 2 * np.float32(0.3))[:, None, None]
    pictures += noise
    np.clip(pictures, 0, 255, out=pictures)
    return pictures.astype(np.uint8).reshape(count, 3, SIDE, SIDE)


def _placed(random, radius, shift):
    """Coordinates of every pixel in the shape's own frame, [count, 32, 32] each: shifted, turned, stretched."""
    angle, stretch = random(0, 2 * np.pi), random(0.87, 1.15)
    x, y = random(-1, 1) * shift, random(-1, 1) * shift
    cos, sin = np.cos(angle) / radius, np.sin(angle) / radius
    u = _plane(cos * stretch, sin * stretch, -(cos * x + sin * y) * stretch)
    v = _plane(-sin / stretch, cos / stretch, (sin * x - cos * y) / stretch)
    return u, v


def _plane(a, b, c):
    """a x + b y + c at every pixel, [count, 32, 32]."""
    return (a[:, None] * _AXIS + c[:, None])[:, None, :] + (b[:, None] * _AXIS)[:, :, None]


def _over(left, alpha, weight) -> None:
    """Lay a layer under those before it: its weight is its alpha times what they leave."""
    np.multiply(left, alpha, out=weight)
    left -= weight


def _bar(random, half_width, half_length):
    """How much of each pixel a bar covers; none where half_width is below -0.5."""
    angle = random(0, 2 * np.pi)
    cos, sin, x, y = np.cos(angle), np.sin(angle), random(-15, 15), random(-15, 15)
    u = np.abs(_plane(cos, sin, -(cos * x + sin * y)))
    v = np.abs(_plane(-sin, cos, sin * x - cos * y))
    u -= (half_length + np.float32(0.5))[:, None, None]
    v -= (half_width + np.float32(0.5))[:, None, None]
    np.maximum(u, v, out=u)
    np.negative(u, out=u)
    return np.clip(u, 0, 1, out=u)


def _dot(random):
    """How much of each pixel a small disc covers."""
    radius, x, y = random(-1, 4), random(-16, 16), random(-16, 16)
    squared = ((_AXIS - x[:, None]) ** 2)[:, None, :] + ((_AXIS - y[:, None]) ** 2)[:, :, None]
    np.sqrt(squared, out=squared)
    np.subtract((radius + np.float32(0.5))[:, None, None], squared, out=squared)
    return np.clip(squared, 0, 1, out=squared)


def _texture(random):
    """A pattern from -1 to 1, [count, 32, 32]: shading, stripes, checks or nothing, in any direction and pitch."""
    angle, turns = random(0, 2 * np.pi), np.exp(random(np.log(0.02), np.log(0.25))) * np.float32(2 * np.pi)
    cos, sin = np.cos(angle) * turns, np.sin(angle) * turns
    wave = np.sin(_plane(cos, sin, random(0, 2 * np.pi)))
    checks = random(0, 1) < 0.4
    wave[checks] *= np.sin(_plane(-sin[checks], cos[checks], random(0, 2 * np.pi)[checks]))
    wave *= (random(1, 4) * (random(0, 1) < 0.75))[:, None, None]
    return np.clip(wave, -1, 1, out=wave)


def _colours(random):
    """The colours of the nine layers, [count, 3, 9] in 0..255; the shape's differs visibly from the background's."""
    hue, value = random(0, 6, 10, 1), random(0.15, 1, 10, 1)
    k = (hue + np.array([5, 3, 1], np.float32)) % 6
    colour = value - value * random(0.1, 1, 10, 1) * np.clip(np.minimum(k, 4 - k), 0, 1)        # HSV to RGB
    background, candidates = colour[:, 0], colour[:, 5:]
    distance = np.abs((candidates - background[:, None]) @ np.array([0.3, 0.6, 0.1], np.float32))
    distance += 0.5 * np.sqrt(((candidates - background[:, None]) ** 2).sum(2))
    far = distance > 0.38
    far[~far.any(1), :] = distance[~far.any(1)] == distance[~far.any(1)].max(1, keepdims=True)
    shape = candidates[np.arange(len(colour)), far.argmax(1)]
    shade = (shape - background) * random(0, 0.35, 1)
    layers = np.stack([colour[:, 1], shape, shade + random(-0.1, 0.1, 3), colour[:, 2], colour[:, 3], colour[:, 4],
                       random(0, 1, 3), background, (shape - background) * random(-0.3, 0.3, 1)
                       + random(-0.15, 0.15, 3)], 2)
    return layers * np.float32(255)
