"""The data set `glyphs`: invented letters with three labels each, made from a seed in a few seconds.

It stands in for the Bengali graphemes of the article "ResNet-34 in PyTorch" (168 roots, 11 vowel signs, 7 consonant
signs), which cannot be shipped; no letter of it is Bengali. As there, a letter is a root under a headline, with a
vowel sign beside it and a consonant sign above or below it, and the first class of either sign is "none".

How a picture is drawn: every root is a reproducible random pair of curved strokes; every sign is a small drawing
given below. Each is kept as a picture of the distance to its strokes. A letter looks its three up at places that are
turned, scaled, slanted, shifted (each sign a little on its own) and bent by a slow wave, takes the smallest of the
three distances, and inks what is nearer than half the pen's width.
"""

import functools

import numpy as np
import torch
import torch.nn.functional as F

from .sources import Pictures, Progress

SIDE = 64
TRAIN, TEST = 10_080, 2_016                     # 60 and 12 of every root
HEADS = (168, 11, 7)
TEMPLATE = 64                                   # pixels a side of a kept distance picture, over -1.2..1.2
REACH = 1.2
BROAD_PEN = 0.09                                # half its width
CHUNK = 504

# Strokes as points (x, y) in -1..1, y downwards. The root fills -0.5..0.5.
VOWELS: dict[str, list[list[tuple[float, float]]]] = {
    "no vowel sign": [],
    "bar right": [[(.72, -.55), (.72, .55)]],
    "bar left": [[(-.72, -.55), (-.72, .55)]],
    "bars on both sides": [[(.72, -.55), (.72, .55)], [(-.72, -.55), (-.72, .55)]],
    "hook right": [[(.66, -.55), (.66, .2), (.72, .42), (.84, .45), (.92, .3)]],
    "hook left": [[(-.66, -.55), (-.66, .2), (-.72, .42), (-.84, .45), (-.92, .3)]],
    "loop right": [[(.72, -.55), (.72, .0), (.62, .2), (.72, .42), (.86, .36), (.88, .14), (.72, .0)]],
    "loop left": [[(-.72, -.55), (-.72, .0), (-.62, .2), (-.72, .42), (-.86, .36), (-.88, .14), (-.72, .0)]],
    "wave right": [[(.64, -.5), (.9, -.25), (.64, 0.), (.9, .25), (.64, .5)]],
    "wave left": [[(-.64, -.5), (-.9, -.25), (-.64, 0.), (-.9, .25), (-.64, .5)]],
    "flag right": [[(.68, .55), (.68, -.4), (.95, -.2), (.68, 0.)]],
}
CONSONANTS: dict[str, list[list[tuple[float, float]]]] = {
    "no consonant sign": [],
    "wave below": [[(-.5, .82), (-.3, .7), (-.1, .82), (.1, .94), (.3, .82), (.5, .7)]],
    "hook below": [[(-.3, .66), (-.3, .86), (.0, .95), (.3, .86)]],
    "dots below": [[(-.3, .78), (-.22, .84)], [(.22, .78), (.3, .84)]],
    "moon above": [[(-.3, -.92), (-.18, -.76), (0., -.7), (.18, -.76), (.3, -.92)], [(0., -.95), (.01, -.95)]],
    "slash above": [[(-.12, -.68), (.22, -.98)]],
    "ring above": [[(.0, -.98), (.13, -.92), (.15, -.8), (.0, -.7), (-.15, -.8), (-.13, -.92), (.0, -.98)]],
}
CLASSES = (*(f"root {index}" for index in range(HEADS[0])), *VOWELS, *CONSONANTS)


def read(split: str, progress: Progress | None = None, seed: int = 0) -> Pictures:
    """10,080 "train" or 2,016 "test" letters: every root equally often, the signs drawn independently of it.

    The alphabet belongs to the seed; the two splits are independent draws of letters. Labels in the order root,
    vowel sign, consonant sign.
    """
    count = {"train": TRAIN, "test": TEST}[split]
    images, labels = generate(count, seed, split, progress)
    return Pictures(images, labels, CLASSES, HEADS, "glyphs")


def generate(count: int, seed: int, split: str, progress: Progress | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """`count` letters, uint8 [count, 1, 64, 64], and their labels, int64 [count, 3]."""
    rng = np.random.default_rng([seed, 1 if split == "test" else 0])
    labels = np.stack([rng.permutation(np.arange(count) % HEADS[0]), rng.integers(0, HEADS[1], count),
                       rng.integers(0, HEADS[2], count)], 1)
    templates = _alphabet(seed)
    images = torch.empty(count, 1, SIDE, SIDE, dtype=torch.uint8)
    for start in range(0, count, CHUNK):
        if progress:
            progress(start, count, "drawing glyphs")
        images[start:start + CHUNK] = _draw(templates, labels[start:start + CHUNK], rng)
    if progress:
        progress(count, count, "drawing glyphs")
    return images, torch.from_numpy(labels)


def _draw(templates: list[torch.Tensor], labels: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """One letter a row of labels, uint8 [rows, 1, 64, 64]; dark ink on light paper."""
    count = len(labels)

    def random(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(low, high, (count, *(shape or (1, 1)))).astype(np.float32))

    axis = (torch.arange(SIDE) + 0.5) * (2 / SIDE) - 1
    x, y = axis[None, None, :] - random(-.08, .08), axis[None, :, None] - random(-.08, .08)
    angle, scale, slant = random(-.2, .2), random(.8, 1.0), random(-.15, .15)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    u, v = cos * x + sin * y, -sin * x + cos * y
    u = (u + slant * v) * random(.9, 1.1)
    u, v = (u + random(.0, .05) * torch.sin(random(2, 5) * v + random(0, 6.3)),
            v + random(.0, .05) * torch.sin(random(2, 5) * u + random(0, 6.3)))
    nearest = None
    for head, drawn in enumerate(templates):
        loose = 0.0 if head == 0 else 0.06
        places = torch.stack([u + random(-loose, loose), v + random(-loose, loose)], 3) / REACH
        distance = F.grid_sample(drawn[labels[:, head]][:, None], places, mode="bilinear", padding_mode="border",
                                 align_corners=False)[:, 0]
        nearest = distance if nearest is None else torch.minimum(nearest, distance)
    ink = ((random(.03, .075) - nearest) * (SIDE / 2) + 0.5).clamp(0, 1)
    paper = random(190, 255) + random(-20, 20) * x + random(-20, 20) * y
    picture = paper + ink * (random(0, 90) - paper)
    noise = torch.from_numpy(rng.integers(-128, 128, (count, SIDE, SIDE), dtype=np.int8)).float()
    return (picture + noise * random(0, .25)).clamp(0, 255).to(torch.uint8)[:, None]


@functools.lru_cache(maxsize=2)
def _alphabet(seed: int) -> list[torch.Tensor]:
    """Distance pictures of the roots, the vowel signs and the consonant signs: float32 [classes, 64, 64] each."""
    rng = np.random.default_rng([seed, 2])
    signs = [[[_curve(np.array(stroke)) for stroke in strokes] for strokes in head.values()]
             for head in (VOWELS, CONSONANTS)]
    return [torch.from_numpy(np.stack(head)) for head in
            (_roots(rng), *([_distance(strokes) for strokes in head] for head in signs))]


def _roots(rng: np.random.Generator) -> list[np.ndarray]:
    """The distance pictures of 168 roots, no two of which share more than 0.6 of their ink (a broad pen's)."""
    kept, inks = [], np.empty((0, TEMPLATE * TEMPLATE), np.float32)
    while len(kept) < HEADS[0]:
        drawn = _distance(_root(rng))
        ink = (drawn.ravel() < BROAD_PEN).astype(np.float32)
        both = inks @ ink
        if len(kept) == 0 or (both / (inks.sum(1) + ink.sum() - both)).max() < 0.6:
            kept.append(drawn)
            inks = np.concatenate([inks, ink[None]])
    return kept


def _root(rng: np.random.Generator) -> list[np.ndarray]:
    """Two or three curved strokes through places of a 4 x 4 grid, under a headline."""
    places = rng.permutation(16)
    points = np.stack([places % 4, places // 4], 1) * 0.31 - 0.465 + rng.uniform(-.05, .05, (16, 2))
    strokes = [_curve(points[:4]), _curve(points[4:8 if rng.random() < .5 else 7])]
    if rng.random() < .4:
        strokes.append(points[8:10])
    if rng.random() < .7:
        strokes.append(np.array([(-.55, -.55), (.55, -.55)]))
    return strokes


def _curve(points: np.ndarray, steps: int = 6) -> np.ndarray:
    """A Catmull-Rom curve through the points, as a chain of short lines."""
    before, after = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    p = np.concatenate([before[None], points, after[None]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = [0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t ** 2 + (3 * b - a - 3 * c + d) * t ** 3)
              for a, b, c, d in zip(p, p[1:], p[2:], p[3:])]
    return np.concatenate([*pieces, points[-1:]])


def _distance(strokes) -> np.ndarray:
    """The distance of each place of the template to the nearest stroke, float32 [64, 64]; REACH where there is none."""
    axis = (((np.arange(TEMPLATE) + 0.5) * (2 / TEMPLATE) - 1) * REACH).astype(np.float32)
    nearest = np.full((TEMPLATE, TEMPLATE), REACH, np.float32)
    for stroke in strokes:
        points = np.asarray(stroke, np.float32)
        (x, y), (wide, high) = points[:-1].T[:, :, None, None], np.diff(points, axis=0).T[:, :, None, None]
        right, down = axis[None, None, :] - x, axis[None, :, None] - y
        share = ((right * wide + down * high) / (wide ** 2 + high ** 2)).clip(0, 1)
        squared = (right - share * wide) ** 2 + (down - share * high) ** 2
        nearest = np.minimum(nearest, np.sqrt(squared.min(0)))
    return nearest
