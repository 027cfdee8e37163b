"""The kernel time machine: what of a run is looked at, and the component that has all its frames at once."""

import hashlib
from pathlib import Path

import numpy as np
import streamlit as st

from .. import checkpoints, runs
from ..analysis import fixed_pictures, pinned_maps, time_machine
from ..analysis.fixed_pictures import FixedPictures
from ..analysis.pinned_maps import Maps
from ..analysis.time_machine import Film, Movement
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from . import networks, state
from . import runs as run_display
from .component import component
from .page import NothingYet
from .pictures import NamedPicture
from .time_machine_frames import Reel, first_convolution, payload

FIRST_SEEN = "resnet20-stem7-shapes"  # its kernels are large enough to be pictures
AT, KERNEL = "at", "kernel"  # names of the step and of the chosen kernel in the URL
UNITS = ("epochs", "steps", "images")
ORDERS = {"moved": "the most moved first", "index": "by number"}
SCALES = {"kernel": "each kernel", "layer": "whole layer, all moments"}
FOLLOWED = ("Conv2d", "ReLU", "Add")  # kinds of layers whose feature maps can be followed
RANKED = 10  # filters that are named as those that moved most
NO_WEIGHTS = (
    "Only the first convolution can be followed: what comes after it needs the weights of every epoch, "
    "and this run kept none."
)
_component = component("time_machine")


# Which run, and when


def prefer_pictures() -> None:
    """Before anybody chose a run, and with none of their own, the one whose kernels are large is shown."""
    if run_display.CHOSEN in st.session_state or run_display.CHOSEN in st.query_params:
        return
    own = [run for run in runs.list_runs() if any((run / "snapshots").glob("*.safetensors"))]
    if not own and FIRST_SEEN in run_display.known_runs():
        st.session_state[run_display.CHOSEN] = FIRST_SEEN


def stamp(run: Path) -> str:
    """A text that changes with every new snapshot."""
    names = sorted(path.name for path in (run / "snapshots").glob("*.safetensors"))
    return f"{run}:{len(names)}:{names[-1] if names else ''}"


def wait_for_news(run: Path, seen: str) -> None:
    """One look, in a fragment with a clock: a new snapshot renews the page, nothing else does."""
    if stamp(run) != seen:
        st.rerun()


def frame(reel: Reel) -> int:
    """The frame that this session looks at, as far as the server knows: where the link says, or the scrubber rests."""
    return time_machine.frame_at(reel.film, _linked(AT))


def _linked(name: str) -> int | None:
    """A whole number that the link carries; None where it carries none."""
    wanted = st.query_params.get(name, "")
    return int(wanted) if wanted.isdecimal() else None


# What of it


def choose(run: Path) -> Reel:
    """The row of controls after the picker of runs: layer, filter, unit of the scrubber, and More."""
    stamped = stamp(run)
    if not any((run / "snapshots").glob("*.safetensors")):
        raise NothingYet("This run has no snapshots, so there is no time to move through. Choose another one.")
    checkpoint = _checkpoint(run)
    film = _film(stamped, str(run), checkpoint.heads[0])
    first = first_convolution(checkpoint)
    layers = sorted(film.kernels, key=lambda name: name != first)
    layer = st.selectbox("Kernels of", layers, key="convolution", bind="query-params", width=190)
    weights = film.kernels[layer]
    filter_ = _choose_filter(weights) if weights.shape[2] not in (1, 3) else 0
    unit = st.segmented_control("Count in", UNITS, default="epochs", required=True, key="unit", bind="query-params")
    with st.popover("More", icon=":material/tune:"):
        order = st.radio("Order of the kernels", list(ORDERS), format_func=ORDERS.get, key="order", bind="query-params")
        scale = st.radio("Colour scale for", list(SCALES), format_func=SCALES.get, key="scale", bind="query-params")
        st.caption("One scale for before, now and the difference of a kernel, so that equal colours are equal weights.")
    shown = time_machine.shown(weights, filter_)
    moved = time_machine.movement(shown)
    numbers = time_machine.most_moved(moved.relative) if order == "moved" else np.arange(shown.shape[1])
    ordered = Movement(moved.relative[:, numbers], moved.cosine[:, numbers], moved.whole)
    metrics = run_display.watch(run).metrics
    return Reel(
        run,
        film,
        checkpoint,
        _fixed(str(run), checkpoint),
        metrics,
        layer,
        filter_,
        numbers,
        shown[:, numbers],
        ordered,
        moved,
        stamped,
        scale,
        unit,
    )


def _choose_filter(weights: np.ndarray) -> int:
    """One filter of a layer that does not read the picture; the help ranks them by how far they moved."""
    moved = time_machine.movement(weights).relative[-1]
    ranked = ", ".join(f"{i} ({moved[i]:.2f})" for i in time_machine.most_moved(moved)[:RANKED].tolist())
    return st.number_input(
        "Filter",
        0,
        weights.shape[1] - 1,
        0,
        key="filter",
        bind="query-params",
        width=130,
        help=f"Moved most, in its own length: {ranked}",
    )


def _checkpoint(run: Path) -> Checkpoint:
    """The run's network and how pictures are prepared for it, from any of its weights files."""
    for which in ("initial", "best", "last"):
        if path := runs.weights_file(run, which):
            return state.checkpoint_at(path)
    raise NothingYet("This run has not begun yet: wait for its first step, or choose another one.")


@st.cache_resource(max_entries=8, show_spinner="Reading the snapshots ...")
def _film(stamped: str, run: str, classes: int) -> Film:
    return time_machine.film(Path(run), pinned_maps.MAP_BYTES, classes)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs={Checkpoint: id})
def _fixed(run: str, checkpoint: Checkpoint) -> FixedPictures:
    return fixed_pictures.fixed_pictures(Path(run), checkpoint)


# Feature maps


def choose_map_layer(reel: Reel) -> str:
    """Whose feature maps are followed; more than the first convolution only where the run kept weights."""
    first = first_convolution(reel.checkpoint)
    if not runs.epoch_weights(reel.run):
        st.caption(NO_WEIGHTS)
        return first
    size = reel.checkpoint.preprocessing.size
    summary = networks.summary_of(networks.Choice(reel.checkpoint.network, reel.checkpoint.arguments, size, True))
    names = [layer.name for layer in summary.layers if layer.kind in FOLLOWED and len(layer.output_shape) == 3]
    return st.selectbox(
        "Feature maps of", list(dict.fromkeys([first, *names])), key="layer", bind="query-params", width=240
    )


def maps_of(reel: Reel, picture: NamedPicture | None, layer: str) -> Maps | None:
    """The pinned picture's maps at every moment that was kept; None without a picture."""
    if picture is None:
        return None
    first = first_convolution(reel.checkpoint)
    if layer != first:
        return _deep_maps(
            len(runs.epoch_weights(reel.run)), str(reel.run), layer, picture.key, reel.checkpoint, picture
        )
    return _first_maps(
        reel.stamp, picture.key, tuple(reel.numbers.tolist()) if reel.reads_pictures else (), reel, picture
    )


@st.cache_resource(max_entries=8, show_spinner=False)
def _first_maps(stamped: str, picture_key: str, numbers: tuple[int, ...], _reel: Reel, _picture: NamedPicture) -> Maps:
    name, module = pinned_maps.first_convolution(_reel.checkpoint.network, _reel.checkpoint.arguments)
    weights = _reel.film.kernels[name]
    order = np.array(numbers) if numbers else time_machine.most_moved(time_machine.movement(weights).relative)
    tensor = see(_picture.image, _reel.checkpoint.preprocessing).tensor
    return pinned_maps.from_kernels(weights, module, tensor, _reel.film.step, order)


@st.cache_resource(max_entries=8, show_spinner=False)
def _deep_maps(
    count: int, run: str, layer: str, picture_key: str, _checkpoint: Checkpoint, _picture: NamedPicture
) -> Maps:
    bar = st.progress(0.0, f"{layer} at every epoch ...")
    tensor = see(_picture.image, _checkpoint.preprocessing).tensor
    try:
        return pinned_maps.from_weights(
            Path(run),
            layer,
            checkpoints.read,
            tensor,
            lambda done, total: bar.progress(done / total, f"{layer}: {done} of {total} epochs"),
        )
    finally:
        bar.empty()


# The component


def show(reel: Reel, maps: Maps | None, map_layer: str, picture: NamedPicture | None) -> None:
    """Draw it; where the scrubber comes to rest, and which kernel was chosen, is put into the link."""
    key = f"time-machine-{hashlib.sha256(str(reel.run).encode()).hexdigest()[:8]}"
    last = int(reel.film.step[-1])
    _component(
        key=key,
        data=_payload(_content(reel, map_layer, picture), reel, maps, map_layer, picture),
        on_at_change=lambda: _rest(key, last),
        on_kernel_change=lambda: _rest(key, last),
        height="content",
    )


def _content(reel: Reel, map_layer: str, picture: NamedPicture | None) -> str:
    """A text that changes exactly when the component's bytes may: they are packed once, not at every rest."""
    rows = [len(columns["step"]) for columns in reel.metrics.values()]
    chosen = (reel.layer, reel.filter, reel.numbers.tolist(), reel.unit, reel.scale, map_layer)
    return repr((reel.stamp, rows, chosen, picture.key if picture else None, len(runs.epoch_weights(reel.run))))


@st.cache_data(max_entries=8, show_spinner=False)
def _payload(content: str, _reel: Reel, _maps: Maps | None, _layer: str, _picture: NamedPicture | None) -> bytes:
    return payload(_reel, _maps, _layer, _picture)


def _rest(key: str, last: int) -> None:
    """The newest moment is what a link without a step shows, also when the run has gone on."""
    told = st.session_state[key]
    for name in (AT, KERNEL):
        if told.get(name) is not None:
            st.query_params[name] = str(int(told[name]))
    if st.query_params.get(AT) == str(last):
        st.query_params.pop(AT)
