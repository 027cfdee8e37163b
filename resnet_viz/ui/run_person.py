"""What a person does with a run: call it something, write a note, take it along as a zip, delete it and think again."""

import io
from pathlib import Path

import streamlit as st

from .. import run_bin, run_marks
from ..problems import Problem
from ..run_marks import Marks
from ..training import run_archive
from . import access, dropped, state
from .page import plain
from .run_rows import Known
from .run_table import SHOWN, open_run, show_runs
from .runs import CHOSEN, PROBLEM

JUST = "just_deleted"  # session key: what this session deleted last, until it does something else
ADDED = "just_added"
UPLOADS = "imports"  # session key: how many zips were taken, so that the next one finds an empty field


def say_problem() -> None:
    """What went wrong in a button's callback, which may not draw."""
    if PROBLEM in st.session_state:
        st.error(plain(st.session_state.pop(PROBLEM)), icon=":material/error:")


# One run


def panel(one: Known) -> None:
    """The run whose name was pressed: what can be done with it."""
    with st.container(border=True):
        st.markdown(f"**{plain(one.row.name)}** · {one.state_in_words} · in the folder {plain(one.run.name)}")
        if one.own and access.may_change():
            _texts(one)
        elif one.marks.note:
            st.markdown(plain(one.marks.note))
        with st.container(horizontal=True, gap="small"):
            if st.button("Its curves and controls", icon=":material/show_chart:", key="watch"):
                st.session_state[CHOSEN] = one.reference
                st.switch_page("pages/train/training.py", query_params={CHOSEN: one.reference})
            if _has_weights(one) and st.button(
                "Use it on the other pages", icon=":material/visibility:", key="use", on_click=state.choose,
                args=(one.reference,),
            ):
                st.rerun()  # the sidebar stands outside this fragment
            st.download_button(
                "Export as zip", lambda: _zip(one.run), f"{one.run.name}.zip", "application/zip", key="export",
                icon=":material/download:", on_click="ignore",
                help="Its record and its weights in one file, which Import takes on any machine",
            )
            if one.own and access.may_change():
                st.button("Delete", icon=":material/delete:", key="delete", on_click=_delete, args=(one,),
                          disabled=one.live, help="Stop it first" if one.live else "You can bring it back for a week")
            st.button("Close", icon=":material/close:", key="close", on_click=open_run, args=("",))


def _has_weights(one: Known) -> bool:
    return one.reference in state.references()


def _texts(one: Known) -> None:
    """Name and note, kept as soon as the field is left."""
    name, note = (f"{key}_{one.reference}" for key in ("name", "note"))
    left, right = st.columns([1, 2], gap="medium")
    left.text_input("Name", one.marks.name, max_chars=run_marks.LONGEST["name"], key=name, placeholder=one.run.name,
                    on_change=_keep_texts, args=(one, name, note))
    right.text_area("Note", one.marks.note, max_chars=run_marks.LONGEST["note"], key=note, height=68,
                    placeholder="What you wanted to know, and what you saw", on_change=_keep_texts, args=(one, name, note))


def _keep_texts(one: Known, name: str, note: str) -> None:
    try:
        access.check_may_change()
        star = run_marks.read(one.run).star
        run_marks.write(one.run, Marks(st.session_state[name], st.session_state[note], star))
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)


def _zip(run: Path) -> bytes:
    target = io.BytesIO()
    run_archive.export(run, target)
    return target.getvalue()


# Deleting


def _delete(one: Known) -> None:
    try:
        access.check_may_change()
        st.session_state[JUST] = run_bin.throw_away(one.run)
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)
        return
    show_runs([reference for reference in st.session_state.get(SHOWN, ()) if reference != one.reference])
    open_run("")


def undo() -> None:
    """A line about the run that was just deleted, with the way back; and what was just imported."""
    if deleted := st.session_state.get(JUST):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"Deleted {plain(str(deleted.place))}.", width="content")
            st.button("Undo", icon=":material/undo:", key="undo", on_click=_bring_back, args=(deleted,))
    if ADDED in st.session_state:
        st.success(f"Imported as {plain(st.session_state.pop(ADDED))}.", icon=":material/check:")


def _bring_back(one: run_bin.Deleted) -> None:
    try:
        access.check_may_change()
        run = run_bin.bring_back(one)
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)
        return
    finally:
        st.session_state.pop(JUST, None)
    reference = state.run_reference(run)
    show_runs([*st.session_state.get(SHOWN, ()), reference])
    open_run(reference)


def _empty() -> None:
    access.check_may_change()
    run_bin.empty()
    st.session_state.pop(JUST, None)


# Bringing runs in, and back


def import_and_bin() -> None:
    """Behind one button: a zip to import, and the deleted runs."""
    if not access.may_change():
        return
    with st.popover("Import", icon=":material/upload:"):
        number = st.session_state.setdefault(UPLOADS, 0)
        st.file_uploader("A run as a zip", ["zip"], key=f"import_{number}", on_change=_import, args=(f"import_{number}",),
                         help="As Export gives it. It is read into the folder of runs, and nowhere else")
        if deleted := run_bin.deleted():
            st.markdown("**Deleted** · gone for good a week after")
            for place, one in enumerate(deleted):
                st.button(f"Bring back {plain(str(one.place))}", icon=":material/undo:", key=f"back_{place}",
                          on_click=_bring_back, args=(one,))
            st.button("Remove them for good", icon=":material/delete_forever:", key="empty", on_click=_empty)


def _import(key: str) -> None:
    upload = st.session_state.get(key)
    if upload is None:
        return
    try:
        access.check_may_change()
        run = run_archive.add(upload, upload.name)
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)
        return
    finally:
        st.session_state[UPLOADS] += 1
        dropped.let_go(upload)
    st.session_state[ADDED] = run.name
    reference = state.run_reference(run)
    show_runs([*st.session_state.get(SHOWN, ()), reference])
    open_run(reference)
