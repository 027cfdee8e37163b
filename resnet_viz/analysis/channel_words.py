"""What is said of the channels of a layer: orders, rows of the table, findings."""

import numpy as np

from ..number_text import percent
from ..problems import one_of
from .channels import Strongest


def commonest(found: Strongest, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class that most of a channel's strongest pictures belong to, and how many do: int64 [channels] each.

    labels  int64 [pictures]; of classes that are equally common the one whose picture is answered most
    """
    classes = labels[found.pictures]
    times = (classes[:, :, None] == classes[:, None, :]).sum(axis=2)  # how often each one's class is there
    best = times.argmax(axis=1)
    channels = np.arange(len(classes))
    return classes[channels, best], times[channels, best]


ORDERS = {
    "number": lambda found, labels: np.arange(len(found.values)),
    "strongest": lambda found, labels: np.argsort(-found.values[:, 0], kind="stable"),
    "often": lambda found, labels: np.argsort(-found.answered, kind="stable"),
    "seldom": lambda found, labels: np.argsort(found.answered, kind="stable"),
    "class": lambda found, labels: np.lexsort((commonest(found, labels)[0], -commonest(found, labels)[1])),
}


def order(found: Strongest, labels: np.ndarray, by: str) -> np.ndarray:
    """The channels in the order of show: int64 [channels]."""
    return ORDERS[one_of("order", by, ORDERS)](found, labels)


def silent(found: Strongest) -> int:
    """Channels that are above 0 in none of the pictures."""
    return int((found.answered == 0).sum())


def rows(found: Strongest, labels: np.ndarray, classes: tuple[str, ...], names: list[str]) -> list[dict]:
    """One row a channel. above 0: share of the pictures, 0..1; of one class: how many of the strongest."""
    common, times = commonest(found, labels)
    return [{"channel": names[i], "strongest": float(found.values[i, 0]), "weakest shown": float(found.values[i, -1]),
             "above 0": float(found.answered[i] / found.seen), "commonest": classes[common[i]], "of one class": int(times[i]),
             "pictures": ", ".join(map(str, found.pictures[i]))} for i in range(len(found.values))]


def finding(found: Strongest, labels: np.ndarray, classes: tuple[str, ...], layer: str) -> str:
    """The layer in one sentence."""
    common, times = commonest(found, labels)
    best = int(times.argmax())
    kept, quiet = found.values.shape[1], silent(found)
    return (f"What the {len(found.values):,} channels of {layer} answer most among {found.seen:,} pictures: "
            f"{int((times > kept / 2).sum()):,} have more than half of their {kept} strongest in one class (most of all channel "
            f"{best}: {times[best]} of {classes[common[best]]}); " + (f"{quiet:,} stay silent." if quiet else "none stays silent."))


def of_channel(found: Strongest, labels: np.ndarray, classes: tuple[str, ...], channel: int) -> str:
    """One channel in one sentence."""
    common, times = commonest(found, labels)
    kept = found.values.shape[1]
    share = percent(found.answered[channel] / found.seen)
    return (f"Above 0 somewhere in {share} of the pictures; its {kept} strongest answers go from "
            f"{found.values[channel, -1]:.3g} to {found.values[channel, 0]:.3g}, {times[channel]} of them in pictures of "
            f"{classes[common[channel]]}.")


def places(found: Strongest, labels: np.ndarray, classes: tuple[str, ...], channel: int) -> list[str]:
    """The strongest answers of a channel in words: "8.11 bird", ..."""
    return [f"{value:.3g} {classes[labels[picture]]}"
            for value, picture in zip(found.values[channel], found.pictures[channel])]
