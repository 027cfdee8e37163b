"""The published data sets, read through torchvision.datasets and downloaded on first use into the data folder.

torchvision's own download has no time limit and no progress that a page can show, so the archives are fetched here
(same addresses, same MD5 sums, same places as torchvision's) and torchvision then unpacks, checks and reads them.
Fashion-MNIST is also read from the Debian and Ubuntu package dataset-fashion-mnist where that is installed.
"""

import gzip
import hashlib
import os
import threading
import urllib.error
import urllib.request
import zlib
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import torch

from ..problems import Problem
from .sources import Pictures, Progress, data_folder

CONNECT_S = 8.0                     # for an address to answer; two are tried at most
STALL_S = 15.0                      # without a byte in the middle of a download
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
    """Put the archive in its place, unless it is there; through a .part file, so that a torn one is never taken."""
    if archive.path.is_file() and _md5(archive.path) == archive.md5:
        return
    part = archive.path.with_name(f"{archive.path.name}.{os.getpid()}.part")
    try:
        archive.path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    except OSError as error:
        raise Problem(f"The data folder {data_folder()} cannot be written ({error.strerror}); "
                      "set RESNET_VIZ_DATA to a folder that can.") from error
    why = ""
    try:
        for url in archive.urls:
            try:
                _copy(url, part, name, progress)
            except (OSError, HTTPException) as error:       # URLError and time-outs are OSErrors
                why = f"{urlsplit(url).hostname}: {_reason(error)}"
                continue
            if _md5(part) == archive.md5:
                os.replace(part, archive.path)
                return
            why = f"{urlsplit(url).hostname} sent a file with a wrong checksum"
    finally:
        part.unlink(missing_ok=True)
    files = ", ".join(other.path.name for other in archives)
    raise Problem(f"{name} could not be downloaded ({why}); connect to the internet, or put {files} into "
                  f"{archive.path.parent}/, or choose shapes, glyphs or digits, which need no download"
                  + ("; the Debian and Ubuntu package dataset-fashion-mnist will do as well."
                     if name == "fashion-mnist" else "."))


def _copy(url: str, part: Path, name: str, progress: Progress | None) -> None:
    """Copy what the address sends into `part`; OSError when it does not answer in time, stalls or breaks off."""
    with _opened(url) as response, part.open("wb") as file:
        total, done = int(response.headers.get("Content-Length") or 0), 0
        while block := response.read(2 ** 18):
            file.write(block)
            done += len(block)
            if progress:
                progress(done, max(total, done),
                         f"downloading {name}: {done / 1e6:,.0f} of {max(total, done) / 1e6:,.0f} MB")
    if done < total:
        raise OSError("the connection broke off")


def _opened(url: str):
    """The response. A name server that is silent can block for long whatever the timeout, hence the thread."""
    answer: list = []

    def ask() -> None:
        try:
            request = urllib.request.Request(url, headers={"User-Agent": "resnet-viz"})
            answer.append(urllib.request.urlopen(request, timeout=STALL_S))
        except (OSError, HTTPException) as error:
            answer.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(CONNECT_S)
    if not answer:
        raise TimeoutError(f"no answer in {CONNECT_S:.0f} s")
    if isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0]


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason)


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
