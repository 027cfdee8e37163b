"""What is this network made of?"""

import streamlit as st

from resnet_viz.analysis import architecture, arithmetic, table_text
from resnet_viz.ui import architecture_drawing, calculators, networks, paper_table, parameter_shapes, table_download
from resnet_viz.ui.page import page, problems, under_picture


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


def formula() -> None:
    st.latex(r"\text{side of the output} = \left\lfloor \frac{n + 2p - d\,(k - 1) - 1}{s} \right\rfloor + 1")
    st.latex(r"\text{parameters} = \frac{c_\text{in}}{g} \cdot k \cdot k \cdot c_\text{out} \;(+\, c_\text{out})"
             r" \qquad \text{MACs} = \frac{c_\text{in}}{g} \cdot k \cdot k \cdot c_\text{out} \cdot h \cdot w")
    st.caption("Of a convolution: n pixels a side, padding p, dilation d, kernel k, stride s, g groups, c channels, "
               "h × w its output; in brackets the biases. FLOPs = 2 × MACs. The chosen layer's own stand above.")


def code(choice, part) -> None:
    layer = part.layers[0]
    st.code(f"from resnet_viz.networks import zoo\n\nmodel = zoo.build({choice.network!r}, {choice.arguments})\n"
            f"model.get_submodule({layer.name!r})  # {layer.code}")
    if command := architecture.command(choice.network, choice.arguments, choice.size):
        st.caption("The whole table without a browser:")
        st.code(f"{command} --json", language="bash")


@st.fragment
def drawn(choice, summary, level, folded) -> None:
    """The picture and what stands under it: a click on a part draws only this again."""
    with problems():
        part = architecture_drawing.show(choice, summary, level, folded)
        totals(summary)
        architecture_drawing.details(choice, part)
        findings = arithmetic.findings(summary)
        under_picture("view", story=lambda: st.markdown("\n".join(f"- {line}" for line in findings)),
                      formula=formula, code=lambda: code(choice, part),
                      numbers=lambda: table_download.buttons(table_text.of_layers(summary, level),
                                                             f"{summary.network}-{level}s"))


def drawing_and_layers(choice) -> None:
    summary = networks.summary_of(choice)
    drawn(choice, summary, *architecture_drawing.controls(choice, summary))
    architecture_drawing.install()


SECTIONS = {"Drawing and layers": drawing_and_layers, "The paper's table": paper_table.show,
            "Parameter shapes": parameter_shapes.show, "Arithmetic": lambda choice: calculators.show()}

page("What is this network made of?", "Its layers in the order a picture meets them: what each puts out, the "
     "weights it learns, and the work it costs.")
with problems():
    choice = networks.choose_network()
    section = st.segmented_control("What to see", list(SECTIONS), default="Drawing and layers", required=True,
                                   key="part", bind="query-params", label_visibility="collapsed")
    SECTIONS[section](choice)
