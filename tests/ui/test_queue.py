"""The queue in words: everybody's place, the shown run marked, names from outside harmless."""

import fcntl
import socket

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from resnet_viz.ui import queue


def test_places_in_words():
    places = [["one"], ["two"], ["three", "four"], ["five"]]
    assert queue.in_words("cpu", places, 1, "three") == (
        "**Waiting for the processor: 3 runs, this one is number 2.** 1. two · 2. **three** with four · 3. five."
        " At work: one."
    )
    assert queue.in_words("cuda-3", places[:2], 1, "one") == (
        "**Waiting for GPU 3: 1 run.** 1. two. At work: **one**."
    )
    assert queue.in_words("mps", places, 3, "five").endswith("At work: one, two, three with four.")


def test_many_are_counted_and_names_are_shown_as_they_are():
    text = queue.in_words("cpu", [["*bold*"], *([f"run{i}"] for i in range(20))], 1, "run19")
    assert "20 runs, this one is number 20" in text and "and 12 more" in text and "run8" not in text
    assert "\\*bold\\*" in text


@pytest.fixture
def tickets(tmp_path, monkeypatch):
    """A function that holds a ticket of that number on the processor, as a run's process does."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    st.cache_data.clear()
    folder = tmp_path / ".queue" / f"{socket.gethostname()}-cpu"
    folder.mkdir(parents=True)
    held = []

    def hold(number: int, name: str):
        held.append(open(folder / f"{number:09d}.ticket", "w"))
        fcntl.flock(held[-1], fcntl.LOCK_EX)
        held[-1].write(name)
        held[-1].flush()

    yield hold
    for file in held:
        file.close()


def page(name):
    from pathlib import Path

    from resnet_viz.ui import queue

    queue.show(Path(name))


def test_the_line_is_there_only_while_somebody_waits(tickets):
    tickets(1, "one")
    assert not AppTest.from_function(page, args=("one",)).run().caption
    tickets(2, "two")
    st.cache_data.clear()
    for name in ("one", "two"):
        app = AppTest.from_function(page, args=(name,)).run()
        assert not app.exception
        assert ("this one is number 1" in app.caption[0].value) == (name == "two")
