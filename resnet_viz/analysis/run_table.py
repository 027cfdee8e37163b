"""Many runs beside each other: what they reached, in what their recipes differ, and what that lets one say."""

import math
from dataclasses import dataclass, field

import numpy as np

from ..number_text import percent

Metrics = dict[str, dict[str, np.ndarray]]  # split -> column -> values, as runs.Metrics reads them
DEFAULT = "the network's own"  # of a network argument that a recipe does not name
BY_VALUE = ("network", "data")  # settings whose value says in a legend what they are
MOST_NAMED = 3  # settings that a legend or a sentence lists


@dataclass(frozen=True)
class Result:
    """What a run reached. Fractions 0..1; None where it was not measured.

    best, best_epoch   highest validation accuracy, and after which epoch
    train, test        training accuracy averaged over the last epoch's rows; test accuracy
    seconds, epochs    of training; epochs that are finished
    """

    best: float | None = None
    best_epoch: int | None = None
    train: float | None = None
    test: float | None = None
    seconds: float | None = None
    epochs: int = 0


@dataclass(frozen=True)
class Row:
    """One run of the comparison.

    settings   setting -> value in words, only those that do anything in it
    pictures   how many validation pictures there were, or None where no snapshot tells
    """

    name: str
    settings: dict[str, str]
    result: Result
    pictures: int | None = None
    recipe: frozenset[str] = field(default_factory=frozenset)  # those settings that decide the result


def result_of(metrics: Metrics) -> Result:
    """The figures of a run, from the columns of its metrics.jsonl."""
    train, val, test = (metrics.get(split) for split in ("train", "val", "test"))
    found = {}
    if train is not None and len(train["step"]):
        last = train["epoch"] == train["epoch"][-1]
        found |= {"train": _finite(train["accuracy"][last].mean() if last.any() else np.nan)}
        found["seconds"] = _finite(train["elapsed_s"][-1])
        found["epochs"] = int(np.nan_to_num(train["epoch"][-1]))
    if val is not None and np.isfinite(val["accuracy"]).any():
        best = int(np.nanargmax(val["accuracy"]))
        found |= {"best": float(val["accuracy"][best]), "best_epoch": int(np.nan_to_num(val["epoch"][best]))}
        found["epochs"] = max(found.get("epochs", 0), int(np.nan_to_num(val["epoch"][-1])))
    if test is not None:
        found["test"] = _finite(test["accuracy"][-1])
    return Result(**found)


def _finite(value) -> float | None:
    return float(value) if np.isfinite(value) else None


# In what they differ


def value_in(row: Row, name: str) -> str | None:
    """The value of a setting in words; None where it does nothing in this run."""
    return row.settings.get(name, DEFAULT if name.startswith("arguments.") else None)


def differing(rows: list[Row]) -> list[str]:
    """The settings that have more than one value among these runs, in the order of the recipe.

    A run in which a setting does nothing is not asked: one that uses Adam does not differ in momentum from all others.
    """
    names = dict.fromkeys(name for row in rows for name in row.settings)
    values = {name: {value_in(row, name) for row in rows} - {None} for name in names}
    return [name for name in names if len(values[name]) > 1]


def legend(rows: list[Row], titles: dict[str, str]) -> list[str]:
    """A name for each run that says only in what its recipe differs from the others'; the run's own where that is not
    enough to tell them apart. A value that most of the runs have is left out; where many settings differ, as few of
    them are named as it takes.

    titles   setting -> its name in a legend
    """
    names = [name for name in differing(rows) if any(name in row.recipe for row in rows)]
    names = names if len(names) <= MOST_NAMED else _telling(rows, names)
    usual = {name: _usual([value_in(row, name) for row in rows]) for name in names}
    said = [" · ".join(_said(name, value, titles) for name in names if (value := value_in(row, name)) not in (None, usual[name]))
            for row in rows]
    own = [text if text and said.count(text) == 1 else " · ".join(filter(None, (row.name, text)))
           for row, text in zip(rows, said)]
    return [text if own.count(text) == 1 else f"{text} ({number})" for number, text in enumerate(own, 1)]


def _telling(rows: list[Row], names: list[str]) -> list[str]:
    """As few settings as tell the runs apart, each the one that parts most of those that are still alike."""
    chosen, parted = [], 1
    while parted < len(rows):
        counts = {name: len({tuple(value_in(row, one) for one in (*chosen, name)) for row in rows}) for name in names}
        best = max(names, key=counts.get)
        if counts[best] == parted:
            break  # what is left are runs of the same recipe
        chosen, parted = [*chosen, best], counts[best]
    return [name for name in names if name in chosen]


def _usual(values: list[str | None]) -> str | None:
    """What more than half of at least three runs have."""
    most = max(set(values), key=values.count)
    return most if len(values) > 2 and 2 * values.count(most) > len(values) else None


def _said(name: str, value: str, titles: dict[str, str]) -> str:
    return value if name in BY_VALUE else f"{titles[name]} {value}"


def table(rows: list[Row], all_of_them: bool) -> list[tuple[str, list[str | None]]]:
    """(setting, its value in each run): those that differ, or all; None where it does nothing in a run."""
    names = list(dict.fromkeys(name for row in rows for name in row.settings))
    unlike = [name for name in names if len({value_in(row, name) for row in rows}) > 1]
    return [(name, [value_in(row, name) for row in rows]) for name in (names if all_of_them else unlike)]


# What that lets one say


def error_of_difference(first: float, second: float, pictures: tuple[int, int]) -> float:
    """Standard error of the difference of two shares that were counted on so many pictures (binomial, independent)."""
    return math.sqrt(sum(share * (1 - share) / count for share, count in zip((first, second), pictures)))


def story(rows: list[Row], labels: list[str], titles: dict[str, str]) -> list[str]:
    """Which run was best, by how much, whether that is more than chance, and what may have made the difference."""
    ranked = sorted((i for i, row in enumerate(rows) if row.result.best is not None),
                    key=lambda i: rows[i].result.best, reverse=True)
    if not ranked:
        return ["None of these runs has been asked about pictures that it does not learn from yet."]
    best = ranked[0]
    sentences = [f"**{labels[best]}** was best on pictures it never learned from: {percent(rows[best].result.best)} right"
                 f" after epoch {rows[best].result.best_epoch:,}{_test(rows[best])}."]
    if len({row.settings.get("data") for row in rows}) > 1:
        sentences.append("These runs learned from different pictures: how easy those are decides more than any setting,"
                         " so their accuracies cannot be held against each other.")
    elif len(ranked) > 1:
        sentences += _against(rows, labels, best, ranked[1], titles)
    if (unmeasured := len(rows) - len(ranked)) and len(rows) > 1:
        sentences.append(f"{unmeasured:,} of the {len(rows):,} runs {'has' if unmeasured == 1 else 'have'} no validation"
                         " accuracy yet.")
    timed = [i for i in ranked if rows[i].result.seconds]
    if len(timed) > 1:
        quick = min(timed, key=lambda i: rows[i].result.seconds)
        times = max(rows[i].result.seconds for i in timed) / rows[quick].result.seconds
        sentences += [f"{labels[quick]} took the least time: the longest took {times:.1f} times as long."] if times > 1.1 else []
    return sentences


def _test(row: Row) -> str:
    return "" if row.result.test is None else f" ({percent(row.result.test)} of the test pictures)"


def _against(rows: list[Row], labels: list[str], best: int, second: int, titles: dict[str, str]) -> list[str]:
    """The best against the next: how far apart, and why that may be."""
    first, other = rows[best], rows[second]
    apart = first.result.best - other.result.best
    sentence = f"Next is {labels[second]} with {percent(other.result.best)}: {100 * apart:.1f} percentage points less"
    chance = None
    if first.pictures and other.pictures:
        error = error_of_difference(first.result.best, other.result.best, (first.pictures, other.pictures))
        chance = apart < 2 * error
        sentence += (f", {'less' if chance else 'more'} than the {200 * error:.1f} points by which such counts on"
                     f" {min(first.pictures, other.pictures):,} pictures differ by chance")
    names = [name for name in differing([first, other]) if name in first.recipe | other.recipe]
    named = ", ".join(titles[name] for name in names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")
    if not names:
        why = "Their recipes are the same: what is between them is the machine, or chance."
    elif names == ["seed"]:
        why = "They differ in the seed alone: this is how much chance makes of one recipe."
    elif len(names) == 1:
        why = f"They differ in one setting, {named}: " + (
            "another seed could turn this around." if chance else "that is what made the difference, as far as one run"
            " of each can say.")
    else:
        why = (f"They differ in {len(names):,} settings ({named}): which of them made the difference cannot be told from"
               " these two runs.")
    return [f"{sentence}.", why]


def formulas(rows: list[Row], labels: list[str]) -> list[str]:
    """How the best two are told apart, in LaTeX with their numbers; nothing where fewer than two can be."""
    known = sorted((row for row in rows if row.result.best is not None and row.pictures),
                   key=lambda row: row.result.best, reverse=True)[:2]
    if len(known) < 2:
        return [r"\text{accuracy} = \frac{\text{pictures that were named rightly}}{\text{pictures that were shown}}"]
    (p, n), (q, m) = ((row.result.best, row.pictures) for row in known)
    error = error_of_difference(p, q, (n, m))
    return [
        rf"p_1 = \frac{{{round(p * n)}}}{{{n}}} = {p:.4f} \qquad p_2 = \frac{{{round(q * m)}}}{{{m}}} = {q:.4f}",
        rf"\text{{standard error of }} p_1 - p_2 = \sqrt{{\frac{{p_1 (1 - p_1)}}{{{n}}} + \frac{{p_2 (1 - p_2)}}{{{m}}}}}"
        rf" = {error:.4f}",
        rf"\frac{{p_1 - p_2}}{{\text{{standard error}}}} = \frac{{{p - q:.4f}}}{{{error:.4f}}} = {(p - q) / error:.1f}"
        if error else r"p_1 - p_2 = 0",
    ]
