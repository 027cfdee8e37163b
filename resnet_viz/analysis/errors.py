"""What a network gets wrong: one pass over labelled pictures, who is taken for whom, and a run's confusion by epochs.

exam() brings pictures and their labels, ask() answers some of them, of_head() is what all answers say. What they
mean in words is in error_words.py, how sure the network may be in calibration.py, the map in last_features.py.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .. import runs
from ..as_found import evaluating
from ..checkpoints import Checkpoint
from ..data import sources
from ..data.preprocessing import Preprocessing, normalise
from ..problems import Problem
from .measurement import as_seen, drawn, uncertainty
from .time_machine import MOST_FRAMES, thinned

PICTURE_BYTES = 192 * 2**20  # of the pictures that are kept, as bytes: 1,337 in colour of 224 x 224, 65,536 of 32 x 32
BATCH_PIXELS = 500_000  # 10 pictures of 224 x 224: so many are lost when the work is stopped
HISTORY_NUMBERS = 500_000  # of all matrices of a run together: the browser gets two bytes of each
MOST_CLASSES, FEWER_CLASSES = 100, 40  # a larger matrix shows only the classes with the most mistakes


# The pictures


@dataclass(frozen=True)
class Exam:
    """Labelled pictures as the network gets them, shuffled: the first few stand for all.

    images   uint8 [N, C, size, size]; labels int64 [N, heads], each counted within its head as the checkpoint does
    numbers  int64 [N]: the how-manieth picture of the split each one is, from 0; of a folder in the order of its files
    notes    what the person should know, e.g. which files could not be read
    """

    images: Tensor = field(repr=False)
    labels: Tensor = field(repr=False)
    numbers: Tensor = field(repr=False)
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


def most_pictures(recipe: Preprocessing) -> int:
    """How many pictures of a network's size are kept at most."""
    return max(1, PICTURE_BYTES // (recipe.channels * recipe.size**2))


def exam(checkpoint: Checkpoint, data: str, split: str, limit: int, progress: Callable | None = None) -> Exam:
    """At most `limit` pictures of a split of `data` (a name of sources.SOURCES, a folder or a zip) with their labels.

    Data that know only some of the checkpoint's classes will do, where both sides have names. Problem where the
    data have a class that the checkpoint has not, or no pictures.
    """
    if limit < 1:
        raise Problem("Ask about at least one picture.")
    pictures, numbers = drawn(checkpoint, data, split, min(limit, most_pictures(checkpoint.preprocessing)), progress)
    labels = _as_the_checkpoint_counts(checkpoint, pictures)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    return Exam(as_seen(checkpoint, pictures)[order], labels[order], numbers[order], tuple(pictures.notes))


def _as_the_checkpoint_counts(checkpoint: Checkpoint, pictures: sources.Pictures) -> Tensor:
    """int64 [N, heads]; unlike a measurement this bears data that have only some of the classes."""
    columns, start, theirs = [], 0, 0
    for head, (outputs, here) in enumerate(zip(checkpoint.heads, pictures.heads)):
        names = checkpoint.classes[start:start + outputs] if checkpoint.classes else None
        told = pictures.classes[theirs:theirs + here]
        if names and set(told) <= set(names):
            place = torch.tensor([names.index(name) for name in told])
        else:
            place = sources.class_match(names, told, outputs)
        columns.append(place[pictures.labels[:, head]])
        start, theirs = start + outputs, theirs + here
    return torch.stack(columns, dim=1)


# The answers


@dataclass(frozen=True)
class Answers:
    """What a network says of pictures, logits float32 [n, sum(heads)], and what its last layer gets, float16 [n, D]."""

    logits: Tensor = field(repr=False)
    features: Tensor = field(repr=False)

    def __len__(self) -> int:
        return len(self.logits)


def batch_of(recipe: Preprocessing) -> int:
    """How many pictures are asked about at a time."""
    return max(1, min(250, BATCH_PIXELS // recipe.size**2))


def ask(model: nn.Module, images: Tensor, recipe: Preprocessing) -> Answers:
    """One batch: uint8 [n, C, size, size] -> Answers. The model is left as found. Problem for numbers that are none."""
    given = []
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    with evaluating(model), torch.no_grad():
        last.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0].detach().flatten(1).half().cpu()))
        device = next(model.parameters()).device
        pictures = normalise(images.to(device), recipe).contiguous(memory_format=torch.channels_last)
        logits = model(pictures).float().cpu()
    if not logits.isfinite().all():
        raise Problem("The network answers with numbers that are not finite: its weights are damaged; choose another "
                      "checkpoint.")
    return Answers(logits, given[-1])


def joined(parts: Sequence[Answers]) -> Answers:
    """The batches one after another; at least one."""
    return Answers(torch.cat([part.logits for part in parts]), torch.cat([part.features for part in parts]))


@dataclass(frozen=True)
class Verdicts:
    """The answers of one head to n pictures whose truth is known.

    classes        names, or numbers as text
    true           int64 [n]
    logits         float32 [n, classes]
    probabilities  float32 [n, classes]
    """

    classes: tuple[str, ...]
    true: np.ndarray = field(repr=False)
    logits: np.ndarray = field(repr=False)
    probabilities: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.true)

    @property
    def answered(self) -> np.ndarray:
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> np.ndarray:
        return self.probabilities.max(axis=1)

    @property
    def right(self) -> np.ndarray:
        return self.answered == self.true


def class_names(checkpoint: Checkpoint, head: int) -> tuple[str, ...]:
    """Names of one head's classes, or their numbers within the head as text."""
    start = sum(checkpoint.heads[:head])
    names = checkpoint.classes or tuple(str(i - start) for i in range(sum(checkpoint.heads)))
    return tuple(names[start:start + checkpoint.heads[head]])


def of_head(checkpoint: Checkpoint, exam: Exam, answers: Answers, head: int = 0) -> Verdicts:
    """What the first len(answers) pictures of the exam were taken for by one head."""
    start = sum(checkpoint.heads[:head])
    logits = answers.logits[:, start:start + checkpoint.heads[head]]
    return Verdicts(class_names(checkpoint, head), exam.labels[:len(answers), head].numpy(), logits.numpy(),
                    logits.softmax(dim=1).numpy())


# Who is taken for whom


def confusion(true: np.ndarray, answered: np.ndarray, classes: int) -> np.ndarray:
    """int64 [classes, classes]: how many pictures of each class (row) were taken for which (column)."""
    return np.bincount(true * classes + answered, minlength=classes**2).reshape(classes, classes)


def rates(counts: np.ndarray) -> np.ndarray:
    """Shares of each row of [..., classes, classes], 0..1; 0 in rows without a picture."""
    sums = counts.sum(axis=-1, keepdims=True)
    return np.divide(counts, sums, out=np.zeros(counts.shape), where=sums > 0)


def mistakes(counts: np.ndarray) -> np.ndarray:
    """The same without what is right: the diagonal is 0."""
    return counts * (1 - np.eye(counts.shape[-1], dtype=counts.dtype))


def shown_classes(counts: np.ndarray) -> np.ndarray:
    """The classes of the matrix, ascending: all up to MOST_CLASSES, else those that occur, as truth or as answer;
    of more than MOST_CLASSES of these the FEWER_CLASSES with the most mistakes."""
    if len(counts) <= MOST_CLASSES:
        return np.arange(len(counts))
    there = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    if len(there) <= MOST_CLASSES:
        return there
    wrong = mistakes(counts)
    return np.sort(np.argsort(-(wrong.sum(axis=0) + wrong.sum(axis=1)), kind="stable")[:FEWER_CLASSES])


def cell(verdicts: Verdicts, true: int, answered: int) -> np.ndarray:
    """The pictures of a class that were taken for another (or for it), the surest first: int64 places."""
    found = np.flatnonzero((verdicts.true == true) & (verdicts.answered == answered))
    return found[np.argsort(-verdicts.confidence[found], kind="stable")]


def surest_mistakes(verdicts: Verdicts, most: int) -> np.ndarray:
    """The wrong answers of which the network was surest, int64 places."""
    found = np.flatnonzero(~verdicts.right)
    return found[np.argsort(-verdicts.confidence[found], kind="stable")][:most]


def frequent_mistakes(counts: np.ndarray, most: int) -> list[tuple[int, int]]:
    """(true, answered) of the most frequent mistakes, at most `most` of them."""
    wrong = mistakes(counts)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    return [tuple(int(i) for i in np.unravel_index(at, wrong.shape)) for at in order if wrong.flat[at]]


def worst_pair(counts: np.ndarray) -> tuple[int, int] | None:
    """(true, answered) of the most frequent mistake; None where there is none."""
    return next(iter(frequent_mistakes(counts, 1)), None)


def class_rows(counts: np.ndarray, classes: Sequence[str]) -> list[dict]:
    """One row a class that has pictures, the worst first; shares 0..1, None where there is nothing to share.

    right       share of its pictures that are recognised (recall); ± (95 %) by chance alone
    trust       share of the answers of this name that are right (precision)
    """
    sums, answers, wrong = counts.sum(axis=1), counts.sum(axis=0), mistakes(counts)
    rows = []
    for i in np.flatnonzero(sums):
        right = counts[i, i] / sums[i]
        taken = int(wrong[i].argmax())
        rows.append({"class": classes[i], "pictures": int(sums[i]), "right": float(right),
                     "± (95 %)": uncertainty(float(right), int(sums[i])), "answers": int(answers[i]),
                     "trust": float(counts[i, i] / answers[i]) if answers[i] else None,
                     "most often taken for": classes[taken] if wrong[i].any() else "", "times": int(wrong[i, taken])})
    return sorted(rows, key=lambda row: row["right"])


# A run's own confusion


@dataclass(frozen=True)
class History:
    """The confusion of a run's held-out pictures, snapshot by snapshot: step, epoch [frames], counts [frames, n, n]."""

    step: np.ndarray
    epoch: np.ndarray
    counts: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.step)


def history(run: Path) -> History | None:
    """All snapshots of a run that say who was taken for whom, thinned where they are many; None where none says it."""
    found = runs.snapshots(run)
    last = runs.read_snapshot(found[-1].path).get("confusion") if found else None
    if last is None:
        return None
    most = min(MOST_FRAMES, max(2, HISTORY_NUMBERS // last.size))
    kept = [found[i] for i in thinned(np.array([s.epoch for s in found]), most)]
    counts = [(snapshot, runs.read_snapshot(snapshot.path).get("confusion")) for snapshot in kept]
    counts = [(snapshot, matrix) for snapshot, matrix in counts if matrix is not None and matrix.any()]
    if not counts:
        return None
    return History(np.array([s.step for s, _ in counts]), np.array([s.epoch for s, _ in counts]),
                   np.stack([matrix for _, matrix in counts]))


def frame_of(history: History, epoch: int | None) -> int:
    """The frame at the end of an epoch, e.g. that of the weights in view; the last one where there is none."""
    there = np.flatnonzero(history.epoch == epoch) if epoch is not None else []
    return int(there[-1]) if len(there) else len(history) - 1
