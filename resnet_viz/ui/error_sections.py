"""Under the errors page's picture: the story, the formula with its numbers, the code."""

import streamlit as st

from ..analysis import error_words as words
from ..analysis import errors
from ..analysis.calibration import BINS
from . import state
from .error_views import calibrated
from .errors import Seen, current
from .page import plain

LAID_OUT = ("What the last layer is given is the network's own description of a picture. Pictures that lie together "
            "look alike to it; an orange dot inside another class's cloud is a picture that it describes like that "
            "class. PCA looks along the two directions in which the descriptions differ most. t-SNE keeps neighbours "
            "together and gives up distances: neither the size of a cloud nor the gap between two means anything (van "
            "der Maaten, Hinton 2008).")


def story(seen: Seen) -> None:
    st.caption(plain(f"Of {current(seen)}."))
    if seen.choice.show == "sureness" and seen.verdicts is not None:
        st.markdown(plain(words.sureness(calibrated(seen, 1.0))))
        st.markdown("A network is trained to put all its weight on the right class. Once it answers nearly every "
                    "training picture rightly, it can lower its loss only by being surer, and so modern networks "
                    "promise too much (Guo et al. 2017). One number mends most of it: divide the logits by a "
                    "temperature.")
        return
    if seen.choice.show == "map":
        st.markdown(LAID_OUT)
    if seen.history:
        st.markdown(plain(words.growth(seen.history, seen.frame)))
    for line in words.story(seen.counts, seen.classes):
        st.markdown(plain(line))
    if seen.choice.show == "mistakes":
        st.markdown("Look at the pictures before you blame the network: some labels are wrong, some pictures cannot "
                    "be told by anybody. That is what the vote is for.")


def formula(seen: Seen) -> None:
    if seen.choice.show == "sureness" and seen.verdicts is not None:
        found = calibrated(seen, 1.0)
        st.latex(r"\text{ECE} = \sum_{b=1}^{" + str(BINS) + r"} \frac{n_b}{n} \, "
                 r"\bigl| \text{right}_b - \text{promised}_b "
                 rf"\bigr| = {100 * found.error:.1f}\,\%")
        st.caption(f"Over {int(found.count.sum()):,} answers, in {BINS} equal parts by how sure they were, without "
                   "temperature.")
        st.latex(r"p_i = \frac{e^{z_i / T}}{\sum_j e^{z_j / T}}")
        return
    worst = errors.worst_pair(seen.counts)
    if worst is None:
        st.markdown("There is no mistake to count.")
        return
    true, answered = worst
    count, row, column = int(seen.counts[worst]), int(seen.counts[true].sum()), int(seen.counts[:, answered].sum())
    right = int(seen.counts[answered, answered])
    st.latex(rf"\text{{rate}}_{{ij}} = \frac{{\text{{pictures of class }} i \text{{ taken for }} j}}"
             rf"{{\text{{pictures of class }} i}} = \frac{{{count}}}{{{row}}} = {100 * count / row:.1f}\,\%")
    st.caption(plain(f"i = {seen.classes[true]}, j = {seen.classes[answered]}: the most frequent mistake."))
    st.latex(rf"\text{{trust}}_j = \frac{{\text{{right answers }} j}}{{\text{{all answers }} j}} = "
             rf"\frac{{{right}}}{{{column}}} "
             rf"= {100 * right / column:.1f}\,\%")


def code(seen: Seen) -> None:
    if seen.history:
        st.code("from pathlib import Path\n\nfrom resnet_viz.analysis import errors\n\n"
                f'history = errors.history(Path("{_run(seen)}"))\n'
                f"counts = history.counts[{seen.frame}]  # {words.when(seen.history, seen.frame)}; rows: what it is\n"
                "rates = counts / counts.sum(axis=1, keepdims=True)")
        return
    st.code("from resnet_viz import checkpoints\nfrom resnet_viz.analysis import errors\n\n"
            f'checkpoint = checkpoints.read(checkpoints.find("{state.current_reference()}"))\n'
            f'exam = errors.exam(checkpoint, "{seen.choice.data}", "{seen.choice.split}", {seen.choice.limit})\n'
            "answers = errors.ask(checkpoints.model(checkpoint), exam.images, checkpoint.preprocessing)  # .logits, "
            ".features\n"
            "verdicts = errors.of_head(checkpoint, exam, answers)\n"
            "counts = errors.confusion(verdicts.true, verdicts.answered, len(verdicts.classes))")


def _run(seen: Seen) -> str:
    run = seen.checkpoint.run
    return f"{run.parent.name}/{run.name}"
