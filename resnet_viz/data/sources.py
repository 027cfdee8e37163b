"""What can be learned from: every data set by its name, or a folder or zip by its path."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

from ..problems import Problem, one_of
from .place import existing

SPLITS = ("train", "test", "val")
Progress = Callable[[int, int, str], None]      # done, total, text


@dataclass(frozen=True)
class Pictures:
    """One split of a data set as one tensor.

    images: uint8 [N, C, H, W], C 1 or 3.  labels: int64 [N, number of heads], each counted from 0 in its own head.
    classes: the names of all heads' classes, one head after another; heads: classes of each head, e.g. (10,).
    notes: what the person should know, e.g. which pictures could not be read.
    """

    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]
    heads: tuple[int, ...]
    name: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A data set known by name: what it holds, and `read(split, progress) -> Pictures` with split "train" or "test"."""

    name: str
    title: str
    description: str
    size: int
    channels: int
    heads: tuple[int, ...]
    train_images: int
    test_images: int
    needs_download: bool
    read: Callable[[str, Progress | None], Pictures]


# The modules below are imported when their data set is read: the training process must not pay for the others.
def _shapes(split: str, progress: Progress | None) -> Pictures:
    from . import shapes
    return shapes.read(split, progress)


def _glyphs(split: str, progress: Progress | None) -> Pictures:
    from . import glyphs
    return glyphs.read(split, progress)


def _digits(split: str, progress: Progress | None) -> Pictures:
    """scikit-learn's 1,797 handwritten digits, values 0..16 scaled to 0..255; every fifth of each class is test."""
    from sklearn.datasets import load_digits
    digits = load_digits()
    order = torch.randperm(len(digits.target), generator=torch.Generator().manual_seed(0))
    target = torch.from_numpy(digits.target).long()[order]
    images = torch.from_numpy(digits.images)[order].mul(255 / 16).round().to(torch.uint8)[:, None]
    rank = torch.zeros_like(target)             # the how-manieth of its class each picture is
    for label in range(10):
        rank[target == label] = torch.arange(int((target == label).sum()))
    chosen = (rank % 5 == 0) if split == "test" else (rank % 5 != 0)
    return Pictures(images[chosen], target[chosen][:, None], tuple("0123456789"), (10,), "digits")


def _downloaded(name: str) -> Callable[[str, Progress | None], Pictures]:
    def read(split: str, progress: Progress | None) -> Pictures:
        from . import downloads
        return downloads.read(name, split, progress)
    return read


SOURCES: dict[str, Source] = {source.name: source for source in (
    Source("shapes", "Shapes", "Ten drawn shapes in any colour, size and rotation, on busy backgrounds; made on this "
           "machine from a seed, no download.", 32, 3, (10,), 20_000, 2_000, False, _shapes),
    Source("glyphs", "Glyphs", "Invented letters with three labels each: root, vowel sign and consonant sign; made on "
           "this machine from a seed, no download.", 64, 1, (168, 11, 7), 10_080, 2_016, False, _glyphs),
    Source("digits", "Digits", "1,797 real handwritten digits of 8 x 8 pixels that come with scikit-learn; no "
           "download.", 8, 1, (10,), 1_433, 364, False, _digits),
    Source("cifar10", "CIFAR-10", "60,000 small colour photographs of ten kinds of animals and vehicles; 170 MB to "
           "download.", 32, 3, (10,), 50_000, 10_000, True, _downloaded("cifar10")),
    Source("cifar100", "CIFAR-100", "60,000 small colour photographs of a hundred kinds of things; 169 MB to download.",
           32, 3, (100,), 50_000, 10_000, True, _downloaded("cifar100")),
    Source("mnist", "MNIST", "70,000 handwritten digits; 12 MB to download.",
           28, 1, (10,), 60_000, 10_000, True, _downloaded("mnist")),
    Source("fashion-mnist", "Fashion-MNIST", "70,000 small grey pictures of ten kinds of clothing; 31 MB to download, "
           "or from the Debian and Ubuntu package dataset-fashion-mnist.",
           28, 1, (10,), 60_000, 10_000, True, _downloaded("fashion-mnist")),
)}


def load(name: str, split: str, progress: Progress | None = None, size: int | None = None) -> Pictures:
    """Read one split of a data set.

    name: a key of SOURCES, or the path of a folder or zip (data/folders.py says of what form).
    split: "train" or "test"; "val" only for folders and zips.
    size: for a folder or zip of pictures of unequal size, the side they are brought to; None lets the folder decide.
    Raises Problem for an unknown name or split, unreadable data, or a download without network.
    """
    one_of("split", split, SPLITS)
    if name in SOURCES:
        if split == "val":
            raise Problem(f"The data set {name} has no val split; choose train or test.")
        return SOURCES[name].read(split, progress)
    path = existing(name)
    if path is None:
        raise Problem(f"There is no data set, folder or zip {name!r:.100}; "
                      f"choose one of {', '.join(SOURCES)}, or give the path of a folder or zip.")
    from . import folders
    return folders.read(path, split, progress, size)


def fit(pictures: Pictures, channels: int, size: int) -> Pictures:
    """Bring pictures to `channels` (1 or 3) and `size` x `size`; uint8 in and out.

    Grey to RGB repeats; RGB to grey takes the ITU-R 601 luma in Pillow's fixed-point arithmetic (its mode "L").
    The resize is bilinear with antialiasing, of the shorter side; of an oblong picture the middle square is kept.
    """
    images = pictures.images
    if channels not in (1, 3) or images.shape[1] not in (1, 3):
        raise Problem(f"Pictures have 1 (grey) or 3 (colour) channels, not {channels}; choose a network with 1 or 3.")
    if channels == 1 and images.shape[1] == 3:
        images = _in_chunks(images, _grey)
    if tuple(images.shape[2:]) != (size, size):
        images = _in_chunks(images, lambda chunk: _square(chunk, size))
    if channels == 3 and images.shape[1] == 1:
        images = images.repeat(1, 3, 1, 1)
    return replace(pictures, images=images)


def _in_chunks(images: torch.Tensor, change) -> torch.Tensor:
    """Apply `change` to some 2^24 values at a time, so that intermediate copies stay small."""
    rows = max(1, 2 ** 24 // max(1, images[:1].numel()))
    return torch.cat([change(chunk) for chunk in images.split(rows)])


def _grey(images: torch.Tensor) -> torch.Tensor:
    red, green, blue = images.to(torch.int32).unbind(1)
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16).to(torch.uint8)[:, None]


def _square(images: torch.Tensor, size: int) -> torch.Tensor:
    height, width = images.shape[2:]
    scale = size / min(height, width)
    shape = max(size, round(height * scale)), max(size, round(width * scale))
    images = F.interpolate(images, size=shape, mode="bilinear", antialias=True, align_corners=False)
    top, left = (shape[0] - size) // 2, (shape[1] - size) // 2
    return images[:, :, top:top + size, left:left + size].contiguous()


def class_match(checkpoint_classes: Sequence[str] | None, data_classes: Sequence[str] | None,
                count: int | None = None) -> torch.Tensor:
    """Where each class of the data stands in the checkpoint: int64 [data classes], for the classes of one head.

    Matched by name where both sides have names; else class i is class i (a folder's classes are sorted, so this is
    the order every folder reader gives). `count` is the checkpoint's number of classes where it has no names.
    Raises Problem where the names, or their numbers, differ.
    """
    if checkpoint_classes is None or data_classes is None:
        there = len(checkpoint_classes) if checkpoint_classes is not None else count
        here = len(data_classes) if data_classes is not None else there
        if there is None:
            there = here
        if here is None or here != there:
            raise Problem(f"The checkpoint tells {there} classes apart and the data has {here}; "
                          "choose data with the same classes.")
        return torch.arange(here)
    places = {name: index for index, name in enumerate(checkpoint_classes)}
    only_data = [name for name in data_classes if name not in places]
    only_checkpoint = sorted(set(checkpoint_classes) - set(data_classes))
    if only_data or only_checkpoint:
        parts = [f"only {side} has {_first(names)}" for side, names in
                 (("the checkpoint", only_checkpoint), ("the data", only_data)) if names]
        raise Problem(f"The classes of the checkpoint ({len(checkpoint_classes)}) and of the data "
                      f"({len(data_classes)}) differ: {'; '.join(parts)}; choose data with the same class names.")
    return torch.tensor([places[name] for name in data_classes], dtype=torch.int64)


def _first(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")
