"""A checkpoint's accuracy measured again, on any data set."""

import math
import time
from dataclasses import replace

import torch

from .. import checkpoints, runs
from ..checkpoints import Checkpoint
from ..data import sources
from ..data.splits import some_of_each, split_validation
from ..evaluation import evaluate
from ..problems import Problem

CHUNK = 1000  # pictures that are brought to the network's size at a time: ten thousand of 224 x 224 take 1.5 GB
BATCH_PIXELS = 2_000_000  # about 40 pictures of 224 x 224, which keeps ResNet-152's activations under 2 GB


def measure(checkpoint: Checkpoint, data: str, split: str = "test", limit: int | None = None, progress=None) -> dict:
    """{"accuracy", "loss", "images", "seconds", "images_per_s"} of a checkpoint on a split of `data`.

    data      a name of sources.SOURCES, or a folder or zip; pictures are brought to the network's size and channels
    limit     at most that many pictures, a seeded draw with every class in its share
    seconds   of the evaluation alone, without reading the data
    Raises Problem where the class names differ, or a split does not exist.
    """
    if limit is not None and limit < 1:
        raise Problem(f"--limit must be 1 or more, not {limit}.")
    pictures, _ = drawn(checkpoint, data, split, limit, progress)
    labels = in_checkpoint_order(checkpoint, pictures)
    started = time.monotonic()
    loss, accuracy = _evaluate(checkpoint, pictures, labels, progress)
    seconds = time.monotonic() - started
    if not math.isfinite(loss):
        raise Problem(f"{checkpoint.name} answers with numbers that are not finite: its weights are damaged; "
                      "choose another checkpoint.")
    return {"accuracy": accuracy, "loss": loss, "images": len(labels), "seconds": round(seconds, 3),
            "images_per_s": round(len(labels) / seconds, 1)}


def drawn(checkpoint: Checkpoint, data: str, split: str, limit: int | None,
          progress=None) -> tuple[sources.Pictures, torch.Tensor]:
    """At most `limit` pictures of a split that has as many labels a picture as the checkpoint has heads: a seeded draw
    with every class in its share, and their numbers in the split; labels as the data count. Problem where there are none."""
    pictures = _load(checkpoint, data, split, progress)
    if len(pictures.images) == 0:
        raise Problem(f"{data} has no {split} pictures; choose another part or other data.")
    if len(pictures.heads) != len(checkpoint.heads):
        raise Problem(f"{data} has {len(pictures.heads)} labels a picture, the checkpoint gives {len(checkpoint.heads)}; choose other data.")
    chosen = some_of_each(pictures.labels[:, 0], limit)
    return replace(pictures, images=pictures.images[chosen], labels=pictures.labels[chosen]), chosen


def as_seen(checkpoint: Checkpoint, pictures: sources.Pictures) -> torch.Tensor:
    """All pictures as the network gets them, before they are normalised: shorter side to `resize`, the middle square of
    `size`; uint8 [N, C, size, size]."""
    recipe = checkpoint.preprocessing
    edge = round((recipe.resize - recipe.size) / 2)
    middle = slice(edge, edge + recipe.size)
    return sources.fit(pictures, recipe.channels, recipe.resize).images[:, :, middle, middle]


def uncertainty(accuracy: float, images: int) -> float:
    """Half the width of the 95 % interval that chance alone gives an accuracy on that many pictures, both 0..1.

    Wilson's interval (1927), which also holds near 0 and 1.
    """
    z = 1.96
    return z * math.sqrt(accuracy * (1 - accuracy) / images + z * z / (4 * images**2)) / (1 + z * z / images)


def _evaluate(checkpoint: Checkpoint, pictures: sources.Pictures, labels: torch.Tensor,
              progress) -> tuple[float, float]:
    """(loss, accuracy) over all pictures, prepared as one is: shorter side to `resize`, middle square of `size`."""
    model = checkpoints.model(checkpoint).to(memory_format=torch.channels_last)
    recipe, total = checkpoint.preprocessing, len(labels)
    batch = max(1, min(250, BATCH_PIXELS // recipe.size**2))
    loss = right = 0.0
    for start in range(0, total, CHUNK):
        part = slice(start, start + CHUNK)
        images = as_seen(checkpoint, replace(pictures, images=pictures.images[part]))
        found = evaluate(model, images, labels[part], checkpoint.heads, recipe, batch,
                         progress=progress and (lambda done, _, text: progress(start + done, total, text)))
        loss += found.loss * len(images)
        right += found.accuracy * len(images)
    answers = total * len(checkpoint.heads)
    return loss / total, round(right * len(checkpoint.heads)) / answers


def _load(checkpoint: Checkpoint, data: str, split: str, progress) -> sources.Pictures:
    """The split; "val" of a data set without one is what the checkpoint's own run held out of train."""
    config = (runs.read_config(checkpoint.run) if checkpoint.run else None) or {}
    if split == "val" and data in sources.SOURCES and config.get("data") == data and config.get("val_fraction"):
        pictures = sources.load(data, "train", progress)
        _, held_out = split_validation(pictures.labels[:, 0], config["val_fraction"], None, config["seed"])
        return replace(pictures, images=pictures.images[held_out], labels=pictures.labels[held_out])
    recipe = checkpoint.preprocessing
    # photographs in a folder at the size before the crop; where nothing is cropped, small pictures stay small
    return sources.load(data, split, progress, size=recipe.resize if recipe.resize > recipe.size else None)


def in_checkpoint_order(checkpoint: Checkpoint, pictures: sources.Pictures) -> torch.Tensor:
    """The labels, int64 [N, heads], as the checkpoint numbers its classes."""
    columns, start, theirs = [], 0, 0
    for head, (outputs, here) in enumerate(zip(checkpoint.heads, pictures.heads)):
        names = checkpoint.classes[start:start + outputs] if checkpoint.classes else None
        place = sources.class_match(names, pictures.classes[theirs:theirs + here], outputs)
        columns.append(place[pictures.labels[:, head]])
        start, theirs = start + outputs, theirs + here
    return torch.stack(columns, dim=1)
