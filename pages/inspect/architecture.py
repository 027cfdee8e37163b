"""What is this network made of?"""

import pandas as pd
import streamlit as st

from resnet_viz.analysis import architecture, arithmetic
from resnet_viz.analysis.architecture import FOLDS, fold
from resnet_viz.ui import networks
from resnet_viz.ui.page import download_table, page, problems, under_picture


def totals(summary) -> None:
    """The sums of the table's columns, two in a row on a telephone."""
    found = summary.totals
    activations = sum(layer.activation_bytes for layer in summary.layers)
    with st.container(horizontal=True):
        for label, value, hint in (
            ("Parameters", f"{found['params']:,}", f"all of them trainable: {found['trainable_params']:,}"),
            ("MACs", f"{found['macs'] / 1e9:.4g} G" if found["macs"] > 1e9 else f"{found['macs'] / 1e6:.4g} M",
             f"{found['macs']:,} multiply-adds; FLOPs = 2 × MACs = {2 * found['macs']:,}"),
            ("Weights", arithmetic.size(found["weights_bytes"]),
             f"4 bytes a parameter; batch norm's running averages add {arithmetic.size(found['buffers_bytes'])}"),
            ("Activations", arithmetic.size(activations), "what all layers put out for one picture, 4 bytes a number"),
            ("Layers", f"{len(summary.layers):,}", "calls of a layer, activations and additions included"),
        ):
            st.metric(label, value, help=hint, width=165)


def choose_layer(summary, start):
    """One leaf layer; the row that was clicked in the table, until another is chosen here."""
    layers = {layer.name: layer for layer in summary.layers}
    names = list(layers)
    start = start if start in layers else names[0]
    return layers[st.selectbox("Layer", names, index=names.index(start), key=f"layer-{summary.network}-{start}")]


def formula(layer) -> None:
    st.markdown(f"**{layer.name}**, a {layer.kind}: {networks.shape_text(layer.input_shape)} in, "
                f"{networks.shape_text(layer.output_shape)} out")
    st.table(pd.DataFrame(arithmetic.lines(layer), columns=["What", "Arithmetic"]).set_index("What"))
    st.caption("Side of the output = ⌊(n + 2 × padding − kernel) / stride⌋ + 1. FLOPs = 2 × MACs.")


def code(choice, layer) -> None:
    st.code(f"from resnet_viz.networks import zoo\n\nmodel = zoo.build({choice.network!r}, {choice.arguments})\n"
            f"model.get_submodule({layer.name!r})  # {layer.code}")
    if command := architecture.command(choice.network, choice.arguments, choice.size):
        st.caption("The whole table without a browser:")
        st.code(f"{command} --json", language="bash")


def numbers(summary) -> None:
    rows = networks.plain_rows(summary)
    download_table(rows, f"{summary.network}-layers.csv", alt=f"{len(rows)} layers with all numbers")


page("What is this network made of?", "Its layers in the order a picture meets them: what each puts out, the "
     "weights it learns, and the work it costs.")
with problems():
    choice = networks.choose_network()
    summary = networks.summary_of(choice)
    totals(summary)
    level = st.segmented_control("One row for each", list(FOLDS), default="layer", required=True, key="fold",
                                 bind="query-params", format_func=lambda level: f"every {level}",
                                 label_visibility="collapsed")
    rows = fold(summary, level)
    frame, columns = networks.table(rows, summary.totals)
    findings = arithmetic.findings(summary)
    clicked = st.dataframe(frame, column_config=columns, hide_index=True, height=min(38 + 35 * len(rows), 560),
                           placeholder="", on_select="rerun", selection_mode="single-row",
                           key=f"rows-{summary.network}-{level}",
                           alt=f"{len(rows)} rows of {summary.network}. {' '.join(findings[1:3])}").selection.rows
    st.caption("MACs are multiply-adds of convolutions and linear layers; "
               f"FLOPs = 2 × MACs = {2 * summary.totals['macs']:,}. "
               "A click on a layer's row chooses it for Formula and Code.")
    start = rows[clicked[0]].name if clicked else ""
    under_picture("view", story=lambda: st.markdown("\n".join(f"- {line}" for line in findings)),
                  formula=lambda: formula(choose_layer(summary, start)),
                  code=lambda: code(choice, choose_layer(summary, start)), numbers=lambda: numbers(summary))
