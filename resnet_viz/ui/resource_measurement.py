"""Real training steps on this machine beside the estimate: the button, the progress, the bars in pairs, the table."""

import time
from contextlib import closing

import pandas as pd
import streamlit as st

from ..analysis import resource_measurement as measurement
from ..analysis import resources
from ..analysis.arithmetic import size
from ..analysis.resource_measurement import Measured
from ..analysis.resources import Demand
from ..drawing import resources as drawing
from ..number_text import duration
from . import access
from .page import download_table, plain
from .resources import STILL, Setting, demand, here

KEPT = 8  # measurements of a session that are remembered
FIRST_BATCHES = {"cpu": 4, "cuda": 64}  # up to which batch a measurement goes, unless the person says otherwise
MEASURED = "resources_measured"  # session key: what was measured, by setting
PAIRS = 3  # of bars: the largest batches


def measure(setting: Setting) -> None:
    """Real steps on this machine at rising batch sizes, and what they showed beside the estimate."""
    if not access.may_change():  # real steps take the machine from the runs on it
        access.say_why()
        return
    device = here()
    found = demand(setting.choice, setting.precision, device.kind)
    start = max(found.least_batch, min(setting.batch, FIRST_BATCHES[device.kind]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        most = st.number_input("Batches of 1, 2, 4 ... up to", found.least_batch, resources.MAX_BATCH, start,
                               key=f"up_to-{found.least_batch}-{start}", bind="query-params", width=190)
        pictures = st.number_input("Pictures an epoch", 1, measurement.MAX_PICTURES,
                                   50_000 if found.input_shape[-1] < 100 else 1_281_167, key=f"epoch-{found.network}",
                                   bind="query-params", width=190,
                                   help="ImageNet has 1,281,167 for training, CIFAR-10 50,000")
        pressed = st.button(f"Measure on this machine ({device.name})", type="primary", icon=":material/speed:")
    place = st.empty()
    if pressed:
        _work(setting, found, most, place)
    kept = st.session_state.get(MEASURED, {}).get(setting.key)
    if kept is None:
        st.caption("A few real training steps on pictures of noise, in a process of their own: memory counted, seconds "
                   "timed. A batch that does not fit ends it, and its memory is free again.")
        return
    _results(kept, pictures, found)


def _limit(setting: Setting) -> int | None:
    """A chosen memory that is smaller than this machine's: the steps may not take more."""
    smaller = setting.memory_gib and setting.device.memory_bytes < here().memory_bytes
    return setting.device.memory_bytes if smaller else None


def _work(setting: Setting, found: Demand, most: int, place) -> None:
    """Measure under a bar. Whatever is clicked meanwhile ends this run of the script, and with it the process."""
    access.check_may_change()
    batches = measurement.batches_up_to(found, most)
    asked = measurement.request(found, setting.choice.arguments, setting.optimizer, batches, _limit(setting))
    kept = {"rows": [], "full": None}
    remembered = st.session_state.setdefault(MEASURED, {})
    remembered.pop(setting.key, None)
    with place.container(horizontal=True, vertical_alignment="center"):
        progress = st.progress(0.0, "starting a process (a few seconds)", width="stretch")
        st.button("Stop", key="resources_stop", icon=":material/stop:")
    try:
        with closing(measurement.events(asked)) as events:
            for event, text, share in _told(events, batches):
                progress.progress(share, text)
                if event["event"] == "batch":
                    kept["rows"].append(measurement.measured(found, setting.optimizer, event))
                    remembered[setting.key] = kept  # what was measured before a stop stays
                elif event["event"] == "full":
                    kept["full"] = (event["batch"], event["why"])
                    remembered[setting.key] = kept
    finally:
        place.empty()
    for old in list(remembered)[:-KEPT]:
        del remembered[old]


def _told(events, batches: list[int]):
    """(event, what to say, share of the work) of each event; the work is pictures times steps."""
    total, done, share = None, 0.0, 0.0
    text, began = "starting a process (a few seconds)", None
    for event in events:
        if event["event"] == "step":
            began = began or time.monotonic()
            steps = event["steps"]
            total = steps * sum(batches)
            done = steps * sum(b for b in batches if b < event["batch"]) + event["batch"] * event["step"]
            share = done / total
            text = f"batch {event['batch']:,}: step {event['step'] + 1} of {steps}"
        left = ""
        if began and share > 0.02:
            left = f", about {duration((time.monotonic() - began) * (1 - share) / share)} left"
        yield event, text + left, share


def _results(kept: dict, pictures: int, found: Demand) -> None:
    """The bars in pairs, what they say, and the table."""
    rows: list[Measured] = kept["rows"]
    if kept["full"]:
        batch, why = kept["full"]
        st.warning(plain(f"It did not fit at batch {batch:,}: {why}. The memory is free again."),
                   icon=":material/memory:")
    if not rows:
        return
    pairs = {}
    for row in rows[-PAIRS:]:
        pairs[f"{row.batch:,} estimated"] = row.estimated
        pairs[f"{row.batch:,} measured"] = row.parts()
    sentence = findings(rows[-1], found, pictures)
    st.plotly_chart(drawing.bars(pairs, resources.PARTS), config=STILL, key="measured_bars", alt=sentence)
    st.markdown(plain(sentence))
    st.caption("Grey in a measured bar is all that cannot be counted: the libraries and their scratch.")
    number = st.column_config.NumberColumn
    download_table(table(rows, pictures), f"{found.network}-measured.csv",
                   {"seconds a step": number(format="%.3f"), "pictures/s": number(format="%.1f"),
                    "batch": number(format="localized"),
                    **{name: number(format="%.1f") for name in ("counted, MiB", "peak, MiB", "reserved, MiB")},
                    **{name: number(format="%+.1f %%") for name in ("estimate off", "estimate off peak")}},
                   alt=sentence)


def findings(row: Measured, found: Demand, pictures: int) -> str:
    """What one measured batch says."""
    low, high = row.epoch_s(pictures)
    peak = "PyTorch's allocator handed out" if row.reserved_bytes is not None else "the process held"
    reserved = f", reserved {size(row.reserved_bytes)}" if row.reserved_bytes is not None else ""
    took = duration(low) if duration(low) == duration(high) else f"{duration(low)} to {duration(high)}"
    return (f"At batch {row.batch:,}: weights, gradients, optimiser and stored activations were counted at "
            f"{size(sum(row.counted.values()))}; {_off(row.counted_error)}. In all {peak} {size(row.peak_bytes)}"
            f"{reserved}; with its allowance {_off(row.peak_error)}. {row.images_per_s:,.1f} pictures/s: an epoch of "
            f"{pictures:,} takes {took}, without reading the pictures.")


def _off(error: float) -> str:
    """How far the estimate is from what was measured; within 0.1 % it agrees."""
    if abs(error) < 0.001:
        return "the estimate agrees"
    return f"the estimate is {abs(error):.1%} too {'high' if error > 0 else 'low'}"


def table(rows: list[Measured], pictures: int) -> pd.DataFrame:
    """A row for each batch size; MiB = 2^20 bytes."""
    found = []
    for row in rows:
        low, high = row.epoch_s(pictures)
        reserved = {} if row.reserved_bytes is None else {"reserved, MiB": row.reserved_bytes / resources.MIB}
        found.append({"batch": row.batch, "counted, MiB": sum(row.counted.values()) / resources.MIB,
                      "estimate off": 100 * row.counted_error, "peak, MiB": row.peak_bytes / resources.MIB,
                      "estimate off peak": 100 * row.peak_error, **reserved,
                      "seconds a step": sum(row.seconds) / len(row.seconds), "pictures/s": row.images_per_s,
                      "an epoch, from": duration(low), "to": duration(high)})
    return pd.DataFrame(found)
