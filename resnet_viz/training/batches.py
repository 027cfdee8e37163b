"""What the network gets to see in one step: pictures drawn from the training split, changed, and made into numbers."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..data import augmentation, distortion, mixing
from ..data.preprocessing import enlarge, mean_colour, normalise
from ..data.streaming import Streamed
from ..evaluation import loss_of, right_answers
from .work import Work


@dataclass(frozen=True)
class Plan:
    """What happens to every training picture in one epoch, in tables on the run's device."""

    choices: augmentation.Choices
    distortions: distortion.Distortions | None = None
    mixture: mixing.Mixture | None = None
    windows: Tensor | None = None  # where pictures are read from files: float [N, 4], cut out while they have their own resolution


@dataclass(frozen=True)
class Batch:
    """Normalised pictures [B, C, H, W] and labels int64 [B, heads]; of mixed pictures also the partners' labels and the
    share [B] of the first."""

    pictures: Tensor
    labels: Tensor
    partners: Tensor | None = None
    share: Tensor | None = None


def plan(work: Work, epoch: int) -> Plan:
    """The plan of an epoch: a function of the config's seed, the epoch and the number of training pictures."""
    config, count = work.config, len(work.train)
    choices = augmentation.draw(config.seed, epoch, count, config.flip, config.crop_padding, config.flip_vertical)
    strengths = distortion.Strengths(**{name: getattr(config, name) for name in distortion.Strengths.__dataclass_fields__})
    numbers = work.preprocessing.channels * work.preprocessing.size**2
    distortions = distortion.draw(config.seed, epoch, count, strengths, numbers)
    mixture = mixing.draw(config.seed, epoch, count, config.mixup)
    windows = None
    if isinstance(work.train.images, Streamed) and distortions is not None:
        windows, distortions = distortions.window, replace(distortions, window=None)
    return Plan(*(part and part.to(work.device) for part in (choices, distortions, mixture)), windows)


def batch(work: Work, samples: Tensor, plan: Plan) -> Batch:
    """The batch of these training pictures: int64 [B], on the run's device."""
    pictures, labels = _pictures(work, samples, plan), work.train.labels[samples]
    if plan.mixture is None:
        return Batch(pictures.contiguous(memory_format=torch.channels_last), labels)
    mixture = plan.mixture.of(samples)
    pictures = mixing.mix(pictures, _pictures(work, mixture.partner, plan), mixture.share)
    return Batch(pictures.contiguous(memory_format=torch.channels_last), labels, work.train.labels[mixture.partner], mixture.share)


def _pictures(work: Work, samples: Tensor, plan: Plan) -> Tensor:
    pictures = enlarge(_read(work, samples, plan), work.preprocessing.size)
    pictures = augmentation.augment(pictures, plan.choices.of(samples, work.device))
    if plan.distortions is not None:
        pictures = distortion.distort(pictures, plan.distortions.of(samples), mean_colour(work.preprocessing, work.device))
    return normalise(pictures, work.preprocessing)


def _read(work: Work, samples: Tensor, plan: Plan) -> Tensor:
    images = work.train.images
    return images.windows(samples, plan.windows) if isinstance(images, Streamed) else images[samples]


def expect(work: Work, batches: list[Tensor], plan: Plan) -> None:
    """Tell pictures that are read from files which batches (int64 [B]) this epoch will ask for, in which order."""
    if isinstance(work.train.images, Streamed):
        partners = [] if plan.mixture is None else [plan.mixture.of(samples).partner for samples in batches]
        asked = [samples for pair in zip(batches, partners) for samples in pair] if partners else batches
        work.train.images.expect([samples.tolist() for samples in asked], plan.windows)


def loss_and_right(logits: Tensor, batch: Batch, work: Work) -> tuple[Tensor, Tensor]:
    """Mean data loss and the number of right answers, two scalars; of mixed pictures each answer counts by its share."""
    smoothing = work.config.label_smoothing
    if batch.share is None:
        return loss_of(logits, batch.labels, work.heads, smoothing), right_answers(logits.detach(), batch.labels, work.heads)
    answers = ((batch.labels, batch.share), (batch.partners, 1 - batch.share))
    return (sum(loss_of(logits, labels, work.heads, smoothing, share) for labels, share in answers),
            sum(right_answers(logits.detach(), labels, work.heads, share) for labels, share in answers))
