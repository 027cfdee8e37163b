"""What a network says of pictures, how sure it is, and what it got to see of them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from .. import checkpoints
from ..checkpoints import Checkpoint
from ..data import uploads
from ..data.preprocessing import Preprocessing, see
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
    device = next(model.parameters()).device
    logits = []
    with torch.inference_mode():
        for batch in _batches(images, checkpoint.preprocessing.size):
            seen = torch.cat([see(image, checkpoint.preprocessing).tensor for image in batch])
            logits.append(model(seen.to(device)).float().cpu())
    if not logits:
        return []
    logits = torch.cat(logits)
    if not torch.isfinite(logits).all():
        raise Problem(f"{checkpoint.name} answers with numbers that are not finite: its weights are damaged; choose another checkpoint.")
    return [_verdicts(row, checkpoint) for row in logits]


def _batches(images: Sequence[Image.Image], size: int) -> Iterator[Sequence[Image.Image]]:
    count = max(1, BATCH_PIXELS // size**2)
    for start in range(0, len(images), count):
        yield images[start:start + count]


def _verdicts(logits: torch.Tensor, checkpoint: Checkpoint) -> tuple[Verdict, ...]:
    verdicts, start = [], 0
    for classes in checkpoint.heads:
        own = logits[start:start + classes]
        probabilities = own.double().softmax(0)
        order = torch.argsort(own, descending=True, stable=True).tolist()
        answers = tuple(Answer(checkpoints.label(checkpoint, start + i), start + i, float(probabilities[i])) for i in order)
        verdicts.append(Verdict(answers, tuple(float(own[i]) for i in order)))
        start += classes
    return tuple(verdicts)


def of_files(checkpoint: Checkpoint, paths: Sequence[str], top_k: int) -> list[dict]:
    """[{"image", "top": [{"label", "index", "probability"}], "error"}], one a path, in order.

    top    the `top_k` likeliest classes; of several heads, one head's after the other's
    error  None, or the sentence why this picture could not be read (then top is []); the others are answered
    """
    model = checkpoints.model(checkpoint)
    rows = []
    for path in paths:
        try:
            verdicts = predict(model, checkpoint, [uploads.read(Path(path)).image])[0]
        except Problem as problem:
            rows.append({"image": str(path), "top": [], "error": str(problem)})
            continue
        top = [answer for verdict in verdicts for answer in verdict.answers[:top_k]]
        rows.append({"image": str(path), "top": [vars(answer) for answer in top], "error": None})
    return rows


def what_the_network_saw(image: Image.Image, preprocessing: Preprocessing) -> Views:
    """The stations of a picture (RGB, any size) from the file to the first layer."""
    seen = see(image, preprocessing)
    return Views(np.asarray(image.convert("RGB")), seen.crop_box, np.asarray(seen.cropped.convert("RGB")),
                 np.asarray(seen.resized.convert("RGB")), seen.tensor[0].numpy())


# In words

def sureness(verdict: Verdict) -> str:
    """How sure the network is, in one sentence, from the lead of the first class and the spread of all."""
    first, *others = verdict.answers
    if not others:
        return f"It knows only one class, {first.label}, and can say nothing else."
    second = others[0]
    if first.probability >= 0.95:
        return f"Nearly certain: {percent(first.probability)} for {first.label}, {percent(1 - first.probability)} for all other classes together."
    if verdict.margin < 0.15 and first.probability + second.probability > 0.75:
        return f"Torn between {first.label} ({percent(first.probability)}) and {second.label} ({percent(second.probability)})."
    if first.probability < 0.5 and verdict.entropy_bits > 0.8 * math.log2(len(verdict.answers)):
        return (f"It does not know: the probabilities are spread as if {2 ** verdict.entropy_bits:.3g} of its "
                f"{len(verdict.answers):,} classes were equally likely.")
    if first.probability >= 0.6:
        return f"Fairly sure of {first.label}; {second.label} comes second with {percent(second.probability)}."
    return f"Leans towards {first.label}, with doubts: {second.label} has {percent(second.probability)}."


def percent(fraction: float) -> str:
    """0.8312 -> "83.1 %"; what is not 0 or 1 never reads as 0 or 100 %."""
    if 0 < fraction < 0.001:
        return "under 0.1 %"
    if 0.999 < fraction < 1:
        return "over 99.9 %"
    return f"{100 * fraction:.1f} %"


def spoken(verdict: Verdict, count: int = 3) -> str:
    """The likeliest classes in one phrase: "cat 83.1 %, dog 9.2 %, frog 3.0 %"."""
    return ", ".join(f"{answer.label} {percent(answer.probability)}" for answer in verdict.answers[:count])


def story(views: Views, verdicts: Sequence[Verdict]) -> list[str]:
    """What happened to the picture, in sentences with its own numbers."""
    height, width = views.original.shape[:2]
    left, top, right, bottom = views.crop_box
    side = views.resized.shape[0]
    pixels = (right - left) * (bottom - top)
    lines = []
    if pixels < width * height:
        lines.append(f"The network takes only squares: {percent(1 - pixels / (width * height))} of the picture, outside the frame, was never seen.")
    if pixels > side**2:
        lines.append(f"The square was shrunk to {side} x {side} = {side**2:,} pixels: one for every {pixels / side**2:,.3g} of the file. "
                     "Whatever cannot be recognised at that size, it cannot recognise either.")
    elif pixels < side**2:
        lines.append(f"The square was blown up to {side} x {side} pixels; that adds no detail.")
    lines.append("Each channel was then shifted and scaled as in training, so that 0 is an average pixel.")
    for number, verdict in enumerate(verdicts, start=1):
        which = "It" if len(verdicts) == 1 else f"Classifier {number} of {len(verdicts)}"
        lines.append(f"{which} has only {len(verdict.answers):,} words ({_some(verdict)}) and must divide 100 % among them, whatever the picture shows.")
        lines.append(f"{sureness(verdict)} The entropy is {verdict.entropy_bits:.2f} bits of at most {math.log2(len(verdict.answers)):.2f}: as unsure as "
                     f"between {2 ** verdict.entropy_bits:.3g} equally likely classes. The lead of the first over the second is "
                     f"{100 * verdict.margin:.1f} percentage points.")
    return lines


def _some(verdict: Verdict) -> str:
    names = [answer.label for answer in sorted(verdict.answers, key=lambda answer: answer.index)]
    return ", ".join(names) if len(names) <= 12 else ", ".join(names[:4]) + f", ... and {len(names) - 4:,} more"


def softmax_formula(verdict: Verdict, shown: int = 3) -> str:
    """The softmax of the likeliest class as LaTeX, with this picture's logits put in.

    Large logits are written relative to the largest, which changes nothing: numerator and denominator shrink alike.
    """
    top = verdict.logits[0]
    logits = [z - top for z in verdict.logits] if abs(top) > 15 else list(verdict.logits)
    powers = [f"e^{{{z:.2f}}}" for z in logits[:shown]] + ([r"\dots"] if len(logits) > shown else [])
    terms = [_number(math.exp(z)) for z in logits[:shown]] + ([_number(sum(map(math.exp, logits[shown:])))] if len(logits) > shown else [])
    return (rf"p_{{\text{{{_latex(verdict.answers[0].label)}}}}} = \frac{{e^{{z_1}}}}{{\sum_j e^{{z_j}}}} = \frac{{{powers[0]}}}{{{' + '.join(powers)}}} = "
            rf"\frac{{{terms[0]}}}{{{' + '.join(terms)}}} = {100 * verdict.answers[0].probability:.1f}\,\%")


def normalisation_formula(views: Views, preprocessing: Preprocessing) -> str:
    """The normalisation of the middle pixel's first channel as LaTeX, with its numbers."""
    middle = preprocessing.size // 2
    pixel, mean, std = int(views.resized[middle, middle, 0]), preprocessing.mean[0], preprocessing.std[0]
    return (rf"x = \frac{{\text{{pixel}} / 255 - \text{{mean}}}}{{\text{{std}}}} = \frac{{{pixel} / 255 - {mean:.4g}}}{{{std:.4g}}} = "
            rf"{views.normalised[0, middle, middle]:.3f}")


def _number(value: float) -> str:
    """Four significant digits for LaTeX, thousands in groups."""
    if value and not 1e-3 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.2e}".split("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:,.{digits}f}".replace(",", "{,}")


def _latex(text: str) -> str:
    return "".join(rf"\{c}" if c in "#$%&_{}" else " " if c in "\\^~" else c for c in text)


def code(preprocessing: Preprocessing, heads: Sequence[int], file_name: str) -> str:
    """The PyTorch lines that make this prediction from a file, given the network as `model`."""
    grey = "v2.Grayscale(), " if preprocessing.channels == 1 else ""
    softmax = "logits.softmax(dim=1)" if len(heads) == 1 else f"[part.softmax(dim=1) for part in logits.split({list(heads)}, dim=1)]"
    return f"""import torch
from PIL import Image
from torchvision.transforms import v2

prepare = v2.Compose([
    v2.Resize({preprocessing.resize}), v2.CenterCrop({preprocessing.size}), {grey}v2.PILToTensor(),
    v2.ToDtype(torch.float32, scale=True), v2.Normalize({_tuple(preprocessing.mean)}, {_tuple(preprocessing.std)}),
])
picture = prepare(Image.open({file_name!r}).convert("RGB"))[None]  # [1, {preprocessing.channels}, {preprocessing.size}, {preprocessing.size}]
with torch.inference_mode():
    logits = model(picture)  # [1, {sum(heads)}]
probabilities = {softmax}"""


def _tuple(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ("," if len(values) == 1 else "") + ")"


def table(names: Sequence[str], predictions: Sequence[Sequence[Verdict]]) -> list[dict]:
    """One row a picture: the first two classes with their probabilities (0..1) and the entropy, of each head."""
    rows = []
    for name, verdicts in zip(names, predictions):
        row: dict = {"picture": name}
        for number, verdict in enumerate(verdicts, start=1):
            mark = "" if len(verdicts) == 1 else f" {number}"
            row[f"class{mark}"], row[f"probability{mark}"] = verdict.answers[0].label, verdict.answers[0].probability
            if len(verdict.answers) > 1:
                row[f"second{mark}"], row[f"second probability{mark}"] = verdict.answers[1].label, verdict.answers[1].probability
            row[f"entropy, bits{mark}"] = verdict.entropy_bits
        rows.append(row)
    return rows
