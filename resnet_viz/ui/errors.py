"""What a network gets wrong, on the screen: which pictures, the matrix, and the cell that is looked into."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import streamlit as st

from ..analysis import error_words as words
from ..analysis import errors
from ..analysis.errors import History, Verdicts
from ..checkpoints import Checkpoint
from ..data import downloads
from ..data.sources import SOURCES, SPLITS
from ..drawing import errors as drawing
from . import error_exam
from .component import component
from .error_exam import Sitting
from .measurement import LIMIT, ZIP, keep_zip
from .page import NothingYet, plain

OWN = "its own run"  # in the URL: the counts that the run kept of its held-out pictures
SHOWS = {"matrix": "Who for whom", "classes": "Classes", "sureness": "Sureness", "mistakes": "Surest mistakes",
         "map": "Map"}
SHOWS_HELP = ("Who for whom: which class is taken for which. Classes: which is hard. Sureness: may it be believed "
              "when it is sure? Surest mistakes: pictures. Map: which pictures look alike to it.")
ORDERS = ("surest first", "least sure first")

_matrix = component("confusion")


@dataclass(frozen=True)
class Choice:
    """What the controls say. data: None stands for the counts of the run itself; head: which of its answers."""

    show: str
    data: str | None
    split: str
    limit: int
    rates: bool
    order: str
    head: int


@dataclass(frozen=True)
class Seen:
    """What the page shows: counts int64 [n, n] of one moment, and where they come from."""

    checkpoint: Checkpoint
    choice: Choice
    classes: tuple[str, ...]
    counts: np.ndarray = field(repr=False)
    history: History | None = None
    frame: int = 0
    sitting: Sitting | None = None
    verdicts: Verdicts | None = None

    @property
    def file_name(self) -> str:
        return f"{self.checkpoint.name}-errors"


# Which pictures


def controls(checkpoint: Checkpoint) -> Choice:
    """One row, and the rest behind "More"."""
    offered = sources_of(checkpoint)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show = st.segmented_control("Show", list(SHOWS), format_func=SHOWS.get, default="matrix", required=True,
                                    key="wrong", bind="query-params", help=SHOWS_HELP)
        data = st.selectbox("Of", offered, 0 if offered else None, key="of", bind="query-params",
                            accept_new_options=True,
                            format_func=_title, width=330, placeholder="choose, or type a folder or zip",
                            help="Pictures with labels. A folder or zip has one folder a class, in test/, val/ or "
                                 "train/: type its path, or drop a zip behind More.")
        with st.popover("More", icon=":material/tune:"):
            rates = st.segmented_control("Numbers", ["rates", "counts"], default="rates", required=True, key="numbers",
                                         bind="query-params") == "rates"
            order = st.segmented_control("Pictures of a cell", ORDERS, default=ORDERS[0], required=True, key="sorted",
                                         bind="query-params")
            split = st.segmented_control("Part of the data", SPLITS, default="test", required=True, key="part",
                                         bind="query-params")
            limit = st.number_input("At most, pictures", 10, errors.most_pictures(checkpoint.preprocessing),
                                    min(LIMIT, errors.most_pictures(checkpoint.preprocessing)), 500, key="most",
                                    bind="query-params", help="a draw with every class in its share")
            head = _head(checkpoint)
            st.file_uploader("A zip with one folder of pictures for each class", ["zip"], key="errors_upload",
                             on_change=keep_zip, args=("errors_upload", "of"))
    return Choice(show, _name(data), split, int(limit), rates, order, head)


def sources_of(checkpoint: Checkpoint) -> list[str]:
    """The run's own counts where it kept some; the dropped zip; data that are here and fit the network."""
    own = [OWN] if checkpoint.run and _history(*_run_key(checkpoint)) else []
    dropped = [st.session_state[ZIP][0]] if ZIP in st.session_state else []
    here = [name for name, source in SOURCES.items() if source.heads == checkpoint.heads
            and (downloads.is_here(name) if source.needs_download else
                 name == checkpoint.data or not checkpoint.classes)]
    return own + dropped + sorted(here, key=lambda name: name != checkpoint.data)


def _title(name: str) -> str:
    return {OWN: "held-out pictures of its own run"}.get(name) or (SOURCES[name].title if name in SOURCES else name)


def _name(chosen: str | None) -> str | None:
    """What was chosen, as the link or a list of another checkpoint may have said it; None for the run's own counts."""
    if chosen in (None, OWN, _title(OWN)):
        return None
    return next((name for name, source in SOURCES.items() if chosen == source.title), chosen)


def _head(checkpoint: Checkpoint) -> int:
    if len(checkpoint.heads) == 1:
        return 0
    return st.segmented_control("Which of its answers", range(len(checkpoint.heads)), default=0, required=True,
                                key="head",
                                format_func=lambda i: f"{i + 1}: {checkpoint.heads[i]} classes", bind="query-params")


def _run_key(checkpoint: Checkpoint) -> tuple[str, int, int]:
    """The run, and how many snapshots it has: also one that is still learning."""
    names = sorted(path.name for path in (checkpoint.run / "snapshots").glob("*.safetensors"))
    return str(checkpoint.run), len(names), hash(tuple(names))


@st.cache_resource(max_entries=8, show_spinner="Reading the run ...")
def _history(run: str, count: int, names: int) -> History | None:
    return errors.history(Path(run))


def look(checkpoint: Checkpoint, choice: Choice) -> Seen | None:
    """What the choice is about; None where it waits for a click. NothingYet where nothing is chosen."""
    if choice.data is None:
        history = _history(*_run_key(checkpoint)) if checkpoint.run else None
        if history is None:
            raise NothingYet("Choose pictures whose classes are known: type the path of a folder or zip above, or "
                             "drop a zip behind More. It has one folder a class.")
        frame = _frame(history, checkpoint)
        return Seen(checkpoint, choice, errors.class_names(checkpoint, 0), history.counts[frame], history, frame)
    sitting = error_exam.sitting(checkpoint, choice.data, choice.split, choice.limit)
    if sitting is None or not sitting.parts:
        return None
    answers = errors.joined(list(sitting.parts))
    verdicts = errors.of_head(checkpoint, sitting.exam, answers, choice.head)
    counts = errors.confusion(verdicts.true, verdicts.answered, len(verdicts.classes))
    for note in sitting.exam.notes:
        st.caption(plain(note))
    return Seen(checkpoint, choice, verdicts.classes, counts, sitting=sitting, verdicts=verdicts)


def _frame(history: History, checkpoint: Checkpoint) -> int:
    """The moment that the link asks for, else that of the weights in view."""
    asked = st.query_params.get("step", "")
    if asked.isdecimal():
        return int(np.abs(history.step - int(asked)).argmin())
    return errors.frame_of(history, checkpoint.epoch)


# The matrix


def matrix(seen: Seen) -> tuple[int, int] | None:
    """The matrix to pick a cell of; returns (true, answered): what was picked, else the most frequent mistake."""
    history = seen.history
    shown = errors.shown_classes(seen.counts)
    picked = _picked(seen)
    all_counts = history.counts if history else seen.counts[None]
    when = [words.when(history, i) for i in range(len(history))] if history else [""]
    found = [words.finding(one, seen.classes) for one in all_counts]
    _matrix(key="confusion", height="content", on_picked_change=_remember_cell,
            on_frame_change=lambda: _remember_frame(history),
            data=drawing.matrix(all_counts, shown, seen.classes, when, found, seen.frame, seen.choice.rates, picked))
    if len(shown) < len(seen.classes):
        chosen = "with the most mistakes" if len(shown) == errors.FEWER_CLASSES else "that occur, as truth or as answer"
        st.caption(f"{len(shown)} of {len(seen.classes):,} classes: those {chosen}.")
    return picked


def _picked(seen: Seen) -> tuple[int, int] | None:
    parts = st.query_params.get("cell", "").split("-")
    if len(parts) == 2 and all(part.isdecimal() and int(part) < len(seen.classes) for part in parts):
        return int(parts[0]), int(parts[1])
    return errors.worst_pair(seen.counts)


def _remember_cell() -> None:
    if cell := (st.session_state.get("confusion") or {}).get("picked"):
        choose_cell(*cell)


def choose_cell(true: int, answered: int) -> None:
    """Make it the cell in view, also in the link; only from a widget's callback."""
    st.query_params["cell"] = f"{int(true)}-{int(answered)}"


def _remember_frame(history: History | None) -> None:
    frame = (st.session_state.get("confusion") or {}).get("frame")
    if history is not None and frame is not None and 0 <= frame < len(history):
        st.query_params["step"] = str(int(history.step[int(frame)]))


def ask_for_pictures(seen: Seen) -> None:
    """What a run without its pictures cannot show, and the way to it."""
    own = next((name for name in sources_of(seen.checkpoint) if name == seen.checkpoint.data), None)
    if own:
        st.button(f"Ask it about the test pictures of {SOURCES[own].title}", icon=":material/play_arrow:",
                  type="primary",
                  key="to_pictures", on_click=_choose, args=(own,))
        st.caption("The run kept how often, not which pictures.")
    else:
        st.info("The run kept how often, not which pictures. To see them, choose above a folder or zip of pictures of "
                "the same "
                f"classes{plain(f' (it learned from {seen.checkpoint.data})') if seen.checkpoint.data else ''}.",
                icon=":material/photo_library:")


def _choose(name: str) -> None:
    st.session_state.of = name


def current(seen: Seen) -> str:
    """Which pictures the numbers are of, in words."""
    if seen.history:
        return f"{int(seen.counts.sum()):,} pictures that the run held out, at {words.when(seen.history, seen.frame)}"
    return f"{len(seen.verdicts):,} {seen.choice.split} pictures of {_title(seen.choice.data)}"
