"""The error court: one vote a person, counted by picture and exam; in read-only mode everybody votes for themselves."""

from streamlit.testing.v1 import AppTest

from resnet_viz.ui import access, error_votes
from resnet_viz.ui.error_votes import Court


def test_the_last_vote_of_a_person_counts():
    court = Court()
    court.vote("exam", 3, "ann", "label")
    court.vote("exam", 3, "bob", "model")
    court.vote("exam", 3, "ann", "model")
    assert court.of("exam", 3) == {"label": 0, "unclear": 0, "model": 2}
    court.vote("exam", 3, "bob", None)
    assert court.of("exam", 3)["model"] == 1
    court.vote("other", 1, "ann", "unclear")
    court.vote("exam", 2, "ann", "unclear")
    assert court.pictures("exam") == [2, 3] and court.of("exam", 4) == dict.fromkeys(error_votes.VERDICTS, 0)
    court.vote("exam", 3, "ann", None)
    assert court.pictures("exam") == [2]


def test_the_court_is_bounded(monkeypatch):
    monkeypatch.setattr(error_votes, "MOST_PICTURES", 3)
    court = Court()
    for picture in range(5):
        court.vote("exam", picture, "ann", "model")
    assert court.pictures("exam") == [2, 3, 4]


def page():
    import streamlit as st

    from resnet_viz.ui import error_votes

    error_votes.ballot("the exam", 7)
    st.text(str(error_votes.court().of("the exam", 7)))


def cast(app: AppTest, verdict: str) -> dict:
    app.button_group[0].set_value(verdict).run()
    assert not app.exception
    return eval(app.text[0].value)


def test_two_sessions_vote_together_unless_nobody_may_change_anything(monkeypatch):
    error_votes._everybodys.clear()
    first, second = (AppTest.from_function(page).run() for _ in range(2))
    assert cast(first, "label") == {"label": 1, "unclear": 0, "model": 0}
    assert cast(second, "label")["label"] == 2 and "the label is wrong 2" in second.caption[0].value
    monkeypatch.setenv(access.READONLY, "1")
    third = AppTest.from_function(page).run()
    assert not third.caption and cast(third, "model") == {"label": 0, "unclear": 0, "model": 1}
    error_votes._everybodys.clear()
