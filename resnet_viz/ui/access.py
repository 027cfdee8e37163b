"""Who may change things: with RESNET_VIZ_READONLY=1 visitors look at everything, and nobody changes anything here.

For pages and displays:
    may_change()        offer the control, or leave it out
    say_why()           the one line that stands in the controls' place where there are none
    check_may_change()  the first line of every function that writes for a person: starts, steers, renames, deletes ...
The control that is not offered is a courtesy; the check below it is the rule (tests/ui/test_access.py reads the code).
"""

import os

import streamlit as st

from ..problems import Problem

READONLY = "RESNET_VIZ_READONLY"
WHY = "You can look at everything here, but change nothing: whoever started this server made it read-only."


def may_change() -> bool:
    """False in read-only mode: RESNET_VIZ_READONLY is 1, or anything but empty and 0, for a slip must not open a door."""
    return (os.environ.get(READONLY) or "0").strip() == "0"


def check_may_change() -> None:
    """Problem in read-only mode."""
    if not may_change():
        raise Problem(WHY)


def say_why() -> None:
    """The line in the place of the controls, in read-only mode; otherwise nothing."""
    if not may_change():
        st.caption(f":material/visibility: {WHY}")
