"""Data sets by their classes: the mean picture of each, the pictures of one, and the numbers that standardise them."""

from dataclasses import replace

import numpy as np
import streamlit as st

from ..analysis import data_questions, data_set_words
from ..analysis import data_sets as analysis
from ..analysis.data_sets import Summary
from ..data import downloads, sources
from ..data.place import existing
from ..data.sources import SOURCES, Pictures
from ..drawing import tiles
from ..problems import Problem
from . import access, questions, walls
from .page import download_table, plain, under_picture
from .walls import Wall

EVERY = "all"
AVERAGED = (1, 2, 5, 10, 50, EVERY)
MOST_CLASSES = 200  # of which mean pictures are drawn
DIGITS = st.column_config.NumberColumn(format="%.4f")


def browse() -> None:
    """The part "Data sets"."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        which = st.selectbox("Data", list(_here()), key="data", bind="query-params", width=190, format_func=_here().get)
        path = st.text_input("or your own", key="data_path", bind="query-params", width=260, placeholder="folder or zip",
                             max_chars=500, help="A path on this server: one folder a class, in train/, test/ or val/; "
                             "CIFAR-10 as JPEG in a zip, too")
        split = st.segmented_control("Split", ("train", "test"), default="train", required=True, key="data_split",
                                     bind="query-params")
        averaged = st.select_slider("Averaged", AVERAGED, EVERY, key="averaged", bind="query-params", width=200,
                                    help="Pictures of each class in its mean picture")
    if path.strip():
        access.check_may_read(which := path.strip())
    pictures = _loaded(which, split, _stamp(which))
    head = _head(pictures)
    found = _summary(which, split, _stamp(which), head, pictures)
    if len(found.classes) > MOST_CLASSES:
        raise Problem(f"{found.name} has {len(found.classes):,} classes, and {MOST_CLASSES} mean pictures fit here; choose a smaller part of it.")
    finding = data_set_words.finding(found)
    st.markdown(finding)
    class_ = _mean_wall(found, pictures, head, None if averaged == EVERY else averaged)
    _pictures_of(found, pictures, head, class_)
    under_picture(
        "view",
        story=lambda: st.markdown("\n".join(f"- {line}" for line in _story(found, pictures))),
        formula=lambda: _formula(found),
        code=lambda: st.code(data_set_words.code(which, split)),
        numbers=lambda: _numbers(pictures, head, finding),
        questions=lambda: questions.ask("data", data_questions.of_data(found)),
    )


def _story(found: Summary, pictures: Pictures) -> list[str]:
    return data_set_words.story(replace(found, name=plain(found.name)), tuple(map(plain, pictures.notes)))


def _here() -> dict[str, str]:
    """Data sets that are made here or already downloaded, by name, with their titles; the quickest first."""
    names = ["digits", *(name for name in SOURCES if name != "digits")]
    return {name: SOURCES[name].title for name in names if not SOURCES[name].needs_download or downloads.is_here(name)}


@st.cache_resource(max_entries=3, show_spinner="Reading the pictures ...")
def _loaded(which: str, split: str, stamp: int) -> Pictures:
    return sources.load(which, split)


@st.cache_data(max_entries=12, show_spinner=False)
def _summary(which: str, split: str, stamp: int, head: int, _pictures: Pictures) -> Summary:
    return analysis.summary(_pictures, head)


def _stamp(which: str) -> int:
    path = existing(which)
    return path.stat().st_mtime_ns if which not in SOURCES and path else 0


def _head(pictures: Pictures) -> int:
    """Which of several labels the classes are of."""
    if len(pictures.heads) == 1:
        return 0
    options = range(len(pictures.heads))
    return st.segmented_control("Label", options, default=len(pictures.heads) - 1, required=True, key=f"label-of-{len(pictures.heads)}",
                                bind="query-params", format_func=lambda head: f"label {head + 1}: {pictures.heads[head]} classes")


def _mean_wall(found: Summary, pictures: Pictures, head: int, most: int | None) -> int:
    labels, names = analysis.of_head(pictures, head)
    means = _rgb(analysis.mean_pictures(pictures.images, labels, len(names), most))
    told = "all their pictures" if most is None else f"{most} picture{'s' * (most > 1)}"
    wall = Wall(f"The mean of {told}, class by class", means, f"Mean pictures of {len(names)} classes of {found.name}: {data_set_words.sharp(means)}")
    few = len(names) <= 10
    return walls.pick("data-classes", [wall], range(len(names)), names, label="Classes", first=0, in_url="class",
                      columns=5 if few else None, most=700 if few else None)


def _pictures_of(found: Summary, pictures: Pictures, head: int, class_: int) -> None:
    labels, names = analysis.of_head(pictures, head)
    shown = _rgb(analysis.of_class(pictures.images, labels, class_))
    count = found.counts[class_]
    st.markdown(f"**{plain(names[class_])}**: {len(shown):,} of {count:,} pictures")
    if len(shown):
        seen = np.concatenate([shown, np.full((*shown.shape[:3], 1), 255, np.uint8)], 3)
        walls.show(tiles.compose(seen, 12, 900), f"{len(shown)} pictures of the class {names[class_]}", width="content")


def _rgb(pictures: np.ndarray) -> np.ndarray:
    return pictures.repeat(3, axis=3) if pictures.shape[3] == 1 else pictures


def _formula(found: Summary) -> None:
    for line in data_set_words.formulas(found):
        st.latex(line)


def _numbers(pictures: Pictures, head: int, finding: str) -> None:
    columns = {name: DIGITS for name in ("mean", "std")}
    download_table(analysis.by_class(pictures, head), "classes.csv", columns, finding)
    rows = analysis.samples(pictures.images, (1, 10, 100, 1_000, 10_000))
    st.markdown("**Of a sample**: what ever more pictures, drawn by chance, say of all")
    st.dataframe(rows, hide_index=True, column_config={name: DIGITS for name in rows[0] if name != "pictures"},
                 alt="Mean and standard deviation of samples come near those of all pictures as the samples grow")
