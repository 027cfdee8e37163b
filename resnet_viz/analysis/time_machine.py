"""A run's snapshots as one film: kernels, answers and confusion frame by frame, and how far every kernel moved.

A frame is one snapshot. Where a run has more than can be sent, some are left out and the film says how many.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .. import runs
from ..problems import Problem
from . import kernels

MOST_FRAMES = 300
MOST_BYTES = 6 * 2**20  # of the numbers of a film, as the browser gets them
SMOOTHED_ROWS = 10  # training rows that one frame's loss is the mean of


@dataclass(frozen=True)
class Film:
    """One row a frame, in order of time.

    step, epoch, images  int64 [frames]; lr float64 [frames]
    kernels              layer -> float32 [frames, filters, inputs, k, k], of the first two convolutions
    probabilities        float32 [frames, pictures, classes], of the first head
    confusion            int64 [frames, classes, classes], rows true, columns answered; None where none was held out
    val_images           int64 [frames]: pictures behind each confusion matrix
    taken                snapshots that the run has; more than frames where some were left out
    """

    step: np.ndarray
    epoch: np.ndarray
    images: np.ndarray
    lr: np.ndarray
    kernels: dict[str, np.ndarray] = field(repr=False)
    probabilities: np.ndarray = field(repr=False)
    confusion: np.ndarray | None = field(repr=False)
    val_images: np.ndarray = field(repr=False)
    taken: int

    def __len__(self) -> int:
        return len(self.step)


@dataclass(frozen=True)
class Movement:
    """How far kernels are from where they began, in every frame.

    relative  float64 [frames, kernels]: |now - before| / |before| (0 = unchanged, inf from all zero)
    cosine    float64 [frames, kernels]: of the angle between them (nan where one is all zero)
    whole     float64 [frames]: the same as relative, over all kernels together
    """

    relative: np.ndarray
    cosine: np.ndarray
    whole: np.ndarray


# Frames


def film(run: Path, frame_bytes: int = 0, classes: int | None = None) -> Film:
    """All snapshots of a run, or as many as `frame_bytes` a frame allow; Problem where there is none to see.

    frame_bytes  what a frame costs beside what lies in the snapshot itself, e.g. its feature maps
    classes      of the first head, where the network has several; None for all that were answered
    """
    found = runs.snapshots(run)
    if not found:
        raise Problem(f"The run {run.name} has no snapshot yet; wait for its first step, or choose another run.")
    first = runs.read_snapshot(found[0].path)
    if "probabilities" not in first:
        raise Problem(f"The snapshots of {run.name} do not say what the network answered; choose another run.")
    each = _bytes_sent(first) + frame_bytes
    kept = [found[i] for i in thinned(np.array([s.epoch for s in found]), min(MOST_FRAMES, max(2, MOST_BYTES // each)))]
    tensors = [runs.read_snapshot(snapshot.path) for snapshot in kept]
    if len({frozenset((name, one[name].shape) for name in one) for one in tensors}) > 1:
        raise Problem(f"The snapshots of {run.name} are not all of one network; choose another run.")
    layers = [name for name in tensors[0] if name.endswith(".weight")]
    confusion = np.stack([one["confusion"] for one in tensors]) if "confusion" in first else None
    probabilities = np.stack([one["probabilities"][:, :classes] for one in tensors]).astype(np.float32)
    return Film(
        np.array([s.step for s in kept]),
        np.array([s.epoch for s in kept]),
        np.array([s.images for s in kept]),
        np.array([s.lr for s in kept]),
        {
            name.removesuffix(".weight"): np.stack([one[name] for one in tensors]).astype(np.float32)
            for name in sorted(layers)
        },
        probabilities,
        confusion,
        confusion.sum(axis=(1, 2)) if confusion is not None else np.zeros(len(kept), dtype=np.int64),
        len(found),
    )


def _bytes_sent(tensors: dict[str, np.ndarray]) -> int:
    """Of one frame: int16 weights of the larger of both layers' shown kernels, answers, and the confusion matrix."""
    kept = [tensor for name, tensor in tensors.items() if name.endswith(".weight")]
    weights = max((t.size if t.shape[1] in (1, 3) else t[0].size for t in kept), default=0)
    confusion = tensors["confusion"].size if "confusion" in tensors else 0
    return 2 * weights + 4 * tensors["probabilities"].size + 2 * confusion


def thinned(epochs: np.ndarray, limit: int) -> np.ndarray:
    """Indices of at most `limit` frames, ascending: the first and the last, the dense first epoch, the rest evenly.

    epochs  int [frames], finished epochs at each frame; limit >= 2
    """
    count = len(epochs)
    if count <= limit:
        return np.arange(count)
    first = np.flatnonzero(epochs == 0)[: limit // 2]
    rest = np.setdiff1d(np.arange(count), first)
    return np.concatenate([first, rest[np.round(np.linspace(len(rest) - 1, 0, limit - len(first))).astype(int)[::-1]]])


def frame_at(film: Film, step: int | None) -> int:
    """The frame whose step is nearest; the last one where no step is asked for."""
    return len(film) - 1 if step is None else int(np.abs(film.step - step).argmin())


# Kernels


def shown(weights: np.ndarray, filter_: int = 0) -> np.ndarray:
    """The kernels of one wall from [frames, filters, inputs, k, k].

    Three inputs: all filters in colour [frames, filters, 3, k, k]; one input: all filters [frames, filters, k, k];
    more: the inputs of one filter [frames, inputs, k, k].
    """
    inputs = weights.shape[2]
    return weights if inputs == 3 else weights[:, :, 0] if inputs == 1 else weights[:, filter_]


def movement(weights: np.ndarray) -> Movement:
    """How far each of the kernels [frames, n, ...] is from its first frame."""
    found = [kernels.change(weights[0], now) for now in weights]
    return Movement(
        np.stack([one.relatives for one in found]),
        np.stack([one.cosines for one in found]),
        np.array([one.relative for one in found]),
    )


def most_moved(relative: np.ndarray) -> np.ndarray:
    """Indices of kernels, the one that moved most first; [n] or, of a film, its last frame [frames, n]."""
    last = relative if relative.ndim == 1 else relative[-1]
    return np.argsort(-np.where(np.isfinite(last), last, -1), kind="stable")


def halfway(film: Film, moved: Movement) -> int | None:
    """The frame at which the kernels together had gone half of the way from their beginning to the last frame."""
    gone = np.flatnonzero(moved.whole >= moved.whole[-1] / 2)
    return int(gone[0]) if moved.whole[-1] > 0 else None


# Answers


def accuracy(film: Film) -> np.ndarray | None:
    """Share of right answers [frames] on the held-out pictures that each confusion matrix is of; nan without any."""
    if film.confusion is None:
        return None
    right = np.trace(film.confusion, axis1=1, axis2=2)
    with np.errstate(invalid="ignore"):
        return right / film.val_images


def right(film: Film, labels: np.ndarray) -> np.ndarray:
    """How many of the ten pictures are answered rightly in each frame, int [frames]; labels int [pictures]."""
    return (film.probabilities.argmax(axis=2) == labels).sum(axis=1)


def settled(film: Film) -> np.ndarray:
    """For each picture the frame from which on its answer stays the same to the end, int [pictures]."""
    answers = film.probabilities.argmax(axis=2)
    differs = answers != answers[-1]
    return np.array([int(np.flatnonzero(column)[-1]) + 1 if column.any() else 0 for column in differs.T])


# The curve


def losses(film: Film, metrics: dict) -> dict[str, np.ndarray]:
    """What was measured at each frame [frames]: "train" is the mean loss of the last ten rows up to it, "val" and
    "accuracy" the validation row of just that step; nan where there is none."""
    found = {name: np.full(len(film), np.nan) for name in ("train", "val", "accuracy")}
    if train := metrics.get("train"):
        ends = np.searchsorted(train["step"], film.step, side="right")
        for frame, end in enumerate(ends.tolist()):
            rows = train["loss"][max(0, end - SMOOTHED_ROWS) : end]
            found["train"][frame] = rows.mean() if len(rows) else np.nan
    if val := metrics.get("val"):
        for frame, step in enumerate(film.step.tolist()):
            rows = np.flatnonzero(val["step"] == step)
            if len(rows):
                found["val"][frame], found["accuracy"][frame] = val["loss"][rows[-1]], val["accuracy"][rows[-1]]
    return found


def places(film: Film, steps: np.ndarray) -> np.ndarray:
    """Where steps stand on an axis on which every frame takes the same room: frame numbers with fractions."""
    return np.interp(steps, film.step, np.arange(len(film)))


# Words


def when(film: Film, frame: int) -> str:
    """A frame in words: "before training", "step 16 of the first epoch", "the end of epoch 3"."""
    step, epoch = int(film.step[frame]), int(film.epoch[frame])
    if step == 0:
        return "before training"
    return f"the end of epoch {epoch:,}" if epoch else f"step {step:,} of the first epoch"


def describe(film: Film, layer: str, moved: Movement) -> str:
    """The finding in one sentence, for who cannot see it."""
    best = int(most_moved(moved.relative)[0])
    span = f"{len(film):,} moments of {layer} from {when(film, 0)} to {when(film, len(film) - 1)}"
    return (
        f"{span}: the kernels moved by {moved.whole[-1]:.2f} of their length, "
        f"number {best} most ({moved.relative[-1, best]:.2f})."
    )


def story(film: Film, layer: str, moved: Movement, labels: np.ndarray | None, frame: int) -> list[str]:
    """What happened inside and when, with this run's own numbers, one sentence a line."""
    lines = [
        f"At {when(film, frame)} the kernels of {layer} are {moved.whole[frame]:.2f} times their length away from "
        "where they began."
        if frame
        else f"Before training the kernels of {layer} are noise, drawn at random."
    ]
    half = halfway(film, moved)
    if half is not None:
        lines.append(
            f"Half of the way to the last frame was gone at {when(film, half)} "
            f"({int(film.step[half]):,} of {int(film.step[-1]):,} steps)."
        )
        order = most_moved(moved.relative)
        lines.append(
            f"Kernel {order[0]} moved most ({moved.relative[-1, order[0]]:.2f} times its length), "
            f"kernel {order[-1]} least ({moved.relative[-1, order[-1]]:.2f})."
        )
    if labels is not None:
        hits = right(film, labels)
        between = f", {hits[frame]} at {when(film, frame)}" if 0 < frame < len(film) - 1 else ""
        lines.append(
            f"Of the {len(labels)} fixed pictures {hits[0]} were right before training{between} and {hits[-1]} "
            "at the last moment; the last one to change its answer for good did so at "
            f"{when(film, int(settled(film).max()))}."
        )
    shares = accuracy(film)
    if shares is not None:
        lines.append(
            f"Of the held-out pictures {100 * shares[frame]:.1f} % are right at {when(film, frame)} "
            f"({int(film.val_images[frame]):,} were asked)."
        )
    return lines


def rows(film: Film, moved: Movement, frame: int) -> list[dict]:
    """One row a kernel at one frame, the most moved first: its rank, number, how far it moved, and the cosine."""
    order = most_moved(moved.relative[frame])
    return [
        {
            "rank": place + 1,
            "kernel": int(i),
            "moved": float(moved.relative[frame, i]),
            "cosine": float(moved.cosine[frame, i]),
            "moved at the end": float(moved.relative[-1, i]),
        }
        for place, i in enumerate(order)
    ]
