"""All hostile files, always the same: every case by its name."""

from functools import lru_cache

from . import hostile_lessons, hostile_pickles, hostile_pictures, hostile_runs, hostile_weights, hostile_zips
from .cases import Case

MAKERS = (hostile_pictures, hostile_weights, hostile_pickles, hostile_zips, hostile_runs, hostile_lessons)


@lru_cache(maxsize=1)
def all_cases() -> list[Case]:
    found = [case for maker in MAKERS for case in maker.cases()]
    names = [case.name for case in found]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    return found


def evenly(cases: list[Case], count: int) -> list[Case]:
    """So many of them, spread over all kinds."""
    return [cases[place * len(cases) // count] for place in range(count)]
