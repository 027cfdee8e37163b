"""Questions under a lesson's picture: answered before the answer is shown, one after another, as many as one likes."""

import streamlit as st

from ..analysis import questions
from ..analysis.questions import Maker


def ask(lesson: str, makers: list[Maker]) -> None:
    """One question of the lesson at a time: its options, then whether the choice was right, and why.

    lesson  a word for the session's keys; the question's number is in the link
    """
    number = int(st.number_input("Question", 1, 10_000, 1, key=f"{lesson}_question", bind="query-params", width=130,
                                 help="Every question has a number; the same number and settings ask the same again"))
    question = questions.draw(makers, number - 1)
    asked = f"{lesson}_{number}_{hash((question.text, question.options)) % 10**9}"  # other numbers make another question
    st.markdown(question.text)
    chosen = st.radio("Your answer", range(len(question.options)), index=None, key=f"{asked}_choice",
                      format_func=lambda option: question.options[option], label_visibility="collapsed")
    marks = st.session_state.setdefault(f"{lesson}_marks", {})
    if st.button("Check", key=f"{asked}_check", type="primary", disabled=chosen is None) and asked not in marks:
        marks[asked] = questions.mark(question, chosen)
    if asked in marks:
        right, said = marks[asked]
        (st.success if right else st.info)(said, icon=":material/check:" if right else ":material/lightbulb:")
        st.button("Next question", key=f"{asked}_next", icon=":material/arrow_forward:", on_click=_next, args=(lesson,))
    if marks:
        st.caption(f"{sum(right for right, _ in marks.values()):,} of {len(marks):,} right")


def _next(lesson: str) -> None:
    st.session_state[f"{lesson}_question"] += 1
