"""A checkpoint's accuracy measured again: which pictures, how far it is, and what was measured in this session."""

import time
from pathlib import Path

import streamlit as st

from .. import leavings
from ..analysis import measurement
from ..checkpoints import Checkpoint
from ..data import downloads
from ..data.sources import SOURCES, SPLITS
from ..number_text import percent
from . import access, state
from .checkpoint import claimant, claims
from .page import PERCENT, download_table, plain, problems

LOOK_S = 0.2  # between two looks at the work: often enough to be stopped, seldom enough to cost nothing
LIMIT = 1_000  # pictures: seconds for a small network, a minute for ResNet-50
ZIP = "measured_zip"  # session key: (name, folder) of the person's own archive


def measure(checkpoint: Checkpoint) -> None:
    """One row of controls, the work with its bar, and all that was measured in this session."""
    offered = _offered(checkpoint)
    first, second, third, zipped, button = st.columns([4, 2, 2, 2, 2], vertical_alignment="bottom")
    data = first.selectbox("Pictures", offered, offered.index(checkpoint.data) if checkpoint.data in offered else None,
                           format_func=lambda name: SOURCES[name].title if name in SOURCES else name,
                           accept_new_options=True, key="measure_data", persist_state="session",
                           placeholder="choose, or type the path of a folder or zip",
                           help="A folder or zip has one folder a class, in test/, val/ or train/")
    split = second.selectbox("Part", SPLITS, SPLITS.index("test"), key="measure_split", persist_state="session")
    limit = third.number_input("At most, pictures", 1, 1_000_000, LIMIT, 500, key="measure_limit",
                               persist_state="session", help="a draw with every class in its share")
    pressed = button.button("Measure", type="primary", icon=":material/speed:", width="stretch", disabled=data is None)
    with zipped.popover("Zip", icon=":material/folder_zip:", width="stretch"):
        st.file_uploader("A zip with one folder of pictures for each class", ["zip"], key="measure_upload",
                         on_change=keep_zip, args=("measure_upload", "measure_data"))
    chance = 100 * measurement.uncertainty(max([*claims(checkpoint).values(), 0.5]), limit)
    st.caption(f"{limit:,} pictures tell the accuracy to ± {chance:.1f} points; more take longer and tell more.")
    if data is None and checkpoint.data:
        st.caption(plain(f"This network learned from {checkpoint.data}, which is not on this machine under that name: "
                         "measure it on a folder or zip of pictures with the same classes."))
    if pressed:
        with problems():
            _work(checkpoint, path_of(data), data, split, limit, st.empty())
    _results(checkpoint)
    st.code(f"python -m resnet_viz evaluate {state.current_reference()} --data {data or 'FOLDER'} --split {split} "
            f"--limit {limit} --json", language="bash", wrap_lines=True)


def _offered(checkpoint: Checkpoint) -> list[str]:
    """Data sets that are here or made here, with as many labels and classes as the network; and the person's zip."""
    own = [st.session_state[ZIP][0]] if ZIP in st.session_state else []
    return own + [name for name, source in SOURCES.items() if source.heads == checkpoint.heads
                  and (not source.needs_download or downloads.is_here(name))]


def keep_zip(uploader: str, chosen: str) -> None:
    """A dropped archive stays on the disk as long as the session, and is chosen; both are keys of widgets."""
    if (file := st.session_state[uploader]) is None:
        return
    name = Path(file.name).name
    st.session_state[ZIP] = (name, leavings.keep(name, file.getvalue()))
    st.session_state[chosen] = name


def path_of(data: str) -> str:
    """The name of a data set or a path, as it was chosen; of the dropped archive where it lies. Problem for a path that
    visitors may not name."""
    name, folder = st.session_state.get(ZIP, (None, None))
    if data == name:
        return str(Path(folder.name) / name)
    access.check_may_read(data)
    return data


def _work(checkpoint: Checkpoint, path: str, data: str, split: str, limit: int, place) -> None:
    """Measure under a bar. Whatever is clicked meanwhile ends this run of the script, and with it the work."""
    began = looked = time.monotonic()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, "reading the pictures", width="stretch")
        st.button("Stop", key="measure_stop", icon=":material/stop:")

    def show(done: int, total: int, text: str) -> None:
        nonlocal began, looked
        now = time.monotonic()
        if now - looked < LOOK_S or not done:
            return
        looked = now
        bar.progress(min(done / total, 1.0), f"{text}: {done:,} of {total:,}, "
                     f"{(now - began) * (total - done) / done:,.0f} s left")

    try:
        found = measurement.measure(checkpoint, path, split, limit, show)
    finally:
        place.empty()
    claimed = claims(checkpoint)
    wanted = {"test": "test accuracy", "val": "validation accuracy"}.get(split)
    st.session_state.setdefault("measured", []).insert(0, {
        "checkpoint": checkpoint.name, "pictures": data, "part": split, "number": found["images"],
        "accuracy": found["accuracy"], "± (95 %)": measurement.uncertainty(found["accuracy"], found["images"]),
        "claimed": claimed.get(wanted), "loss": found["loss"], "pictures/s": found["images_per_s"]})


def _results(checkpoint: Checkpoint) -> None:
    """The last one in large, beside what is claimed; and all of the session."""
    measured = st.session_state.get("measured", [])
    claimed = claims(checkpoint)
    mine = next((row for row in measured if row["checkpoint"] == checkpoint.name), None)
    with st.container(horizontal=True):
        for word, value in claimed.items():
            st.metric(f"{claimant(checkpoint)} claims: {word}", percent(value))
        if mine:
            said = mine["claimed"]
            beside = None if said is None else f"{100 * (mine['accuracy'] - said):+.1f} points from what is claimed"
            st.metric(plain(f"Measured on {mine['number']:,} {mine['part']} pictures of {mine['pictures']}"),
                      f"{percent(mine['accuracy'])} ± {100 * mine['± (95 %)']:.1f}",
                      beside, delta_color="off")
    if not claimed and not mine:
        st.caption("The file does not say how good it is.")
    if measured:
        st.markdown("**Measured in this session**")
        download_table(measured, "measured.csv",
                       {"accuracy": PERCENT, "± (95 %)": PERCENT, "claimed": PERCENT,
                        "number": st.column_config.NumberColumn(format="localized"),
                        "loss": st.column_config.NumberColumn(format="%.3f"),
                        "pictures/s": st.column_config.NumberColumn(format="%.0f")},
                       f"{len(measured)} measurements; the last: {percent(measured[0]['accuracy'])}")
        st.caption("± is chance alone: 95 of 100 draws of that many pictures would give an accuracy that near "
                   "(about 1.96 √(p (1 − p) / n)). A difference within it says nothing.")
