"""What stands under the operation: its story, its arithmetic, the code, and every number."""

import streamlit as st

from ..analysis import surgery_words as words
from . import state
from . import surgery_work as work
from .page import PERCENT, download_table, plain
from .surgery import Operation, difference, shares
from .surgery_case import ways


def story(operation: Operation) -> None:
    case = operation.case
    st.markdown(
        "- A residual block only adds something to what arrives. Switched off, it lets x pass, and the blocks behind it get "
        "nearly what they expect. So the network loses some answers, not all.\n"
        "- A plain block makes everything new. Without it the next one gets what it has never seen, and the network guesses.\n"
        "- The blocks that are needed most often stand where the shape changes, right before or right after: there the "
        "shortcut carries less of x on.\n"
        "- n blocks leave 2ⁿ ways through a residual network, with each block or around it; taking one block away closes "
        "half of them. A plain network has one way. (Veit, Wilber, Belongie, NeurIPS 2016; a deep network bears it better "
        "than a shallow one, for each of its blocks does less.)")
    if case.twin and (said := difference(case)):
        st.markdown(f"- {plain(said)}")
    st.markdown("**Try:** double a block instead (a = 2); switch off all but the first block of every stage; take the same "
                "two blocks from both networks.")


def formula(operation: Operation) -> None:
    way = ways(operation.case.first.key, operation.case.first.checkpoint)
    kinds = dict.fromkeys(way[block] for block in operation.chosen or operation.case.blocks[:1])
    a = f"{operation.scale:g}"
    if "none" in kinds:
        st.latex(rf"\text{{block}}(x) = a\,H(x) + (1 - a)\,x = {a}\,H(x) + {1 - operation.scale:g}\,x")
        st.caption("A plain block has no x beside it, so x takes the place of what is gone; where the shape changes, x is thinned "
                   "and padded with zeros, as shortcut A of the residual twin does.")
    else:
        st.latex(rf"\text{{block}}(x) = \text{{act}}\big(S(x) + a\,F(x)\big) = \text{{act}}\big(S(x) + {a}\,F(x)\big)")
        st.caption("S is the shortcut: x itself, x thinned and padded with zeros, or x through a 1 × 1 convolution. It always stays.")
        if operation.case.twin:
            st.latex(rf"\text{{plain block}}(x) = a\,H(x) + (1 - a)\,x = {a}\,H(x) + {1 - operation.scale:g}\,x")
            st.caption("The twin has no x beside H(x), so x takes the place of what is gone.")


def code(operation: Operation) -> None:
    first = operation.case.first
    chosen = dict(operation.scales) or {operation.case.blocks[0]: operation.scale}
    way = ways(first.key, first.checkpoint)[next(iter(chosen))]
    recipe = first.checkpoint.preprocessing
    name = first.name if first.checkpoint.run is not None or not state.is_opened(first.name) else first.checkpoint.name
    st.code(words.code(name, chosen, way, recipe.channels, recipe.size))


def numbers(operation: Operation) -> None:
    case = operation.case
    whole, alone = shares(case)
    count = min(work.sheet(patient, work.EACH).done for patient in case.patients)
    rows = words.rows(alone, whole if case.labelled else {}, ways(case.first.key, case.first.checkpoint), count)
    columns = {name: PERCENT for name in rows[0] if name not in ("block", "what is left")}
    download_table(rows, f"{case.first.name.replace('/', '-')}-without-each-block.csv", columns,
                   f"{len(case.blocks)} blocks of {', '.join(whole)}: the share without each of them")
    st.caption(f"{'Right answers' if case.labelled else 'Answers that are still those of the whole network'}, on {count:,} of {case.pictures}. "
               "± is chance alone: 95 of 100 draws of that many pictures would give a share that near.")
