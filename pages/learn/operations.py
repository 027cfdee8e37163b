"""What does each operation do to a picture?"""

import streamlit as st

from resnet_viz.analysis import operations_questions, operations_words
from resnet_viz.ui import operations, questions
from resnet_viz.ui.page import download_table, page, problems, under_picture


def story(chosen) -> None:
    st.markdown("\n".join(f"- {line}" for line in operations_words.story(chosen.operation, chosen.worked,
        chosen.setting)))


def formula(chosen) -> None:
    for line in operations_words.formulas(chosen.operation, chosen.worked, chosen.setting, chosen.at):
        st.latex(line)


def numbers(chosen) -> None:
    download_table(operations_words.rows(chosen.worked), "operation.csv", alt=operations.alt(chosen))
    counts = operations_words.counts(chosen.operation)
    if counts:
        st.markdown("**What sharing saves**: the first layers of two famous networks")
        download_table(counts, "counts.csv", alt="A filter that is used at every position needs far fewer weights")


page("What does each operation do to a picture?", "Move the window: what it sees, what is done with it, and the one "
     "number that comes out.")
with problems():
    chosen = operations.choose()
    operations.show(chosen)
    under_picture(
        "view",
        story=lambda: story(chosen),
        formula=lambda: formula(chosen),
        code=lambda: st.code(operations_words.code(chosen.operation, chosen.setting, chosen.layer)),
        numbers=lambda: numbers(chosen),
        questions=lambda: questions.ask(
            "operations", operations_questions.MAKERS[chosen.operation](chosen.x, chosen.worked, chosen.setting)),
    )
