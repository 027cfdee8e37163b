"""The lecture that a session holds: its plan, and the bar that leads from step to step on every page of it.

A link of a step carries `lecture=<number>-<mark of the plan>`, so that the step is known after a reload, too, as long as the
session has that plan or it is the shipped one.
"""

from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAPIException

from ..analysis import plan as plans
from ..analysis.plan import Plan
from ..problems import Problem
from . import presenter
from .words import plain

PLAN, SEEN, IN_URL = "plan", "lecture_seen", "lecture"  # session keys; query parameter
CHECKPOINT, VIEW = "checkpoint", "view"  # the sidebar's choice, which has a rule of its own; what is under a picture, on every page
PAGE = "pages/learn/plan.py"
FOLDER = Path(__file__).parents[2] / "pages"


@st.cache_data(show_spinner=False)
def scripts() -> dict[str, str]:
    """Word of a page -> its script, as st.page_link wants it."""
    return {path.stem: str(path.relative_to(FOLDER.parent)) for path in sorted(FOLDER.glob("*/*.py"))}


def current() -> Plan:
    """The session's plan; the shipped one before the person has another."""
    return st.session_state.get(PLAN) or _shipped()


@st.cache_data(show_spinner=False)
def _shipped() -> Plan:
    return plans.shipped(scripts())


def keep(plan: Plan) -> None:
    st.session_state[PLAN] = plan


def add(link: str, hosts: tuple[str, ...] = ()) -> str:
    """Add the view behind a link to the session's plan; returns one sentence."""
    step = plans.from_link(link, scripts(), hosts)
    keep(plans.added(current(), step))
    return f"{plans.title(step)} is step {len(current().steps)} of the lecture plan."


def query(plan: Plan, index: int) -> list[tuple[str, str]]:
    """The query of a step's link: its settings, on the projector, and which step it is."""
    return [*plan.steps[index].settings, (presenter.KEY, "true"), (IN_URL, f"{index + 1}-{plan.mark}")]


def link(plan: Plan, index: int, label: str, **more) -> None:
    """A link to a step, as the lecture shows it."""
    st.page_link(scripts()[plan.steps[index].page], label=plain(label), query_params=query(plan, index), **more)


def _step_here() -> tuple[Plan, int] | None:
    """The plan and the step that the address asks for, where both are known."""
    number, _, mark = st.query_params.get(IN_URL, "").partition("-")
    if not number.isdecimal() or len(number) > 4:
        return None
    for plan in (st.session_state.get(PLAN), _shipped()):
        if plan is not None and plan.mark == mark and 1 <= int(number) <= len(plan.steps):
            return plan, int(number) - 1
    return None


def arrive() -> None:
    """When the pages are known and nothing is drawn: a step that was just opened is shown as its link says.

    Streamlit drops from a link what the page before had in the address under the same name, and keeps older choices. So the
    step is opened a second time, when the page before is gone; what the plan sets anywhere, and this step does not, goes back
    to its default.
    """
    asked = st.query_params.get(IN_URL)
    if asked == st.session_state.get(SEEN):
        return
    st.session_state[SEEN] = asked
    try:
        here = _step_here()
    except Problem:
        return
    if here is None:
        return
    plan, index = here
    for name in {name for step in plan.steps for name, _ in step.settings} - {CHECKPOINT} | {VIEW}:
        st.session_state.pop(name, None)
    st.session_state[presenter.KEY] = True
    try:
        st.switch_page(scripts()[plan.steps[index].page], query_params=query(plan, index))
    except StreamlitAPIException:  # the page before was this page, whose fields are there already: nothing was dropped
        st.query_params[IN_URL] = asked  # such a link leaves the browser's address as it was


def bar() -> None:
    """On a page that was opened as a step of a lecture: the question, and the ways on, back and out."""
    try:
        here = _step_here()
    except Problem:  # the shipped plan asks for a page that this installation lacks
        return
    if here is None:
        return
    plan, index = here
    step = plan.steps[index]
    with st.container(border=True, key="lecture-bar"):
        st.markdown(f"**{plain(step.question) or plain(plans.title(step))}**")
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.caption(f"Step {index + 1} of {len(plan.steps)}, {step.minutes} min", width="content")
            if index > 0:
                link(plan, index - 1, "Back", icon=":material/arrow_back:", help=plans.title(plan.steps[index - 1]))
            if index + 1 < len(plan.steps):
                link(plan, index + 1, f"Next: {plans.title(plan.steps[index + 1])}", icon=":material/arrow_forward:")
            st.page_link(PAGE, label="Plan", icon=":material/list:")

