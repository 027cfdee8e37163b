"""A run's curves and first kernels, and the axes they are looked at with."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from .. import runs
from ..data.sources import SOURCES
from ..drawing import curves, kernels
from ..drawing import training as drawing
from . import walls
from .live_chart import live_chart
from .page import download_table
from .runs import Watched, snapshot_files

EPOCH_COLUMNS = {
    name: st.column_config.NumberColumn(format=form)
    for form, names in (
        ("localized", ("epoch", "steps done")),
        ("percent", ("training accuracy", "validation accuracy")),
        ("%.4f", ("training loss", "validation loss")),
        ("%.4g", ("learning rate",)),
        ("%.1f", ("seconds",)),
    )
    for name in names
}


@dataclass(frozen=True)
class View:
    """How curves are looked at."""

    x_axis: str = "step"
    smoothing: float = 0.8
    log_loss: bool = False


def choose_view(x_axis: str = "step") -> View:
    """How to look at curves: behind one button. x_axis: what is shown from left to right before anybody chooses."""
    with st.popover("Axes", icon=":material/tune:"):
        x_axis = st.segmented_control(
            "From left to right", list(drawing.X_AXES), default=x_axis, required=True, key="x", bind="query-params"
        )
        smoothing = st.slider(
            "Smoothing",
            0.0,
            0.99,
            0.8,
            key="smoothing",
            bind="query-params",
            help="Exponential moving average; the measured values stay visible as a thin line",
        )
        log_loss = st.toggle("Loss on a logarithmic axis", key="log", bind="query-params")
        st.caption(
            "On a curve: drag to zoom (a flat drag keeps the height), shift-drag to move, double-click to go back;"
            " after a click also the wheel, the arrow keys, + and −. A click on a name hides its line."
        )
    return View(x_axis, smoothing, log_loss)


def learning_curves(watched: Watched, view: View) -> None:
    """Loss and accuracy side by side, under them the learning rate and the first kernels."""
    plan, metrics = watched.plan, watched.metrics
    classes = classes_of(watched)
    shared = {
        "x_label": view.x_axis,
        "group": watched.run.name,
        "events": drawing.rate_events(watched.events, metrics, view.x_axis, plan),
        "x_end": drawing.x_end(view.x_axis, plan),
        "empty": "The first point comes with the first batch." if watched.live else "No points.",
    }
    # another run or another x is another chart: its zoom means something else
    name = f"{watched.run.name}-{view.x_axis}"
    left, right = st.columns(2, gap="medium")
    with left:
        lines = drawing.lines(metrics, "loss", view.x_axis, view.smoothing, plan)
        live_chart(
            lines,
            key=f"loss-{name}-{view.log_loss}",
            title="Loss",
            y_label="cross-entropy",
            log_y=view.log_loss,
            height=300,
            alt=curves.describe("Loss", lines, view.x_axis),
            levels=drawing.guessing("loss", classes),
            **shared,
        )
    with right:
        lines = drawing.lines(metrics, "accuracy", view.x_axis, view.smoothing, plan)
        live_chart(
            lines,
            key=f"accuracy-{name}",
            title="Accuracy",
            y_label="share of right answers",
            percent=True,
            height=300,
            alt=curves.describe("Accuracy", lines, view.x_axis, percent=True),
            levels=drawing.guessing("accuracy", classes),
            **shared,
        )
    left, right = st.columns(2, gap="medium")
    with left:
        lines = drawing.rate_line(metrics, view.x_axis, plan)
        live_chart(
            lines,
            key=f"lr-{name}",
            title="Learning rate",
            height=150,
            alt=curves.describe("Learning rate", lines, view.x_axis),
            **shared,
        )
    with right:
        first_kernels(watched)


def classes_of(watched: Watched) -> int | None:
    """How many classes there are to guess among; None where it is not known, or where several heads answer at once."""
    source = SOURCES.get(watched.config.get("data"))
    if source is not None:
        return source.heads[0] if len(source.heads) == 1 else None
    found = snapshot_files(watched.run)
    return _classes_in(str(found[0][0])) if found else None


@st.cache_data(max_entries=64, show_spinner=False)
def _classes_in(snapshot: str) -> int | None:
    probabilities = runs.read_snapshot(Path(snapshot)).get("probabilities")
    if probabilities is None:
        return None  # of a run that recorded less, e.g. another version's
    return probabilities.shape[1] if round(float(probabilities[0].sum())) == 1 else None  # each head's sum up to 1


def first_kernels(watched: Watched) -> None:
    """The first convolution's kernels before training, now, and what has changed, on one scale."""
    found = snapshot_files(watched.run)
    if not found:
        return
    (first, _), (last, changed) = found[0], found[-1]
    pictures, moved = _kernel_walls(str(first), str(last), changed)
    finding = f"at step {int(last.stem):,}: changed by {curves.number(moved, percent=True)} since the start"
    st.markdown(f"**First kernels** {finding}")
    for place, which in zip(st.columns(3, gap="small"), ("before", "now", "difference")):
        with place:
            st.caption(which)
            st.image(pictures[which], width="stretch", alt=f"The kernels of the first convolution, {which}, {finding}")


@st.cache_data(max_entries=64, show_spinner=False)
def _kernel_walls(first: str, last: str, _changed: int) -> tuple[dict[str, bytes], float]:
    """(before, now and difference on one scale, as PNG; |now - before| / |before|)"""
    before, now = (_first_kernels(Path(path)) for path in (first, last))
    limit = float(max(np.abs(before).max(), np.abs(now).max()))
    drawn = kernels.walls(before, now, limit, width=480)
    return {which: walls.png(picture) for which, picture in drawn.items()}, float(
        np.linalg.norm(now - before) / np.linalg.norm(before)
    )


def _first_kernels(path: Path) -> np.ndarray:
    """[filters, 3, k, k], or [filters, k, k] where the first convolution does not read three channels."""
    tensors = runs.read_snapshot(path)
    name = min(name for name in tensors if name.endswith(".weight"))
    weights = tensors[name].astype(np.float32)
    return weights if weights.shape[1] == 3 else weights[:, 0]


# Numbers


def epochs_table(watched: Watched) -> None:
    """One row an epoch, and all rows of metrics.jsonl as a file."""
    rows = drawing.epochs_table(watched.metrics)
    if not rows:
        st.caption("The first epoch is not over yet.")
        return
    download_table(
        rows, f"{watched.run.name}-epochs.csv", columns=EPOCH_COLUMNS, alt=f"{len(rows)} epochs of {watched.run.name}"
    )
    st.download_button(
        "Download every point",
        lambda: runs.metrics_csv(watched.run),
        f"{watched.run.name}-metrics.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )
