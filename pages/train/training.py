"""How does a network learn?"""

import streamlit as st

from resnet_viz.analysis import training
from resnet_viz.ui import live_chart, queue, recipe, run_answers, run_controls, run_curves, run_words, runs
from resnet_viz.ui.page import page, problems, under_picture


def look(shown, pause, begun) -> None:
    """One look at the run: its controls, how far it is, its curves. Another run or pace renews the whole page."""
    with problems():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            run = runs.choose_run()
            watched = runs.watch(run)
            run_controls.controls(watched)
            view = run_curves.choose_view()
        run_words.progress_line(watched)
        queue.show(run)
        run_curves.learning_curves(watched, view)
        run_answers.answers(watched)
        config, metrics = watched.config, watched.metrics
        under_picture(
            "view",
            story=lambda: story(config, metrics, run_curves.classes_of(watched)),
            formula=lambda: formula(config, metrics),
            code=lambda: code(config),
            numbers=lambda: run_curves.epochs_table(watched),
        )
        if (run, runs.seconds_between_looks(watched), run_answers.begun(run)) != (shown, pause, begun):
            st.rerun()


def story(config, metrics, classes) -> None:
    st.markdown("\n".join(f"- {line}" for line in training.story(config, metrics, classes)))


def formula(config, metrics) -> None:
    for line in training.formulas(config, metrics):
        st.latex(line)
    st.caption(
        "The loss of the newest point, and the step that follows from its gradient g with the learning rate of now."
    )


def code(config) -> None:
    st.code(training.code(config))
    st.caption("The same run without a browser:")
    st.code(training.command(config, runs.DEFAULTS), language="bash")


page(
    "How does a network learn?",
    "It looks at a batch of pictures, the loss says how wrong it was, and every weight moves a little against its"
    " gradient.",
)
recipe.new_run()
with problems():
    run, pause = runs.begin_to_look()
    st.fragment(look, run_every=pause)(run, pause, run_answers.begun(run))
    run_answers.install(run)
live_chart.install()
