"""The frame of a page: problems as sentences, text from outside as it is, and one view at a time."""

import pytest
from streamlit.testing.v1 import AppTest

from resnet_viz.ui.page import plain


def app_of(script) -> AppTest:
    return AppTest.from_function(script, default_timeout=60).run()


def test_a_problem_is_one_sentence_and_the_rest_is_drawn():
    def script():
        import streamlit as st

        from resnet_viz.problems import Problem
        from resnet_viz.ui.page import problems

        with problems():
            raise Problem("my_file_*1*.png is empty; save it again.")
        st.markdown("still here")

    app = app_of(script)
    assert (
        app.error[0].value == r"my\_file\_\*1\*.png is empty; save it again." and app.markdown[0].value == "still here"
    )


def test_a_bug_stays_visible():
    def script():
        from resnet_viz.ui.page import problems

        with problems():
            raise KeyError("a bug")

    assert "a bug" in app_of(script).exception[0].message


@pytest.mark.parametrize(
    "text", ["plain", "a_b_c.jpg", "![x](http://example.org/x.png)", "$1$ <b> `code` :red[x] ~~no~~ #1"]
)
def test_text_from_outside_is_escaped_and_nothing_is_lost(text):
    escaped = plain(text)
    assert (
        "".join(
            c for i, c in enumerate(escaped) if not (c == "\\" and escaped[i + 1 : i + 2] in "\\`*_{}[]()#+!~$|<>:-")
        )
        == text
    )
    assert "](" not in escaped and "$1$" not in escaped


def views_script():
    import streamlit as st

    from resnet_viz.ui.page import under_picture

    under_picture("view", story=lambda: st.write("the story"), numbers=lambda: st.write("the numbers"))


def test_only_the_chosen_view_is_drawn():
    app = app_of(views_script)
    assert [m.value for m in app.markdown] == ["the story"]
    (
        app.button_group[0].set_value("Numbers").run()
        if hasattr(app, "button_group")
        else app.segmented_control[0].set_value("Numbers").run()
    )
    assert [m.value for m in app.markdown] == ["the numbers"]


def test_an_unknown_view_is_a_bug():
    def script():
        from resnet_viz.ui.page import under_picture

        under_picture("view", poem=lambda: None)

    assert "unknown views" in app_of(script).exception[0].message


def test_a_table_downloads_what_it_shows_without_its_thumbnails():
    def script():
        from resnet_viz.ui.page import download_table

        download_table([{"picture": "a.png", "probability": 0.5}], "x.csv", thumbnails=["data:image/png;base64,AA=="])

    app = app_of(script)
    assert list(app.dataframe[0].value.columns) == ["", "picture", "probability"]
    assert app.get("download_button")[0].proto.label == "Download CSV"
