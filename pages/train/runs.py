"""Which run was best, and why?"""

import streamlit as st

from resnet_viz.ui import access, lab_table, live_chart, run_curves, run_person, run_rows, run_table
from resnet_viz.ui.page import NothingYet, page, problems, under_picture

LAB = "the lab's experiments"


def look(shown_pause) -> None:
    """One look at all runs: the chosen ones' curves, the table, in what they differ. Another pace renews the page."""
    with problems():
        known = run_rows.all_known()
        if not known:
            raise NothingYet("There is no run yet, and no finished example; train a network.", "pages/train/training.py", "Train a network")
        run_person.say_problem()
        run_person.undo()
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            which = st.segmented_control(
                "Compare", ["the ticked runs", LAB], default="the ticked runs", required=True, key="compare",
                bind="query-params",
            )
            split = run_table.choose_split()
            view = run_curves.choose_view("epoch")
            run_person.import_and_bin()
        shown = [known[name] for name in lab_table.references(known)] if which == LAB else run_table.chosen(known)
        labels, styles = run_rows.labels(shown), run_rows.styles(shown, known)
        if shown or which != LAB:
            run_table.overlay(shown, labels, styles, view, split)
        if which == LAB:
            lab_table.table(known)
        else:
            run_table.table(known, shown, labels, styles)
            if one := run_table.opened(known):
                run_person.panel(one)
        under_picture(
            "view",
            story=lambda: run_table.story(shown, labels),
            formula=lambda: run_table.formula(shown, labels),
            numbers=lambda: run_table.settings_table(shown, labels),
        )
        if run_rows.pause_s(known) != shown_pause:
            st.rerun()


page(
    "Which run was best, and why?",
    "Tick runs to lay their curves over each other; the legend says only in what their recipes differ.",
)
access.say_why()
pause = run_rows.pause_s(run_rows.all_known())
st.fragment(look, run_every=pause)(pause)
live_chart.install()
