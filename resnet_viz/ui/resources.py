"""The cost of training on screen: its controls, the bar of memory, and a course's readings."""

import json
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from ..analysis import resource_readings, resource_words, resources, saved_tensors
from ..analysis.arithmetic import size
from ..analysis.resources import Demand, Device
from ..drawing import resources as drawing
from ..networks import zoo
from . import networks
from .page import download_table, plain

START = "resnet152"  # the network before anybody chooses: the one of the course's own sum
HERE, CARDS, OTHER = "this machine", {f"{gb} GB": gb for gb in (8, 16, 24, 48, 80)}, "another GPU"
OPTIMIZERS = {"sgd": "SGD", "momentum": "momentum", "adam": "Adam"}
STILL = {"displayModeBar": False}


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
        where = st.selectbox("Memory, this machine's or a GPU's", (HERE, *CARDS, OTHER), key="memory",
                             bind="query-params", width=280, format_func=_memory_name)
        gib = CARDS.get(where)
        if where == OTHER:
            gib = st.number_input("GiB", 0.1, resources.MAX_MEMORY_GIB, 12.0, 1.0, "%g", key="gib",
                                  bind="query-params", width=120)
    if gib is None:
        return Setting(choice, batch, optimizer, precision, here(), None)
    card = Device("cuda", f"a GPU with {gib:g} GB", resources.check_memory(gib))
    return Setting(choice, batch, optimizer, precision, card, gib)


def _memory_name(where: str) -> str:
    """What stands in the list is also what the link says."""
    return f"{HERE}: {here().name}, {size(here().memory_bytes)}" if where == HERE else where


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


# Under the picture

def story(setting: Setting) -> None:
    """What the bar says in sentences, and a course's reading of the same network."""
    lines = _story(setting.key, setting.batch, setting.device.kind, setting.device.memory_bytes, setting.device.name,
                   _setting=setting)
    st.markdown("\n".join(f"- {line}" for line in lines))
    readings()


@st.cache_data(max_entries=64, show_spinner=False)
def _story(*told, _setting: Setting) -> list[str]:
    """The sentences; `told` is all that they depend on. They look at other sizes and precisions, too: half a second."""
    return resource_words.story(_setting.demand, _setting.choice.arguments, _setting.batch, _setting.optimizer,
                                _setting.device.memory_bytes, _setting.device.name)


@st.cache_data(max_entries=1, show_spinner=False)
def _readings() -> resource_readings.Readings:
    return resource_readings.readings()


def readings() -> None:
    """The course's table as points beside the line of the estimate, and why they differ."""
    seen = _readings()
    st.markdown("**A course's reading: ResNet-152 on a card with 48 GB**")
    st.plotly_chart(drawing.by_batch(seen.batches, seen.measured_mib, seen.estimated_mib, resource_readings.CARD_MIB,
                                     f"the card: {resource_readings.CARD_MIB:,} MiB"),
                    config=STILL, key="readings", alt=resource_readings.describe(seen))
    st.markdown("\n".join(f"- {line}" for line in resource_readings.findings(seen)))


def numbers(setting: Setting) -> None:
    """What each kind of layer keeps and why, and every tensor for download."""
    found = setting.demand
    rows = [{"Kind": f"{row['kind']} (× {row['calls']})", "A picture": _amount(row["per_picture_bytes"]),
             "Once": _amount(row["fixed_bytes"]),
             "Keeps, and why": f"{_sentence(row['keeps'])} {_sentence(row['why'])}"}
            for row in saved_tensors.by_kind(list(found.saved))]
    st.table(pd.DataFrame(rows).set_index("Kind"))  # its cells wrap
    st.caption("What two layers keep is counted once, at the first: most inputs of convolutions are outputs that ReLU "
               "keeps. Parameters and running averages are not counted here.")
    st.markdown("**Every call**")
    download_table([{"layer": one.layer, "kind": one.kind, "keeps": one.what, "bytes a picture": one.per_picture,
                     "bytes once": one.fixed, "kept already by": one.shared_with or ""} for one in found.saved],
                   f"{found.network}-kept.csv",
                   {name: st.column_config.NumberColumn(format="localized")
                    for name in ("bytes a picture", "bytes once")},
                   alt=f"{len(found.saved)} rows: what each call keeps")


def _amount(bytes_: int) -> str:
    return size(bytes_) if bytes_ else ""


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def command(setting: Setting) -> str | None:
    """The command line of this setting, where there is one."""
    if setting.choice.network not in zoo.NETWORKS:
        return None
    return resource_words.command(setting.demand, setting.choice.arguments, setting.batch, setting.optimizer,
                                  setting.memory_gib)
