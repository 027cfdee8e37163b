"""A checkpoint's accuracy measured again, on any data set."""

import time
from dataclasses import replace

import torch

from .. import checkpoints, runs
from ..checkpoints import Checkpoint
from ..data import sources
from ..data.splits import some_of_each, split_validation
from ..evaluation import evaluate
from ..problems import Problem


def measure(checkpoint: Checkpoint, data: str, split: str = "test", limit: int | None = None, progress=None) -> dict:
    """{"accuracy", "loss", "images", "seconds", "images_per_s"} of a checkpoint on a split of `data`.

    data      a name of sources.SOURCES, or a folder or zip; pictures are brought to the network's size and channels
    limit     at most that many pictures, a seeded draw with every class in its share
    seconds   of the evaluation alone, without reading the data
    Raises Problem where the class names differ, or a split does not exist.
    """
    if limit is not None and limit < 1:
        raise Problem(f"--limit must be 1 or more, not {limit}.")
    pictures = _load(checkpoint, data, split, progress)
    if len(pictures.images) == 0:
        raise Problem(f"{data} has no {split} pictures.")
    if len(pictures.heads) != len(checkpoint.heads):
        raise Problem(f"{data} has {len(pictures.heads)} labels a picture, the checkpoint gives {len(checkpoint.heads)}; choose other data.")
    chosen = some_of_each(pictures.labels[:, 0], limit)
    pictures = replace(pictures, images=pictures.images[chosen], labels=pictures.labels[chosen])
    pictures = sources.fit(pictures, checkpoint.preprocessing.channels, checkpoint.preprocessing.size)
    labels = _in_checkpoint_order(checkpoint, pictures)
    model = checkpoints.model(checkpoint).to(memory_format=torch.channels_last)
    started = time.monotonic()
    found = evaluate(model, pictures.images, labels, checkpoint.heads, checkpoint.preprocessing, batch=250, progress=progress)
    seconds = time.monotonic() - started
    return {"accuracy": found.accuracy, "loss": found.loss, "images": len(labels), "seconds": round(seconds, 3),
            "images_per_s": round(len(labels) / seconds, 1)}


def _load(checkpoint: Checkpoint, data: str, split: str, progress) -> sources.Pictures:
    """The split; "val" of a data set without one is what the checkpoint's own run held out of train."""
    config = (runs.read_config(checkpoint.run) if checkpoint.run else None) or {}
    if split == "val" and data in sources.SOURCES and config.get("data") == data and config.get("val_fraction"):
        pictures = sources.load(data, "train", progress)
        _, held_out = split_validation(pictures.labels[:, 0], config["val_fraction"], None, config["seed"])
        return replace(pictures, images=pictures.images[held_out], labels=pictures.labels[held_out])
    return sources.load(data, split, progress)


def _in_checkpoint_order(checkpoint: Checkpoint, pictures: sources.Pictures) -> torch.Tensor:
    """The labels, int64 [N, heads], as the checkpoint numbers its classes."""
    columns, start, theirs = [], 0, 0
    for head, (outputs, here) in enumerate(zip(checkpoint.heads, pictures.heads)):
        names = checkpoint.classes[start:start + outputs] if checkpoint.classes else None
        place = sources.class_match(names, pictures.classes[theirs:theirs + here], outputs)
        columns.append(place[pictures.labels[:, head]])
        start, theirs = start + outputs, theirs + here
    return torch.stack(columns, dim=1)
