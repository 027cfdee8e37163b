"""What is known of the runs that learn by heart: recorded beforehand, or trained in the folder of runs."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from .. import runs as files
from ..analysis import overfitting
from ..analysis.overfitting import Curves, Ended
from ..training import by_heart
from ..training.by_heart import BASELINE, PICTURES, RECIPES
from . import runs
from .runs import Watched

NONE, STOP, ALL = "none", "early stopping", "all"
CURES = (NONE, *[name for name in RECIPES if name != BASELINE], STOP, ALL)


@dataclass(frozen=True)
class Setting:
    cure: str
    pictures: int
    seed: int

    @property
    def recipes(self) -> list[str]:
        """Of the lines on the screen: the baseline, and the cure if it is a recipe of its own; or all of them."""
        if self.cure == ALL:
            return list(RECIPES)
        return [BASELINE] + ([self.cure] if self.cure in RECIPES else [])


@dataclass(frozen=True)
class Lane:
    """One recipe on the screen: its own run here, if there is one, and its curves; None before the first epoch."""

    recipe: str
    watched: Watched | None
    curves: Curves | None


def lane(recipe: str, setting: Setting) -> Lane:
    """One's own run of this very recipe, else the recorded one."""
    own = _own_run(recipe, setting)
    if own is not None:
        watched = runs.watch(own)
        curves = overfitting.curves(recipe, watched.metrics, setting.pictures)
        if curves is not None or watched.live:  # one that was stopped before its first epoch has nothing to show
            return Lane(recipe, watched, curves)
    found = [
        one
        for one in by_heart.recorded()
        if (one.recipe, one.pictures, one.seed) == (recipe, setting.pictures, setting.seed)
    ]
    return Lane(recipe, None, overfitting.curves(recipe, found[0].metrics, setting.pictures) if found else None)


def _own_run(recipe: str, setting: Setting) -> Path | None:
    """The newest run of this very recipe in the folder of runs."""
    wanted = by_heart.config_of(recipe, setting.pictures, setting.seed)
    return next((run for run in files.list_runs() if by_heart.same_recipe(files.read_config(run) or {}, wanted)), None)


def shown(setting: Setting, lanes: list[Lane]) -> list[Curves]:
    """The curves on the screen; early stopping is the baseline, cut where its loss on pictures kept back was least."""
    found = [one.curves for one in lanes if one.curves is not None]
    if setting.cure == STOP and found:
        found.append(overfitting.cut(found[0]))
    return found


@st.cache_data(max_entries=2, show_spinner=False)
def ends() -> list[Ended]:
    """All recipes with the fewest pictures, as recorded: the mean of their seeds."""
    by_recipe = {
        recipe: [
            overfitting.curves(recipe, one.metrics, one.pictures)
            for one in by_heart.recorded()
            if (one.recipe, one.pictures) == (recipe, PICTURES[0])
        ]
        for recipe in RECIPES
    }
    if not all(by_recipe.values()):
        return []
    return [
        *(overfitting.ended(recipe, found) for recipe, found in by_recipe.items()),
        overfitting.ended(STOP, [overfitting.cut(one) for one in by_recipe[BASELINE]]),
    ]
