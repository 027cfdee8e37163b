"""A network through the shapes of its parameters, on the screen."""

import streamlit as st

from ..analysis import parameter_shapes as analysis
from ..analysis.architecture import FLOAT_BYTES, Summary
from ..analysis.arithmetic import MIB, size
from ..analysis.parameter_shapes import Part, Section
from ..networks.zoo import NETWORKS
from . import networks, table_download, wide_table
from .networks import Choice, shape_text

SLIDES = "resnet152", (1000,)  # the network whose parameters the slides list, and its classes
LETTERS = {"bias": "bias", "scale γ": "γ", "shift β": "β"}


def show(choice: Choice) -> None:
    """One row a stage: its first block, the projection around it, and the other blocks with their number."""
    choice = _with_biases(choice)
    summary = networks.summary_of(choice)
    found = analysis.sections(summary)
    _totals(summary)
    width = max(len(section.parts) for section in found)
    rows = [_row(section, summary.totals["params"], width) for section in found]
    most = max(found, key=lambda section: section.params)
    wide_table.show("shapes", f"The parameters of {choice.network} by their shapes: "
                    f"{summary.totals['params']:,} in all, most of them in {most.name}: {most.params:,}.",
                    ["Layers", {"text": "Parameters", "right": True}, *[""] * width], rows)
    st.caption("Weights of a convolution: filters × input channels × height × width; of a linear layer: outputs × "
               "inputs. γ and β are batch norm's scale and shift, one number a channel each. A shortcut without a "
               "projection learns nothing.")
    _beside_the_slides(choice, summary)
    table_download.buttons(analysis.table(found), f"{choice.network}-parameter-shapes")


def _with_biases(choice: Choice) -> Choice:
    """The same network with a bias in every convolution, where its kind leaves that open and the person wants it."""
    if choice.network in NETWORKS and "conv_bias" not in networks.choices_of(choice.network):
        return choice
    has = choice.arguments.get("conv_bias", False)
    wanted = st.toggle("Biases in the convolutions", has, key=f"shapes-biases-{choice.network}-{has}",
                       bind="query-params", help="Some course code has them; batch norm's shift does the same work")
    return Choice(choice.network, {**choice.arguments, "conv_bias": wanted}, choice.size)


def _totals(summary: Summary) -> None:
    found = summary.totals
    weights, averages = found["weights_bytes"], found["buffers_bytes"]
    with st.container(horizontal=True):
        for label, value, hint in (
            ("Parameters", f"{found['params']:,}", "all that training changes"),
            ("Weights", _bytes(weights), f"{found['params']:,} × {FLOAT_BYTES} bytes; 1 MiB = 2²⁰ bytes"),
            ("Running averages", _bytes(averages), "batch norm's means and variances: kept, not learned"),
            ("In a file", size(weights + averages), "weights and running averages, without the file's header"),
        ):
            st.metric(label, value, help=hint, width=165)


def _bytes(count: int) -> str:
    """Two decimals of a MiB, as the slides have them; smaller ones in their own unit."""
    return f"{count / MIB:,.2f} MiB" if count >= MIB else size(count)


def _row(section: Section, total: int, width: int) -> list[wide_table.Cell]:
    share = section.params / total
    missing = width - len(section.parts)
    return [{"text": section.paper or section.name, "note": section.name if section.paper else ""},
            {"text": f"{section.params:,}", "note": f"{share:.1%}" if share >= 0.001 else "under 0.1%", "right": True},
            *(_part(part) for part in section.parts), *([{"text": "", "span": missing}] if missing else [])]


def _part(part: Part) -> wide_table.Cell:
    """Each convolution's shape, and in a smaller line what follows it."""
    each = f"{part.times:,} × {part.params // part.times:,} = " if part.times > 1 else ""
    lines = []
    for first, *others in analysis.by_layer(part):
        after = ", ".join(f"{LETTERS[tensor.what]} {shape_text(tensor.shape)}" for tensor in others)
        name = first.name.removesuffix(".weight").split(".")[-1]
        lines.append([f"{shape_text(first.shape)}", f"{name}, {after}" if name.startswith("conv") else after])
    return {"text": part.title[:1].upper() + part.title[1:], "lines": lines, "note": f"{each}{part.params:,}" if part.title else ""}


def _beside_the_slides(choice: Choice, summary: Summary) -> None:
    """What the course slides print of ResNet-152, where their network is on the screen, else how to get there."""
    if (choice.network, tuple(choice.arguments.get("heads", SLIDES[1]))) != SLIDES:
        return
    if not choice.arguments.get("conv_bias"):
        st.caption("The slides \"Training ResNet-152 on ImageNet\" build it with biases: the switch above gives their "
                   "60,268,520 parameters.")
        return
    whole = (summary.totals["weights_bytes"] + summary.totals["buffers_bytes"]) / MIB
    st.markdown("**Beside the slides \"Training ResNet-152 on ImageNet\".** They list these shapes, 60,268,520 "
                f"parameters and a weights file of 231 MiB: {whole:,.1f} MiB of numbers, the rest are names and "
                "headers. Two slips of theirs: in their \"rest\" blocks, and once in the first block of conv5_x, four vectors "
                "follow a convolution; it is three, its bias and batch norm's γ and β. And \"4 KiB a parameter\" is "
                "4 bytes.")
