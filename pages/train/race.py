"""What does one switch change?"""

import streamlit as st

from resnet_viz.ui import live_chart, race, race_pairs, run_curves
from resnet_viz.ui.page import page, problems, under_picture


def look(shown, pause) -> None:
    """One look at both runs: their controls, how far they are, their curves. Another pair or pace renews the page."""
    with problems():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            pair = race_pairs.choose_pair()
            watching = race_pairs.watch_pair(pair)
            race.controls(watching)
            view = run_curves.choose_view("epoch")
        race.progress(watching)
        race.curves(watching, view)
        under_picture(
            "view",
            story=lambda: race.story(watching),
            formula=lambda: race.formula(watching, view),
            code=lambda: race.code(watching),
            numbers=lambda: race.numbers(watching),
        )
        if pair != shown or watching.pause != pause:
            st.rerun()


page(
    "What does one switch change?",
    "Two networks learn at the same time, from the same seed and the same pictures in the same order; one thing differs.",
)
race.new_race()
with problems():
    pair, pause = race_pairs.begin_to_look()
    st.fragment(look, run_every=pause)(pair, pause)
live_chart.install()
