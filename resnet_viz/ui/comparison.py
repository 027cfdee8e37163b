"""Two checkpoints tensor by tensor: what moved, how far, and what only one of them has."""

import math
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from .. import leavings
from ..analysis import checkpoint as analysis
from ..analysis import comparison
from ..analysis.comparison import Comparison
from ..checkpoints import Checkpoint
from ..drawing import checkpoint as drawing
from ..problems import Problem
from . import beginnings, networks, state
from .page import download_table, plain, under_picture
from .tensors import CHART

BEFORE = "before training"
SECOND = "second_file"  # session key: the folder of a file that was opened only to compare with
MOVED = {
    "change": st.column_config.NumberColumn(format="%.4g", help="|now − before| / |before|"),
    "cosine": st.column_config.NumberColumn(format="%.4f", help="1 = same direction, 0 = nothing left of it"),
    "moved": st.column_config.NumberColumn(format="%.4g", help="L2 norm of the difference"),
    "largest difference": st.column_config.NumberColumn(format="%.4g", help="of one number"),
}


def compare(checkpoint: Checkpoint, key: str) -> None:
    """What moved from another checkpoint to this one, and how far: by depth, and as a table."""
    others = _others(checkpoint)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Compare with", list(others), key="other", bind="query-params", width=420,
                            placeholder="open a second file")
        with st.popover("Another file", icon=":material/folder_open:"):
            st.file_uploader("The other one's weights", state.FILE_TYPES, key="second_upload", on_change=_keep_second)
    if name is None:
        st.info("There is no other checkpoint here to compare with: open another file, or train a network.")
        return
    other, other_key = others[name]()
    found = _comparison(key, other_key, checkpoint, other)
    finding = comparison.describe(found)
    st.markdown(f"From **{plain(name)}** to **{plain(checkpoint.name)}**. {plain(finding)}")
    if moved := comparison.weights(found):
        st.plotly_chart(drawing.movements([m.name for m in moved], [m.relative for m in moved]), config=CHART,
                        key="movements", alt=finding)
    _apart(found, name)
    if not found.tensors:
        return
    under_picture("view", story=lambda: _moved_story(found), formula=lambda: _moved_formula(found),
                  code=lambda: _moved_code(checkpoint, name),
                  numbers=lambda: download_table(comparison.rows(found), f"{checkpoint.name}-compared.csv", MOVED,
                                                 finding))


def _others(checkpoint: Checkpoint) -> dict[str, Callable[[], tuple[Checkpoint, str]]]:
    """Name -> how to get (checkpoint, key): the run's initial weights first, then a second file, then all others."""
    found = {}
    start = beginnings.before().checkpoint
    if start is not None:
        found[BEFORE] = lambda: (start, beginnings.before_key())
    if SECOND in st.session_state:
        second = next(Path(st.session_state[SECOND].name).iterdir())
        found[second.name] = lambda: (state.checkpoint_at(second), state.key_at(second))
    for reference in state.references():
        if reference != state.current_reference():
            found[reference] = lambda reference=reference: (state.checkpoint_of(reference), state.key_of(reference))
    return found


def _keep_second() -> None:
    """A dropped file stays on the disk as long as the session, and is chosen."""
    if (file := st.session_state.second_upload) is None:
        return
    name = Path(file.name).name
    st.session_state[SECOND] = leavings.keep(name, file.getvalue())
    st.session_state.other = name


@st.cache_data(max_entries=16, show_spinner="Comparing tensor by tensor ...")
def _comparison(key: str, other_key: str, _checkpoint: Checkpoint, _other: Checkpoint) -> Comparison:
    return comparison.compare(_checkpoint.state, _other.state, analysis.kinds(_checkpoint))


def _apart(found: Comparison, name: str) -> None:
    """Tensors that only one has, or whose shapes differ."""
    if not found.apart:
        return
    rows = [{"Tensor": tensor, "here": networks.shape_or_absent(here), f"in {name}": networks.shape_or_absent(there)}
            for tensor, here, there in found.apart]
    words = f"{len(rows):,} tensor{'s' * (len(rows) > 1)} cannot be compared: only one of the two has them, or their " \
            "shapes differ"
    with st.expander(words, icon=":material/rule:", expanded=not found.tensors):
        st.dataframe(rows, hide_index=True, height=min(38 + 35 * len(rows), 300),
                     alt=f"{words}; the first is " + ", ".join(rows[0].values()))


def _moved_story(found: Comparison) -> None:
    st.markdown("- A bar says how far a layer's weights moved, in units of their own length before: 0 is not at all, 1 "
                "as far as they were long.\n"
                "- The cosine says whether the direction is still the same. Weight decay alone shortens weights and "
                "leaves their direction: the cosine stays 1.\n"
                "- Two networks that began with different dice have nothing in common, number by number (cosine near "
                "0), even where they answer alike: which filter learned what is chance.")
    if found.total:
        m = found.total
        st.markdown(f"- All {m.shape[0]:,} learned numbers together moved by {m.moved:.4g} from a length of "
                    f"{m.length:.4g}; the largest difference of one number is {m.difference:.4g}.")


def _moved_formula(found: Comparison) -> None:
    m = found.total
    if m is None:
        raise Problem("No learned tensor is in both, so there is nothing to put into the formula; choose another file.")
    relative = r"\infty" if math.isinf(m.relative) else f"{m.relative:.3g}"
    st.latex(r"\text{change} = \frac{\lVert w_\text{now} - w_\text{before} \rVert}{\lVert w_\text{before} \rVert} = "
             rf"\frac{{{m.moved:.4g}}}{{{m.length:.4g}}} = {relative}")
    st.latex(r"\cos = \frac{w_\text{now} \cdot w_\text{before}}"
             r"{\lVert w_\text{now} \rVert \, \lVert w_\text{before} \rVert}" + f" = {m.cosine:.4g}")
    st.caption(f"Over the {m.shape[0]:,} learned numbers that both have; the running averages of batch norm are in the "
               "table, and not in this sum.")


def _moved_code(checkpoint: Checkpoint, name: str) -> None:
    before = "beginnings.of(now).checkpoint" if name == BEFORE else f"checkpoints.read(checkpoints.find({name!r}))"
    st.code("from resnet_viz import beginnings, checkpoints\nfrom resnet_viz.analysis import comparison\n"
            "from resnet_viz.analysis.checkpoint import kinds\n\n"
            f"now = checkpoints.read(checkpoints.find({state.current_reference()!r}))\nbefore = {before}\n"
            "comparison.compare(now.state, before.state, kinds(now)).total")
