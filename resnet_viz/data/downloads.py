"""The published data sets, read through torchvision.datasets and downloaded on first use into the data folder.

The archives are fetched by data/fetching.py (same addresses, same MD5 sums, same places as torchvision's own download)
and torchvision then unpacks, checks and reads them.
Fashion-MNIST is also read from the Debian and Ubuntu package dataset-fashion-mnist where that is installed.
"""

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..problems import Problem
from . import fetching
from .place import data_folder
from .sources import Pictures, Progress

PACKAGED_FASHION = (Path("/usr/share/datasets/fashion-mnist"), Path("/usr/local/share/datasets/fashion-mnist"))


@dataclass(frozen=True)
class Archive:
    """One file to fetch: where from (mirrors in order), where to (under the data folder), and its MD5 sum."""

    urls: tuple[str, ...]
    path: Path
    md5: str


def read(name: str, split: str, progress: Progress | None = None) -> Pictures:
    """Read "cifar10", "cifar100", "mnist" or "fashion-mnist", split "train" or "test", downloading what is missing.

    Raises Problem, within half a minute, where the data is neither here nor reachable.
    """
    reader, archives = _torchvision(name)
    dataset = _present(reader, split)
    if dataset is None and name == "fashion-mnist":
        for folder in PACKAGED_FASHION:
            if folder.is_dir():
                return _packaged_fashion(folder, split, reader.classes)
    if dataset is None:
        for archive in archives:
            _fetch(name, archive, archives, progress)
        if progress:
            progress(1, 1, f"unpacking {name}")
        dataset = reader(data_folder(), train=split == "train", download=True)      # finds the archives, unpacks
    images, classes = torch.as_tensor(dataset.data), dataset.classes
    images = images[:, None] if images.ndim == 3 else images.permute(0, 3, 1, 2).contiguous()
    if name == "mnist":
        classes = "0123456789"                                                      # torchvision says "0 - zero"
    return Pictures(images, torch.as_tensor(dataset.targets, dtype=torch.int64)[:, None], tuple(classes),
                    (len(classes),), name)


def is_here(name: str) -> bool:
    """Whether the data set can be read without a download; a look at the file names only, no checksums."""
    reader, archives = _torchvision(name)
    if name == "fashion-mnist" and any(folder.is_dir() for folder in PACKAGED_FASHION):
        return True
    if name.startswith("cifar"):
        unpacked = [data_folder() / reader.base_folder / file for file, _ in reader.train_list + reader.test_list]
    else:
        unpacked = [archive.path.with_suffix("") for archive in archives]
    return all(path.is_file() for path in unpacked) or all(archive.path.is_file() for archive in archives)


def _torchvision(name: str):
    """torchvision's class for the data set, and the archives it would download."""
    from torchvision import datasets
    reader = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100, "mnist": datasets.MNIST,
              "fashion-mnist": datasets.FashionMNIST}[name]
    if name.startswith("cifar"):
        return reader, [Archive((reader.url,), data_folder() / reader.filename, reader.tgz_md5)]
    folder = data_folder() / reader.__name__ / "raw"
    return reader, [Archive(tuple(mirror + file for mirror in reader.mirrors[:2]), folder / file, md5)
                    for file, md5 in reader.resources]


def _present(reader, split: str):
    """The data set if it is in the data folder, whole and unpacked, else None."""
    try:
        return reader(data_folder(), train=split == "train", download=False)
    except (RuntimeError, AssertionError, ValueError) as error:
        if "not found" in str(error):               # torchvision says "Dataset not found or corrupted"
            return None
        raise Problem(f"The files in {data_folder() / reader.__name__} are damaged; delete that folder and "
                      "try again.") from error      # an unpacked MNIST file of the wrong length; CIFAR has checksums


# ---------------------------------------------------------------- fetching

def _fetch(name: str, archive: Archive, archives: list[Archive], progress: Progress | None) -> None:
    """Put the archive in its place, unless it is there."""
    def whole(path: Path) -> bool:
        return _md5(path) == archive.md5

    if archive.path.is_file() and whole(archive.path):
        return
    try:
        fetching.fetch(archive.urls, archive.path, whole, name, progress)
    except OSError as error:
        raise Problem(f"The data folder {data_folder()} cannot be written ({error.strerror}); "
                      "set RESNET_VIZ_DATA to a folder that can.") from error
    except fetching.Unreachable as error:
        files = ", ".join(other.path.name for other in archives)
        raise Problem(f"{name} could not be downloaded ({error}); connect to the internet, or put {files} into "
                      f"{archive.path.parent}/, or choose shapes, glyphs or digits, which need no download"
                      + ("; the Debian and Ubuntu package dataset-fashion-mnist will do as well."
                         if name == "fashion-mnist" else ".")) from error


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


# ---------------------------------------------------------------- the distribution's package

def _packaged_fashion(folder: Path, split: str, classes: list[str]) -> Pictures:
    stem = {"train": "train", "test": "t10k"}[split]
    images = _idx(folder / f"{stem}-images-idx3-ubyte.gz", 3)
    labels = _idx(folder / f"{stem}-labels-idx1-ubyte.gz", 1)
    if len(images) != len(labels):
        raise Problem(f"{folder} holds {len(images):,} pictures but {len(labels):,} labels; "
                      "install dataset-fashion-mnist again.")
    return Pictures(torch.from_numpy(images)[:, None], torch.from_numpy(labels.astype(np.int64))[:, None],
                    tuple(classes), (len(classes),), "fashion-mnist")


def _idx(path: Path, dimensions: int) -> np.ndarray:
    """A gzipped IDX file of unsigned bytes: 0, 0, 8, dimensions, one big-endian int32 a dimension, the values."""
    try:
        data = gzip.decompress(path.read_bytes())
        shape = np.frombuffer(data, ">i4", dimensions, 4)
        if data[:4] != bytes((0, 0, 8, dimensions)):
            raise ValueError("not an IDX file")
        return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape).copy()
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise Problem(f"{path} is missing or damaged; install dataset-fashion-mnist again.") from error
