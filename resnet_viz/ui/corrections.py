"""Set by hand: what a person knows of a foreign weights file and the file does not tell."""

import streamlit as st

from .. import corrections
from ..checkpoints import Checkpoint, corrected
from ..corrections import Correction
from ..data.preprocessing import MAX_SIZE, NORMALISATIONS
from ..problems import Problem
from . import access
from .page import plain

KEY = "by_hand_{}".format
LABELS = {"variant": "Stride of the bottlenecks", "shortcut": "Where the shape changes", "activation": "Activation"}
VALUES = {"v1.5": "v1.5: on the 3x3", "v1": "v1: on the first 1x1", "A": "shortcut A: zeros",
          "None": "no shortcuts: plain"}
LEFT_OPEN = "as assumed"
PROBLEM, TURN = KEY("problem"), KEY("turn")


def popover(checkpoint: Checkpoint) -> None:
    """A button with the form behind it; only for a foreign file, whose digest is the key of what is set."""
    if not access.may_change():
        access.say_why()
        return
    known = corrections.recall(checkpoint.digest)
    with st.popover("Set by hand", icon=":material/edit:", key=KEY("popover")):
        st.caption("What you leave empty stays as assumed. It is remembered for this file, whatever its name.")
        with st.form(KEY("form"), border=False):
            keys = _fields(checkpoint, known or Correction())
            st.form_submit_button("Save", type="primary", on_click=_save, args=(checkpoint, keys))
        if known is not None:
            st.button("Forget", icon=":material/undo:", on_click=_forget, args=(checkpoint,),
                      help="Back to what was assumed")
        if problem := st.session_state.pop(PROBLEM, None):
            st.error(plain(problem), icon=":material/error:")


def sentences(checkpoint: Checkpoint) -> list[str]:
    """What was set by hand for this file, apart from the network's arguments, which its card tells."""
    known = corrections.recall(checkpoint.digest) or Correction()
    return ([f"Pictures of {known.size}x{known.size} pixels."] if known.size else []) + \
        ([f"The normalisation {known.normalisation}."] if known.normalisation else []) + \
        ([f"The names of the {len(known.classes):,} classes."] if known.classes else [])


def _fields(checkpoint: Checkpoint, known: Correction) -> dict[str, str]:
    """The fields, filled with what is known; returns their session keys, which belong to this file alone."""
    recipe, keys = checkpoint.preprocessing, _keys(checkpoint)
    normalisations = list(NORMALISATIONS)
    if known.normalisation and known.normalisation not in normalisations:
        normalisations.append(known.normalisation)
    for name, value in _filled_in(checkpoint, known).items():
        st.session_state.setdefault(keys[name], value)
    left, right = st.columns(2)  # no field has a default of its own: one that has cannot be emptied again
    left.selectbox("Normalisation", normalisations, None, key=keys["normalisation"], accept_new_options=True,
                   placeholder=LEFT_OPEN, help="A name, or means and as many standard deviations parted by commas, for "
                   "pixels from 0 to 1: 0.49,0.48,0.45,0.25,0.24,0.26")
    right.number_input("Picture, pixels a side", 1, MAX_SIZE, None, key=keys["size"],
                       placeholder=LEFT_OPEN if known.size else f"{LEFT_OPEN}: {recipe.size}")
    for place, (name, values) in zip((left, right) * len(checkpoint.undecided), checkpoint.undecided.items()):
        # as texts: None is a value of its own, and not "left open"
        place.selectbox(LABELS.get(name, name), list(map(str, values)), None, key=keys[name], placeholder=LEFT_OPEN,
                        format_func=lambda value: VALUES.get(value, value))
    outputs = sum(checkpoint.heads)
    st.text_area(f"Names of the {outputs:,} classes", key=keys["names"], height=80,
                 placeholder="one a line, in the order of the outputs")
    st.file_uploader("or a file of them", ["txt", "json"], key=keys["file"], max_upload_size=5,
                     label_visibility="collapsed")
    return keys


def _keys(checkpoint: Checkpoint) -> dict[str, str]:
    """Session keys of the fields: they belong to this file alone."""
    names = ("normalisation", "size", "names", *checkpoint.undecided)
    turn = st.session_state.get(TURN, 0)  # a drop zone is emptied by another key
    return {name: KEY(f"{name}_{checkpoint.digest[:12]}") for name in names} | {"file": KEY(f"file_{turn}")}


def _filled_in(checkpoint: Checkpoint, known: Correction) -> dict:
    """What stands in the fields for what is known; nothing for what is left open."""
    return {"normalisation": known.normalisation, "size": known.size, "names": "\n".join(known.classes or ()),
            **{name: str(known.arguments[name]) if name in known.arguments else None for name in checkpoint.undecided}}


def _save(checkpoint: Checkpoint, keys: dict[str, str]) -> None:
    """Keep it if it fits; every page then reads the file again with it."""
    values = {name: st.session_state.get(key) for name, key in keys.items()}
    try:
        access.check_may_change()  # what is set holds for everybody who opens this file
        arguments = {name: {str(value): value for value in options}[values[name]]
                     for name, options in checkpoint.undecided.items() if values[name] is not None}
        correction = Correction(values["size"], values["normalisation"] or None, _classes(checkpoint, values),
                                arguments)
        corrected(checkpoint, correction)
        _fill_in(checkpoint, correction)
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


def _forget(checkpoint: Checkpoint) -> None:
    try:
        access.check_may_change()
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)
        return
    corrections.forget(checkpoint.digest)
    _fill_in(checkpoint, Correction())


def _fill_in(checkpoint: Checkpoint, known: Correction) -> None:
    """Put it into the fields, and empty the drop zone, whose names stand in their field now."""
    for name, value in _filled_in(checkpoint, known).items():
        st.session_state[_keys(checkpoint)[name]] = value
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
