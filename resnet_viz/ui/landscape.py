"""The lesson on the loss's landscape: which surfaces are shown and how, what they say, and one's own being computed."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from ..analysis import landscape, landscape_file, landscape_process, landscape_questions, landscape_words
from ..analysis.landscape import Landscape
from ..drawing import landscape as drawing
from ..problems import Problem
from . import landscape_own, questions
from .component import component
from .page import NothingYet, download_table, problems, under_picture

SHIPPED = {  # name on the screen -> files that come with the project
    "56 layers": ("plain56-cifar10-jpeg", "resnet56-cifar10-jpeg"),
    "20 layers": ("plain20-cifar10-jpeg", "resnet20-short-cifar10-jpeg"),
    "A training path": ("resnet8-shapes-path",),
}
OWN = "Your own"
SEEN = {"surface": "surface", "from above": "above"}
CUTS = (2, 3, 5, 10, 30, 100, 1_000, 100_000)
LIVE_S = 2.0  # the command writes as often
_component = component("landscape")


@dataclass(frozen=True)
class View:
    """How surfaces are drawn."""

    seen: str
    log: bool
    cut: float


def lesson() -> None:
    """One row of controls, the chosen surfaces, and what is said of them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        of = st.segmented_control(
            "Landscape",
            [*SHIPPED, OWN],
            default="56 layers",
            required=True,
            key="of",
            bind="query-params",
            label_visibility="collapsed",
        )
        view = _choose_view()
        if of == OWN:
            landscape_own.order()
    if of != OWN:
        _draw([_read(landscape_process.SHIPPED / f"{name}.npz") for name in SHIPPED[of]], view)
        return
    name, live = landscape_own.choose(), landscape_own.somebody_works()  # then it is looked at again and again
    st.fragment(_own, run_every=LIVE_S if live else None)(name, view, live)


def _choose_view() -> View:
    seen = SEEN[
        st.segmented_control(
            "Seen",
            list(SEEN),
            default="surface",
            required=True,
            key="seen",
            bind="query-params",
            label_visibility="collapsed",
        )
    ]
    with st.popover("More", icon=":material/tune:"):
        log = st.toggle(
            "Logarithmic height",
            True,
            key="log",
            bind="query-params",
            help="Losses here differ by factors of thousands",
        )
        cut = st.select_slider(
            "Cut off at a loss of",
            CUTS,
            100,
            key="cut",
            bind="query-params",
            help="What is higher is drawn at this height",
        )
    return View(seen, log, float(cut))


def _own(name: str, view: View, live: bool) -> None:
    if live and not landscape_own.somebody_works():
        st.rerun()  # the clock stops with the work
    with problems():
        job = landscape_own.current(name)
        landscape_own.progress(job, _read(job.file) if job.file.exists() else None)
        if not job.file.exists():
            if job.going:
                raise NothingYet("The pictures are being read; wait a moment.")
            raise Problem(f"It could not be computed ({job.said or 'its process has ended'}); start it again.")
        _draw([_read(job.file)], view)


def _read(file: Path) -> Landscape:
    """Read once for all sessions until it changes."""
    return _of_file(str(file), file.stat().st_mtime_ns if file.exists() else 0)


@st.cache_data(max_entries=32, show_spinner=False)
def _of_file(file: str, changed: int) -> Landscape:
    return landscape_file.read(Path(file))


def described(found: list[Landscape], view: View) -> dict:
    """What landscape.js reads."""
    panels = []
    for one in found:
        path = one.path and {"x": one.path.x, "y": one.path.y, "labels": landscape_words.path_labels(one)}
        panels.append(
            drawing.panel(
                landscape_words.title(one),
                landscape_words.alt(one),
                one.x,
                one.y,
                one.loss,
                one.accuracy,
                one.done,
                path,
            )
        )
    return drawing.scene(
        panels,
        view.seen,
        view.log,
        view.cut,
        landscape_words.NAMES[found[0].recipe["plane"]],
        (landscape.guessing(found[0]), "guessing"),
    )


def _draw(found: list[Landscape], view: View) -> None:
    if not all(one.done[one.middle] for one in found):
        raise NothingYet("The first points are on their way; wait a moment.")
    _component(key="landscape", data=described(found, view), height="content")
    st.caption(landscape_words.source(found))
    under_picture(
        "view",
        story=lambda: st.markdown("\n".join(f"- {line}" for line in landscape_words.story(found))),
        formula=lambda: [st.latex(line) for line in landscape_words.formulas(found[0])],
        code=lambda: st.code(landscape_words.code(found[0])),
        numbers=lambda: download_table(
            landscape_words.rows(found), "landscape.csv", alt=" ".join(map(landscape_words.alt, found))
        ),
        questions=lambda: questions.ask("landscape", landscape_questions.makers(found)),
    )
