"""What a run works on: the network, the pictures on the device, and how they are prepared. Made from the config alone."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ..data import sources, streaming
from ..data.preprocessing import Preprocessing, enlarge, normalisation
from ..data.splits import one_of_each, split_validation
from ..data.streaming import Streamed
from ..networks import zoo
from ..problems import Problem
from . import fine_tuning
from .config import Config

STATISTICS_SAMPLE = 10_000  # pictures; the mean of more does not move in the third digit
STATISTICS_PIXELS = 10_000 * 64**2  # of larger pictures fewer do, too
STATISTICS_CHUNK = 500  # pictures that are enlarged at a time


@dataclass(frozen=True)
class Split:
    """Pictures uint8 [N, C, H, W], at most of the run's size, and labels int64 [N, heads], both on the run's device.

    Pictures that do not fit into memory are read from their files when they are asked for.
    """

    images: Tensor | Streamed
    labels: Tensor

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Work:
    """Everything in memory that the loop needs. `fixed`: ten test pictures that every snapshot is asked about."""

    config: Config
    device: torch.device
    model: nn.Module
    train: Split
    val: Split
    test: Split
    fixed: Split
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    heads: tuple[int, ...]
    arguments: dict
    notes: tuple[str, ...] = ()  # what the person should know of the data, e.g. which pictures could not be read

    def told(self) -> list[str]:
        """The notes, and which streamed pictures were skipped so far."""
        streamed = [split.images for split in (self.train, self.val, self.test) if isinstance(split.images, Streamed)]
        return list(dict.fromkeys((*self.notes, *(text for images in streamed for text in images.skipped()))))

    def header(self) -> dict:
        """The part of a weights file's header that does not change during the run."""
        return {"network": self.config.network, "arguments": self.arguments, "classes": list(self.classes),
                "preprocessing": self.preprocessing.to_dict(), "data": self.config.data, "seed": self.config.seed}


def prepare(config: Config, progress=None) -> Work:
    """Load the data, split it, build the network. progress(done, total, text) is called while data load."""
    device = torch.device(config.device)
    train, test = _load(config, progress)
    heads = tuple(train.heads)
    for pictures in (train, test):
        _check_labels(config, pictures.labels, heads)
    if list(config.arguments.get("heads", heads)) != list(heads):
        raise Problem(f"The network has heads {config.arguments['heads']}, the data has {list(heads)} classes; leave heads out.")
    if test.classes != train.classes:
        raise Problem(f"The test pictures of {config.data} have other classes than the training pictures; name the folders alike.")
    arguments = {**config.arguments, "heads": list(heads)}
    channels = zoo.channels_of(config.network, config.arguments)
    size = config.size or zoo.size_for(config.network, train.images.shape[-1])
    train, test = _at_most(train, channels, size), _at_most(test, channels, size)

    kept, held_out = split_validation(train.labels[:, 0], config.val_fraction, config.train_limit, config.seed)
    preprocessing = _preprocessing(config, _some(train.images, kept), size, channels)
    torch.manual_seed(config.seed)
    model = zoo.build(config.network, arguments).to(device, memory_format=torch.channels_last)
    fine_tuning.freeze(model, config.train_part)
    fixed = one_of_each(test.labels[:, 0])
    return Work(config=config, device=device, model=model, train=_split(train, kept, device), val=_split(train, held_out, device),
                test=_split(test, torch.arange(len(test.images)), device), fixed=Split(enlarge(test.images[fixed], size).to(device), test.labels[fixed].to(device)),
                preprocessing=preprocessing, classes=train.classes, heads=heads, arguments=arguments,
                notes=tuple(dict.fromkeys((*train.notes, *test.notes))))


def _load(config: Config, progress) -> tuple[sources.Pictures, sources.Pictures]:
    """The training and test pictures: in memory, or streamed from their files where the training pictures are too many."""
    workers = max(1, min(streaming.WORKERS, config.threads or 1))
    if train := streaming.load(config.data, "train", config.size, workers, progress):
        return train, streaming.load(config.data, "test", config.size, workers, progress, always=True)
    return tuple(sources.load(config.data, split, progress, config.size) for split in ("train", "test"))


def _check_labels(config: Config, labels: Tensor, heads: tuple[int, ...]) -> None:
    for head, (column, classes) in enumerate(zip(labels.unbind(1), heads)):
        if len(column) and not 0 <= int(column.min()) <= int(column.max()) < classes:
            outside = int(column.max()) if int(column.max()) >= classes else int(column.min())
            raise Problem(f"{config.data} has the label {outside} where head {head + 1} tells {classes} classes apart, 0 to {classes - 1}; "
                          "correct the labels or the number of classes.")


def _at_most(pictures, channels: int, size: int):
    """Smaller pictures stay small: they are enlarged batch by batch."""
    if isinstance(pictures.images, Streamed):
        return replace(pictures, images=replace(pictures.images, channels=channels, size=size))
    return sources.fit(pictures, channels, min(size, *pictures.images.shape[2:]))


def _split(pictures, chosen: Tensor, device: torch.device) -> Split:
    return Split(_some(pictures.images, chosen).to(device), pictures.labels[chosen].to(device))


def _some(images: Tensor | Streamed, chosen: Tensor) -> Tensor | Streamed:
    return images.only(chosen) if isinstance(images, Streamed) else images[chosen]


def _preprocessing(config: Config, images: Tensor, size: int, channels: int) -> Preprocessing:
    resize = images.resize if isinstance(images, Streamed) else size
    if config.normalisation != "data":
        return Preprocessing(size, resize, *normalisation(config.normalisation, channels))
    count = min(STATISTICS_SAMPLE, max(1, STATISTICS_PIXELS // size**2))
    sample = images[:: max(1, len(images) // count)]
    counts = torch.zeros(channels, 256, dtype=torch.double)
    for chunk in sample.split(STATISTICS_CHUNK):
        for channel, values in enumerate(enlarge(chunk, size).unbind(1)):
            counts[channel] += torch.bincount(values.flatten(), minlength=256)
    mean, std = zip(*map(_mean_and_std, counts))
    return Preprocessing(size, resize, mean, std)


def _mean_and_std(counts: Tensor) -> tuple[float, float]:
    """Of uint8 values / 255, to four decimals, from how often each of the 256 occurs: exact and fast."""
    values = torch.arange(256).double() / 255
    mean = (counts * values).sum() / counts.sum()
    std = ((counts * (values - mean) ** 2).sum() / counts.sum()).sqrt().clamp(min=1 / 255)  # a flat channel is not divided by 0
    return round(mean.item(), 4), round(std.item(), 4)
