"""Surgery on the screen: which blocks and how much of them, what the network is worth then, and ten of its answers."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from ..analysis import surgery_words as words
from ..analysis.measurement import uncertainty
from ..analysis.surgery import Answers
from ..drawing import attributions as tiles
from ..drawing import surgery as drawing
from ..number_text import percent
from . import surgery_work as work
from .page import plain
from .surgery_case import Case, Patient, about, apart, choose_case
from .surgery_work import EACH, Sheet
from .walls import png

CHART = {"displayModeBar": False}
SHOWN = 10  # pictures with their answers
TILE = 160  # css pixels a side, at most: five in a row, two on a phone


@dataclass(frozen=True)
class Operation:
    """The case, the blocks that were chosen, and how much of F(x) is left in each of them."""

    case: Case
    chosen: tuple[str, ...]
    scale: float

    @property
    def scales(self) -> tuple[tuple[str, float], ...]:
        return tuple((block, self.scale) for block in self.chosen)


def controls() -> Operation:
    """One row: pictures, the twin, how much is left; under it the blocks to choose from."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        case = choose_case()
        scale = st.slider("a: what is left of F(x)", 0.0, 2.0, 0.0, 0.1, key="a", bind="query-params", width=220,
                          help="0 switches the chosen blocks off, 1 leaves them as they are, 2 doubles what they add")
    chosen = st.pills("Operated blocks", case.blocks, selection_mode="multi", default=[case.blocks[_middle(case.blocks)]],
                      key="blocks", bind="query-params", label_visibility="collapsed")
    if said := about(case):
        st.caption(said)
    return Operation(case, tuple(block for block in case.blocks if block in chosen), scale)


def _middle(blocks: tuple[str, ...]) -> int:
    """A block in the middle that keeps the shape: not the first of its stage, where there is another."""
    later = [place for place, name in enumerate(blocks) if not name.endswith(".0")]
    return later[len(later) // 2] if later else 0


# What it is worth now


def results(operation: Operation) -> None:
    """For each network the share before and after, and ten pictures with both answers."""
    case = operation.case
    whole = {patient.name: work.sheet(patient, ()) for patient in case.patients}
    now = {patient.name: work.sheet(patient, operation.scales) for patient in case.patients}
    count = min(sheet.done for sheet in (*whole.values(), *now.values()))
    work.finish([*whole.values(), *now.values()], f"{count:,} pictures are asked; the others take", "now")
    with st.container(horizontal=True):
        for patient in case.patients:
            _worth(operation, patient, whole[patient.name], now[patient.name])
    _tiles(operation, {name: sheet.answers() for name, sheet in whole.items()},
           {name: sheet.answers() for name, sheet in now.items()})


def _worth(operation: Operation, patient: Patient, whole: Sheet, now: Sheet) -> None:
    before, after = (work.share(operation.case, patient, sheet.answers(), whole.answers()) for sheet in (whole, now))
    measure = "accuracy" if operation.case.labelled else "answers kept"
    st.metric(plain(f"{patient.name}, {measure}"), percent(after), f"{100 * (after - before):+.1f} points from {percent(before)}",
              delta_color="off", help=f"on {now.done:,} pictures, ± {100 * uncertainty(after, now.done):.1f} points by chance alone")


def _tiles(operation: Operation, whole: dict[str, Answers], now: dict[str, Answers]) -> None:
    """Ten pictures: what is on them, and what every network says of them now, or what it said before."""
    case, first = operation.case, operation.case.first
    least = min(map(len, (*whole.values(), *now.values())))
    changed = 0
    with st.container(horizontal=True, gap="small"):
        for place in some(first, least):
            lines = []
            for patient in case.patients:
                line, other = _said(case, patient, whole[patient.name], now[patient.name], place)
                lines.append(line if patient is first else f"*beside:* {line}")
                changed += other and patient is first
            _tile(first, place, lines)
    what = "Nothing is changed" if not operation.chosen else words.operation(operation.chosen, operation.scale)
    beside = f" *beside:* is {plain(case.twin.name)} after the same operation." if case.twin else ""
    st.caption(f"{what}: {changed} of these {min(SHOWN, least)} answers of {plain(first.name)} changed (old → new).{beside}")


def some(patient: Patient, least: int) -> list[int]:
    """Places of up to SHOWN pictures among the first `least`, of as many classes as there are."""
    if patient.labels is None:
        return list(range(min(SHOWN, least)))
    labels = patient.labels[:least, 0].numpy()
    firsts = sorted(np.unique(labels, return_index=True)[1].tolist())[:SHOWN]
    return (firsts + [place for place in range(least) if place not in firsts])[:SHOWN]


def _said(case: Case, patient: Patient, whole: Answers, now: Answers, place: int) -> tuple[str, bool]:
    """One network's answer in Markdown, with its old one where it is another; whether it is another."""
    before, after = (patient.classes[answers.predicted[place, 0]] for answers in (whole, now))
    mark = ""
    if patient.labels is not None:
        mark = "\u00a0✓" if after == patient.classes[int(patient.labels[place, 0])] else "\u00a0✗"
    sure = f"**{plain(after)}** {100 * now.sure[place]:.0f}\u00a0%{mark}"
    return (sure, False) if before == after else (f"{plain(before)} → {sure}", True)


def _tile(patient: Patient, place: int, lines: list[str]) -> None:
    pixels = patient.images[place].permute(1, 2, 0).numpy()
    pixels = pixels.repeat(3, axis=2) if pixels.shape[2] == 1 else pixels
    side = max(1, TILE // pixels.shape[1]) * pixels.shape[1] if pixels.shape[1] <= TILE else TILE
    true = plain(patient.classes[int(patient.labels[place, 0])]) if patient.labels is not None else None
    with st.container(width=TILE, gap=None):
        st.image(png(tiles.enlarged(pixels, 2 * side)), width=side, alt=f"Picture {place + 1}" + (f": {true}" if true else ""))
        if true:
            st.caption(f"a picture of: {true}")
        for line in lines:
            st.markdown(line)


# Each block alone


def profile(operation: Operation) -> None:
    """How both networks do without each of their blocks in turn."""
    case = operation.case
    st.markdown("**Each block alone:** how good is what remains when one block is switched off?")
    sheets = {patient.name: work.sheet(patient, EACH) for patient in case.patients}
    count = min(sheet.done for sheet in sheets.values())
    work.finish(list(sheets.values()), f"{count:,} pictures are asked; the others take", "each")
    whole, alone = shares(case)
    series = [drawing.Series(name, [by_block[block] for block in case.blocks], whole[name])
              for name, by_block in alone.items()]
    guessing = 1 / case.first.checkpoint.heads[0] if case.labelled and len(case.first.checkpoint.heads) == 1 else None
    measure = "right" if case.labelled else "answers kept"
    found = findings(case)
    st.plotly_chart(drawing.profile(case.blocks, series, measure, operation.chosen, guessing), config=CHART, key="profile",
                    alt=" ".join(found))
    count = min(sheet.done for sheet in sheets.values())
    st.markdown(plain(" ".join(found)))
    lines = "Dashed: the whole network. " if case.labelled else ""
    st.caption(f"{lines}On {case.pictures}" + (f", of which {count:,} are asked so far." if count < len(case.first.images) else "."))


def findings(case: Case) -> list[str]:
    whole, alone = shares(case)
    return [words.finding(name, whole[name], by_block, case.labelled, work.sheet(patient, EACH).done)
            for patient, (name, by_block) in zip(case.patients, alone.items())]


def shares(case: Case) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """By the networks' names: the share of the whole network, and the shares without each of the blocks that both have."""
    whole, alone = {}, {}
    for patient in case.patients:
        sheet = work.sheet(patient, EACH)
        first = sheet.answers("")
        whole[patient.name] = work.share(case, patient, first, first)
        alone[patient.name] = {block: work.share(case, patient, sheet.answers(block), first) for block in case.blocks}
    return whole, alone


def difference(case: Case) -> str | None:
    """What else sets the two networks apart, as a sentence."""
    fields = apart(case)
    if not fields:
        return None
    return (f"The two did not only differ in their shortcuts: they were trained with another {', another '.join(fields[:4])}"
            + (" and more" if len(fields) > 4 else "") + ".")
