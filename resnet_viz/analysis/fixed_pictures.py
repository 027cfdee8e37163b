"""The ten test pictures that every snapshot was asked about: from the run itself, else from a built-in data set."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..checkpoints import Checkpoint
from ..data import sources
from ..data.splits import one_of_each

FILE = "pictures.safetensors"


@dataclass(frozen=True)
class FixedPictures:
    """images  uint8 [n, H, W, 3], None where they were not kept; labels  int64 [n] of the first head, None likewise."""

    images: np.ndarray | None
    labels: np.ndarray | None


def fixed_pictures(run: Path, checkpoint: Checkpoint) -> FixedPictures:
    """The pictures with their classes, as far as they are known.

    Without the run's own file: a data set that is made here is asked again. Of one that would have to be downloaded the
    classes are still known, where it has ten or more: the pictures are the first of each (data.splits.one_of_each).
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = load_file(run / FILE)
        return FixedPictures(_rgb(tensors["images"]), tensors["labels"][:, 0])
    except (OSError, SafetensorError, KeyError, IndexError):
        pass  # a bundled run has none
    source = sources.SOURCES.get(checkpoint.data)
    if source is not None and not source.needs_download:
        return _made_here(checkpoint.data)
    return FixedPictures(None, np.arange(10) if checkpoint.heads[0] >= 10 else None)


@lru_cache(maxsize=4)
def _made_here(data: str) -> FixedPictures:
    test = sources.load(data, "test")
    chosen = one_of_each(test.labels[:, 0])
    return FixedPictures(_rgb(test.images[chosen].numpy()), test.labels[chosen, 0].numpy())


def _rgb(images: np.ndarray) -> np.ndarray:
    """uint8 [n, 1 or 3, H, W] -> [n, H, W, 3]."""
    return np.ascontiguousarray(np.broadcast_to(images, (len(images), 3, *images.shape[2:])).transpose(0, 2, 3, 1))
