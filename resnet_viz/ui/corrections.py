"""Set by hand: what a person knows of a foreign weights file and the file does not tell."""

import streamlit as st

from .. import corrections
from ..checkpoints import Checkpoint, corrected
from ..corrections import Correction
from ..data.preprocessing import MAX_SIZE, NORMALISATIONS
from ..problems import Problem
from .page import plain

KEY = "by_hand_{}".format
LABELS = {"variant": "Stride of the bottlenecks", "shortcut": "Where the shape changes", "activation": "Activation"}
VALUES = {"v1.5": "v1.5: on the 3x3", "v1": "v1: on the first 1x1", "A": "shortcut A: zeros",
          "None": "no shortcuts: plain"}
LEFT_OPEN = "as assumed"
PROBLEM = KEY("problem")


def popover(checkpoint: Checkpoint) -> None:
    """A button with the form behind it; only for a foreign file, whose digest is the key of what is set."""
    known = corrections.recall(checkpoint.digest)
    title = "Set by hand" if known is None else "Set by hand: change or forget"
    with st.popover(title, icon=":material/edit:", key=KEY("popover")):
        st.caption("What you leave empty stays as assumed. It is remembered for this file, whatever its name.")
        with st.form(KEY("form"), border=False):
            keys = _fields(checkpoint, known or Correction())
            st.form_submit_button("Save", type="primary", on_click=_save, args=(checkpoint, keys))
        if known is not None:
            st.button("Forget", icon=":material/undo:", on_click=_forget, args=(checkpoint.digest,),
                      help="Back to what was assumed")
        if problem := st.session_state.pop(PROBLEM, None):
            st.error(plain(problem), icon=":material/error:")


def _fields(checkpoint: Checkpoint, known: Correction) -> dict[str, str]:
    """The fields, filled with what is known; returns their session keys, which belong to this file alone."""
    names = ("normalisation", "size", "names", "file", *checkpoint.undecided)
    keys = {name: KEY(f"{name}_{checkpoint.digest[:12]}") for name in names}
    recipe = checkpoint.preprocessing
    normalisations = list(NORMALISATIONS)
    if known.normalisation and known.normalisation not in normalisations:
        normalisations.append(known.normalisation)
    st.selectbox("Normalisation", normalisations, key=keys["normalisation"], accept_new_options=True,
                 index=normalisations.index(known.normalisation) if known.normalisation else None,
                 placeholder=LEFT_OPEN, help="A name, or means and as many standard deviations parted by commas, for "
                 "pixels from 0 to 1: 0.49,0.48,0.45,0.25,0.24,0.26")
    st.number_input("Picture, pixels a side", 1, MAX_SIZE, known.size, key=keys["size"],
                    placeholder=f"{LEFT_OPEN}: {recipe.size}")
    for name, values in checkpoint.undecided.items():
        index = values.index(known.arguments[name]) if name in known.arguments else None
        # as texts: None is a value of its own, and not "left open"
        st.selectbox(LABELS.get(name, name), list(map(str, values)), index, key=keys[name], placeholder=LEFT_OPEN,
                     format_func=lambda value: VALUES.get(value, value))
    outputs = sum(checkpoint.heads)
    st.text_area(f"Names of the {outputs:,} classes", "\n".join(known.classes or ()), key=keys["names"], height=110,
                 placeholder="one a line, in the order of the outputs")
    st.file_uploader("or a file of them", ["txt", "json"], key=keys["file"], max_upload_size=5)
    return keys


def _save(checkpoint: Checkpoint, keys: dict[str, str]) -> None:
    """Keep it if it fits; every page then reads the file again with it."""
    values = {name: st.session_state.get(key) for name, key in keys.items()}
    try:
        arguments = {name: {str(value): value for value in options}[values[name]]
                     for name, options in checkpoint.undecided.items() if values[name] is not None}
        correction = Correction(values["size"], values["normalisation"] or None, _classes(checkpoint, values),
                                arguments)
        corrected(checkpoint, correction)
        if correction == Correction():
            corrections.forget(checkpoint.digest)
        else:
            corrections.remember(checkpoint.digest, correction)
        st.toast("Remembered for this file.", icon=":material/check:")
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)


def _classes(checkpoint: Checkpoint, values: dict) -> tuple[str, ...] | None:
    """The names of the file that was given, else those in the field; None where both are empty."""
    text = values["names"] or ""
    if values["file"] is not None:
        try:
            text = values["file"].getvalue().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Problem(f"{values['file'].name} is no text (UTF-8); save the class names as plain text.") from error
    return corrections.class_names(text, sum(checkpoint.heads)) if text.strip() else None


def _forget(digest: str) -> None:
    corrections.forget(digest)
    for key in [key for key in st.session_state if str(key).endswith(digest[:12])]:
        del st.session_state[key]
