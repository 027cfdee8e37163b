"""The cards of the first page: each a true picture of the current checkpoint, and the way to the page behind it."""

from collections.abc import Callable

import streamlit as st

from .. import runs
from ..analysis import feature_maps as maps_analysis
from ..analysis import kernels as kernels_analysis
from ..analysis import kernels_history, kernels_words
from ..analysis.architecture import fold
from ..analysis.prediction_words import spoken
from ..checkpoints import Checkpoint
from ..drawing import curves
from ..drawing import feature_maps as maps_drawing
from ..drawing import kernels as kernels_drawing
from ..drawing import predictions as drawing
from ..drawing import training as training_drawing
from ..drawing.colours import GREY
from ..drawing.tiles import side_by_side
from ..number_text import percent
from ..problems import Problem
from . import networks, state, walls
from .feature_maps import maps_of
from .live_chart import live_chart
from .page import plain
from .pictures import NamedPicture, picture_in_view
from .predictions import FIXED, show_framed, verdicts, views

TOP = 3
MAPS = 8
SMOOTHING = 0.9


def card(page: str, question: str, icon: str, draw: Callable[[], None], otherwise: str) -> None:
    """A question that leads to its page, and a picture under it; `otherwise` stands there if there is none to draw."""
    with st.container(border=True, height="stretch"):
        st.page_link(page, label=f"**{question}**", icon=icon)
        try:
            draw()
        except Problem:  # the page behind the link says what is missing
            st.caption(otherwise)


def prediction() -> None:
    """The example picture, and what the network says of it."""
    checkpoint, picture = state.current_checkpoint(), _picture()
    verdict = verdicts([picture])[0][0]
    left, right = st.columns(2, vertical_alignment="center")
    with left:
        show_framed(picture, views(picture, checkpoint.preprocessing), caption=False)
    with right:
        top = verdict.answers[:TOP]
        st.subheader(plain(f"{top[0].label}, {percent(top[0].probability)}"), anchor=False)
        st.plotly_chart(
            drawing.bars([a.label for a in top], [a.probability for a in top]),
            config=FIXED,
            key="home_bars",
            alt=f"Probabilities: {spoken(verdict, TOP)}",
        )
    st.caption("An example picture; the part in the frame is what the network gets. Bring your own.")


def feature_maps() -> None:
    """What the first layers make of the same picture."""
    checkpoint, picture = state.current_checkpoint(), _picture()
    summary = _summary(checkpoint)
    layer = next((layer for layer in summary.layers if layer.kind == "ReLU"), summary.layers[0])
    seen = maps_of(checkpoint, picture, layer.name)
    chosen = maps_analysis.order(seen, "variance")[:MAPS]
    walls.show(
        maps_drawing.wall(seen.maps[chosen], None, maps_drawing.signed(seen.maps)),
        maps_analysis.describe(seen, picture.name),
    )
    st.caption(
        f"{len(chosen)} of the {len(seen.maps):,} maps that {layer.name} makes of the picture: bright where a pattern"
        " was found."
    )


def kernels() -> None:
    """The first convolution before training and now."""
    checkpoint = state.current_checkpoint()
    layer = next(iter(networks.convolutions_of(checkpoint)))
    past = kernels_history.history(checkpoint, layer)
    view = next(iter(kernels_analysis.views(networks.convolutions_of(checkpoint)[layer])))
    seen = kernels_analysis.compare(checkpoint, layer, past, past.moments[past.current], view, 0, "index")
    drawn = kernels_drawing.walls(seen.before, seen.now, None)
    names = {"before": "before training", "now": "now", "difference": "the difference"}
    finding = kernels_words.describe(layer, seen)
    walls.show(side_by_side(list(drawn.values())), finding)
    titles = [names[name] for name in drawn]
    st.caption(
        f"{len(seen.now):,} kernels of {layer}, from left to right: {', '.join(titles)}."
        if len(drawn) > 1
        else f"{len(seen.now):,} kernels of {layer}."
    )


def learning() -> None:
    """How accuracy rose while this checkpoint was trained."""
    checkpoint = state.current_checkpoint()
    if checkpoint.run is None:
        raise Problem("This checkpoint is a file without its run; choose a run in the sidebar.")
    metrics = runs.Metrics(checkpoint.run).refresh()
    lines = training_drawing.lines(metrics, "accuracy", "epoch", SMOOTHING, training_drawing.Plan())
    if not lines:
        raise Problem("The run has no curve yet; wait for its first step.")
    lines = [line for line in lines if line.style != "raw" and line.name != "test"]
    live_chart(
        lines,
        key=f"home-{checkpoint.run.name}",
        title="Accuracy",
        x_label="epoch",
        percent=True,
        height=170,
        alt=curves.describe("Accuracy", lines, "epoch", percent=True),
    )


def architecture() -> None:
    """The network's size in three numbers, and where its parameters are."""
    try:
        summary = _summary(state.current_checkpoint())
    except Problem:
        summary = networks.summary_of(networks.Choice(networks.FALLBACK, {}, 224))
    macs = summary.totals["macs"]
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left:
        for label, value in (
            ("Network", summary.network),
            ("Parameters", f"{summary.totals['params']:,}"),
            ("Multiply-adds for a picture", f"{macs / 1e9:.4g} G" if macs > 1e9 else f"{macs / 1e6:.4g} M"),
        ):
            st.metric(label, value)
    stages = [row for row in fold(summary, "stage") if row.params]
    shares = [row.params / summary.totals["params"] for row in stages]
    with right:
        st.plotly_chart(
            drawing.bars([row.name for row in stages], shares, GREY),
            config=FIXED,
            key="home_stages",
            alt="Share of the parameters: "
            + ", ".join(f"{row.name} {share:.0%}" for row, share in zip(stages, shares)),
        )
        st.caption("Where the parameters are, from the first stage to the last.")


def _picture() -> NamedPicture:
    """The picture in view on the other pages, else the first example."""
    picture = picture_in_view()
    if picture is None:
        raise Problem("There is no example picture; install scikit-image again.")
    return picture


def _summary(checkpoint: Checkpoint):
    return networks.summary_of(networks.Choice(checkpoint.network, checkpoint.arguments, checkpoint.preprocessing.size))
