"""The sidebar: choose a checkpoint or open a file, and two lines on what it is. The rest is on the checkpoint page."""

import streamlit as st

from ..checkpoints import Checkpoint, NotRecognised
from ..problems import Problem, printable
from . import dropped, networks, state
from .page import plain
from .state import CHOSEN, NEXT

CARD = "pages/inspect/checkpoint.py"  # the page that says all of a checkpoint


def checkpoint_picker() -> None:
    """Choose a checkpoint, or open a file; a file that cannot be used leaves the old choice as it was."""
    if NEXT in st.session_state:
        _chosen(st.session_state.pop(NEXT))
    known = state.references()
    linked = st.query_params.get(CHOSEN)
    if linked and linked not in known and st.session_state.get(CHOSEN) not in known:  # not when a second file came
        instead = f" You see {known[0]} instead." if known else ""
        st.warning(
            plain(
                f"The link asks for the checkpoint {linked!r}, which is not here.{instead} (An opened file is "
                "forgotten when the page is reloaded.)"
            )
        )
    if known:
        _select(known, linked)
    with st.popover("Open a file", icon=":material/folder_open:", width="stretch"):
        _drop_zone()
    _describe()


def _select(known: list[str], linked: str | None) -> None:
    """The choice, also in the URL. A value that is the widget's default leaves the URL, hence a default of None."""
    if st.session_state.get(CHOSEN, linked) not in known:  # a first visit, or the chosen one was deleted
        if CHOSEN not in st.session_state:
            st.query_params[CHOSEN] = known[0]  # only before the widget is bound to it
        st.session_state[CHOSEN] = known[0]
    st.selectbox(
        "Checkpoint",
        known,
        index=None,
        placeholder=known[0],  # after going back to an address that names none
        key=CHOSEN,
        bind="query-params",
        on_change=lambda: _chosen(st.session_state[CHOSEN]),
    )


def _chosen(reference: str) -> None:
    """What else changes with the choice: an older failure is forgotten, and the architecture page shows this one."""
    st.session_state.pop("open_problem", None)
    st.session_state.pop("open_diagnosis", None)
    st.session_state.network = networks.CURRENT
    state.choose(reference)


def _drop_zone() -> None:
    number = st.session_state.setdefault("opened_number", 0)
    st.file_uploader(
        "Weights of a ResNet",
        state.FILE_TYPES,
        key=f"open_{number}",
        on_change=open_dropped,
        args=(f"open_{number}",),
        help="safetensors, or a state_dict saved by torch.save. It stays in this session and nothing in it is run.",
    )
    if "open_problem" in st.session_state:
        st.error(plain(st.session_state.open_problem))
        if st.session_state.open_diagnosis:
            st.page_link(CARD, label="What was found in it", icon=":material/troubleshoot:")


def open_dropped(key: str) -> None:
    """Read the file that was just dropped, and empty the drop zone, which would keep its bytes.

    What failed stays in the session: `open_problem`, one sentence, and `open_diagnosis`, which is None for a file that
    does not even open.
    """
    upload = st.session_state[key]
    if upload is None:
        return
    name = file_name(upload.name)
    st.session_state.opened_number += 1
    try:
        state.open_file(name, upload.getvalue())
        _chosen(name)
    except Problem as problem:
        st.session_state.open_problem = str(problem)
        st.session_state.open_diagnosis = problem.diagnosis if isinstance(problem, NotRecognised) else None
    finally:
        dropped.let_go(upload)


def file_name(sent: str) -> str:
    """What a browser calls a file, as a name in a folder here: without a way anywhere, short, and such as can be shown."""
    return printable(sent.replace("\\", "/").rpartition("/")[2]).strip(". ")[-120:] or "weights"


def _describe() -> None:
    """What the chosen checkpoint is, in two lines under the picker, and the way to what else is to be known of it."""
    try:
        checkpoint = state.current_checkpoint()
    except Problem as problem:
        st.caption(plain(str(problem)))
        return
    st.caption("  \n".join(plain(line) for line in summary(checkpoint)))
    if state.is_opened(state.current_reference()):
        st.caption("This file stays in this session: a link to the page cannot carry it.")
    counts = {"warning": len(checkpoint.warnings), "assumption": len(checkpoint.assumed)}
    if said := [f"{n} {word}{'s' * (n > 1)}" for word, n in counts.items() if n]:
        icon = ":material/warning:" if checkpoint.warnings else ":material/info:"
        st.page_link(CARD, label=", ".join(said), icon=icon)


def summary(checkpoint: Checkpoint) -> list[str]:
    """One or two short lines: network and classes; what it learned from and how well, as far as the file tells."""
    heads = " + ".join(f"{n:,}" for n in checkpoint.heads)
    lines = [f"{checkpoint.network}, {heads} classes"]
    accuracies = [
        f"{100 * checkpoint.metrics[f'{split}_accuracy']:.1f} % {split} accuracy"
        for split in ("test", "val")
        if f"{split}_accuracy" in checkpoint.metrics
    ]
    if checkpoint.data and accuracies:
        lines.append(f"{checkpoint.data}, {accuracies[0]}")
    elif checkpoint.data:
        epochs = f" for {checkpoint.epoch:,} epoch{'s' * (checkpoint.epoch > 1)}" if checkpoint.epoch else ""
        lines.append(f"trained on {checkpoint.data}{epochs}")
    return lines
