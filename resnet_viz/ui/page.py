"""The frame of every page: its question, its problems as one sentence, and what stands under the picture."""

import io
from collections.abc import Callable
from contextlib import contextmanager

import pandas as pd
import streamlit as st

from ..problems import Problem
from . import lecture, presenter, share, visitor
from .words import plain

PERCENT = st.column_config.NumberColumn(format="percent")  # of a fraction 0..1; download_table shows one decimal
VIEWS = {"story": "Story", "formula": "Formula", "code": "Code", "numbers": "Numbers", "questions": "Questions"}


class NothingYet(Problem):
    """What a fresh install has not got: no mistake, so `problems` shows it as information and with the way to it.

    page   script of the page that gives it, with `label` on the link; None where the sentence says it all
    """

    def __init__(self, sentence: str, page: str | None = None, label: str | None = None):
        super().__init__(sentence)
        self.page, self.label = page, label


def page(question: str, line: str) -> None:
    """The page's title, which is the question it answers, and one plain line; beside it what a class needs."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(question, anchor=False, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            share.copy_link()
            presenter.switch()
    st.markdown(line)
    lecture.bar()


@contextmanager
def problems():
    """Show a Problem as one sentence where it happens; what stands after the block is drawn. Bugs pass through."""
    try:
        yield
    except NothingYet as nothing:
        st.info(plain(str(nothing)), icon=":material/info:")
        if nothing.page:
            st.page_link(nothing.page, label=nothing.label, icon=":material/arrow_forward:")
    except Problem as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        visitor.was_told(str(problem))


def under_picture(key: str, **views: Callable[[], None]) -> None:
    """A segmented choice of story | formula | code | numbers | questions; only the chosen one is computed and drawn.

    key    names the choice in the URL; pages that use the same key keep the choice from page to page
    views  functions by those names, any of them
    """
    names = [name for name in VIEWS if name in views]
    if unknown := set(views) - set(VIEWS):
        raise ValueError(f"unknown views {sorted(unknown)}; known are {list(VIEWS)}")
    chosen = st.segmented_control(
        "Under the picture",
        [VIEWS[name] for name in names],
        default=VIEWS[names[0]],
        required=True,
        key=key,
        bind="query-params",
        label_visibility="collapsed",
    )
    with problems():
        next((views[name] for name in names if VIEWS[name] == chosen), views[names[0]])()


def download_table(
    table, file_name: str, columns: dict | None = None, alt: str | None = None, thumbnails: list[str] | None = None
) -> None:
    """A table with a button that downloads it as CSV (UTF-8 with a mark, so that spreadsheets read it).

    table       DataFrame, or a list of dicts
    columns     st.column_config by column name: labels, formats, units
    alt         the finding in words, for who cannot see it
    thumbnails  a picture a row as data URL, shown first and left out of the CSV
    """
    frame = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    columns, shown = dict(columns or {}), frame.copy()
    for name in (name for name, config in columns.items() if config is PERCENT):
        shown[name] = frame[name].round(3)
    if thumbnails is not None:
        shown.insert(0, "", thumbnails)
        columns[""] = st.column_config.ImageColumn(width="small")
    row_height, height = (None, "auto") if thumbnails is None else (48, "content" if len(frame) <= 12 else 600)
    st.dataframe(shown, height=height, hide_index=True, column_config=columns, alt=alt, row_height=row_height)
    if presenter.on():
        return
    text = io.StringIO()
    frame.to_csv(text, index=False)
    st.download_button(
        "Download CSV",
        text.getvalue().encode("utf-8-sig"),
        file_name,
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )
