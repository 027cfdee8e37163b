"""On whom is operated, and which pictures say what it did: the checkpoint in view, its twin, labelled pictures or none."""

from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st
import torch
from torch import Tensor

from .. import checkpoints, runs
from ..analysis import channels, errors, surgery, surgery_twins
from ..analysis.errors import class_names
from ..checkpoints import Checkpoint
from ..data import downloads, examples, sources
from ..data.place import existing
from ..data.sources import SOURCES
from ..problems import Problem
from . import state
from .measurement import ZIP, keep_zip, path_of
from .page import plain

STAND_IN = "resnet20-stem7-shapes"  # the bundled network whose pictures are made here
PHOTOGRAPHS = "photographs"
LIMIT, LIMIT_OF_LARGE = 1_000, 100  # pictures; of networks that read more than SMALL pixels a side
SMALL = 96
ALONE = "none"


@dataclass(frozen=True)
class Patient:
    """A network and the pictures it is asked about, as it gets them; labels int64 [N, heads], or None. `key` says all
    of it by content."""

    name: str
    key: str
    checkpoint: Checkpoint
    images: Tensor = field(repr=False)
    labels: Tensor | None = field(repr=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """Of the first head."""
        return class_names(self.checkpoint, 0)


@dataclass(frozen=True)
class Case:
    """The network in view, the twin beside it or None, the names of the blocks, and what the pictures are called."""

    first: Patient
    twin: Patient | None
    blocks: tuple[str, ...]
    pictures: str

    @property
    def patients(self) -> tuple[Patient, ...]:
        return (self.first,) if self.twin is None else (self.first, self.twin)

    @property
    def labelled(self) -> bool:
        return self.first.labels is not None


def choose_case() -> Case:
    """The two boxes at the beginning of the row of controls; what is chosen there, read."""
    mine = state.current_reference()
    checkpoint = state.current_checkpoint()
    data = _pictures_box(checkpoint, mine)
    reference, data = (STAND_IN, "shapes") if data == STAND_IN else (mine, data)
    twin = _twin_box(reference)
    with st.popover("More", icon=":material/tune:"):
        first = LIMIT if checkpoint.preprocessing.size <= SMALL else LIMIT_OF_LARGE
        limit = int(st.number_input("At most, pictures", 10, 100_000, first, 100, key="most", bind="query-params"))
        st.file_uploader("A zip with one folder of pictures for each class", ["zip"], key="surgery_upload",
                         on_change=keep_zip, args=("surgery_upload", "surgery_data"))
    patient = _patient(reference, data, limit)
    return Case(patient, _patient(twin, data, limit) if twin else None, _blocks(patient.key, patient.checkpoint),
                _called(data, len(patient.images)))


def _offered(checkpoint: Checkpoint, reference: str) -> list[str]:
    """Data that are here, the likeliest first: the dropped zip, what it learned from, then what does without labels."""
    own = [st.session_state[ZIP][0]] if ZIP in st.session_state else []
    here = [name for name, source in SOURCES.items()
            if source.heads == checkpoint.heads and (not source.needs_download or downloads.is_here(name))]
    learned = [name for name in here if checkpoint.data and (checkpoint.data == name or checkpoint.data.startswith(SOURCES[name].title))]
    perhaps = here if checkpoint.data is None else []
    stand_in = [STAND_IN] if reference != STAND_IN and (checkpoints.BUNDLED / STAND_IN).is_dir() else []
    if reference in checkpoints.bundled():
        return own + learned + stand_in + [PHOTOGRAPHS]
    return own + learned + [PHOTOGRAPHS] + perhaps + stand_in  # no other network stands in for the person's own unasked


def _pictures_box(checkpoint: Checkpoint, reference: str) -> str:
    titles = {PHOTOGRAPHS: "Photographs, cut into squares", STAND_IN: f"Shapes, asked of {STAND_IN}"}
    titles |= {name: source.title for name, source in SOURCES.items()}
    offered = _offered(checkpoint, reference)
    chosen = st.selectbox("Pictures", offered, 0, format_func=lambda name: titles.get(name, name), accept_new_options=True,
                          key="surgery_data", bind="query-params", width=300,
                          help="Or type the path of a folder or zip with one folder of pictures for each class, in test/, val/ or train/")
    return chosen or offered[0]


def _called(data: str, count: int) -> str:
    """The pictures in words that follow their number."""
    if data == PHOTOGRAPHS:
        return f"{count:,} squares cut from the example photographs"
    return f"{count:,} pictures of {SOURCES[data].title if data in SOURCES else plain(Path(data).name)}"


def about(case: Case) -> str | None:
    """What has to be said of the choice: another network than the one in view, or answers that nobody can mark."""
    mine, learned = state.current_checkpoint(), state.current_checkpoint().data
    lacking = plain(f"The pictures that {mine.name} learned from ({learned}) are not on this machine." if learned else
                    f"{mine.name} does not say what it learned from.")
    if case.first.name == STAND_IN != state.current_reference():
        return (f"{lacking} So this is **{STAND_IN}**, whose pictures are made here: its accuracy can be measured. "
                f"For {plain(mine.name)} itself choose Photographs, or a folder or zip with its classes.")
    if not case.labelled:
        return ("Nobody has said what is on these squares, so what is counted is **answers kept**: how often the network "
                f"still says what it said when it was whole. {lacking} With a folder or zip it is accuracy.")
    return None


# The twin


def _twin_box(reference: str) -> str | None:
    offered = _twins(reference)
    chosen = st.selectbox("Beside it", [*offered, ALONE], 0, key="beside", bind="query-params", width=240,
                          format_func=lambda name: "no twin" if name == ALONE else name,
                          help="A network with the same blocks, one with shortcuts and one without, that learned from the same pictures")
    return None if chosen == ALONE else chosen


def _twins(reference: str) -> list[str]:
    """Bundled and own runs with the same blocks, of which exactly one has shortcuts; the one trained most alike first."""
    checkpoint = state.checkpoint_of(reference)
    mine, found = surgery_twins.spec_of(checkpoint.network, checkpoint.arguments), {}
    for other in state.references():
        folder = runs.root() / other.removeprefix(state.RUN_PREFIX) if other.startswith(state.RUN_PREFIX) else checkpoints.BUNDLED / other
        config = runs.read_config(folder)
        if config and config.get("data") == checkpoint.data and "network" in config:
            try:
                spec = surgery_twins.spec_of(config["network"], config.get("arguments", {}))
            except Problem:
                continue  # a config that somebody wrote by hand
            if surgery_twins.are_twins(mine, spec):
                found[other] = config
    return surgery_twins.closest_first(runs.read_config(checkpoint.run) if checkpoint.run else None, found)


def apart(case: Case) -> list[str]:
    """What else the two networks differ in, besides their shortcuts."""
    if case.twin is None:
        return []
    return surgery_twins.trained_apart(*(runs.read_config(p.checkpoint.run) if p.checkpoint.run else None for p in case.patients))


# The pictures


def _patient(reference: str, data: str, limit: int) -> Patient:
    checkpoint, path = state.checkpoint_of(reference), data if data == PHOTOGRAPHS else path_of(data)
    key = f"{state.key_of(reference)}|{path}|{_stamp(path)}|{limit}"
    return _read(key, reference, data, path, limit, checkpoint)


def _stamp(path: str) -> str:
    place = existing(path)
    if path in SOURCES or path == PHOTOGRAPHS or place is None:
        return ""
    about = place.stat()
    return f"{about.st_mtime_ns}:{about.st_size}"


@st.cache_resource(max_entries=6, show_spinner="Reading the pictures ...")
def _read(key: str, name: str, data: str, path: str, limit: int, _checkpoint: Checkpoint) -> Patient:
    limit = min(limit, errors.most_pictures(_checkpoint.preprocessing))
    if data == PHOTOGRAPHS:
        return Patient(name, key, _checkpoint, _squares(_checkpoint)[:limit], None)
    exam = errors.exam(_checkpoint, path, "test", limit)
    return Patient(name, key, _checkpoint, exam.images, exam.labels)


def _squares(checkpoint: Checkpoint) -> Tensor:
    """The example photographs in squares of the network's size and channels, shuffled: uint8 [N, C, size, size]."""
    recipe = checkpoint.preprocessing
    images = torch.cat([channels.squares(examples.read(example), recipe.size) for example in examples.examples()])
    images = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]
    pictures = sources.Pictures(images, torch.zeros(len(images), 1, dtype=torch.long), (), (), PHOTOGRAPHS)
    return sources.fit(pictures, recipe.channels, recipe.size).images


@st.cache_data(max_entries=32, show_spinner=False)
def _blocks(key: str, _checkpoint: Checkpoint) -> tuple[str, ...]:
    with state.model_of(_checkpoint) as model:
        return tuple(surgery.blocks(model))


@st.cache_data(max_entries=32, show_spinner=False)
def ways(key: str, _checkpoint: Checkpoint) -> dict[str, str]:
    """What is left of each block that is switched off."""
    with state.model_of(_checkpoint) as model:
        return {block: surgery.way_around(model, block) for block in surgery.blocks(model)}
