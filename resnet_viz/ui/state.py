"""The checkpoint that a session looks at: chosen in the sidebar, named in the URL, read once, its network shared.

For pages:
    current_checkpoint()          the Checkpoint chosen in the sidebar; Problem when there is none at all
    current_key()                 its content as a short text: the key for a page's own cached functions
    with model_of(checkpoint) as model: ...      the network in evaluation mode, nobody else using it meanwhile
    checkpoint_at(path), key_at(path)            the same for another weights file, e.g. a run's initial one
"""

import hashlib
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from torch import nn

from .. import checkpoints, runs
from ..checkpoints import Checkpoint
from ..networks import zoo
from ..problems import Problem
from .page import plain

DEFAULT = "resnet20-cifar10-jpeg"
RUN_PREFIX = "runs/"  # as the command line would name an own run; keeps it apart from a bundled one of the same name
NONE_YET = (
    "There is no trained network here yet: train one on the Training page, or open a weights file in the sidebar."
)
FILE_TYPES = ["safetensors", "pt", "pth", "th", "tar"]
CHOSEN = "checkpoint"  # session key of the picker, and its name in the URL


@dataclass(frozen=True)
class Opened:
    """A weights file that the person opened; it lives as long as the session."""

    reference: str
    checkpoint: Checkpoint
    key: str


@dataclass(frozen=True)
class SharedModel:
    """A network with the lock under which it is used. Holding the checkpoint keeps its id() from being used again."""

    checkpoint: Checkpoint
    model: nn.Module
    lock: threading.Lock


# What there is to choose


def references() -> list[str]:
    """All that can be chosen: bundled checkpoints (the default first), the opened file, own runs with weights."""
    bundled = sorted(checkpoints.bundled(), key=lambda name: (name != DEFAULT, name))
    opened = [st.session_state.opened.reference] if "opened" in st.session_state else []
    return bundled + opened + [run_reference(run) for run in runs.list_runs() if checkpoints.best_or_last(run)]


def run_reference(run: Path) -> str:
    """How the picker and the URL name an own run."""
    return f"{RUN_PREFIX}{run.name}"


def choose(reference: str) -> None:
    """Make it the session's checkpoint; only from a widget's callback, before the picker is drawn."""
    st.session_state[CHOSEN] = reference


def current_reference() -> str:
    """The chosen reference; Problem when there is nothing to choose."""
    known = references()
    if not known:
        raise Problem(NONE_YET)
    chosen = st.session_state.get(CHOSEN)
    return chosen if chosen in known else known[0]


# What is behind it


def current_checkpoint() -> Checkpoint:
    """The session's checkpoint, read once a server; Problem when there is none, or its file cannot be used."""
    reference = current_reference()
    if _is_opened(reference):
        return st.session_state.opened.checkpoint
    return checkpoint_at(_path(reference))


def current_key() -> str:
    """A text that changes exactly when the current checkpoint's content does."""
    reference = current_reference()
    return st.session_state.opened.key if _is_opened(reference) else key_at(_path(reference))


def checkpoint_at(path: Path) -> Checkpoint:
    """The checkpoint in a weights file, read once for all sessions until the file changes."""
    return _read(str(path), key_at(path))


def key_at(path: Path) -> str:
    """A text that changes when the file does: weights files are replaced as a whole, so time and size tell."""
    try:
        about = path.stat()
    except OSError as error:
        raise Problem(f"{path.name} is gone; choose another checkpoint.") from error
    return f"{path}:{about.st_mtime_ns}:{about.st_size}"


@contextmanager
def model_of(checkpoint: Checkpoint):
    """The checkpoint's network, shared by all sessions, under its lock: hooks of two people must not meet."""
    shared = _shared_model(checkpoint)
    with shared.lock:
        yield shared.model


def _is_opened(reference: str) -> bool:
    return "opened" in st.session_state and st.session_state.opened.reference == reference


def _path(reference: str) -> Path:
    if reference.startswith(RUN_PREFIX):
        return checkpoints.find(str(runs.root() / reference.removeprefix(RUN_PREFIX)))
    return checkpoints.find(str(checkpoints.BUNDLED / reference))


@st.cache_resource(max_entries=8, show_spinner="Reading the weights ...")
def _read(path: str, key: str) -> Checkpoint:
    return checkpoints.read(Path(path))


@st.cache_resource(max_entries=4, show_spinner="Reading the weights ...")
def _read_upload(digest: str, name: str, _data: bytes) -> Checkpoint:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(_data)
        return checkpoints.read(path)


@st.cache_resource(max_entries=4, show_spinner="Building the network ...", hash_funcs={Checkpoint: id})
def _shared_model(checkpoint: Checkpoint) -> SharedModel:
    return SharedModel(checkpoint, checkpoints.model(checkpoint), threading.Lock())


# The sidebar


def checkpoint_picker() -> None:
    """Choose a checkpoint, or open a file; a file that cannot be used leaves the old choice as it was."""
    known = references()
    linked = st.query_params.get(CHOSEN)
    if linked and linked not in known:
        instead = f" You see {known[0]} instead." if known else ""
        st.warning(
            plain(
                f"The link asks for the checkpoint {linked!r}, which is not here.{instead} (An opened file is "
                "forgotten when the page is reloaded.)"
            )
        )
    if known:
        if st.session_state.get(CHOSEN) not in known:
            st.session_state.pop(CHOSEN, None)  # its run was deleted
        st.selectbox("Checkpoint", known, key=CHOSEN, bind="query-params")
    with st.popover("Open a file", icon=":material/folder_open:", width="stretch"):
        number = st.session_state.setdefault("opened_number", 0)
        st.file_uploader(
            "Weights of a ResNet",
            FILE_TYPES,
            key=f"open_{number}",
            on_change=_open,
            args=(f"open_{number}",),
            help="safetensors, or a state_dict saved by torch.save. It stays in this session and nothing in it is run.",
        )
        if "open_problem" in st.session_state:
            st.error(plain(st.session_state.open_problem))
    _describe()


def _open(key: str) -> None:
    """Read the file that was just dropped, and empty the drop zone, which would keep its bytes."""
    upload = st.session_state[key]
    if upload is None:
        return
    name, data = Path(upload.name).name, upload.getvalue()
    st.session_state.opened_number += 1
    try:
        digest = hashlib.sha256(data).hexdigest()
        st.session_state.opened = Opened(name, _read_upload(digest, name, data), digest)
        st.session_state.pop("open_problem", None)
        choose(name)
    except Problem as problem:
        st.session_state.open_problem = str(problem)


def _describe() -> None:
    """What the chosen checkpoint is, in two lines under the picker."""
    try:
        checkpoint = current_checkpoint()
    except Problem as problem:
        st.caption(plain(str(problem)))
        return
    st.caption(plain(summary(checkpoint)))
    for note in checkpoint.notes:
        st.caption(plain(note))


def summary(checkpoint: Checkpoint) -> str:
    """One sentence: network, classes, and what it was trained on with which result, as far as the file tells."""
    heads = " + ".join(f"{n:,}" for n in checkpoint.heads)
    parts = [f"{checkpoint.network}, {heads} classes"]
    if checkpoint.data:
        parts.append(
            f"trained on {checkpoint.data}"
            + (f" for {checkpoint.epoch:,} epoch{'s' * (checkpoint.epoch > 1)}" if checkpoint.epoch else "")
        )
    for split in ("test", "val"):
        if f"{split}_accuracy" in checkpoint.metrics:
            parts.append(f"{100 * checkpoint.metrics[f'{split}_accuracy']:.1f} % {split} accuracy")
            break
    return "; ".join(parts) + "."
