"""The gradient thermometer of one or two runs: which, how it is read, and its numbers."""

import threading
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from ..analysis import gradient_history, gradient_words
from ..analysis.gradient_history import History
from ..drawing import gradients as drawing
from ..drawing.training import Plan
from ..training.loop import RECORD_EVERY
from . import run_words, runs
from .gradient_map import gradient_map
from .page import download_table, plain
from .runs import Watched

VALUES = 14_800  # of all maps of a page together: 2 bytes each with every look, which stays under 40 kB
READINGS = {"Gradient norm": "norm", "Update / weight": "update_ratio"}
NOBODY = "no other run"


@dataclass(frozen=True)
class View:
    """How thermometers are read: one of gradient_history.READINGS; own: colours stretched to what is there."""

    reading: str = "norm"
    own: bool = False


@dataclass(frozen=True)
class Reader:
    """A run's gradients, read on by whoever asks; the lock because sessions ask in threads of their own."""

    gradients: gradient_history.Reader
    lock: threading.Lock


@st.cache_resource(max_entries=16, show_spinner=False)
def _reader(run: str) -> Reader:
    return Reader(gradient_history.Reader(Path(run)), threading.Lock())


def history_of(run: Path) -> History | None:
    """What its gradients.jsonl says by now; None where nothing was recorded (yet)."""
    reader = _reader(str(run))
    with reader.lock:
        return reader.gradients.refresh()


def begin_to_look() -> tuple[Path, float]:
    """(the chosen run, seconds between two looks): as often as the livelier of the two asks for."""
    run, pause = runs.begin_to_look()
    twin = runs.known_runs().get(st.session_state.get("twin") or st.query_params.get("twin"))
    if twin is not None and twin != run:
        pause = min(pause, runs.seconds_between_looks(runs.watch(twin)))
    return run, pause


def choose_twin(run: Path) -> Path | None:
    """The picker of a second run, whose map stands below; the URL carries it."""
    known = {name: path for name, path in runs.known_runs().items() if path != run}
    return known.get(st.selectbox("Below it", [NOBODY, *known], key="twin", bind="query-params", width=290))


def choose_view() -> View:
    """What the colours stand for; how they are stretched is behind More."""
    reading = st.segmented_control("What is shown", list(READINGS), default="Gradient norm", required=True,
                                   key="reading", bind="query-params")
    with st.popover("More", icon=":material/tune:"):
        own = st.toggle("Stretch the colours to these runs", key="own", bind="query-params",
                        help="Shows more detail; but then colours of other runs mean something else")
        st.caption("Fixed colours reach from " + " and ".join(
            f"{low:g} to {high:g} ({gradient_words.NAMES[name]})" for name, (low, high) in drawing.RANGES.items())
            + ". On a map: point, or click and use the arrow keys, Home, End, Page up and Page down.")
    return View(READINGS[reading], own)


def progress_line(watched: Watched) -> None:
    """How far an unfinished run is and what is wrong with it; a finished one has nothing to tell."""
    if watched.state != "finished" or runs.GONE in st.session_state:
        run_words.progress_line(watched)


def thermometers(watched: list[Watched], view: View) -> list[History | None]:
    """A map of each run, one below the other on the same steps and with the same colours."""
    found = [history_of(one.run) for one in watched]
    known = [history for history in found if history is not None]
    if not known:
        _nothing(watched[0])
        return found
    most = VALUES // len(known)
    cells = [drawing.thin(one.steps, one.reading(view.reading), most) for one in known]
    limits = drawing.own_range([one.values for one in cells]) if view.own else drawing.RANGES[view.reading]
    ends = [drawing.axis_end(int(history.steps[-1]), one.plan.total_steps if one.live else None)
            for one, history in zip(watched, found) if history is not None]
    drawn = iter(cells)
    for one, history in zip(watched, found):
        if history is None:
            _nothing(one)
            continue
        thinned = next(drawn)
        gradient_map(history.layers, thinned, limits, key=f"map-{one.run.name}-{view.reading}", title=one.run.name,
                     reading=gradient_words.NAMES[view.reading],
                     alt=f"{gradient_words.NAMES[view.reading]} of {len(history.layers)} layers: "
                         f"{gradient_words.finding(history, view.reading)}",
                     rest=gradient_words.finding(history, view.reading), x_end=max(ends), every=history.every,
                     caption=drawing.caption(thinned, history.every, one.bundled and history.every > RECORD_EVERY),
                     per_epoch=_per_epoch(one.plan), group="thermometers")
    return found


def _per_epoch(plan: Plan) -> float | None:
    """Steps of an epoch, which all are equally long."""
    return plan.total_steps / plan.epochs if plan.total_steps and plan.epochs else None


def _nothing(watched: Watched) -> None:
    wait = "The first column comes with the first batch." if watched.live else (
        "It recorded no gradients: runs of this project write them while they train.")
    st.info(f"**{plain(watched.run.name)}**: {wait}", icon=":material/info:")


# Under the picture

def story(found: list[History | None], names: list[str]) -> None:
    st.markdown(gradient_words.HOW_TO_READ)
    for name, history in zip(names, found):
        if history is not None:
            st.markdown(f"**{plain(name)}**")
            st.markdown("\n".join(f"- {plain(line)}" for line in gradient_words.story(history)))


def formula(history: History | None) -> None:
    if history is None:
        return
    for line in gradient_words.formulas(history):
        st.latex(line)
    st.caption("g: the L2 norm of the gradient of the batch's mean loss for one layer's weights, before clipping and "
               "decay; u: how far the step then moved them. The numbers are those of the first layer, now. A product "
               "of many factors below 1 vanishes, one of factors above 1 explodes; the 1 of a shortcut does neither.")


def numbers(history: History | None, name: str) -> None:
    if history is None:
        return
    rows = gradient_history.table(history)
    scientific = {column: st.column_config.NumberColumn(format="%.3g") for column in rows[0]
                  if column not in ("layer", "number")}
    download_table(rows, f"{name}-gradients.csv", scientific, gradient_words.finding(history, "norm"))
    st.caption(f"The first moment is step {int(history.steps[0]):,}, now is step {int(history.steps[-1]):,}; in between "
               f"{len(history.steps):,} moments. The file gradients.jsonl of the run holds them all.")
