"""What stands under the maps: the story, the formulas with this picture's numbers, the code, and a table."""

import numpy as np
import streamlit as st

from ..analysis import attribution_words as words
from ..analysis.attribution_sanity import likeness
from ..analysis.attributions import METHODS
from . import state
from .attribution_maps import Job, Subject, heat_of
from .attributions import Choice, gap_of
from .page import PERCENT, download_table, plain

DECIMAL = st.column_config.NumberColumn(format="%.4g")
COLUMNS = {"smallest": DECIMAL, "largest": DECIMAL, "sum": DECIMAL, "share above 0": PERCENT, "in its ninth": PERCENT,
           "like the twin's": st.column_config.NumberColumn(
               format="%.2f", help="Spearman's rank correlation with the map of the twin that learned nothing, of the "
                                   "absolute values: near 1, the map does not depend on what was learned")}


def there(subject: Subject, choice: Choice) -> list[tuple[str, object, np.ndarray]]:
    """(method, target, map) of all that is worked out."""
    found = [(name, target, heat_of(subject, Job(name, target.index, choice.layer)))
             for name in choice.methods for target in choice.targets]
    return [each for each in found if each[2] is not None]


def story(subject: Subject, choice: Choice) -> None:
    lines = [f"{words.finding(name, target.label, heat)}." for name, target, heat in there(subject, choice)
             if target == choice.targets[0]]
    lines += ["Red speaks for the class, blue against it; where a method only says how much, all of it is red. A map "
              "explains the score of one class, not the picture: compare the columns.",
              "Maps of different methods answer different questions. None of them shows what the network thinks: see "
              "whether a twin that learned nothing draws the same, and whether painting the red grey takes the class "
              "away."]
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def formula(subject: Subject, choice: Choice) -> None:
    """How each method makes a pixel's number A from the class's score S (its logit), and what it adds up to."""
    st.caption("S is the score (logit) of the class, x the normalised picture (0 is grey), p a pixel, c a colour "
               "channel, a a layer's feature maps.")
    for name in choice.methods:
        st.markdown(f"**{METHODS[name].title}** ({METHODS[name].paper})")
        st.latex(words.FORMULAS[name])
        target = choice.targets[0]
        if METHODS[name].complete and heat_of(subject, Job(name, target.index)) is not None:
            found = gap_of(subject, name, target)
            st.latex(rf"\sum_p A_p = {found.total:.3f}, \qquad S(x) - S(0) = {found.score:.3f} - ({found.of_grey:.3f}) "
                     rf"= {found.score - found.of_grey:.3f}, \qquad \text{{gap}} = {found.missing:.3f}")


def code(subject: Subject, choice: Choice) -> None:
    target, reference = choice.targets[0], state.current_reference()
    for name in choice.methods[:1]:
        st.code(words.code(reference, name, target.label, target.index, choice.layer))
        st.caption("The same without a browser:")
        st.code(words.command(reference, name, target.index, choice.layer), language="bash")


def numbers(subject: Subject, choice: Choice) -> None:
    rows = []
    for name, target, heat in there(subject, choice):
        place, share = words.strongest(heat) or ("", None)
        other = heat_of(subject, Job(name, target.index, choice.layer, True))
        rows.append({"method": METHODS[name].title, "class": target.label, "smallest": float(heat.min()),
                     "largest": float(heat.max()), "sum": float(heat.sum(dtype=np.float64)),
                     "share above 0": float((heat > 0).mean()), "strongest ninth": place, "in its ninth": share,
                     "like the twin's": None if other is None else likeness(heat, other)})
    if not rows:
        st.info("No map is worked out yet.")
        return
    download_table(rows, f"{subject.picture.name}-attributions.csv", COLUMNS,
                   "; ".join(words.finding(*each[:1], each[1].label, each[2]) for each in there(subject, choice)))
    st.caption("With the twin switched on, the last column says how much each map is like the twin's.")
