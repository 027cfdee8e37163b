"""Every tensor of a checkpoint as a row of a table, and the chosen one as a picture with its histogram."""

import pandas as pd
import streamlit as st

from ..analysis import checkpoint as analysis
from ..analysis.checkpoint import Statistics
from ..checkpoints import Checkpoint
from ..drawing import checkpoint as drawing
from . import kernels, networks, state, walls
from .page import download_table, plain, under_picture

CHART = {"displayModeBar": False}
HOW_TO_READ = {
    "norms": "One square is one kernel, and its colour the kernel's size (L2 norm): a row is a filter, a column an "
             "input channel. A dark column is a channel that hardly anybody listens to, a dark row a filter that "
             "hardly answers.",
    "signed": "One square is one weight: a row is an output, a column an input; red speaks for it, blue against it, "
              "white does not matter.",
    "batch norm's scale": "Channel by channel: what batch norm multiplies it by. It starts at 1; near 0 the "
                          "channel is switched off.",
    "batch norm's shift": "Channel by channel: what batch norm adds to it. It starts at 0; far below 0, the ReLU "
                          "behind it lets little through.",
    "running mean": "Channel by channel: the mean that batch norm saw in training and subtracts when answering.",
    "running variance": "Channel by channel: the variance that batch norm saw in training; when answering it "
                        "divides by its root.",
    "linear's bias": "Class by class: what it gets whatever the picture shows.",
}


def tensors(checkpoint: Checkpoint, key: str) -> None:
    """The table of all tensors, and beside it the chosen one as a picture and as a histogram."""
    found = _statistics(key, checkpoint)
    names = [s.name for s in found]
    table, picture = st.columns([3, 2], gap="medium")
    with table:
        chosen = st.selectbox("Tensor", names, key="tensor", bind="query-params", help="or click a row",
                              on_change=_mark_row, args=(names,))
        _table(found, names.index(chosen))
    with picture:
        _one(checkpoint, found[names.index(chosen)])
    story = analysis.story(found)
    under_picture("view", story=lambda: st.markdown("\n".join(f"- {plain(line)}" for line in story)),
                  formula=lambda: _formula(found[names.index(chosen)]), code=lambda: _code(chosen),
                  numbers=lambda: download_table(_plain_rows(found), f"{checkpoint.name}-tensors.csv", alt=story[0]))


@st.cache_data(max_entries=8, show_spinner="Measuring every tensor ...")
def _statistics(key: str, _checkpoint: Checkpoint) -> list[Statistics]:
    return analysis.statistics(_checkpoint)


def _table(found: list[Statistics], chosen: int) -> None:
    """One row a tensor; a click chooses it, and the chosen one is marked."""
    number, chart = st.column_config.NumberColumn, st.column_config.BarChartColumn
    shares = [s.share for s in found]
    columns = {
        "Tensor": st.column_config.TextColumn(pinned=True, width=165),
        "Histogram": chart(width=90, y_min=0, help="how often each value occurs, from the smallest to the largest"),
        "of parameters": st.column_config.ProgressColumn(
            format="percent", min_value=0, max_value=max(share or 0 for share in shares), width=100,
            help="share of the network's parameters; the longest bar is the largest tensor"),
        "Shape": st.column_config.TextColumn(width=100, help="filters × input channels × height × width; "
                                             "outputs × inputs of a linear layer; channels"),
        "Numbers": number(format="localized"),
        "Zeros": number(format="percent", help="share of numbers that are exactly 0"),
        "Norm": number(format="%.4g", help="L2: root of the sum of squares"),
        "Std": number(format="%.4g", help="standard deviation of all its numbers"),
    } | {name: number(format="%.4g") for name in ("Mean", "Min", "Max")}
    frame = pd.DataFrame({
        "Tensor": [s.name for s in found], "Histogram": [analysis.tiny(s.histogram) for s in found],
        "Shape": [networks.shape_text(s.shape) for s in found], "of parameters": shares,
        "Std": [s.std for s in found], "Mean": [s.mean for s in found], "Min": [s.min for s in found],
        "Max": [s.max for s in found], "Zeros": [s.zeros for s in found], "Norm": [s.norm for s in found],
        "Numbers": [s.count for s in found], "What": [s.kind for s in found],
    })
    if any(s.nan + s.inf for s in found):
        frame.insert(2, "Not finite", [s.nan + s.inf for s in found])
    key = _rows_key(len(found))
    st.dataframe(frame, column_config=columns, hide_index=True, height=min(38 + 35 * len(found), 560), key=key,
                 placeholder="", selection_mode="single-row", selection_default={"selection": {"rows": [chosen]}},
                 on_select=lambda: _choose_row(key, [s.name for s in found]),
                 alt=" ".join(analysis.story(found)[:2]))


def _rows_key(tensors: int) -> str:
    return f"tensor_rows_{tensors}"


def _mark_row(names: list[str]) -> None:
    """The table keeps its order and its place, and marks what was chosen above it."""
    st.session_state[_rows_key(len(names))] = {"selection": {"rows": [names.index(st.session_state.tensor)]}}


def _choose_row(key: str, names: list[str]) -> None:
    if rows := st.session_state[key]["selection"]["rows"]:
        st.session_state.tensor = names[rows[0]]


def _one(checkpoint: Checkpoint, found: Statistics) -> None:
    """One tensor: its picture with a way to read it, its numbers in a line, and its histogram."""
    tensor = checkpoint.state[found.name]
    st.markdown(f"**{found.name}**, {found.kind}, {networks.shape_text(found.shape) or 'one number'}")
    if damaged := analysis.damage(tensor):
        st.warning(f"{damaged} They are grey here, or a gap.", icon=":material/warning:")
    if not found.shape:
        st.markdown(f"It counts {found.mean:,.0f} batches, seen in training; no answer depends on it.")
        return
    words = analysis.describe(found)
    if tensor.ndim == 1:
        st.plotly_chart(drawing.by_channel(tensor.numpy()), config=CHART, key="channels", alt=words)
        how = HOW_TO_READ.get(found.kind, "Channel by channel.")
    elif found.kind == "convolution" and tensor.shape[1] == 3 and tensor.shape[2] > 1:
        walls.show(drawing.first_kernels(tensor.numpy()), words)
        how = kernels.HOW_TO_READ["colour" if tensor.shape[2] > 3 else "small"]
    else:
        how = _matrix(checkpoint, found.name, words)
    st.caption(how)
    if found.histogram.any():
        st.plotly_chart(drawing.histogram(found.histogram, found.low, found.high, 170), config=CHART, key="histogram",
                        alt=words)
    st.caption(f"Mean {found.mean:.4g}, standard deviation {found.std:.4g}, from {found.min:.4g} to {found.max:.4g}; "
               f"{100 * found.zeros:.3g} % are exactly 0; L2 norm {found.norm:.4g}.")


def _matrix(checkpoint: Checkpoint, name: str, words: str) -> str:
    """The matrix with its scale; returns how to read it."""
    values, signed = analysis.matrix(checkpoint, name)
    picture = drawing.matrix(values, signed)
    walls.show(picture, words, "stretch" if picture.shape[1] > drawing.WIDTH // 2 else "content")
    limit = f"{drawing.limit_of(values):.3g}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"−{limit}" if signed else "0", width="content")
        st.image(drawing.scale_bar(signed), width=128, alt=f"The scale of colours, up to {limit}")
        st.caption(limit, width="content")
    high, wide = drawing.block(values.shape)
    how = HOW_TO_READ["signed" if signed else "norms"]
    if high * wide == 1:
        return how
    return f"{how} It is larger than the screen: each square shows, of {high} × {wide}, the one farthest from 0."


def _formula(found: Statistics) -> None:
    mean, std, norm = map(_latex, (found.mean, found.std, found.norm))
    st.latex(rf"\text{{mean}} = \tfrac{{1}}{{n}} \sum_i w_i = {mean}, \quad "
             rf"\text{{std}} = \sqrt{{\tfrac{{1}}{{n}} \sum_i (w_i - \text{{mean}})^2}} = {std}, \quad "
             rf"\text{{norm}} = \sqrt{{\sum_i w_i^2}} = {norm}")
    st.caption(f"Over the n = {found.count - found.nan - found.inf:,} numbers of {found.name} that are finite.")


def _latex(number: float) -> str:
    digits, _, power = f"{number:.4g}".partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if power else digits


def _code(name: str) -> None:
    st.code(f"from resnet_viz import checkpoints\nfrom resnet_viz.analysis.checkpoint import of_tensor\n\n"
            f"checkpoint = checkpoints.read(checkpoints.find({state.current_reference()!r}))\n"
            f"tensor = checkpoint.state[{name!r}]\n"
            f"tensor.mean(), tensor.std(correction=0), tensor.norm()\nof_tensor({name!r}, tensor)")


def _plain_rows(found: list[Statistics]) -> list[dict]:
    """Everything but the bars, as plain values: what a person downloads."""
    return [{"tensor": s.name, "what": s.kind, "shape": networks.shape_text(s.shape), "numbers": s.count,
             "mean": s.mean, "std": s.std, "min": s.min, "max": s.max, "zeros": s.zeros, "norm": s.norm,
             "nan": s.nan, "inf": s.inf} for s in found]
