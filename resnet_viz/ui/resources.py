"""The cost of training on screen: its controls, the bar of memory, real steps beside it, and a course's readings."""

import json
import time
from contextlib import closing
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from ..analysis import resource_measurement as measurement
from ..analysis import resource_readings, resource_words, resources, saved_tensors
from ..analysis.arithmetic import size
from ..analysis.resource_measurement import Measured
from ..analysis.resources import Demand, Device
from ..drawing import resources as drawing
from ..networks import zoo
from ..problems import Problem
from . import networks
from .page import download_table, plain
from .runs import duration

START = "resnet152"  # the network before anybody chooses: the one of the course's own sum
HERE, CARDS = "this machine", ("8", "16", "24", "48", "80")  # GB on the label of a card, GiB inside
OPTIMIZERS = {"sgd": "SGD", "momentum": "momentum", "adam": "Adam"}
STILL = {"displayModeBar": False}
KEPT = 8  # measurements of a session that are remembered
FIRST_BATCHES = {"cpu": 4, "cuda": 64}  # up to which batch a measurement goes, unless the person says otherwise


@dataclass(frozen=True)
class Setting:
    """What is asked: a network, how it is trained, and on what."""

    choice: networks.Choice
    batch: int
    optimizer: str
    precision: str
    device: Device
    memory_gib: float | None  # typed or chosen; None for this machine's own

    @property
    def demand(self) -> Demand:
        return demand(self.choice, self.precision, self.device.kind)

    @property
    def key(self) -> str:
        """Names the measurements of this setting."""
        words = (self.choice.network, self.choice.arguments, self.choice.size, self.optimizer, self.precision,
                 self.memory_gib)
        return json.dumps(words, sort_keys=True)


def demand(choice: networks.Choice, precision: str, kind: str) -> Demand:
    """What a choice asks for, worked out once."""
    return _demand(choice.network, json.dumps(choice.arguments, sort_keys=True), choice.size, precision, kind)


@st.cache_data(max_entries=64, show_spinner=False)
def _demand(network: str, arguments: str, side: int, precision: str, kind: str) -> Demand:
    return resources.demand(network, json.loads(arguments), side, precision, kind)


@st.cache_resource
def here() -> Device:
    return resources.this_device()


# Controls

def choose() -> Setting:
    """The network in one row, and how it is trained in the next; the URL carries all of it."""
    choice = networks.choose_network(START)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        batch = st.number_input("Batch, pictures", 1, resources.MAX_BATCH, 32, key="batch", bind="query-params",
                                width=140)
        optimizer = st.segmented_control("Optimiser", OPTIMIZERS, default="momentum", required=True, key="optimizer",
                                         format_func=OPTIMIZERS.get, bind="query-params")
        precision = st.segmented_control("Precision", saved_tensors.PRECISIONS, default="fp32", required=True,
                                         key="precision", bind="query-params",
                                         help="bf16 and fp16 are autocast: the maps take 16 bits, the weights stay 32")
        where = st.selectbox("Memory", (HERE, *CARDS), key="memory", bind="query-params", accept_new_options=True,
                             format_func=_memory_name, width=280, help="Or type a number of GiB")
    return Setting(choice, batch, optimizer, precision, *_device(where))


def _memory_name(where: str) -> str:
    if where == HERE:
        return f"This machine: {here().name}, {size(here().memory_bytes)}"
    return f"GPU with {where} GB" if where in CARDS else where


def _device(where: str) -> tuple[Device, float | None]:
    if where == HERE:
        return here(), None
    try:
        gib = float(where.lower().removesuffix("gib").removesuffix("gb").strip())
    except ValueError as error:
        raise Problem(f"The memory is a number of GiB such as 11, not {where!r:.40}.") from error
    return Device("cuda", f"a GPU with {gib:g} GB", resources.check_memory(gib)), gib


# The bar

def totals(setting: Setting) -> None:
    """What it takes, what of it is the largest part, and the largest batch, two in a row on a telephone."""
    found, memory = setting.demand, setting.device.memory_bytes
    parts = resources.parts(found, setting.batch, setting.optimizer)
    total = sum(parts.values())
    largest, share = resource_words.largest_part(parts)
    most = resources.largest_batch(found, setting.optimizer, memory)
    with st.container(horizontal=True):
        st.metric("A training step takes", size(total), width=190,
                  help=f"{total:,} bytes at its largest moment, the end of the forward pass")
        st.metric(f"of it {largest}", f"{share:.0%}", width=190, help=size(parts["activations"]) + " of activations")
        st.metric("Largest batch that fits", f"{most:,}", width=190,
                  help=f"into {size(memory)} ({setting.device.name})"
                  + (f"; free at this moment: {size(resources.available_bytes())}" if setting.memory_gib is None
                     and setting.device.kind == "cpu" else ""))
        st.metric("Each further picture", size(resources.per_picture(found)), width=190,
                  help="stored activations, and its share of the scratch that is allowed for")


def bar(setting: Setting) -> None:
    """The stacked bar of this setting, with the memory as a line."""
    found, memory = setting.demand, setting.device.memory_bytes
    parts = resources.parts(found, setting.batch, setting.optimizer)
    sentence = resource_words.describe(found, setting.batch, setting.optimizer, memory, setting.device.name)
    if sum(parts.values()) > memory:
        st.warning(plain(sentence), icon=":material/memory:")
    name = f"{setting.device.name}, {size(memory)}" if setting.memory_gib is None else setting.device.name
    st.plotly_chart(drawing.bars({"": parts}, resources.PARTS, memory, name), config=STILL, key="bar", alt=sentence)
    _legend(parts)


def _legend(parts: dict[str, int]) -> None:
    """What each colour is and how much: it wraps on a telephone, where a chart's own legend covers the chart."""
    square = '<span style="display:inline-block;width:.8em;height:.8em;margin-right:.4em;background:{}"></span>'
    entries = [f'<span style="white-space:nowrap">{square.format(drawing.COLOURS[part])}{resources.PARTS[part]} '
               f"<b>{size(parts[part])}</b></span>" for part in resources.PARTS if parts.get(part)]
    st.html(f'<div style="display:flex;flex-wrap:wrap;gap:.3em 1.4em">{"".join(entries)}</div>')


# Real steps

def measure(setting: Setting) -> None:
    """Real steps on this machine at rising batch sizes, and what they showed beside the estimate."""
    device = here()
    found = demand(setting.choice, setting.precision, device.kind)
    start = max(found.least_batch, min(setting.batch, FIRST_BATCHES[device.kind]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        most = st.number_input("Batches of 1, 2, 4 ... up to", found.least_batch, resources.MAX_BATCH, start,
                               key=f"up_to-{found.least_batch}-{start}", width=190)
        pictures = st.number_input("Pictures an epoch", 1, measurement.MAX_PICTURES,
                                   50_000 if found.input_shape[-1] < 100 else 1_281_167, key=f"epoch-{found.network}",
                                   width=190, help="ImageNet has 1,281,167 for training, CIFAR-10 50,000")
        pressed = st.button(f"Measure on this machine ({device.name})", type="primary", icon=":material/speed:")
    place = st.empty()
    if pressed:
        _work(setting, found, most, place)
    kept = st.session_state.get("resources_measured", {}).get(setting.key)
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
    batches = measurement.batches_up_to(found, most)
    asked = measurement.request(found, setting.choice.arguments, setting.optimizer, batches, _limit(setting))
    kept = {"rows": [], "full": None}
    remembered = st.session_state.setdefault("resources_measured", {})
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
    for row in rows[-3:]:
        pairs[f"{row.batch:,} estimated"] = row.estimated
        pairs[f"{row.batch:,} measured"] = row.parts()
    sentence = findings(rows[-1], found, pictures)
    st.plotly_chart(drawing.bars(pairs, resources.PARTS), config=STILL, key="measured_bars", alt=sentence)
    st.markdown(plain(sentence).replace("\n", "  \n"))
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
            f"{size(sum(row.counted.values()))}, the estimate is {100 * row.counted_error:+.1f} % off. In all {peak} "
            f"{size(row.peak_bytes)}{reserved}; the estimate of that, with its allowance, is "
            f"{100 * row.peak_error:+.0f} % off. {row.images_per_s:,.1f} pictures/s: an epoch of {pictures:,} takes "
            f"{took}, without reading the pictures.")


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


# Under the picture

def readings() -> None:
    """The course's table as points beside the line of the estimate, and why they differ."""
    seen = resource_readings.readings()
    st.markdown("**A course's reading: ResNet-152 on a card with 48 GB**")
    st.plotly_chart(drawing.by_batch(seen.batches, seen.measured_mib, seen.estimated_mib, resource_readings.CARD_MIB,
                                     f"the card: {resource_readings.CARD_MIB:,} MiB"),
                    config=STILL, key="readings", alt=resource_readings.describe(seen))
    st.markdown("\n".join(f"- {line}" for line in resource_readings.findings(seen)))


def numbers(setting: Setting) -> None:
    """What each kind of layer keeps and why, and every tensor for download."""
    found = setting.demand
    rows = saved_tensors.by_kind(list(found.saved))
    st.dataframe(
        [{"Kind": row["kind"], "Calls": row["calls"], "Keeps": row["keeps"],
          "A picture, MiB": row["per_picture_bytes"] / resources.MIB, "Once, MiB": row["fixed_bytes"] / resources.MIB,
          "Kept by another": row["shared"], "Why": row["why"]} for row in rows],
        hide_index=True,
        column_config={"A picture, MiB": st.column_config.NumberColumn(format="%.3f"),
                       "Once, MiB": st.column_config.NumberColumn(format="%.3f"),
                       "Kept by another": st.column_config.NumberColumn(
                           help="calls that need what a layer before keeps already: counted once")},
        alt=f"What {len(rows)} kinds of layers keep: {size(found.stored(1))} for one picture")
    st.caption("Storages are counted once; parameters and running averages are not counted here.")
    st.markdown("**Every tensor**")
    download_table([{"layer": one.layer, "kind": one.kind, "keeps": one.what, "bytes a picture": one.per_picture,
                     "bytes once": one.fixed, "kept already by": one.shared_with} for one in found.saved],
                   f"{found.network}-kept.csv",
                   {name: st.column_config.NumberColumn(format="localized")
                    for name in ("bytes a picture", "bytes once")},
                   alt=f"{len(found.saved)} tensors that autograd keeps")


def command(setting: Setting) -> str | None:
    """The command line of this setting, where there is one."""
    if setting.choice.network not in zoo.NETWORKS:
        return None
    return resource_words.command(setting.demand, setting.choice.arguments, setting.batch, setting.optimizer,
                                  setting.memory_gib)
