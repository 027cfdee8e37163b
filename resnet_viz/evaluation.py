"""How good a network is on pictures: loss, accuracy, and which class it takes for which."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .as_found import in_evaluation_mode
from .data.preprocessing import Preprocessing, enlarge, normalise


@dataclass(frozen=True)
class Evaluation:
    """loss: mean cross entropy a picture, summed over heads. accuracy: share of labels that are right, 0..1.
    confusion: int64 [classes, classes] of the first head, rows true, columns predicted."""

    loss: float
    accuracy: float
    confusion: Tensor


PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def mixed_precision(device_type: str, precision: str) -> torch.autocast:
    """The context of a forward pass in a precision of PRECISIONS; weights stay float32."""
    return torch.autocast(device_type, PRECISIONS[precision], enabled=precision != "fp32")


def loss_of(logits: Tensor, labels: Tensor, heads: tuple[int, ...], label_smoothing: float = 0.0,
            weights: Tensor | None = None) -> Tensor:
    """Mean cross entropy: logits [N, sum(heads)], labels int64 [N, number of heads] -> a scalar, summed over heads.

    weights     float [N]: each picture's loss is multiplied by its own before the mean
    """
    parts = logits.float().split(list(heads), dim=1)
    if weights is None:
        return sum(F.cross_entropy(part, labels[:, i], label_smoothing=label_smoothing) for i, part in enumerate(parts))
    each = (F.cross_entropy(part, labels[:, i], reduction="none", label_smoothing=label_smoothing) for i, part in enumerate(parts))
    return sum((loss * weights).mean() for loss in each)


def right_answers(logits: Tensor, labels: Tensor, heads: tuple[int, ...], weights: Tensor | float = 1.0) -> Tensor:
    """How many labels are right in the batch, as a scalar on the device; a picture with k heads counts 1/k each."""
    parts = logits.split(list(heads), dim=1)
    return sum(((part.argmax(1) == labels[:, i]) * weights).sum() for i, part in enumerate(parts)) / len(heads)


def probabilities(logits: Tensor, heads: tuple[int, ...]) -> Tensor:
    """Softmax within each head: [N, sum(heads)] -> the same shape, each head's part adding up to 1."""
    return torch.cat([part.float().softmax(1) for part in logits.split(list(heads), dim=1)], dim=1)


def logits_in_batches(model: nn.Module, images: Tensor, preprocessing: Preprocessing, batch: int, precision: str = "fp32"):
    """Yield (slice, logits float32) over uint8 pictures [N, C, H, W] on the model's device; the mode is left as it is.

    Pictures smaller than the preprocessing's size are enlarged to it.
    """
    device = images.device.type
    for start in range(0, len(images), batch):
        part = slice(start, min(start + batch, len(images)))
        pictures = normalise(enlarge(images[part], preprocessing.size), preprocessing).contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), mixed_precision(device, precision):
            yield part, model(pictures).float()


def evaluate(model: nn.Module, images: Tensor, labels: Tensor, heads: tuple[int, ...], preprocessing: Preprocessing,
             batch: int = 500, precision: str = "fp32", progress=None) -> Evaluation:
    """Loss, accuracy and confusion over uint8 pictures [N, C, H, W], N > 0, in evaluation mode (the mode is put back).

    progress(done, total, text) is called after each batch.
    """
    loss = torch.zeros((), dtype=torch.float64)
    right, confusion = 0.0, torch.zeros(heads[0], heads[0], dtype=torch.long)
    with in_evaluation_mode(model):
        for part, logits in logits_in_batches(model, images, preprocessing, batch, precision):
            answers = labels[part]
            loss += loss_of(logits, answers, heads).cpu().double() * len(answers)  # MPS knows no float64
            right += right_answers(logits, answers, heads).item()
            pairs = (answers[:, 0] * heads[0] + logits[:, : heads[0]].argmax(1)).cpu()
            confusion += torch.bincount(pairs, minlength=heads[0] ** 2).view(heads[0], heads[0])
            if progress:
                progress(part.stop, len(images), "evaluating")
    return Evaluation(float(loss) / len(images), right / len(images), confusion)
