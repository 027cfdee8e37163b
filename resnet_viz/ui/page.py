"""The frame of every page: its question, its problems as one sentence, and what stands under the picture."""

import io
from collections.abc import Callable
from contextlib import contextmanager

import pandas as pd
import streamlit as st

from ..problems import Problem

VIEWS = {"story": "Story", "formula": "Formula", "code": "Code", "numbers": "Numbers"}


def page(question: str, line: str) -> None:
    """The page's title, which is the question it answers, and one plain line."""
    st.title(question, anchor=False)
    st.markdown(line)


@contextmanager
def problems():
    """Show a Problem as one sentence where it happens; what stands after the block is still drawn. Bugs pass through."""
    try:
        yield
    except Problem as problem:
        st.error(str(problem), icon=":material/error:")


def under_picture(key: str, **views: Callable[[], None]) -> None:
    """A segmented choice of story | formula | code | numbers; only the chosen one is computed and drawn.

    key    names the choice in the URL; pages that use the same key keep the choice from page to page
    views  functions by those four names, any of them
    """
    names = [name for name in VIEWS if name in views]
    if unknown := set(views) - set(VIEWS):
        raise ValueError(f"unknown views {sorted(unknown)}; known are {list(VIEWS)}")
    chosen = st.segmented_control("Under the picture", [VIEWS[name] for name in names], default=VIEWS[names[0]], required=True,
                                  key=key, bind="query-params", label_visibility="collapsed")
    with problems():
        next((views[name] for name in names if VIEWS[name] == chosen), views[names[0]])()


def download_table(table, file_name: str, columns: dict | None = None, alt: str | None = None) -> None:
    """A table with a button that downloads it as CSV (UTF-8 with a mark, so that spreadsheets read it).

    table    DataFrame, or a list of dicts
    columns  st.column_config by column name: labels, formats, units
    alt      the finding in words, for who cannot see it
    """
    frame = table if isinstance(table, pd.DataFrame) else pd.DataFrame(table)
    st.dataframe(frame, hide_index=True, column_config=columns, alt=alt)
    text = io.StringIO()
    frame.to_csv(text, index=False)
    st.download_button("Download CSV", text.getvalue().encode("utf-8-sig"), file_name, "text/csv", on_click="ignore",
                       icon=":material/download:")
