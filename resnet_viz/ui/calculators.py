"""Arithmetic of single layers on the screen: settings in the address, the formulas with their numbers put in."""

import pandas as pd
import streamlit as st

from ..analysis import calculators as analysis
from ..analysis.calculators import LIMITS, Result
from ..drawing import windows
from ..drawing.windows import Row
from .networks import shape_text

LAYERS = {"convolution": "Convolution", "pooling": "Pooling", "linear": "Fully connected"}
WORKED_OUT = {"convolution": analysis.convolution, "pooling": analysis.pooling, "linear": analysis.linear}
PRESETS = {  # layer -> name -> settings; the first of each is what a fresh page shows
    "convolution": {
        "ResNet's first": {"channels": 3, "height": 224, "width": 224, "filters": 64, "kernel": "7", "stride": "2",
                           "padding": "3", "bias": False},
        "LeNet's first": {"channels": 1, "height": 28, "width": 28, "filters": 6, "kernel": "5"},
        "AlexNet's first": {"channels": 3, "height": 227, "width": 227, "filters": 96, "kernel": "11", "stride": "4"},
        "1×1 of a bottleneck": {"channels": 256, "height": 56, "width": 56, "filters": 64, "kernel": "1",
                                "bias": False},
        "ResNeXt's 3×3 in 32 groups": {"channels": 128, "height": 56, "width": 56, "filters": 128, "kernel": "3",
                                       "padding": "1", "groups": 32, "bias": False},
        "3×3, dilated": {"channels": 64, "height": 56, "width": 56, "filters": 64, "kernel": "3", "padding": "2",
                         "dilation": "2", "bias": False},
    },
    "pooling": {
        "ResNet's max pool": {"channels": 64, "height": 112, "width": 112, "kernel": "3", "stride": "2",
                              "padding": "1"},
        "2×2, stride 2": {"channels": 32, "height": 32, "width": 32, "kernel": "2", "stride": "2"},
        "ResNet's average": {"kind": "average", "channels": 2048, "height": 7, "width": 7, "kernel": "7",
                             "stride": "7"},
    },
    "linear": {
        "ResNet-50's last": {"inputs": 2048, "outputs": 1000},
        "The lab's 4,096 to 10": {"inputs": 4096, "outputs": 10},
        "LeNet's first, fully connected": {"inputs": 784, "outputs": 3456},
    },
}
OWN = {"kind": "max", "stride": "1", "padding": "0", "dilation": "1", "groups": 1, "bias": True}  # where no preset says
FIELDS = {"convolution": ("channels", "height", "width", "filters", "kernel", "stride", "padding", "dilation", "groups",
                          "bias"),
          "pooling": ("kind", "channels", "height", "width", "kernel", "stride", "padding", "dilation"),
          "linear": ("inputs", "outputs", "bias")}
LABELS = {"channels": "Input channels", "height": "Height", "width": "Width", "filters": "Filters", "kernel": "Kernel",
          "stride": "Stride", "padding": "Padding", "dilation": "Dilation", "groups": "Groups", "bias": "Bias",
          "inputs": "Inputs", "outputs": "Outputs", "kind": "Of each window"}
LIMIT_OF = {"channels": "channels", "filters": "channels", "groups": "channels", "height": "side", "width": "side",
            "inputs": "outputs", "outputs": "outputs"}
HELP = {
    "kernel": "One number, or height x width such as 1 x 7",
    "dilation": "Gaps in the kernel: 2 takes every second pixel under it",
    "groups": "The channels are parted, and a filter sees those of its own part only",
}
NOTES = {  # what the course prints of these rows
    "LeNet's first": "The lab prints the 89,856 as if they were one unit's; they are the whole layer's.",
    "AlexNet's first": "One line of the lab prints 105,415,600; the product is 105,705,600.",
    "LeNet's first, fully connected": "The same 784 pixels to the same 3,456 units as LeNet's convolution, which needs "
                                      "156 numbers for it.",
}


def show() -> None:
    """One layer's settings in a row, its numbers, and where each of them comes from."""
    layer = st.segmented_control("Layer", list(LAYERS), default="convolution", required=True, format_func=LAYERS.get,
                                 key="calculator", bind="query-params", label_visibility="collapsed")
    with st.container(horizontal=True, gap="small"):
        for name, settings in PRESETS[layer].items():
            st.button(name, key=f"preset-{name}", on_click=_fill, args=(layer, settings))
    settings = _settings(layer)
    meant = _meant(settings)
    found = WORKED_OUT[layer](**meant)
    _numbers(layer, settings, found)
    if layer != "linear":
        _windows(meant, found)
    st.table(pd.DataFrame(found.lines, columns=["What", "Arithmetic"]).set_index("What"))
    for name, preset in PRESETS[layer].items():
        if name in NOTES and all(settings[key] == value for key, value in _complete(layer, preset).items()):
            st.caption(NOTES[name])
    st.code(found.code)


def _complete(layer: str, settings: dict) -> dict:
    return {key: settings.get(key, OWN.get(key)) for key in FIELDS[layer]}


def _fill(layer: str, settings: dict) -> None:
    """A preset's numbers into the fields; runs before they are drawn."""
    for key, value in _complete(layer, settings).items():
        st.session_state[f"{layer}-{key}"] = value


def _settings(layer: str) -> dict:
    """The fields in a row that wraps: numbers, and text where height and width may differ."""
    first = _complete(layer, next(iter(PRESETS[layer].values())))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        return {key: _field(layer, key, first[key]) for key in FIELDS[layer]}


def _field(layer: str, key: str, value):
    label, where = LABELS[key], {"key": f"{layer}-{key}", "bind": "query-params"}
    # the same default in every run, also after a preset: what equals it leaves the URL, and a link must mean one thing
    where |= {"index": list(analysis.POOLINGS).index(value)} if key == "kind" else {"value": value}
    if key == "kind":
        return st.selectbox(label, list(analysis.POOLINGS), width=130, **where)
    if key == "bias":
        return st.toggle(label, width="content", **where)
    if key in LIMIT_OF:
        return st.number_input(label, 1, LIMITS[LIMIT_OF[key]][0], width=130, help=HELP.get(key), **where)
    return st.text_input(label, width=90, help=HELP.get(key), **where)


def _meant(settings: dict) -> dict:
    """Text of windows as (height, width); a padding may be 0."""
    written = [key for key, value in settings.items() if isinstance(value, str) and key != "kind"]
    return settings | {key: analysis.sides_in(key, settings[key], least=0 if key == "padding" else 1) for key in written}


def _numbers(layer: str, settings: dict, found: Result) -> None:
    """The result in large, two in a row on a telephone."""
    keys = ("inputs",) if layer == "linear" else ("channels", "height", "width")
    given = tuple(settings[key] for key in keys)
    st.markdown(f"**{shape_text(given)} in, {shape_text(found.output)} out**")
    rows = [("Units", found.units, "numbers that the layer puts out"),
            ("Parameters", found.shared, "what it learns")]
    if layer == "convolution":
        rows.append(("Unshared", found.unshared, "parameters if every unit had a filter of its own"))
    if layer != "pooling":
        rows.append(("MACs", found.macs, f"multiply-adds; FLOPs = 2 × MACs = {2 * found.macs:,}"))
    with st.container(horizontal=True):
        for label, value, hint in rows:
            st.metric(label, f"{value:,}", help=hint, width=165 if value < 10**9 else "content")


def _windows(meant: dict, found: Result) -> None:
    """One row of the input under its windows; what the floor cuts off is crossed out."""
    row = Row(meant["width"], *(meant[key][1] for key in ("kernel", "stride", "padding", "dilation")), found.output[2])
    crossed = sum(not row.used(cell) for cell in row.shown())
    st.image(windows.svg(row), width="content", alt=f"One row of {row.n:,} pixels and {2 * row.padding:,} of padding: "
             f"{row.positions:,} windows of {row.kernel:,} fit"
             + (f"; the crossed {crossed} are in none" if crossed else ""))
    st.caption("One row of the input: filled squares are pixels, dashed ones padding"
               + (", crossed ones are in no window" if crossed else "") + ". Each line under it is one window"
               + (", and one output." if len(row.shown()) == row.cells else "; the middle of the row is left out."))
