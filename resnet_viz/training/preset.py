"""What a preset is: a recipe with a name and a reason, and what its source printed for it."""

from dataclasses import dataclass

from .config import Config


@dataclass(frozen=True)
class Reported:
    """What somebody else printed for a recipe: a quotation, never a result of this program.

    who       the source, e.g. "lecture, 10 epochs"
    accuracy  on the test pictures, 0..1
    """

    who: str
    accuracy: float


@dataclass(frozen=True)
class Preset:
    name: str
    title: str
    description: str
    config: Config
    reported: Reported | None = None
