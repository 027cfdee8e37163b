"""Where the network looked, on the screen: which maps to make, and the grid of methods and classes."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from ..analysis import attribution_words as words
from ..analysis import attributions
from ..analysis.attribution_sanity import gap
from ..analysis.attributions import METHODS
from ..checkpoints import label
from ..drawing import attributions as drawing
from ..number_text import percent
from . import predictions
from .attribution_maps import Job, Subject, heat_of, network_of, store, work_out
from .page import plain
from .walls import png

TILE = 224  # css pixels a side, less where whole multiples of the network's pixels do not fit
ORDER = ("gradcam", "occlusion", "integrated-gradients", "saliency", "smoothgrad", "guided-backprop", "guided-gradcam",
         "deconvolution", "deeplift", "gradient-shap", "input-x-gradient", "feature-ablation", "layer-conductance")
FIRST = ("gradcam", "integrated-gradients", "guided-backprop")
FIRST_OF_LARGE = ("gradcam", "saliency", "guided-backprop")  # one pass each, for pictures of more than SMALL pixels
SMALL = 96
MODES = {"maps": "Maps", "layers": "Depth", "deletion": "Deletion", "fake": "Fake?"}
MODES_HELP = ("Maps: methods beside each other. Depth: Grad-CAM at one layer after the other. Deletion: does it matter "
              "what the map calls important? Fake?: can you tell the map of a network that learned nothing?")
MOST_LAYERS, MOST_CLASSES = 12, 4


@dataclass(frozen=True)
class Target:
    """A class whose score is explained: its output, its name, its probability, and why it is shown."""

    index: int
    label: str
    probability: float
    role: str


@dataclass(frozen=True)
class Choice:
    """What the controls say. opacity 0..1; own_scale: every map has its own ends instead of those of its row."""

    mode: str
    methods: list[str]
    layer: str | None
    targets: list[Target]
    opacity: float
    twin: bool
    own_scale: bool


def controls(subject: Subject) -> Choice:
    """One row, the methods to pick under it, and the rest behind "More"."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        mode = st.segmented_control("Show", list(MODES), format_func=MODES.get, default="maps", required=True,
                                    key="show", bind="query-params", help=MODES_HELP)
        layer = _layer(subject)
        opacity = st.slider("Map over picture, %", 0, 100, 60, 5, key="opacity", bind="query-params", width=160)
        twin = st.toggle("Twin", key="twin", bind="query-params",
                         help="Beside each map that of a twin which learned nothing: the same network with every "
                              "layer's weights shuffled. A map that looks the same there cannot tell what was learned.")
        with st.popover("More", icon=":material/tune:"):
            own_scale = st.segmented_control("Colour scale for", ["each method", "each map"], default="each method",
                                             required=True, key="heat-scale", bind="query-params") == "each map"
            targets = _targets(subject)
    return Choice(mode, _methods(subject), layer, targets, opacity / 100, twin, own_scale)


def _methods(subject: Subject) -> list[str]:
    """The methods that were picked and that the network can bear; those it cannot are grey, each with its reason."""
    why = attributions.reasons(subject.anatomy)
    first = FIRST if max(subject.pixels.shape) <= SMALL else FIRST_OF_LARGE
    titles = {name: f":gray[~{METHODS[name].title}~]" if name in why else METHODS[name].title for name in ORDER}
    picked = st.pills("Methods", ORDER, selection_mode="multi", format_func=titles.get, key="methods",
                      default=[name for name in first if name not in why], bind="query-params",
                      label_visibility="collapsed")
    for name, reason in why.items():
        if name in picked:
            st.caption(f":material/block: {plain(reason)}")
    return [name for name in ORDER if name in picked and name not in why]


def layers_of(subject: Subject) -> list[str]:
    """The layers to choose from: what each block puts out, and what stands before the blocks."""
    found = subject.anatomy.layers
    blocks = [name for name in found if name.count(".") == 1 and name.rpartition(".")[2].isdigit()]
    before = [name for name in found if "." not in name and name.startswith(("act", "pool", "maxpool", "widen"))]
    return [name for name in found if name in {*blocks, *before}] or list(found)


def _layer(subject: Subject) -> str | None:
    names = layers_of(subject)
    if not names:
        return None
    shapes = subject.anatomy.layers
    return st.selectbox("Layer", names, len(names) - 1, key="cam-layer", bind="query-params", width=190,
                        help="of Grad-CAM and its kin",
                        format_func=lambda name: f"{name}, {shapes[name][0]} × {shapes[name][1]}")


def _targets(subject: Subject) -> list[Target]:
    """The classes to explain: those picked, else the likeliest, its runner-up, and the true one where it is known."""
    verdicts = predictions.verdicts([subject.picture])[0]
    answers = {answer.index: answer for verdict in verdicts for answer in verdict.answers}
    picked = st.multiselect("Classes", sorted(answers), max_selections=MOST_CLASSES, key="explained",
                            format_func=lambda index: label(subject.checkpoint, index), bind="query-params",
                            placeholder="the likeliest, the runner-up, the true one")
    if picked:
        roles = dict.fromkeys(picked, "chosen")
    else:
        firsts = [verdict.answers[0].index for verdict in verdicts]
        roles = dict.fromkeys(firsts, "likeliest")
        if len(verdicts) == 1 and len(verdicts[0].answers) > 1:
            roles[verdicts[0].answers[1].index] = "runner-up"
        true = words.likely_class(subject.checkpoint.classes, subject.picture.name)
        if true is not None:
            roles[true] = f"{roles[true]}, and true by its name" if true in roles else "true by its name"
    return [Target(index, answers[index].label, answers[index].probability, role)
            for index, role in list(roles.items())[:MOST_CLASSES]]


# The grid


def grid(subject: Subject, choice: Choice) -> None:
    """What the network saw, and beside it a row a method: the map for each class, and the twin's."""
    if not choice.methods:
        st.info("Pick a method above: each asks the network in its own way.", icon=":material/touch_app:")
        return
    first = choice.targets[0]
    work_out(subject, [Job(name, target.index, choice.layer) for name in choice.methods for target in choice.targets]
             + [Job(name, first.index, choice.layer, True) for name in choice.methods if choice.twin])
    left, right = st.columns([1, 3], gap="medium")
    with left:
        height, width = subject.pixels.shape[:2]
        tile(subject.pixels, f"What the network saw: {width} × {height} pixels",
             f"{subject.picture.name}, as the network sees it")
    with right:
        for name in choice.methods:
            _row(subject, name, choice)


def _row(subject: Subject, name: str, choice: Choice) -> None:
    first = choice.targets[0]
    st.markdown(f"**{METHODS[name].title}** &nbsp; {METHODS[name].explanation}")
    heats = {target: heat_of(subject, Job(name, target.index, choice.layer)) for target in choice.targets}
    there = [heat for heat in heats.values() if heat is not None]
    end = drawing.limit(there) if there else 0.0
    with st.container(horizontal=True, gap="small"):
        for target, heat in heats.items():
            caption = f"for **{plain(target.label)}**, {percent(target.probability)} ({target.role})"
            show(subject, heat, drawing.limit([heat]) if choice.own_scale and heat is not None else end, choice,
                 caption, words.finding(name, target.label, heat) if heat is not None else "")
        if choice.twin:
            heat = heat_of(subject, Job(name, first.index, choice.layer, True))
            show(subject, heat, drawing.limit([heat]) if heat is not None else 0.0, choice,
                 f"the twin's, for {plain(first.label)}; its own scale", f"{METHODS[name].title} of the twin")
    _under_row(subject, name, choice, heats, end)


def show(subject: Subject, heat: np.ndarray | None, end: float, choice: Choice, caption: str, alt: str) -> None:
    """One map over the picture; a place for it where it is not worked out yet."""
    if heat is None:
        with st.container(width=_side(subject.pixels), border=True):
            st.caption(f"not computed yet: {caption}")
        return
    tile(drawing.overlay(subject.pixels, heat, end, choice.opacity), caption, alt)


def tile(pixels: np.ndarray, caption: str, alt: str) -> None:
    side = _side(pixels)
    with st.container(width=side, gap=None):
        st.image(png(drawing.enlarged(pixels, 2 * side)), width=side, alt=alt)
        st.caption(caption)


def _side(pixels: np.ndarray) -> int:
    return max(1, TILE // pixels.shape[1]) * pixels.shape[1] if pixels.shape[1] <= TILE else TILE


def _under_row(subject: Subject, name: str, choice: Choice, heats: dict[Target, np.ndarray | None], end: float) -> None:
    """The scale, and what has to be said of this method's maps."""
    if METHODS[name].signed and not choice.own_scale and end:
        scale_bar(end)
    target, heat = next(iter(heats.items()))
    if heat is None:
        return
    if METHODS[name].signed and heat.any() and heat.max() <= 0:
        st.caption(f"Nothing speaks for {plain(target.label)} here: Grad-CAM as it is usually drawn would be blank.")
    if METHODS[name].complete:
        st.caption(plain(words.completeness(gap_of(subject, name, target), target.label)))


def gap_of(subject: Subject, method: str, target: Target):
    """The completeness gap of a map that is there, worked out once."""
    job = Job(method, target.index)
    key = (*job.key(subject), "gap")
    if (found := store().get(key)) is None:
        with network_of(subject) as model:
            found = gap(model, subject.tensor, heat_of(subject, job), target.index)
        store().keep(key, found)
    return found


def scale_bar(end: float) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"against, −{end:.3g}", width="content")
        st.image(png(drawing.scale_bar()), width=192, alt=f"Colour scale from minus {end:.3g}, blue, to {end:.3g}, red")
        st.caption(f"+{end:.3g}, for", width="content")
