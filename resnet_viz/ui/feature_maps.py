"""Controls and words for a wall of feature maps."""

import numpy as np
import streamlit as st

from ..analysis import feature_maps
from ..analysis.architecture import Layer, Summary
from ..analysis.arithmetic import times
from ..analysis.feature_maps import FeatureMaps
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from ..drawing import feature_maps as drawing
from . import networks, state
from .pictures import NamedPicture

AMOUNTS = (16, 64)
SCALES = {"map": "each map", "layer": "whole layer", "network": "all layers"}
BESIDE = {"nothing": "nothing", "before": "before training", "second": "a second picture"}
ORDERS = {"channel": "by channel", "mean": "by mean", "maximum": "by maximum", "variance": "by variance"}
COLUMNS = {
    "channel": st.column_config.NumberColumn("Channel", format="%d"),
    "mean": st.column_config.NumberColumn("Mean", format="%.4g"),
    "maximum": st.column_config.NumberColumn("Maximum", format="%.4g"),
    "variance": st.column_config.NumberColumn("Variance", format="%.4g"),
    "dead": st.column_config.CheckboxColumn("Dead"),
}
FORMULAS = {
    "Conv2d": r"y_c = b_c + \sum_{i,\,\Delta y,\,\Delta x} "
              r"w_{c,\,i,\,\Delta y,\,\Delta x} \; x_{i,\;y+\Delta y,\;x+\Delta x}",
    "BatchNorm2d": r"y_c = \gamma_c \, \frac{x_c - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c",
    "ReLU": r"y = \max(0, x)",
    "LeakyReLU": r"y = \max(0.01 \, x, x)",
    "ELU": r"y = x \text{ above 0}, \quad e^x - 1 \text{ below}",
    "Tanh": r"y = \tanh(x)",
    "Sigmoid": r"y = \frac{1}{1 + e^{-x}}",
    "Add": r"y = F(x) + x",
    "MaxPool2d": r"y = \max \text{ of the window}",
    "AvgPool2d": r"y = \text{ mean of the window}",
    "AdaptiveAvgPool2d": r"y_c = \frac{1}{H W} \sum_{y, x} x_{c,\,y,\,x}",
    "Linear": r"y_j = b_j + \sum_i w_{j,\,i} \; x_i",
}
WITH_NUMBERS = {  # the same with the terms of the layer's largest number put in
    "Conv2d": lambda t: rf"{t['bias']:.3g} + \underbrace{{{t['for']:.3g}}}_{{\text{{products above 0}}}} + "
                        rf"\underbrace{{({t['against']:.3g})}}_{{\text{{products below 0}}}}",
    "BatchNorm2d": lambda t: rf"{t['gamma']:.3g} \cdot \frac{{{t['x']:.3g} - ({t['mean']:.3g})}}"
                             rf"{{\sqrt{{{t['var']:.3g} + {t['eps']:g}}}}} + ({t['beta']:.3g})",
    "ReLU": lambda t: rf"\max(0, {t['x']:.3g})",
    "LeakyReLU": lambda t: rf"\max(0.01 \cdot ({t['x']:.3g}), {t['x']:.3g})",
    "ELU": lambda t: f"{t['x']:.3g}" if t["x"] > 0 else rf"e^{{{t['x']:.3g}}} - 1",
    "Tanh": lambda t: rf"\tanh({t['x']:.3g})",
    "Sigmoid": lambda t: rf"\frac{{1}}{{1 + e^{{-({t['x']:.3g})}}}}",
    "Add": lambda t: rf"{t['residual']:.3g} + ({t['shortcut']:.3g})",
}
WHAT_IT_DOES = {
    "Conv2d": "Each map is one filter's answer at every spot: red where the picture fits its kernel, blue where it "
              "fits the opposite.",
    "BatchNorm2d": "Each map is the one before it, moved and stretched so that over many pictures it has the mean β "
                   "and the deviation γ.",
    "ReLU": "Only what speaks for the channel is left: bright where its pattern was found, dark where it was not.",
    "Add": "What the block worked out, plus what went around it: the shapes of the layer before are still visible.",
}


def controls(summary: Summary) -> tuple[Layer, int, str, str, str]:
    """Layer, number of maps, order, scope of the colour scale and what stands beside, in one row."""
    layers = {layer.name: layer for layer in summary.layers}
    first = next((i for i, layer in enumerate(summary.layers) if layer.kind == "ReLU"), 0)
    layer_place, amount_place, order_place, scale_place, beside_place = st.columns([3, 2, 2, 2, 2])
    layer = layers[layer_place.selectbox("Layer", list(layers), index=first, key="layer", bind="query-params")]
    channels = layer.output_shape[0]
    amounts = [str(n) for n in AMOUNTS if n < channels] + [f"all {channels:,}"]
    many = channels > AMOUNTS[-1]
    amount = amount_place.selectbox("Maps", amounts, index=len(amounts) - (2 if many else 1), key=f"maps-of-{channels}",
                                    bind="query-params")
    by, scale = order_and_scale(order_place, scale_place, "of-a-layer-")
    beside = beside_place.selectbox("Beside it", list(BESIDE), format_func=BESIDE.get, key="beside",
                                    bind="query-params")
    return layer, channels if amount.startswith("all") else int(amount), by, scale, beside


def order_and_scale(order_place, scale_place, view: str = "") -> tuple[str, str]:
    """Order of the maps and scope of their colour scale; each view has its own: what moves to another container leaves
    the URL."""
    by = order_place.selectbox("Order", list(ORDERS), format_func=ORDERS.get, key=f"{view}sorted", bind="query-params")
    return by, scale_place.selectbox("Colour scale for", list(SCALES), format_func=SCALES.get, key=f"{view}map-scale",
                                     bind="query-params")


def maps_of(checkpoint: Checkpoint, picture: NamedPicture, layer: str, key: str | None = None) -> FeatureMaps:
    """The layer's answer to the picture, worked out once for all sessions; key: of a checkpoint not the current."""
    return _maps(key or state.current_key(), picture.key, layer, checkpoint, picture)


@st.cache_resource(max_entries=16, show_spinner=False)
def _maps(key: str, picture_key: str, layer: str, _checkpoint: Checkpoint, _picture: NamedPicture) -> FeatureMaps:
    with state.model_of(_checkpoint) as model:
        return feature_maps.feature_maps(model, see(_picture.image, _checkpoint.preprocessing).tensor, layer)


def pixels_of(checkpoint: Checkpoint, picture: NamedPicture) -> np.ndarray:
    """What the network sees of the picture: uint8 [size, size, 3]."""
    return np.array(see(picture.image, checkpoint.preprocessing).resized.convert("RGB"))


def scale_line(diverging: bool, limit: float | None, words: str) -> None:
    """The colours and the values at their ends, outside the picture; limit None: "largest", which `words` explain."""
    end = "largest" if limit is None else f"{limit:.3g}"
    start = f"−{end}" if diverging else "0"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(start, width="content")
        st.image(drawing.scale_bar(diverging), width=128, alt=f"The scale of colours, from {start} to {end}")
        st.caption(end, width="content")
        st.caption(f"largest = {words}" if limit is None else words, width="content")


def story(layer: Layer, seen: FeatureMaps, size: int) -> str:
    """What is seen, with this layer's own numbers."""
    channels, height, width = seen.maps.shape
    pixels = "one number a channel is left of the whole picture"
    if width > 1:
        pixels = f"one pixel of a map stands for {size / width:.3g} of the {size} pixels a side that the network reads"
    return (f"{WHAT_IT_DOES.get(layer.kind, '')} In this layer {pixels}. "
            f"{int(seen.dead.sum()):,} of {channels:,} maps are dead on this picture (the same value everywhere), "
            f"and {feature_maps.zeros(seen):.0%} of all {seen.maps.size:,} numbers are 0.")


def formula(layer: Layer, seen: FeatureMaps) -> None:
    """The layer's formula, and the same at the brightest spot of all its maps."""
    if layer.kind in FORMULAS:
        st.latex(FORMULAS[layer.kind])
    spot = seen.spot
    if spot.terms:
        numbers = WITH_NUMBERS[layer.kind](spot.terms)
        st.latex(rf"y_{{{spot.channel},\,{spot.row},\,{spot.column}}} = {numbers} = {spot.value:.3g}")
        st.caption("The numbers are those of the layer's largest output: "
                   f"channel {spot.channel}, row {spot.row}, column {spot.column}.")
    line = f"{networks.shape_text(layer.input_shape)} in, {networks.shape_text(layer.output_shape)} out."
    if layer.macs:
        line += f" Every number of a map is the sum of {times(*layer.weight_shape[1:])} products."
    st.markdown(line)
