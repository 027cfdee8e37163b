"""The runs of the lesson on overfitting: which there are, and the record of them that comes with the project.

`python -m resnet_viz.training.by_heart` trains them all (a few minutes) and writes by_heart.json; a machine with other
arithmetic gives slightly other curves. The recipes are presets (presets_of_lessons.py), so any of them is also
`python -m resnet_viz train --preset by-heart-l2 --set seed=1 --out RUN_DIR`.
"""

import json
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from .. import runs
from ..problems import Problem
from . import process
from .__main__ import run_here
from .config import Config
from .presets_of_lessons import BY_HEART, CURES
from .results import OF_THE_MACHINE

RECORD = Path(__file__).with_name("by_heart.json")
BASELINE = "no cure"
RECIPES = {BASELINE: BY_HEART} | {word: config for word, (_, config) in CURES.items()}
SEEDS = (0, 1, 2)
PICTURES = (30, 100, 300)  # to learn from; the cures are recorded with the fewest
KEPT = {"train": ("images", "loss", "accuracy"), "val": ("epoch", "loss", "accuracy"), "test": ("loss", "accuracy")}


@dataclass(frozen=True)
class Recorded:
    """One run of the record: its recipe, and split -> column -> float64 array, as runs.Metrics reads them."""

    recipe: str
    pictures: int
    seed: int
    metrics: dict[str, dict[str, np.ndarray]]


def config_of(recipe: str, pictures: int, seed: int) -> Config:
    """A key of RECIPES with so many pictures and this seed."""
    return replace(RECIPES[recipe], train_limit=pictures, seed=seed)


def experiments() -> list[tuple[str, int, int]]:
    """(recipe, pictures, seed) of every recorded run."""
    return ([(recipe, PICTURES[0], seed) for seed in SEEDS for recipe in RECIPES]
            + [(BASELINE, pictures, SEEDS[0]) for pictures in PICTURES[1:]])


@cache
def recorded() -> tuple[Recorded, ...]:
    """What came with the project; nothing where the record is missing."""
    try:
        found = json.loads(RECORD.read_bytes())["runs"]
    except (OSError, ValueError):
        return ()
    return tuple(Recorded(one["recipe"], one["pictures"], one["seed"], {
        split: {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
        for split, columns in one["metrics"].items()}) for one in found)


def same_recipe(config: dict, wanted: Config) -> bool:
    """Whether a run's config.json is this recipe, on whatever machine it ran."""
    values = wanted.to_dict()
    return all(config.get(key) == value for key, value in values.items() if key not in OF_THE_MACHINE)


def record(tell) -> dict:
    """Train every experiment in a folder that is thrown away, and return what by_heart.json holds."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (recipe, pictures, seed) in enumerate(experiments(), 1):
            tell(f"{number} of {len(experiments())}: {recipe}, {pictures} pictures, seed {seed}")
            run = Path(folder) / str(number)
            process.create(replace(config_of(recipe, pictures, seed), device="cpu", threads=1), run)
            if run_here(run) == "stopped":
                raise Problem("The record was stopped; start it again.")
            found.append({"recipe": recipe, "pictures": pictures, "seed": seed, "metrics": _kept(run)})
        torch = runs.read_status(run)["torch"]
    return {"written_by": "python -m resnet_viz.training.by_heart", "torch": torch, "runs": found}


def _kept(run: Path) -> dict:
    metrics = runs.Metrics(run).refresh()
    return {split: {name: [float(f"{value:.4g}") for value in metrics[split][name]] for name in names}
            for split, names in KEPT.items()}


if __name__ == "__main__":
    try:
        made = record(lambda text: print(text, file=sys.stderr))
    except Problem as problem:
        sys.exit(str(problem))
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in made.pop("runs"))
    RECORD.write_text(json.dumps(made)[:-1] + f', "runs": [\n{lines}\n]}}\n', encoding="utf-8")
