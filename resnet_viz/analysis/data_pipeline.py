"""A picture's way into a network, step by step, as source A's two pipelines take it: one for training, one for evaluation.

The random draws are torchvision's own: `draw` gives what RandomResizedCrop and RandomHorizontalFlip do after
torch.manual_seed(seed), from a generator of its own, for the process's random numbers belong to everybody.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from ..data.preprocessing import NORMALISATIONS, Preprocessing, see

SIZE, RESIZE = 224, 256
AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)  # torchvision's defaults, after Szegedy et al. 2015
FLIP = 0.5
ATTEMPTS = 10  # then torchvision takes a window in the middle
DRAWS = 12  # of one dice number
BINS = 32
NORMALISERS = {  # name on the screen -> key of data.preprocessing.NORMALISATIONS
    "ImageNet's mean and std": "imagenet",
    "CIFAR-10's mean and std": "cifar10",
    "0 to 1": "unit",
    "−1 to 1": "half",
}


@dataclass(frozen=True)
class Draw:
    """What chance decides: the window (left, top, width, height; pixels of the picture), and whether it is mirrored."""

    seed: int
    window: tuple[int, int, int, int]
    mirrored: bool

    def area(self, width: int, height: int) -> float:
        """The share of the picture that the window keeps, 0..1."""
        return self.window[2] * self.window[3] / (width * height)


@dataclass(frozen=True)
class Way:
    """One picture after the steps that move pixels.

    window   (left, top, width, height) of the picture that is left, in its own pixels
    cut      uint8 [224, 224, 3] before it is mirrored (training), or the centre crop (evaluation)
    pixels   uint8 [224, 224, 3], what ToTensor gets
    """

    window: tuple[int, int, int, int]
    cut: np.ndarray
    pixels: np.ndarray
    draw: Draw | None = None


def draw(width: int, height: int, seed: int) -> Draw:
    """What torchvision draws for a picture of that size after torch.manual_seed(seed)."""
    source = torch.Generator().manual_seed(seed)

    def uniform(low, high) -> torch.Tensor:
        return torch.empty(1).uniform_(float(low), float(high), generator=source)

    ratios = torch.log(torch.tensor(RATIO))
    window = None
    for _ in range(ATTEMPTS):
        area = width * height * uniform(*AREA).item()
        ratio = torch.exp(uniform(*ratios)).item()
        wide, high = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < wide <= width and 0 < high <= height:
            top = int(torch.randint(0, height - high + 1, (1,), generator=source))
            left = int(torch.randint(0, width - wide + 1, (1,), generator=source))
            window = left, top, wide, high
            break
    window = window or _middle(width, height)
    return Draw(seed, window, bool(torch.rand(1, generator=source) < FLIP))


def _middle(width: int, height: int) -> tuple[int, int, int, int]:
    """The largest window in the middle whose sides are in the allowed ratio."""
    wide, high = width, height
    if width / height < RATIO[0]:
        high = round(width / RATIO[0])
    elif width / height > RATIO[1]:
        wide = round(height * RATIO[1])
    return (width - wide) // 2, (height - high) // 2, wide, high


def train(picture: Image.Image, seed: int) -> Way:
    """RandomResizedCrop(224) and RandomHorizontalFlip of an RGB picture."""
    drawn = draw(*picture.size, seed)
    left, top, wide, high = drawn.window
    cut = np.asarray(picture.crop((left, top, left + wide, top + high)).resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    return Way(drawn.window, cut, cut[:, ::-1] if drawn.mirrored else cut, drawn)


def evaluation(picture: Image.Image) -> Way:
    """Resize(256) and CenterCrop(224) of an RGB picture."""
    seen = see(picture, _recipe("unit"))
    left, top, right, bottom = seen.crop_box
    cut = np.asarray(seen.resized)
    return Way((left, top, right - left, bottom - top), cut, cut)


def ways(picture: Image.Image, recipe: str, dice: int) -> list[Way]:
    """The draws of one dice number, or the one way of an evaluation."""
    return [train(picture, seed) for seed in seeds(dice)] if recipe == "training" else [evaluation(picture)]


def seeds(dice: int) -> range:
    return range(dice * DRAWS, (dice + 1) * DRAWS)


def normalised(pixels: np.ndarray, normaliser: str) -> np.ndarray:
    """ToTensor and Normalize: uint8 [H, W, 3] -> float32 [3, H, W], (pixel / 255 - mean) / std as torchvision does it."""
    mean, std = constants(normaliser)
    tensor = torch.from_numpy(np.array(pixels)).permute(2, 0, 1).float() / 255
    return ((tensor - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)).numpy()


def constants(normaliser: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(mean, std) of the three channels, for pixels of 0..1."""
    recipe = _recipe(NORMALISERS[normaliser])
    return recipe.mean, recipe.std


def _recipe(name: str) -> Preprocessing:
    mean, std = NORMALISATIONS[name]
    return Preprocessing(SIZE, RESIZE, mean * (3 // len(mean)), std * (3 // len(std)))


def resized(width: int, height: int) -> tuple[int, int]:
    """Width and height after Resize(256): the shorter side 256, the longer in proportion, its fraction cut off."""
    return (RESIZE, int(RESIZE * height / width)) if width <= height else (int(RESIZE * width / height), RESIZE)


def histogram(pixels: np.ndarray) -> np.ndarray:
    """How many of the pixels uint8 [H, W, 3] fall into each of 32 equal parts of 0..256: int64 [3, 32]."""
    return np.stack([np.bincount(pixels[..., c].ravel() // (256 // BINS), minlength=BINS) for c in range(3)])


def rows(picture: Image.Image, way: Way, recipe: str, normaliser: str) -> list[dict]:
    """One row a step: what it is called, what comes out, of which shape and type, from where to where."""
    whole = np.asarray(picture)
    between = way.cut if recipe == "training" else np.asarray(picture.resize(resized(*picture.size), Image.Resampling.BILINEAR))
    unit = normalised(way.pixels, "0 to 1")
    found = [("the picture", whole), *zip(names(recipe)[1:3], (between, way.pixels)),
             ("ToTensor()", unit), ("Normalize(mean, std)", normalised(way.pixels, normaliser))]
    return [_row(name, values) for name, values in found]


def _row(name: str, values: np.ndarray) -> dict:
    return {"step": name, "shape": " × ".join(f"{side:,}" for side in values.shape), "type": str(values.dtype),
            "from": float(values.min()), "to": float(values.max()), "mean": float(values.mean(dtype=np.float64)),
            "std": float(values.std(dtype=np.float64))}


def names(recipe: str) -> list[str]:
    """The steps as torchvision calls them, the picture itself first."""
    moving = {"training": [f"RandomResizedCrop({SIZE})", "RandomHorizontalFlip()"],
              "evaluation": [f"Resize({RESIZE})", f"CenterCrop({SIZE})"]}[recipe]
    return ["the picture", *moving, "ToTensor()", "Normalize(mean, std)"]
