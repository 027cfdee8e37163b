"""What a network gets wrong, in words with its own numbers."""

from collections.abc import Sequence

import numpy as np

from ..number_text import percent
from . import errors
from .calibration import BINS, Calibration
from .errors import History, Verdicts


def finding(counts: np.ndarray, classes: Sequence[str]) -> str:
    """One matrix in one sentence, for who cannot see it."""
    total, right = int(counts.sum()), int(np.trace(counts))
    worst = errors.worst_pair(counts)
    if worst is None:
        return f"All {total:,} pictures are right."
    true, answered = worst
    return (f"{percent(right / total)} of {total:,} pictures are right; the most frequent mistake: {classes[true]} "
            f"taken for {classes[answered]}, {counts[true, answered]:,} of {counts[true].sum():,}.")


def story(counts: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Who is taken for whom, one sentence a line."""
    lines = [finding(counts, classes)]
    if (worst := errors.worst_pair(counts)) is None:
        return lines
    true, answered = worst
    back = int(counts[answered, true])
    lines.append(f"The other way round, {classes[answered]} taken for {classes[true]}: {_times(back)}"
                 + (f", of {counts[answered].sum():,}." if counts[answered].sum() else "; no such picture is here."))
    rows = errors.class_rows(counts, classes)
    if rows[0]["right"] < rows[-1]["right"]:
        lines.append(f"Hardest is {rows[0]['class']} ({percent(rows[0]['right'])} recognised), easiest "
                     f"{rows[-1]['class']} ({percent(rows[-1]['right'])}).")
    trusted = sorted((row for row in rows if row["trust"] is not None), key=lambda row: row["trust"])
    if trusted:
        least = trusted[0]
        lines.append(f"Least to be trusted is the answer {least['class']}: right in {percent(least['trust'])} of "
                     f"{least['answers']:,} times.")
    return lines


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def growth(history: History, frame: int) -> str:
    """How the share of right answers went from the first snapshot to this one."""
    shares = np.trace(history.counts, axis1=1, axis2=2) / history.counts.sum(axis=(1, 2))
    now = f"{percent(float(shares[frame]))} at {when(history, frame)}"
    if history.step[0] == 0:
        guessed = f"Before training {percent(float(shares[0]))} of the held-out pictures were right, which is guessing"
        return f"{guessed}; {now}." if frame else f"{guessed}."
    return f"Of the held-out pictures {percent(float(shares[frame]))} are right at {when(history, frame)}."


def when(history: History, frame: int) -> str:
    """A frame in words, as the time machine has it."""
    step, epoch = int(history.step[frame]), int(history.epoch[frame])
    if step == 0:
        return "before training"
    return f"the end of epoch {epoch:,}" if epoch else f"step {step:,} of the first epoch"


def tick(history: History, frame: int) -> str:
    """The same for an axis: "before", "step 8", "epoch 5"."""
    step, epoch = int(history.step[frame]), int(history.epoch[frame])
    return "before" if step == 0 else f"epoch {epoch:,}" if epoch else f"step {step:,}"


def sureness(found: Calibration) -> str:
    """Whether the network promises too much, in one or two sentences."""
    about, all_ = int(found.count[-1]), int(found.count.sum())
    if abs(found.overconfidence) < 0.01:
        first = "On the whole it is as sure as it may be"
    elif found.overconfidence > 0:
        first = f"It promises too much: on average it is {100 * found.overconfidence:.1f} points surer than it is right"
    else:
        first = f"It is too modest: on average {-100 * found.overconfidence:.1f} points less sure than it is right"
    if not about:
        return f"{first}."
    return (f"{first}. Where it says {100 - 100 // BINS} % or more ({about:,} of {all_:,} answers) it is right in "
            f"{percent(float(found.accuracy[-1]))}.")


def spoken(verdicts: Verdicts, place: int, count: int = 3) -> str:
    """The likeliest classes of one picture: "cat 83.1 %, dog 9.2 %, frog 3.0 %"."""
    each = verdicts.probabilities[place]
    first = np.argsort(-each, kind="stable")[:count]
    return ", ".join(f"{verdicts.classes[i]} {percent(float(each[i]))}" for i in first)


def verdict(verdicts: Verdicts, place: int) -> str:
    """One picture: "dog 98.1 %, in truth cat", or "cat 98.1 %, and so it is"."""
    answered, true = int(verdicts.answered[place]), int(verdicts.true[place])
    said = f"{verdicts.classes[answered]} {percent(float(verdicts.confidence[place]))}"
    return f"{said}, and so it is" if answered == true else f"{said}, in truth {verdicts.classes[true]}"
