"""The queue of runs for everybody who looks: who trains, who waits, and which place the shown run has."""

from pathlib import Path

import streamlit as st

from .. import runs
from ..training import queue
from .page import plain

LOOK_S = 1.0  # all sessions share one look at the tickets
NAMED = 8  # of those who wait; the others are counted
DEVICES = {"cpu": "the processor", "mps": "the GPU"}


def show(run: Path) -> None:
    """A line for each device that somebody waits for; `run` is marked in it. Nothing where nobody waits."""
    slots = queue.slots()
    for device, places in _places(str(runs.root())).items():
        if len(places) > slots:
            st.caption(f":material/hourglass: {in_words(device, places, slots, run.name)}")


@st.cache_data(ttl=LOOK_S, max_entries=4, show_spinner=False)
def _places(_root: str) -> dict[str, list[list[str]]]:
    return queue.places()


def in_words(device: str, places: list[list[str]], slots: int, shown: str) -> str:
    """Markdown: who is at work on the device, and who waits for it in which order."""
    waiting = places[slots:]
    mine = next((number for number, names in enumerate(waiting, 1) if shown in names), None)
    title = f"Waiting for {name_of(device)}: {len(waiting):,} run{'s' * (len(waiting) > 1)}"
    if mine:
        title += f", this one is number {mine:,}"
    listed = [f"{number}. {_place(names, shown)}" for number, names in enumerate(waiting[:NAMED], 1)]
    if len(waiting) > NAMED:
        listed.append(f"and {len(waiting) - NAMED:,} more")
    at_work = ", ".join(_place(names, shown) for names in places[:slots])
    return f"**{title}.** {' · '.join(listed)}. At work: {at_work}."


def name_of(device: str) -> str:
    return DEVICES.get(device, f"GPU {device.removeprefix('cuda-')}")


def _place(names: list[str], shown: str) -> str:
    """One run, or the two of a race; the shown one stands out."""
    return " with ".join(f"**{plain(name)}**" if name == shown else plain(name) for name in names)
