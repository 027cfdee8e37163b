"""Example pictures that need no network: photographs inside scikit-image, and pictures of a built-in data set.

The photographs lie in scikit-image's own package folder and are read from there as files: asking skimage.data for a
picture that is not in the package would start a download.
"""

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..problems import Problem, one_of
from . import sources, uploads

PHOTOGRAPHS = {  # name -> (title, file); all public domain or CC0, see scikit-image's data/README
    "cat": ("Cat", "chelsea.png"),
    "motorcycle": ("Motorcycle", "motorcycle_left.png"),
    "rocket": ("Rocket", "rocket.jpg"),
    "coffee": ("Coffee", "coffee.png"),
    "astronaut": ("Astronaut", "astronaut.png"),
}
OF_A_DATA_SET = 5  # its pictures in the strip


@dataclass(frozen=True)
class Example:
    """One example picture by its name, e.g. "cat" or "shapes-star"; exactly one of `path` and `index` is set."""

    name: str
    title: str
    path: Path | None = None
    data: str | None = None
    index: int | None = None


def examples(data: str | None = None) -> list[Example]:
    """What can be shown: test pictures of the data set `data` if that needs no download, then photographs."""
    own = []
    if data in sources.SOURCES and not sources.SOURCES[data].needs_download:
        pictures = _test_pictures(data)
        first = {}  # class of the first head -> the first picture of it
        for index, label in enumerate(pictures.labels[:, 0].tolist()):
            first.setdefault(label, index)
        chosen = sorted(first.items(), key=lambda item: item[1])[:OF_A_DATA_SET]
        own = [
            Example(f"{data}-{pictures.classes[label]}", pictures.classes[label].capitalize(), None, data, index)
            for label, index in chosen
        ]
    return own + _photographs()


def find(name: str) -> Example:
    """The example of that name; a Problem that lists the known photographs if there is none."""
    data = name.partition("-")[0]
    known = {example.name: example for example in examples(data if data in sources.SOURCES else None)}
    return known[one_of("example picture", name, known)]


def read(example: Example) -> Image.Image:
    """The picture, upright RGB (PIL); a data set's own pictures have few pixels."""
    if example.path is not None:
        return uploads.read(example.path).image
    pixels = _test_pictures(example.data).images[example.index].permute(1, 2, 0).numpy()
    return Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).convert("RGB")


@lru_cache(maxsize=2)
def _test_pictures(data: str) -> sources.Pictures:
    return sources.load(data, "test")


def _photographs() -> list[Example]:
    spec = find_spec("skimage")  # finds the folder without importing the package
    if spec is None or spec.origin is None:
        return []
    folder = Path(spec.origin).parent / "data"
    return [
        Example(name, title, folder / file) for name, (title, file) in PHOTOGRAPHS.items() if (folder / file).is_file()
    ]


def default() -> Example:
    """The picture that a page shows before anybody chose one."""
    found = _photographs()
    if not found:
        raise Problem(
            "The example photographs are missing: install scikit-image again (pip install -r requirements.txt), or"
            " upload a picture."
        )
    return found[0]


def crops(photographs: list[Image.Image], size: int, count: int, seed: int = 0) -> torch.Tensor:
    """Square crops of the photographs in turn, half of their shorter side to all of it, every other one mirrored:
    uint8 [count, 3, size, size]. Other pictures for a batch, where no data set is here."""
    random, found = np.random.default_rng(seed), []
    for i in range(count):
        photograph = photographs[i % len(photographs)]
        side = int(min(photograph.size) * random.uniform(0.5, 1))
        left, top = (int(random.integers(0, length - side + 1)) for length in photograph.size)
        box = (left, top, left + side, top + side)
        crop = photograph.convert("RGB").resize((size, size), Image.Resampling.BILINEAR, box)
        crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if i // len(photographs) % 2 else crop
        found.append(torch.from_numpy(np.array(crop)).permute(2, 0, 1))
    return torch.stack(found)
