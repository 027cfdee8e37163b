"""The pictures that channels are asked about: a data set, a folder or zip, or squares of the example photographs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from ..analysis import channels
from ..checkpoints import Checkpoint
from ..data import downloads, examples, sources
from ..data.place import existing
from ..data.preprocessing import Preprocessing
from ..data.splits import some_of_each
from . import measurement

PHOTOGRAPHS = "photographs"
LIMIT = 2_000  # pictures before anybody asks for more
MOST = 20_000


@dataclass(frozen=True)
class Collection:
    """images uint8 [N, C, side, side], side at most the network's; labels int64 [N]; key: their content as a text."""

    images: Tensor
    labels: np.ndarray
    classes: tuple[str, ...]
    title: str
    key: str


def choose(checkpoint: Checkpoint) -> str:
    """The box with all that is here; a path may be typed. The data set that the network learned from comes first."""
    own = [st.session_state[measurement.ZIP][0]] if measurement.ZIP in st.session_state else []
    here = [name for name, source in sources.SOURCES.items() if not source.needs_download or downloads.is_here(name)]
    offered = [*own, *sorted(here, key=lambda name: name != checkpoint.data), PHOTOGRAPHS]
    first = checkpoint.data if checkpoint.data in here else PHOTOGRAPHS
    return st.selectbox("Pictures", offered, offered.index(first), format_func=title_of, accept_new_options=True,
                        key="among", bind="query-params",
                        help="Test pictures of a data set, squares of the example photographs, or the path of a folder or "
                             "zip with one folder a class")


def title_of(name: str) -> str:
    if name == PHOTOGRAPHS:
        return "Example photographs"
    return sources.SOURCES[name].title if name in sources.SOURCES else name


def collection(name: str, limit: int, preprocessing: Preprocessing) -> Collection:
    """At most `limit` pictures, a draw with every class in its share, brought to the network's channels."""
    path = name if name == PHOTOGRAPHS else measurement.path_of(name)
    return _read(path, _stamp(path), limit, preprocessing)


def _stamp(path: str) -> int:
    """A number that changes when a folder or zip does, or one of its classes' folders."""
    if path == PHOTOGRAPHS or path in sources.SOURCES or (top := existing(path)) is None:
        return 0
    inside = [*top.glob("*/"), *top.glob("*/*/")] if top.is_dir() else []
    return max(one.stat().st_mtime_ns for one in [top, *inside])


@st.cache_resource(max_entries=2, show_spinner="Reading the pictures ...")
def _read(path: str, stamp: int, limit: int, preprocessing: Preprocessing) -> Collection:
    size = preprocessing.size
    if path == PHOTOGRAPHS:
        found = _photographs(size)
    else:
        found = sources.load(path, "test", size=None if path in sources.SOURCES else size)
    chosen = some_of_each(found.labels[:, 0], min(limit, len(found.labels)))
    found = sources.Pictures(found.images[chosen], found.labels[chosen], found.classes, found.heads, found.name)
    images = sources.fit(found, preprocessing.channels, min(size, *found.images.shape[2:])).images.contiguous()
    labels = found.labels[:, 0].numpy()
    key = hashlib.sha256(images.numpy()).hexdigest() + hashlib.sha256(labels.tobytes()).hexdigest()[:16]
    return Collection(images, labels, found.classes, title_of(path if path in sources.SOURCES else Path(path).name), key)


def _photographs(size: int) -> sources.Pictures:
    """Squares of each photograph; it is their class."""
    shown = [example for example in examples.examples() if example.path]
    cut = [channels.squares(examples.read(example), size) for example in shown]
    labels = torch.repeat_interleave(torch.arange(len(cut)), torch.tensor([len(part) for part in cut]))
    return sources.Pictures(torch.cat(cut), labels[:, None], tuple(example.title for example in shown), (len(cut),), PHOTOGRAPHS)
