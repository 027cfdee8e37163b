"""A landscape of the current checkpoint: what is ordered, how far its process is, and its end."""

import streamlit as st

from ..analysis import landscape_process
from ..analysis.landscape import Landscape
from ..analysis.landscape_process import Job, Order
from ..data import downloads
from ..data.sources import SOURCES
from ..number_text import duration
from ..problems import Problem
from . import access, state
from .page import NothingYet, plain

GRIDS = (11, 21, 31, 41, 51)
PLANES = {"two random directions": "random", "its training path": "path"}
FAILED = "landscape_problem"  # session key: what went wrong in a callback, which may not draw
CHOSEN = "mine"


def somebody_works() -> bool:
    return any(job.going for job in landscape_process.jobs())


def order() -> None:
    """The button with what can be set behind it."""
    if not access.may_change():
        access.say_why()
        return
    with st.popover("Compute one", icon=":material/landscape:"):
        checkpoint = state.current_checkpoint()
        st.markdown(f"The loss around **{plain(checkpoint.name)}**")
        offered = [
            name
            for name, source in SOURCES.items()
            if source.heads == checkpoint.heads and (not source.needs_download or downloads.is_here(name))
        ]
        data = st.selectbox(
            "Pictures",
            offered,
            offered.index(checkpoint.data) if checkpoint.data in offered else None,
            format_func=lambda name: SOURCES[name].title if name in SOURCES else name,
            accept_new_options=True,
            key="landscape_data",
            placeholder="choose, or type the path of a folder or zip",
            help="With the classes that the network knows; its test pictures are taken",
        )
        first, second = st.columns(2)
        grid = first.selectbox("Points a side", GRIDS, 1, key="landscape_grid")
        limit = second.number_input("Pictures at each point", 10, 100_000, 1_000, 100, key="landscape_limit")
        plane = st.segmented_control(
            "Through",
            list(PLANES),
            default="two random directions",
            required=True,
            key="landscape_plane",
            help="A path needs a run that kept its weights after each epoch, as runs of small networks do",
        )
        seed = st.number_input(
            "Seed of the directions", 0, 10_000, 0, key="landscape_seed", disabled=PLANES[plane] == "path"
        )
        st.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            key="landscape_start",
            disabled=data is None,
            on_click=_start,
            args=(data, grid, int(limit), PLANES[plane], int(seed)),
        )
        st.caption(f"{grid * grid:,} points. It goes on when you leave, and keeps what it has when it is stopped.")


def _start(data: str, grid: int, limit: int, plane: str, seed: int) -> None:
    """A button's callback: what is wrong is said by the next look."""
    reference = state.current_reference()
    _try(Order(state.checkpoint_of(reference).name, str(state.path_of(reference)), data, grid, limit, plane, seed))


def _try(wanted: Order) -> None:
    try:
        access.check_may_change()
        access.check_may_read(wanted.data)
        st.session_state[CHOSEN] = landscape_process.start(wanted)
    except Problem as problem:
        st.session_state[FAILED] = str(problem)


def choose() -> str:
    """The name of one of all that were ordered here; NothingYet where there is none."""
    if FAILED in st.session_state:
        st.error(plain(st.session_state.pop(FAILED)))
    jobs = {job.name: job for job in landscape_process.jobs()}
    if not jobs:
        how = (
            " Press Compute one: it takes minutes, and goes on when you leave."
            if access.may_change()
            else " Look at the finished ones."
        )
        raise NothingYet(f"No landscape was computed here yet.{how}")
    if st.session_state.get(CHOSEN) not in (None, *jobs):
        st.session_state.pop(CHOSEN)
    return st.selectbox(
        "Computed here",
        list(jobs),
        key=CHOSEN,
        bind="query-params",
        width=460,
        format_func=lambda name: _title(jobs[name]) if name in jobs else name,
    )


def current(name: str) -> Job:
    """How it is at this moment."""
    found = next((job for job in landscape_process.jobs() if job.name == name), None)
    if found is None:
        raise Problem("This landscape was deleted meanwhile; choose another one.")
    return found


def _title(job: Job) -> str:
    through = "training path" if job.order.plane == "path" else f"seed {job.order.seed}"
    return f"{job.order.title}, {job.order.grid} × {job.order.grid}, {through}"


def progress(job: Job, now: Landscape | None) -> None:
    """How far it is and how long still, and what can be done about it."""
    done, total = (int(now.done.sum()), now.done.size) if now else (0, job.order.grid**2)
    if done == total:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        left = f", about {duration(now.recipe['seconds'] * (total - done) / done)} left" if job.going and done else ""
        state_ = f"{done:,} of {total:,} points{left}" if job.going else f"Stopped at {done:,} of {total:,} points"
        st.progress(done / total, state_, width="stretch")
        if access.may_change():
            if job.going:
                st.button("Stop", icon=":material/stop:", key="landscape_stop", on_click=_stop, args=(job.name,))
            else:
                st.button("Go on", icon=":material/play_arrow:", key="landscape_on", on_click=_try, args=(job.order,))


def _stop(name: str) -> None:
    try:
        access.check_may_change()
        landscape_process.stop(name)
    except Problem as problem:
        st.session_state[FAILED] = str(problem)
