"""Eight networks before their first step: which depth and draw, the work with its bar, the lines, and what they say."""

import random
import time
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from ..analysis import gradient_probe, gradient_words
from ..analysis.gradient_probe import COMBINATIONS, Combination, Probed
from ..data import downloads
from ..data.sources import SOURCES
from ..drawing import gradients as drawing
from .page import download_table, plain

STARTS = {"PyTorch's own": "pytorch", "He": "he"}
MEASURED = "probe_measured"  # session key: settings whose numbers are there at once, so that no bar flashes by
STILL = {"displayModeBar": False}


@dataclass(frozen=True)
class Setting:
    """What the eight have in common."""

    depth: int
    start: str
    data: str
    seed: int


def choose() -> Setting:
    """One row of controls; the URL carries them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        depth = st.segmented_control("Layers deep", list(gradient_probe.DEPTHS), default=20, required=True, key="depth",
                                     bind="query-params")
        start = st.segmented_control("First weights", list(STARTS), default="PyTorch's own", required=True, key="start",
                                     bind="query-params", help="He draws wider and with the number of outputs, so that "
                                     "ReLU keeps the signal's size (He et al. 2015)")
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params", width=120,
                               help="The same seed gives the same pictures and the same first weights")
        st.button(":material/casino:", key="probe_dice", on_click=_new_dice,
                  help="New dice: other pictures, other weights")
        with st.popover("More", icon=":material/tune:"):
            data = st.selectbox("Pictures", _offered(), key="pictures", bind="query-params",
                                format_func=lambda name: SOURCES[name].title)
            st.caption(f"{gradient_probe.PICTURES} of its test pictures, brought to {gradient_probe.SIZE} × "
                       f"{gradient_probe.SIZE} pixels, as one batch.")
    return Setting(depth, STARTS[start], data, seed)


def _new_dice() -> None:
    st.session_state.seed = random.randrange(1, 10_000)


def _offered() -> list[str]:
    return [name for name, source in SOURCES.items()
            if source.heads == (10,) and (not source.needs_download or downloads.is_here(name))]


def measure(setting: Setting) -> list[Probed]:
    """All eight, those that were measured before at once; a click on anything ends the work after the one at hand."""
    found, began = [], time.monotonic()
    measured, place = st.session_state.setdefault(MEASURED, set()), st.empty()
    try:
        for number, combination in enumerate(COMBINATIONS):
            if setting not in measured:
                spent = time.monotonic() - began
                left = f", about {spent * (len(COMBINATIONS) - number) / number:,.0f} s left" if number else ""
                place.progress(number / len(COMBINATIONS), f"{combination.name}: {number + 1} of 8{left}")
            found.append(_probed(combination, setting))
    finally:
        place.empty()
    measured.add(setting)
    return found


@st.cache_data(max_entries=256, show_spinner=False)
def _probed(combination: Combination, setting: Setting) -> Probed:
    pictures, labels = _batch(setting.data, setting.seed)
    return gradient_probe.probe(combination, setting.depth, pictures, labels, setting.seed, setting.start)


@st.cache_data(max_entries=16, show_spinner=False)
def _batch(data: str, seed: int):
    return gradient_probe.batch(data, seed)


def show(setting: Setting, found: list[Probed]) -> None:
    """The lines, what is taught beside what was measured, and the eight in a table."""
    finding = gradient_words.probe_finding(found, setting.depth)
    lines = [(one.combination.name, (one.combination.activation, one.combination.norm, one.combination.skip),
              one.layers, one.norms) for one in found]
    st.plotly_chart(drawing.probe_chart(lines), config=STILL, key="probe", alt=finding)
    st.caption("Solid lines have shortcuts, dotted ones are plain. A triangle lies beyond the axis. Point at a line "
               "for layer and value; a click on a name hides it, a double click shows it alone.")
    said, beside = st.columns([1, 2], gap="medium")
    with said:
        st.markdown("**What is taught, and what these networks say**")
        for words, holds, numbers in gradient_words.statements(found):
            st.markdown(f"{':material/check:' if holds else ':material/close:'} {plain(words)}: "
                        f"{'yes' if holds else 'not here'}, {plain(numbers)}.")
    with beside:
        rows = pd.DataFrame(gradient_words.comparison(found, setting.depth, setting.start))
        if not rows["another run"].any():
            rows = rows.drop(columns="another run")
        st.dataframe(rows, hide_index=True, alt=finding, column_config={"another run": st.column_config.TextColumn(
            help="First / last, measured before this page was made, with another batch and draw")})


# Under the picture

def story(setting: Setting) -> None:
    st.markdown(
        f"- Eight networks of {setting.depth} layers, which have the same first weights, look at the same "
        f"{gradient_probe.PICTURES} pictures once. Nothing is learned: this is the pull that each layer would feel "
        "in its very first step.\n"
        "- A step to the left passes one more layer, and multiplies by what that layer lets through. A sigmoid lets at "
        "most a quarter through, so a straight fall on this axis is a product dying with depth.\n"
        "- A shortcut adds its input unchanged; but the sigmoid after the sum (as in the paper's block, where a ReLU "
        "stands) still takes its part, so that even the residual network dies.\n"
        "- Batch norm rescales every layer: then the plain network does not vanish, it rather explodes with depth. So "
        "plain networks do not get worse with depth because gradients vanish (He et al. 2016, section 4.1).\n"
        "- First weights drawn for ReLU (He) keep the plain ReLU network alive without batch norm: try the switch.")


def formula(setting: Setting, found: list[Probed]) -> None:
    for line in gradient_words.probe_formulas(found, setting.depth):
        st.latex(line)


def code(setting: Setting) -> None:
    st.code(gradient_words.probe_code(setting.depth, setting.data, setting.seed, setting.start))


def numbers(setting: Setting, found: list[Probed]) -> None:
    rows = [{"number": index + 1, "layer": layer} | {one.combination.name: one.norms[index] for one in found}
            for index, layer in enumerate(found[0].layers)]
    columns = {one.combination.name: st.column_config.NumberColumn(format="%.3g") for one in found}
    download_table(rows, f"gradients-at-the-start-{setting.depth}.csv", columns,
                   gradient_words.probe_finding(found, setting.depth))
