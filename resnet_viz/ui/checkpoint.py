"""The card of a weights file: what it is, what was assumed, what is wrong with it, and a first look inside."""

import pandas as pd
import streamlit as st

from .. import doctor
from ..analysis import checkpoint as analysis
from ..checkpoints import Checkpoint
from ..doctor import Diagnosis
from ..drawing import checkpoint as drawing
from ..number_text import percent
from . import corrections, networks, picker, presenter, pretrained, state, walls
from .page import download_table, plain, under_picture

STILL = {"displayModeBar": False}
SHOWN_NAMES = 12  # of classes


# Opening

def drop_zone() -> None:
    """Where a weights file is dropped, and beside it published weights; a failure leaves its card."""
    if presenter.on():
        return
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    key = f"card_{st.session_state.get('opened_number', 0)}"  # empty again once its file is open
    left.file_uploader(
        "Drop the weights of any ResNet: safetensors, or a state_dict as torch.save writes it", state.FILE_TYPES,
        key=key, on_change=picker.open_dropped, args=(key,),
        help="It stays in this session, and nothing in it is run. A file too big for this goes into the folder runs/.")
    popover = right.popover("Published weights", icon=":material/cloud_download:", width="stretch", key="published",
                            on_change="rerun")
    if popover.open:  # their list comes from torchvision, which takes seconds to import
        with popover:
            pretrained.choose_pretrained()
    if "open_problem" in st.session_state:
        with st.container(border=True):
            _failure(st.session_state.open_problem, st.session_state.get("open_diagnosis"))
            if state.references():
                st.caption(f"Below is {plain(state.current_reference())}, as before.")


def _failure(problem: str, diagnosis: Diagnosis | None) -> None:
    """Why the last file could not be used, and the first tensors that disagree."""
    st.error(plain(problem), icon=":material/heart_broken:")
    if diagnosis is None:
        return
    if diagnosis.found:
        st.markdown("As far as it was understood:\n" + _list(diagnosis.found))
    if diagnosis.disagreements:
        network = f"a {diagnosis.network}" if diagnosis.network else "the network"
        rows = [{"Tensor": d.name, "in the file": networks.shape_or_absent(d.in_file),
                 f"in {network}": networks.shape_or_absent(d.in_network)} for d in diagnosis.disagreements]
        first = rows[0]
        st.dataframe(rows, hide_index=True, height=min(38 + 35 * len(rows), 250), width="content",
                     alt=f"{len(rows)} tensors disagree; the first: " + ", ".join(map(str, first.values())))


# The card

def card(checkpoint: Checkpoint) -> None:
    """Its sentences, beside them its first kernels, and under both how large the weights of each layer are."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _what_it_is(checkpoint)
    with right:
        _first_kernels(checkpoint)
    layers = analysis.strengths(checkpoint)
    finding = _of_strengths(checkpoint, layers)
    st.markdown("**How large the weights of each layer are**, from the first to the last")
    st.plotly_chart(drawing.strengths([s.name for s in layers], [s.typical for s in layers],
                                      [s.initial for s in layers]), config=STILL, key="strengths", alt=finding)
    under_picture("view", story=lambda: st.markdown(finding), formula=lambda: _formula(layers),
                  code=lambda: _code(checkpoint), numbers=lambda: _numbers(checkpoint, layers, finding))


def _what_it_is(checkpoint: Checkpoint) -> None:
    st.subheader(plain(checkpoint.name), anchor=False)
    learned = f"; learned from {checkpoint.data}" if checkpoint.data else ""
    epochs = f", epoch {checkpoint.epoch:,}" if checkpoint.epoch is not None else ""
    source = f"{checkpoint.source}; " if checkpoint.source else ""
    st.caption(plain(f"{source}{checkpoint.format}{learned}{epochs}"))
    for warning in checkpoint.warnings:
        st.warning(plain(warning), icon=":material/warning:")
    st.markdown(_list([*(checkpoint.found or _found(checkpoint)), *_recipe(checkpoint)]))
    for title, names in (("Missing", checkpoint.missing), ("Not used", checkpoint.unexpected)):
        if names:
            with st.expander(f"{title}: {len(names):,} tensor{'s' * (len(names) > 1)}"):
                st.dataframe(pd.DataFrame({"Tensor": names}), hide_index=True, height=min(38 + 35 * len(names), 300))
    _what_it_does_not_say(checkpoint)


def _what_it_does_not_say(checkpoint: Checkpoint) -> None:
    """What was assumed, with the form that sets it by hand beside it, and what was set by hand before."""
    if checkpoint.digest is None:
        st.caption("Nothing had to be assumed: " + (
            "torchvision publishes the classes, how pictures are prepared, and the accuracy." if checkpoint.source else
            "the file itself says how pictures are prepared and what it was trained on."))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Assumed**, because the file does not say" if checkpoint.assumed else "Nothing is assumed.",
                    width="content")
        corrections.popover(checkpoint)
    st.markdown(_list(checkpoint.assumed))
    if by_hand := corrections.sentences(checkpoint):
        st.markdown("**Set by hand**, and remembered for this file")
        st.markdown(_list(by_hand))


def _list(sentences) -> str:
    return "\n".join(f"- {plain(sentence)}" for sentence in sentences)


def _found(checkpoint: Checkpoint) -> list[str]:
    """The network of a file that names it, so that nothing had to be inferred."""
    learned = sum(checkpoint.state[name].numel() for name, kind in analysis.kinds(checkpoint).items()
                  if kind in analysis.LEARNED)
    return [*doctor.in_words(checkpoint.network, checkpoint.arguments),
            f"{len(checkpoint.state):,} tensors with {learned:,} parameters: each has its place in the network."]


def _recipe(checkpoint: Checkpoint) -> list[str]:
    """How pictures are prepared, what the outputs are called, and how good it is by its own account."""
    recipe, names = checkpoint.preprocessing, checkpoint.classes
    crop = f" (the middle of {recipe.resize} x {recipe.resize})" if recipe.resize > recipe.size else ""
    mean, std = (", ".join(f"{value:.3g}" for value in values) for values in (recipe.mean, recipe.std))
    sentences = [f"Reads pictures of {recipe.size} x {recipe.size} pixels{crop}, from which {mean} is subtracted "
                 f"before they are divided by {std}."]
    if names:
        more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
        sentences.append(f"Its {len(names):,} outputs are {', '.join(names[:SHOWN_NAMES])}{more}.")
    if claimed := claims(checkpoint):
        said = ", ".join(f"{percent(value)} {word}" for word, value in claimed.items())
        sentences.append(f"{claimant(checkpoint)} claims {said}.")
    return sentences


def claimant(checkpoint: Checkpoint) -> str:
    """Who says how good it is."""
    return "The file" if checkpoint.source is None else "torchvision"


def claims(checkpoint: Checkpoint) -> dict[str, float]:
    """Accuracies that the file's header claims, or that were published with it."""
    words = {"test_accuracy": "test accuracy", "val_accuracy": "validation accuracy"}
    return {word: checkpoint.metrics[key] for key, word in words.items()
            if isinstance(checkpoint.metrics.get(key), float)}


def _first_kernels(checkpoint: Checkpoint) -> None:
    name = next(name for name, kind in analysis.kinds(checkpoint).items() if kind == "convolution")
    weights = checkpoint.state[name].numpy()
    if weights.shape[1] in (1, 3):
        count, _, height, width = weights.shape
        words = f"{count:,} filters of {height} x {width} of {name}: what the network looks for first"
        walls.show(drawing.first_kernels(weights), words)
    else:
        values, signed = analysis.matrix(checkpoint, name)
        words = f"{name}: {len(values):,} filters on {values.shape[1]:,} input channels, the size of each kernel"
        walls.show(drawing.matrix(values, signed), words)
    st.caption(words + ".")


# Under the picture

def _of_strengths(checkpoint: Checkpoint, layers: list[analysis.Strength]) -> str:
    ratios = [(s.typical / s.initial, s.name) for s in layers if s.initial and s.typical == s.typical]
    if not ratios:
        return "No layer holds finite numbers only."
    (least, weak), (most, strong) = min(ratios), max(ratios)
    if all(abs(ratio - 1) < 0.15 for ratio, _ in ratios):
        return "The weights of every layer are as large as where training usually begins: it looks untrained."
    text = (f"Compared with where training usually begins, the weights are largest in {strong} ({most:.2g} times) and "
            f"smallest in {weak} ({least:.2g} times).")
    if least < 0.7:
        text += " Bars far below their marks are usually the work of weight decay"
        text += ", and batch norm makes up for it." if "bn1.weight" in checkpoint.state else "."
    return text


def _formula(layers: list[analysis.Strength]) -> None:
    first, last = layers[0], layers[-1]
    begins = {"he": r"\sqrt{\frac{2}{k \cdot k \cdot \text{filters}}}",
              "uniform": r"\frac{1}{\sqrt{3 \cdot \text{inputs}}}"}
    for layer in (first, last):
        st.latex(rf"\text{{{layer.kind} {layer.name}:}} \quad \text{{typical weight}} = "
                 rf"\sqrt{{\tfrac{{1}}{{n}} \sum_i w_i^2}} = {layer.typical:.3g}, \quad "
                 rf"\text{{training begins at}} = {begins[layer.begun]} = {layer.initial:.3g}")
    st.caption("A ResNet's convolutions begin by He et al., Delving Deep into Rectifiers (2015), equation 14; other "
               "layers uniformly between ±1/√inputs, as PyTorch does. Where another's training began, no file says.")


def _code(checkpoint: Checkpoint) -> None:
    reference = state.current_reference()
    st.code(f"from resnet_viz import checkpoints\n\ncheckpoint = checkpoints.read(checkpoints.find({reference!r}))\n"
            "model = checkpoints.model(checkpoint)  # a torch.nn.Module in evaluation mode\n"
            'checkpoint.state["fc.weight"].square().mean().sqrt()')
    st.caption("The card without a browser:")
    st.code(f"python -m resnet_viz doctor {reference} --json", language="bash")


def _numbers(checkpoint: Checkpoint, layers: list[analysis.Strength], finding: str) -> None:
    rows = [{"tensor": s.name, "kind": s.kind, "typical weight": s.typical, "begins at": s.initial} for s in layers]
    decimal = st.column_config.NumberColumn(format="%.4f")
    download_table(rows, f"{checkpoint.name}-weights.csv", {"typical weight": decimal, "begins at": decimal}, finding)
