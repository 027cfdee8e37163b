"""The lecture plan on the screen: read it, go through it, print it; add, ask, order and delete its steps; save and open it."""

from dataclasses import replace
from urllib.parse import urlsplit

import streamlit as st

from ..analysis import plan as plans
from ..analysis.plan import Plan
from ..problems import Problem
from . import lecture, presenter, share
from .page import problems
from .words import plain

GONE, SAID = "plan_gone", "plan_said"  # session keys: (index, step) that was deleted last; a problem of a callback
LOCAL = ("localhost", "127.0.0.1", "::1")


def show() -> None:
    """The row of controls, and the steps."""
    plan = lecture.current()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="off-paper"):
        if plan.steps:
            lecture.link(plan, 0, "Begin the lecture", icon=":material/play_arrow:")
        editing = False
        if not presenter.on():
            editing = st.toggle("Edit", key="edit", bind="query-params")
            _files(plan)
            _adding()
    _said()
    ends = f", {plan.minutes:,} minutes" if plan.steps else ""
    if not editing:
        st.subheader(plain(plan.title), anchor=False)
    st.caption(f"{len(plan.steps):,} steps{ends}. Ctrl+P prints it, and every other page, without the navigation.")
    starts = plans.begins(plan)
    if editing:
        _title(plan)
    for index in range(len(plan.steps)):
        (_edited if editing else _read)(plan, index, starts[index])
    if not plan.steps:
        st.info("This plan has no steps: open a page, choose what the class shall see, and press “Copy link” there, then “Add to the "
                "lecture plan”.", icon=":material/info:")


def _read(plan: Plan, index: int, start: int) -> None:
    """One step as it is read and printed."""
    step = plan.steps[index]
    time, asked, view = st.columns([1, 7, 3])
    time.markdown(f"**{plans.clock(start)}**  \n{step.minutes} min")
    with asked:
        st.markdown(plain(step.question) or "(no question yet)")
        if details := plans.details(step):
            st.caption(plain(details))
    with view:
        lecture.link(plan, index, f"{index + 1}. {plans.title(step)}", icon=":material/arrow_forward:")


# Changing it


def _edited(plan: Plan, index: int, start: int) -> None:
    """One step with its fields. The keys carry the plan's mark: of another plan they are other fields."""
    step, mark = plan.steps[index], f"{plan.mark}_{index}"
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{plans.clock(start)}**", width="content")
            lecture.link(plan, index, f"{index + 1}. {plans.title(step)}", width="stretch")
            st.number_input("Minutes", 0, plans.LIMIT_MINUTES, step.minutes, key=f"plan_minutes_{mark}", width=120,
                            label_visibility="collapsed", on_change=_change, args=(index, "minutes", f"plan_minutes_{mark}"))
            for name, icon, act, off in (("Up", "arrow_upward", -1, index == 0), ("Down", "arrow_downward", 1, index + 1 == len(plan.steps))):
                st.button("", key=f"plan_{name}_{mark}", icon=f":material/{icon}:", help=name, disabled=off, on_click=_move, args=(index, act))
            st.button("", key=f"plan_delete_{mark}", icon=":material/delete:", help="Delete", on_click=_delete, args=(index,))
        st.text_area("Question", step.question, max_chars=plans.LIMIT_TEXT, key=f"plan_question_{mark}", height=68,
                     placeholder="What is asked here?", label_visibility="collapsed", on_change=_change,
                     args=(index, "question", f"plan_question_{mark}"))
        if details := plans.details(step):
            st.caption(plain(details))


def _title(plan: Plan) -> None:
    key = f"plan_title_{plan.mark}"
    st.text_input("Title", plan.title, max_chars=200, key=key, on_change=_retitle, args=(key,))


def _retitle(key: str) -> None:
    lecture.keep(replace(lecture.current(), title=st.session_state[key]))


def _change(index: int, field: str, key: str) -> None:
    lecture.keep(plans.changed(lecture.current(), index, **{field: st.session_state[key]}))


def _move(index: int, by: int) -> None:
    lecture.keep(plans.moved(lecture.current(), index, by))


def _delete(index: int) -> None:
    plan = lecture.current()
    st.session_state[GONE] = index, plan.steps[index]
    lecture.keep(plans.without(plan, index))


def _undo() -> None:
    index, step = st.session_state.pop(GONE)
    lecture.keep(plans.with_step(lecture.current(), index, step))


# Files and links


def _files(plan: Plan) -> None:
    st.download_button("Save the plan", plans.write(plan), "lecture-plan.json", "application/json", on_click="ignore", icon=":material/download:")
    with st.popover("Open a plan", icon=":material/folder_open:"):
        number = st.session_state.setdefault("plan_files", 0)
        st.file_uploader("A lecture plan", ["json"], key=f"plan_file_{number}", max_upload_size=1, on_change=_open,
                         args=(f"plan_file_{number}",), help="One that was saved here. It replaces the plan on this page.")
        st.button("The plan that comes with the project", on_click=_begin_again, args=(None,))
        st.button("An empty plan", on_click=_begin_again, args=(Plan("My lecture"),))


def _open(key: str) -> None:
    upload = st.session_state[key]
    if upload is None:
        return
    st.session_state.plan_files += 1
    _try(lambda: lecture.keep(plans.read(upload.getvalue(), lecture.scripts())))


def _begin_again(plan: Plan | None) -> None:
    st.session_state.pop(GONE, None)
    if plan is None:
        st.session_state.pop(lecture.PLAN, None)
    else:
        lecture.keep(plan)


def _adding() -> None:
    with st.popover("Add a view", icon=":material/add:"):
        st.markdown("On the page that you want to show: **Copy link**, then **Add to the lecture plan**. Or paste its link here:")
        st.text_input("Link of a page", key="plan_link", max_chars=3_000, on_change=_paste, label_visibility="collapsed",
                      placeholder="http://localhost:8501/learning?part=A+slope")


def _paste() -> None:
    link = st.session_state.plan_link
    if link.strip():
        st.session_state.plan_link = ""
        _try(lambda: lecture.add(link, hosts()))


def hosts() -> tuple[str, ...]:
    """What this server is called in links: as the browser asked for it, as this machine, and as its address in its network."""
    asked = urlsplit(st.context.url or "").hostname
    return tuple(name for name in (*LOCAL, asked, share.own_address()) if name)


def _try(act) -> None:
    """A callback draws nothing, so what went wrong is said when the page is drawn."""
    st.session_state.pop(SAID, None)
    try:
        act()
    except Problem as problem:
        st.session_state[SAID] = problem


def _said() -> None:
    if problem := st.session_state.pop(SAID, None):
        with problems():
            raise problem
    if GONE in st.session_state:
        index, step = st.session_state[GONE]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Step {index + 1}, {plain(plans.title(step))}, was deleted.", width="content")
            st.button("Undo", icon=":material/undo:", on_click=_undo)
