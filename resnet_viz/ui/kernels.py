"""Controls and words for walls of kernels."""

import numpy as np
import streamlit as st

from ..analysis import kernels, kernels_history, kernels_words
from ..analysis.kernels import Comparison
from ..analysis.kernels_history import History, Moment
from ..checkpoints import Checkpoint
from ..drawing import kernels as drawing
from ..drawing.tiles import side_by_side
from . import networks, state, walls

SHOWN = {"colour": "all filters, in colour", "filter": "the inputs of one filter", "input": "one input of all filters"}
INDEX = {"filter": "Filter", "input": "Input"}  # in a grouped convolution of each filter's own group
SCALES = {"kernel": "each kernel", "layer": "whole layer"}
ORDERS = {"index": "by number", "norm": "strongest first", "change": "most moved first",
          "hue": "by colour", "orientation": "by direction"}
HOW_TO_READ = {
    "colour": "A filter answers where the picture looks like its kernel: a light stripe beside a dark one finds edges "
              "in that direction, one colour against its opposite finds that colour, a grey kernel finds nothing. "
              "Before training they are noise, drawn at random.",
    "small": "Three by three weights are too small to be a picture of anything: look for the direction from dark to "
             "light, which is an edge, and for the colour. Before training they are noise, drawn at random.",
    "signed": "Each tile weighs one channel of the layer before: red where a strong input speaks for the filter, blue "
              "where it speaks against it, white where it does not matter. Tiles that stay white belong to channels "
              "that the filter ignores.",
    "single": "A kernel of 1 x 1 has one weight: how much of that input channel goes into the filter, red for, blue "
              "against.",
}
COLUMNS = {
    "kernel": st.column_config.NumberColumn("Kernel", format="%d"),
    "norm now": st.column_config.NumberColumn("Norm now", format="%.3f"),
    "norm before": st.column_config.NumberColumn("Norm before", format="%.3f"),
    "change": st.column_config.NumberColumn("Change", format="%.3f", help="|now − before| / |before|"),
    "cosine": st.column_config.NumberColumn("Cosine", format="%.3f"),
    "angle": st.column_config.NumberColumn("Lines at, °", format="%.0f", help="counter-clockwise from level; 90 is upright"),
    "direction": st.column_config.NumberColumn("Direction", format="%.2f", help="0 = none, 1 = changes across its lines only"),
    "hue": st.column_config.NumberColumn("Hue, °", format="%.0f", help="0 red, 120 green, 240 blue"),
    "colour": st.column_config.NumberColumn("Colour", format="%.2f", help="share of its energy that is not light and dark"),
    "weights now": st.column_config.TextColumn("Weights now", help="row by row; in colour red, then green, then blue"),
}


def controls(checkpoint: Checkpoint) -> tuple[str, str, int, History, Moment, str, str]:
    """Layer, view, index, history, moment, scale and order: one row, and under it the moment of training."""
    shapes = networks.convolutions_of(checkpoint)
    layer_place, view_place, order_place, scale_place = st.columns([3, 3, 2, 2], vertical_alignment="bottom")
    layer = layer_place.selectbox("Convolution", list(shapes), key="convolution", bind="query-params")
    views = kernels.views(shapes[layer])
    view = view_place.selectbox("Kernels", list(views), format_func=SHOWN.get, key="kernels", bind="query-params")
    past = kernels_history.history(checkpoint, layer)
    orders = kernels.orders(view, shapes[layer][-1], past.before is not None)
    by = order_place.selectbox("Order", orders, format_func=ORDERS.get, key="order", bind="query-params")
    scales = list(SCALES)
    if view != "colour":
        scales.reverse()  # slices of a filter add up, so their strengths are to be compared
    scale = scale_place.selectbox("Colour scale for", scales, format_func=SCALES.get, key=f"{view}-scale",
                                  bind="query-params")
    # one place for the moment whatever stands beside it: a widget that moves to another container leaves the URL
    with st.container(horizontal=True, vertical_alignment="bottom"):
        index_place, moment_place = st.container(width="content"), st.container()
    index = 0
    if views[view] > 1:
        index = index_place.number_input(INDEX[view], 0, views[view] - 1, 0, key=f"{view}-{layer}", bind="query-params",
                                         width=150)
    with moment_place:
        return layer, view, index, past, _choose_moment(past), scale, by


def _choose_moment(past: History) -> Moment:
    if len(past.moments) == 1:
        return past.moments[0]
    labels = [moment.label for moment in past.moments]
    chosen = st.select_slider("Moment of training", labels, labels[past.current], key="moment", bind="query-params")
    return past.moments[labels.index(chosen)]


def compared(checkpoint: Checkpoint, layer: str, past: History, moment: Moment, view: str, index: int, by: str) -> Comparison:
    """The chosen kernels, worked out once for all sessions."""
    return _compared(state.current_key(), layer, moment.label, view, index, by, checkpoint, past, moment)


@st.cache_resource(max_entries=32, show_spinner=False)
def _compared(key: str, layer: str, when: str, view: str, index: int, by: str, _checkpoint: Checkpoint,
              _past: History, _moment: Moment) -> Comparison:
    return kernels.compare(_checkpoint, layer, _past, _moment, view, index, by)


def pick(layer: str, view: str, seen: Comparison, moment: Moment, scale: str) -> int:
    """Before, now and the difference: the same tiles in the same order. Returns the number of the kernel picked."""
    titles = {"before": "Before training", "now": f"Now: {moment.label}", "difference": "Difference"}
    finding = kernels_words.describe(layer, seen)
    drawn = drawing.drawn(seen.before, seen.now, seen.limit if scale == "layer" else None)
    shown = [walls.Wall(titles[name], tiles, f"{titles[name]}. {finding}") for name, tiles in drawn.items()]
    strength = kernels.norms(seen.now) if seen.change is None else kernels.finite(seen.change.relatives)
    return walls.pick("kernel_wall", shown, seen.order.tolist(), kernels_words.names(seen, what(view)),
                      label=f"Kernels of {layer}", first=int(seen.order[strength.argmax()]), in_url="kernel")


def picture(seen: Comparison, scale: str) -> np.ndarray:
    """All walls as one picture to take along."""
    return side_by_side(list(drawing.walls(seen.before, seen.now, seen.limit if scale == "layer" else None).values()))


def what(view: str) -> str:
    """What a tile stands for."""
    return "Input" if view == "filter" else "Filter"


def family(seen: Comparison) -> str:
    """Which of the words in HOW_TO_READ fit."""
    if seen.now.ndim == 4:
        return "colour" if seen.now.shape[-1] > 3 else "small"
    return "signed" if seen.now.shape[-1] > 1 else "single"


def scale_line(seen: Comparison, scale: str) -> None:
    """The colours and the weights at their ends, outside the pictures."""
    in_colour = seen.now.ndim == 4
    end = f"{seen.limit:.3g}" if scale == "layer" else "largest"
    whole = "the largest weight of the layer" + (" in all three" if seen.before is not None else "")
    words = whole if scale == "layer" else "largest = that kernel's largest weight there"
    zero = "red, green and blue one by one, grey is 0" if in_colour else "white is 0"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"−{end}", width="content")
        st.image(drawing.scale_bar(in_colour), width=128, alt=f"The scale of colours, from minus {end} to plus {end}")
        st.caption(f"{end}", width="content")
        st.caption(f"{words}; {zero}", width="content")
