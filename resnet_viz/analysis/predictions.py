"""What a network says of pictures, how sure it is, and what it got to see of them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from .. import checkpoints, familiarity
from ..checkpoints import Checkpoint
from ..data import uploads
from ..data.preprocessing import Preprocessing, normalise, see
from ..familiarity import Caution, Familiarity
from ..problems import Problem

BATCH_PIXELS = 2_000_000  # pictures at a time: some 40 of 224 x 224, which keeps ResNet-152's activations under 2 GB


@dataclass(frozen=True)
class Answer:
    """One class: its name, its index among all outputs, its probability (0..1)."""

    label: str
    index: int
    probability: float


@dataclass(frozen=True)
class Verdict:
    """What one classifier (head) says: all its classes, the likeliest first, and the logits in the same order."""

    answers: tuple[Answer, ...]
    logits: tuple[float, ...]

    @property
    def entropy_bits(self) -> float:
        """H = -sum p log2 p: 0 where one class has everything, log2(classes) where all are alike."""
        return max(0.0, -sum(a.probability * math.log2(a.probability) for a in self.answers if a.probability > 0))

    @property
    def margin(self) -> float:
        """The likeliest class's lead over the second, 0..1 (1 for a single class)."""
        return self.answers[0].probability - (self.answers[1].probability if len(self.answers) > 1 else 0.0)


@dataclass(frozen=True)
class Views:
    """A picture on its way into the network.

    original    uint8 [H, W, 3], and crop_box (left, top, right, bottom) in its pixels: the part that is kept
    cropped     that part, uint8 [h, w, 3]
    resized     the network's own pixels, uint8 [size, size, 3] (three equal channels for a grey network)
    normalised  the numbers the first layer reads, float32 [channels, size, size]
    """

    original: np.ndarray
    crop_box: tuple[int, int, int, int]
    cropped: np.ndarray
    resized: np.ndarray
    normalised: np.ndarray


def predict(model: nn.Module, checkpoint: Checkpoint, images: Sequence[Image.Image]) -> list[tuple[Verdict, ...]]:
    """For each picture (RGB, any size) one verdict a head; the softmax runs within each head.

    model  the checkpoint's network in evaluation mode, on any device; it is left as found
    """
    return [verdicts for verdicts, _ in answers(model, checkpoint, images, None)]


def answers(
    model: nn.Module, checkpoint: Checkpoint, images: Sequence[Image.Image], familiar: Familiarity | None
) -> list[tuple[tuple[Verdict, ...], Caution | None]]:
    """Beside the verdicts how strange each picture looks to the network, among its run's validation pictures, in one pass
    through it; no caution where nothing is known of its run."""
    recipe = checkpoint.preprocessing
    batches = (torch.cat([see(image, recipe).tensor for image in batch]) for batch in _batches(images, recipe.size))
    return [answer for inputs in batches for answer in _asked(model, checkpoint, inputs, familiar)]


def predict_pixels(
    model: nn.Module, checkpoint: Checkpoint, pixels: np.ndarray, familiar: Familiarity | None
) -> tuple[tuple[Verdict, ...], Caution | None]:
    """The same for one picture that has the network's own pixels already, uint8 [size, size, C]."""
    inputs = normalise(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None], checkpoint.preprocessing)
    return _asked(model, checkpoint, inputs, familiar)[0]


def _asked(model: nn.Module, checkpoint: Checkpoint, inputs: torch.Tensor, familiar: Familiarity | None) -> list:
    """Of normalised inputs [N, C, size, size]."""
    inputs = inputs.to(next(model.parameters()).device)
    found: list[Caution | None] = [None] * len(inputs)
    if familiar is None:
        with torch.inference_mode():
            logits = model(inputs)
    else:
        strangeness, logits = familiarity.asked(model, inputs, familiar)
        found = [familiarity.caution(familiar, value) for value in strangeness.tolist()]
    logits = logits.float().cpu()
    if not torch.isfinite(logits).all():
        raise Problem(
            f"{checkpoint.name} answers with numbers that are not finite: its weights are damaged; choose another"
            " checkpoint."
        )
    return [(_verdicts(row, checkpoint), caution) for row, caution in zip(logits, found)]


def _batches(images: Sequence[Image.Image], size: int) -> Iterator[Sequence[Image.Image]]:
    count = max(1, BATCH_PIXELS // size**2)
    for start in range(0, len(images), count):
        yield images[start : start + count]


def _verdicts(logits: torch.Tensor, checkpoint: Checkpoint) -> tuple[Verdict, ...]:
    verdicts, start = [], 0
    for classes in checkpoint.heads:
        own = logits[start : start + classes]
        probabilities = own.double().softmax(0)
        order = torch.argsort(own, descending=True, stable=True).tolist()
        answers = tuple(
            Answer(checkpoints.label(checkpoint, start + i), start + i, float(probabilities[i])) for i in order
        )
        verdicts.append(Verdict(answers, tuple(float(own[i]) for i in order)))
        start += classes
    return tuple(verdicts)


def of_files(checkpoint: Checkpoint, paths: Sequence[str], top_k: int) -> list[dict]:
    """[{"image", "top": [{"label", "index", "probability"}], "caution", "error"}], one a path, in order.

    top      the `top_k` likeliest classes; of several heads, one head's after the other's
    caution  {"unlike": whether the picture is unlike what the network learned from, "share": of the run's validation
             pictures that look as strange, 0..1}; None where the weights came without their run
    error    None, or the sentence why this picture could not be read (then top is []); the others are answered
    """
    model, familiar = checkpoints.model(checkpoint), familiarity.of(checkpoint)
    rows = []
    for path in paths:
        try:
            image = uploads.read(Path(path)).image
            verdicts, caution = answers(model, checkpoint, [image], familiar)[0]
        except Problem as problem:
            rows.append({"image": str(path), "top": [], "caution": None, "error": str(problem)})
            continue
        top = [answer for verdict in verdicts for answer in verdict.answers[:top_k]]
        warned = caution and {"unlike": caution.unlike, "share": caution.share}
        rows.append({"image": str(path), "top": [vars(answer) for answer in top], "caution": warned, "error": None})
    return rows


def what_the_network_saw(image: Image.Image, preprocessing: Preprocessing) -> Views:
    """The stations of a picture (RGB, any size) from the file to the first layer."""
    seen = see(image, preprocessing)
    return Views(
        np.asarray(image.convert("RGB")),
        seen.crop_box,
        np.asarray(seen.cropped.convert("RGB")),
        np.asarray(seen.resized.convert("RGB")),
        seen.tensor[0].numpy(),
    )


def table(names: Sequence[str], said: Sequence[tuple[Sequence[Verdict], Caution | None]]) -> list[dict]:
    """One row a picture: of each head the first two classes with their probabilities (0..1), entropy and margin; and
    the caution: True or False, with the share of validation pictures as strange, where that is known.
    """
    rows = []
    for name, (verdicts, caution) in zip(names, said):
        row: dict = {"picture": name}
        for number, verdict in enumerate(verdicts, start=1):
            mark, first = "" if len(verdicts) == 1 else f" {number}", verdict.answers[0]
            row[f"class{mark}"], row[f"probability{mark}"] = first.label, first.probability
            if len(verdict.answers) > 1:
                second = verdict.answers[1]
                row[f"second{mark}"], row[f"second probability{mark}"] = second.label, second.probability
            row[f"entropy, bits{mark}"], row[f"margin{mark}"] = verdict.entropy_bits, verdict.margin
        if caution is not None:
            row["caution"], row["as strange"] = caution.unlike, caution.share
        rows.append(row)
    return rows


def class_rows(verdicts: Sequence[Verdict]) -> list[dict]:
    """One row a class, the likeliest first: class, index, logit, probability; `classifier` if there are several."""
    rows = []
    for number, verdict in enumerate(verdicts, start=1):
        which = {"classifier": number} if len(verdicts) > 1 else {}
        for answer, logit in zip(verdict.answers, verdict.logits):
            rows.append(
                {
                    **which,
                    "class": answer.label,
                    "index": answer.index,
                    "logit": logit,
                    "probability": answer.probability,
                }
            )
    return rows
