"""Where data sets lie, and what else is kept beside them."""

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder for downloaded data sets: RESNET_VIZ_DATA, or data/ in the project."""
    return Path(os.environ.get("RESNET_VIZ_DATA") or Path(__file__).resolve().parents[2] / "data").absolute()


def existing(typed: str) -> Path | None:
    """The file or folder that a person's text names, ~ being their own folder; None where there is none.

    Also for texts that no path can be: pathlib raises for ~nobody, a NUL, or a name too long for the system.
    """
    place = os.path.expanduser(typed)
    return Path(place) if os.path.exists(place) else None
