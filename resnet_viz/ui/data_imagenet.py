"""From ImageNet's archive to class folders: the steps with commands to copy, and what the sorting does to val/."""

import streamlit as st

from ..analysis import data_imagenet as analysis
from ..analysis import data_questions
from . import questions
from .page import download_table, under_picture

RATES = (10, 25, 50, 100, 250, 500, 1000)


def way() -> None:
    """The part "ImageNet"."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        folder = st.text_input("Your folder for it", "imagenet", max_chars=200, key="archive", bind="query-params", width=260)
        links = st.text_input("Sort by links into", max_chars=200, key="links", bind="query-params", width=260,
                              placeholder="leave empty to move", help="A folder that is made of links, if the archive shall stay as it is")
        rate = st.select_slider("Your line, Mbit/s", RATES, 100, key="rate", bind="query-params", width=240)
    steps = analysis.steps(folder.strip() or "imagenet", links.strip())
    seconds = data_questions.download_seconds(rate)
    st.markdown(f"{data_questions.ARCHIVE_BYTES / 1e9:.2f} GB: at {rate:,} Mbit/s **{data_questions.duration(seconds)}** at best, and "
                "room for twice as much until the zip is deleted.")
    left, right = st.columns([3, 2], gap="large")
    with left:
        for number, step in enumerate(steps, 1):
            st.markdown(f"**{number}. {step.title}.** {step.why}")
            if step.command:
                st.code(step.command, language="bash", wrap_lines=True)
    with right:
        _sorting()
    under_picture(
        "view",
        story=lambda: st.markdown("\n".join(f"- {line}" for line in analysis.story())),
        formula=lambda: _formula(rate),
        code=lambda: st.code(analysis.script(steps), language="bash", wrap_lines=True),
        numbers=lambda: download_table(analysis.rows(RATES), "download.csv", {"hours": st.column_config.NumberColumn(format="%.1f")},
                                       "How long the download takes on lines of different rates"),
        questions=lambda: questions.ask("data", data_questions.of_imagenet(rate)),
    )


@st.cache_data(show_spinner=False)
def _trees() -> tuple[str, str, dict]:
    return analysis.made_up_trees()


def _formula(rate: float) -> None:
    for line in analysis.formulas(rate):
        st.latex(line)


def _sorting() -> None:
    """val/ before and after, as the command's own function leaves a made-up one."""
    before, after, said = _trees()
    st.markdown("**val as the archive has it** (here six made-up pictures)")
    st.code(before, language=None)
    st.markdown(f"**after sort-val**: {said['moved']} moved into {said['classes']} classes")
    st.code(after, language=None)
