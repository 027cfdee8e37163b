"""The lab's table: its baseline against each variant, epoch by epoch, from the runs that are here."""

import streamlit as st

from .. import runs
from ..drawing import curves
from ..drawing.training import epochs_table
from ..training import lab, presets
from . import wide_table
from .page import download_table
from .run_rows import Known
from .runs import watch

MOST_EPOCHS = 10  # as columns; the file has all of them


def experiments(known: dict[str, Known]) -> list[lab.Experiment]:
    finished = [(one.reference, one.run.name, runs.read_config(one.run) or {})
                for one in known.values() if one.state == "finished"]
    return lab.experiments(finished, lab.kept_rows())


def references(known: dict[str, Known]) -> list[str]:
    """The runs of the lab that are here."""
    return [one.reference for one in experiments(known) if one.reference]


def table(known: dict[str, Known]) -> None:
    """Rate, training and validation after every epoch, test at the end, and how far from the baseline."""
    found = experiments(known)
    epochs = {one.preset: epochs_table(watch(known[one.reference].run).metrics) for one in found if one.reference}
    width = min(MOST_EPOCHS, max(map(len, epochs.values()), default=0))
    tests = {one.preset: _test(one, known) for one in found}
    baseline = tests[lab.BASELINE]
    rows = [_row(one, epochs.get(one.preset), tests[one.preset], baseline, width) for one in found]
    reported = presets.PRESETS[lab.BASELINE].reported
    rows.append([{"text": "The lab itself", "note": f"quoted: {reported.who}"}, *[""] * width,
                 {"text": _percent(reported.accuracy), "right": True}, ""])
    wide_table.show(
        "lab", _finding(found, tests), ["Experiment", *(f"Epoch {n}" for n in range(1, width + 1)),
                                        {"text": "Test"}, {"text": "Against the baseline"}], rows)
    if missing := [one.preset for one in found if tests[one.preset] is None]:
        st.caption(f"{len(missing):,} of the {len(found):,} experiments were not run here. Without a browser:")
        st.code(lab.command(missing), language="bash", wrap_lines=True)
    flat = [{"experiment": one.title, **row} for one in found for row in epochs.get(one.preset, ())]
    if flat:
        with st.expander("Every epoch as a table to take along"):
            download_table(flat, "lab-epochs.csv")


def _test(one: lab.Experiment, known: dict[str, Known]) -> float | None:
    if one.reference:
        return known[one.reference].row.result.test
    return one.kept.accuracy if one.kept else None


def _row(one: lab.Experiment, epochs: list[dict] | None, test: float | None, baseline: float | None, width: int) -> list:
    cells: list = [_epoch(row) for row in (epochs or [])[:width]]
    if epochs is None:
        cells = [{"text": _kept(one), "span": width}] if width else []
    else:
        cells += [""] * (width - len(cells))
    apart = None if test is None or baseline is None or one.preset == lab.BASELINE else 100 * (test - baseline)
    return [
        {"text": one.title[0].upper() + one.title[1:], "note": _kept(one) if not width else ""},
        *cells,
        {"text": "" if test is None else _percent(test), "right": True, "strong": True},
        {"text": "" if apart is None else f"{apart:+.1f} points".replace("-", "−"), "right": True},
    ]


def _kept(one: lab.Experiment) -> str:
    return f"kept from an earlier run: {one.kept.epochs:,} epochs, {one.kept.hardware}" if one.kept else "not run here yet"


def _epoch(row: dict) -> dict:
    said = [f"{word} {row[f'{name} loss']:.3f} · {_percent(row[f'{name} accuracy'])}"
            for word, name in (("train", "training"), ("val", "validation")) if f"{name} loss" in row]
    return {"text": f"rate {curves.number(row['learning rate'])}", "lines": [[text, ""] for text in said]}


def _percent(value: float) -> str:
    return curves.number(value, percent=True)


def _finding(found: list[lab.Experiment], tests: dict[str, float | None]) -> str:
    measured = {one.title: tests[one.preset] for one in found if tests[one.preset] is not None}
    if not measured:
        return f"The lab's {len(found):,} experiments; none was run here"
    best = max(measured, key=measured.get)
    return f"{len(measured):,} of the lab's {len(found):,} experiments; best on the test pictures: {best}, {_percent(measured[best])}"
