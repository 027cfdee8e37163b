"""The checkpoint that a session looks at: named in the URL, read once, its network shared. Chosen in ui/picker.py.

For pages:
    current_checkpoint()          the Checkpoint chosen in the sidebar; NothingYet when there is none at all
    current_key()                 its content as a short text: the key for a page's own cached functions
    with model_of(checkpoint) as model: ...      the network in evaluation mode, nobody else using it meanwhile
    checkpoint_of(reference), key_of(reference)  any other that is offered, e.g. to compare with
    checkpoint_at(path), key_at(path)            the same for another weights file, e.g. a run's initial one
"""

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st
from torch import nn

from .. import checkpoints, corrections, leavings, pretrained, runs
from ..checkpoints import Checkpoint
from ..problems import Problem
from .page import NothingYet

DEFAULT = "resnet20-cifar10-jpeg"
RUN_PREFIX = "runs/"  # as the command line would name an own run; keeps it apart from a bundled one of the same name
NONE_YET = "There is no trained network here yet: train one, or open a weights file in the sidebar."
FILE_TYPES = ["safetensors", "pt", "pth", "th", "tar", "bin", "ckpt"]
CHOSEN = "checkpoint"  # session key of the picker, and its name in the URL
PATIENCE_S = 0.5  # for a copy of a network that another session uses; one picture's way through it takes less
NEXT = "checkpoint_next"  # session key: chosen by a page, which is drawn after the picker


@dataclass(frozen=True)
class Opened:
    """A weights file that the person opened. Its copy is deleted with the session; read again when evicted."""

    reference: str
    digest: str
    folder: TemporaryDirectory = field(repr=False)

    @property
    def path(self) -> Path:
        return Path(self.folder.name) / self.reference


@dataclass
class Copy:
    """A network, built when it is first needed, with the lock under which it is used."""

    model: nn.Module | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class SharedModel:
    """The copies of a network that all sessions share. Holding the checkpoint keeps its id() from being used again."""

    checkpoint: Checkpoint
    copies: tuple[Copy, Copy] = field(default_factory=lambda: (Copy(), Copy()))

    def take(self) -> Copy:
        """A copy, locked: the first, unless somebody's long work has it."""
        while True:
            for copy in self.copies:
                if copy.lock.acquire(timeout=PATIENCE_S):
                    return copy


# What there is to choose


def references() -> list[str]:
    """All that can be chosen: bundled checkpoints (the default first), the opened file, own runs with weights, weights
    files that lie in the runs folder (the way for those too big for an upload), published weights that are here."""
    bundled = sorted(checkpoints.bundled(), key=lambda name: (name != DEFAULT, name))
    opened = [st.session_state.opened.reference] if "opened" in st.session_state else []
    own = [run_reference(run) for run in runs.list_runs() if checkpoints.best_or_last(run)]
    return bundled + opened + own + _loose_files() + [entry.reference for entry in pretrained.all_cached()]


def run_reference(run: Path) -> str:
    """How the picker and the URL name an own run, or a weights file in the runs folder."""
    return f"{RUN_PREFIX}{run.relative_to(runs.root()).as_posix()}"


def _loose_files() -> list[str]:
    files = sorted(runs.root().iterdir()) if runs.root().is_dir() else []
    return [run_reference(path) for path in files if path.suffix[1:].lower() in FILE_TYPES and path.is_file()]


def choose(reference: str) -> None:
    """Make it the session's checkpoint; only from a widget's callback, before the picker is drawn."""
    st.session_state[CHOSEN] = reference


def choose_now(reference: str) -> None:
    """The same from a page's script, which comes after the picker: it ends here and begins again."""
    st.session_state[NEXT] = reference
    st.rerun()


def current_reference() -> str:
    """The chosen reference; NothingYet when there is nothing to choose."""
    known = references()
    if not known:
        raise NothingYet(NONE_YET, "pages/train/training.py", "Train a network")
    chosen = st.session_state.get(CHOSEN)
    return chosen if chosen in known else known[0]


# What is behind it


def current_checkpoint() -> Checkpoint:
    """The session's checkpoint, read once a server; Problem when there is none, or its file cannot be used."""
    return checkpoint_of(current_reference())


def current_key() -> str:
    """A text that changes exactly when the current checkpoint's content does, also by what was set by hand for it."""
    return key_of(current_reference())


def checkpoint_of(reference: str) -> Checkpoint:
    """The checkpoint behind one of references(); Problem when its file cannot be used."""
    if is_opened(reference):
        opened = st.session_state.opened
        return _read_opened(opened.digest, opened.reference, _corrections_stamp(), opened.path)
    return checkpoint_at(_path(reference))


def key_of(reference: str) -> str:
    """The same text for any of references()."""
    if is_opened(reference):
        return f"{st.session_state.opened.digest}:{_corrections_stamp()}"
    return key_at(_path(reference))


def path_of(reference: str) -> Path:
    """The weights file behind one of references()."""
    return st.session_state.opened.path if is_opened(reference) else _path(reference)


def checkpoint_at(path: Path) -> Checkpoint:
    """The checkpoint in a weights file, read once for all sessions until the file changes."""
    return _read(str(path), key_at(path))


def key_at(path: Path) -> str:
    """A text that changes when the file does: weights files are replaced as a whole, so time and size tell."""
    try:
        about = path.stat()
    except OSError as error:
        raise Problem(f"{path.name} is gone; choose another checkpoint.") from error
    return f"{path}:{about.st_mtime_ns}:{about.st_size}:{_corrections_stamp()}"


def open_file(name: str, data: bytes) -> None:
    """Make a weights file of the person's own the session's checkpoint; Problem where it cannot be used.

    One a session. It is kept on the disk, for what is set by hand later is applied when it is read.
    """
    opened = Opened(name, hashlib.sha256(data).hexdigest(), leavings.keep(name, data))
    _read_opened(opened.digest, opened.reference, _corrections_stamp(), opened.path)
    if "opened" in st.session_state:
        st.session_state.opened.folder.cleanup()
    st.session_state.opened = opened
    choose(name)


@contextmanager
def model_of(checkpoint: Checkpoint):
    """The checkpoint's network, shared by all sessions, under a lock: hooks of two people must not meet.

    There is a second copy for the others while one person's work takes long, like a dream or a search.
    """
    copy = _shared_model(checkpoint).take()
    try:
        if copy.model is None:
            copy.model = checkpoints.model(checkpoint)
        yield copy.model
    finally:
        copy.lock.release()


def is_opened(reference: str) -> bool:
    """Whether it is the file that this session opened, which nobody else has."""
    return "opened" in st.session_state and st.session_state.opened.reference == reference


def _path(reference: str) -> Path:
    if reference.startswith(RUN_PREFIX):
        return checkpoints.find(str(runs.root() / reference.removeprefix(RUN_PREFIX)))
    if (checkpoints.BUNDLED / reference).is_dir():
        return checkpoints.find(str(checkpoints.BUNDLED / reference))
    path = pretrained.folder() / pretrained.PRETRAINED()[reference].file_name
    return _checked(reference, key_at(path))


def _corrections_stamp() -> int:
    """A number that changes when anybody sets something by hand for a file: whole files come and go in that folder."""
    try:
        return corrections.path_of("").parent.stat().st_mtime_ns
    except OSError:
        return 0  # nobody has yet


@st.cache_data(max_entries=32, show_spinner="Checking the weights ...")
def _checked(reference: str, key: str) -> Path:
    return pretrained.fetch(reference)


@st.cache_resource(max_entries=8, show_spinner="Reading the weights ...")
def _read(path: str, key: str) -> Checkpoint:
    return checkpoints.read(Path(path))


@st.cache_resource(max_entries=4, show_spinner="Reading the weights ...")
def _read_opened(digest: str, name: str, corrections_stamp: int, _path: Path) -> Checkpoint:
    return checkpoints.read(_path)


@st.cache_resource(max_entries=4, show_spinner="Building the network ...", hash_funcs={Checkpoint: id})
def _shared_model(checkpoint: Checkpoint) -> SharedModel:
    shared = SharedModel(checkpoint)
    shared.copies[0].model = checkpoints.model(checkpoint)
    return shared
