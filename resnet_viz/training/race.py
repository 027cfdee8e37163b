"""A twin race: two runs whose recipes differ in one switch, trained at the same time from the same seed.

Each is a run like any other, with one more file, race.json, that names its twin. The seed and the order of the pictures
are functions of the recipe alone, so the twins see the same pictures in the same order without knowing of each other.
They share one place in the queue, and half of the processor's cores each.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from .. import runs
from ..problems import Problem
from . import process
from .config import Config, resolve

Pair = tuple[Path, Path]


def start(first: Config, second: Config, names: tuple[str, str]) -> Pair:
    """Begin two runs, each in a process of its own; a recipe that makes no sense leaves nothing behind.

    names  what each is called in its directory's name, e.g. ("residual", "plain")
    """
    pair, created = tuple(runs.new_directory(f"race-{name}") for name in names), False
    try:
        for run, config in zip(pair, (first, second)):
            process.create(_half(config), run)
        for run, other, place in zip(pair, reversed(pair), (1, 2)):
            runs.write_race(run, {"with": other.name, "place": place})
        created = True
    except OSError as error:
        raise Problem(f"The race cannot be kept in {runs.root()} ({error.strerror}); make room, or choose another folder.") from error
    finally:
        if not created:
            for run in pair:
                shutil.rmtree(run, ignore_errors=True)
    for run in pair:
        process.resume(run)
    return pair


def _half(config: Config) -> Config:
    """The same on half of the threads, unless their number was chosen."""
    return config if config.threads else replace(config, threads=max(1, resolve(config).threads // 2))


def races(known: list[Path]) -> list[Pair]:
    """The races among these runs whose twins are both still here, in the order of their first runs."""
    first = [run for run in known if runs.read_race(run).get("place") == 1]
    pairs = [(run, run.parent / str(runs.race_partner(run))) for run in first]
    return [pair for pair in pairs if is_pair(pair) and runs.is_run(pair[1])]


def is_pair(pair: Pair) -> bool:
    """Whether these two name each other as twins."""
    first, second = pair
    return first.parent == second.parent and (runs.race_partner(first), runs.race_partner(second)) == (second.name, first.name)


def send(pair: Pair, command: str) -> None:
    """The same command to both, as far as they are still going on."""
    for run in pair:
        if runs.state(run) in runs.ALIVE_STATES or process.running(run):
            runs.send(run, command)


def resume(pair: Pair) -> None:
    """Continue whichever of the two was stopped or has failed."""
    for run in pair:
        if not process.running(run) and runs.state(run) != "finished":
            process.resume(run)
