"""Who may change things: with RESNET_VIZ_READONLY=1 visitors look at everything, and nobody changes anything here.

For pages and displays:
    may_change()        offer the control, or leave it out
    say_why()           the one line that stands in the controls' place where there are none
    check_may_change()  the first line of every function that writes for a person: starts, steers, renames, deletes ...
    check_may_read(x)   before a path that a person typed, or a link or a run's config brought, is even looked for
The control that is not offered is a courtesy; the check below it is the rule (tests/ui/test_access.py reads the code).
"""

import logging
import os
import re
from pathlib import Path

import streamlit as st

from .. import checkpoints, runs
from ..data.place import data_folder
from ..data.sources import SOURCES
from ..problems import Problem
from .door import PASSWORD, on_this_machine
from .visitor import visitor

_log = logging.getLogger(__name__)
READONLY = "RESNET_VIZ_READONLY"
PUBLISHED = re.compile(r"\w+_Weights\.\w+")  # names of published weights
WHY = "You can look at everything here, but change nothing: whoever started this server made it read-only; ask them, or start one of your own."


def may_change() -> bool:
    """False in read-only mode: RESNET_VIZ_READONLY is 1, or anything but empty and 0, for a slip must not open a door."""
    return (os.environ.get(READONLY) or "0").strip() == "0"


def check_may_change() -> None:
    """Problem in read-only mode; who asks is written into the log."""
    if not may_change():
        raise Problem(WHY)
    _log.info("a visitor asks for it", stacklevel=2, extra=visitor())


def open_to_others() -> bool:
    """Whether visitors are strangers: read-only, behind a password, or listening beyond this machine."""
    return not may_change() or bool(os.environ.get(PASSWORD)) or not on_this_machine(st.get_option("server.address"))


def check_may_read(chosen: str) -> None:
    """Problem for a path outside runs, checkpoints and data, where visitors are strangers; the name of a data set passes.

    The sentence is the same whether there is such a file or not: nobody may ask that either. Links are followed first.
    """
    if not open_to_others() or chosen in SOURCES:
        return
    try:
        place = Path(os.path.expanduser(chosen)).resolve()
    except (OSError, ValueError, RuntimeError):  # a NUL, a loop of links: no path of ours
        place = None
    if place is None or not any(place.is_relative_to(folder.resolve()) for folder in readable()):
        raise Problem("Other people use this server, so only data sets, and paths inside its runs, checkpoints and data folders, "
                      "can be named; choose one of those, or drop a zip of your own.")


def readable() -> tuple[Path, ...]:
    """The folders that strangers may name a path in."""
    return runs.root(), checkpoints.BUNDLED, data_folder()


def check_recipe(config: dict | None) -> None:
    """The same for the pictures and the first weights that a run's config names, which an imported run may bring."""
    for key in ("data", "start_from"):
        named = str((config or {}).get(key) or "")
        if named and named not in checkpoints.bundled() and not PUBLISHED.fullmatch(named):
            check_may_read(named)


def say_why() -> None:
    """The line in the place of the controls, in read-only mode; otherwise nothing."""
    if not may_change():
        st.caption(f":material/visibility: {WHY}")
