"""A table to take along: CSV for spreadsheets, Markdown for notes, LaTeX for papers."""

import streamlit as st

from ..analysis.table_text import FORMATS, Table

FILES = {"csv": ("CSV", "csv", "text/csv"), "markdown": ("Markdown", "md", "text/markdown"),
         "latex": ("LaTeX", "tex", "application/x-tex")}


def buttons(table: Table, name: str) -> None:
    """One download button a format, in a row; `name` is the file's without its ending."""
    with st.container(horizontal=True, gap="small"):
        for form, (label, ending, mime) in FILES.items():
            text = FORMATS[form](table)
            # a mark of UTF-8 in front, so that spreadsheets read it; other readers would print it
            st.download_button(f"Download {label}", text.encode("utf-8-sig" if form == "csv" else "utf-8"),
                               f"{name}.{ending}", mime, key=f"{name}-{form}", on_click="ignore",
                               icon=":material/download:")
