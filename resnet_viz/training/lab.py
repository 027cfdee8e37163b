"""The experiments of the lab: its baseline, and what each one thing that was changed made of it."""

from dataclasses import dataclass

from . import presets, results, settings
from .results import Row

BASELINE = "lab-baseline"
NOT_OF_THEM = ("lab-simple-cnn",)  # the lab's warm-up: another network, not a variant
FREE = ("data", "seed")  # where a run may differ from its preset and still be that experiment


@dataclass(frozen=True)
class Experiment:
    """One row of the lab's table: the preset, the run that did it here, else what RESULTS.json keeps of it."""

    preset: str
    title: str
    reference: str | None = None
    kept: Row | None = None


def names() -> list[str]:
    """The baseline, then its variants."""
    return [name for name in presets.PRESETS if name.startswith("lab-") and name not in NOT_OF_THEM]


def preset_of(directory: str, config: dict) -> str | None:
    """Which experiment a run is: by its directory's name, as `results` gives it, or because its recipe is the preset's."""
    named = directory.partition(",")[0]
    if named in names():
        return named
    return next((name for name in names() if not _changed(name, config)), None)


def _changed(preset: str, config: dict) -> frozenset[tuple[str, str]]:
    """What is not the preset's in a recipe, e.g. {("train_limit", "5,000")}."""
    own, here = settings.settings_of(presets.PRESETS[preset].config.to_dict()), settings.settings_of(config)
    return frozenset((name, settings.value_text(name, here.get(name))) for name in own.keys() | here.keys()
                     if name not in FREE and settings.decides(name) and own.get(name) != here.get(name))


def experiments(finished: list[tuple[str, str, dict]], kept: list[Row]) -> list[Experiment]:
    """The lab's table in its order; runs only of one kind, for a variant says something only beside its own baseline.

    finished  (reference, directory's name, config) of each finished run. Those that differ from their presets in the
              same way (fewer pictures, another network) and learned from the same data belong together; the largest
              such group is shown.
    """
    groups: dict[tuple, dict[str, str]] = {}
    for reference, directory, config in finished:
        if preset := preset_of(directory, config):
            kind = (_changed(preset, config), settings.data_name(str(config.get("data"))))
            groups.setdefault(kind, {}).setdefault(preset, reference)
    chosen = max(groups.values(), key=lambda group: (len(group), BASELINE in group), default={})
    rows = {} if chosen else {row.preset: row for row in kept}
    return [Experiment(name, presets.PRESETS[name].title.removeprefix("Lab: "), chosen.get(name), rows.get(name))
            for name in names()]


def command(missing: list[str]) -> str:
    """What runs these experiments without a browser."""
    return " ".join(["python -m resnet_viz results", *missing])


def kept_rows() -> list[Row]:
    return results.kept()
