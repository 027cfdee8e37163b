"""All runs in one table, the chosen ones on shared axes, and in what their recipes differ."""


import streamlit as st

from .. import run_marks
from ..analysis import run_table as analysis
from ..drawing import curves, run_styles
from ..number_text import duration
from ..problems import Problem
from ..training import settings
from . import access, run_rows, wide_table
from .component import component
from .live_chart import live_chart
from .page import plain
from .run_curves import View
from .run_rows import Known
from .runs import PROBLEM, watch

SHOWN, OPENED = "show", "open"  # names in the URL
MOST_AT_FIRST = 6  # runs on the first paint: as many colours as there are
POINTS = 6_000  # of all lines of one chart together
COLUMNS = [
    {"key": "state", "title": "State"},
    {"key": "best", "title": "Best validation", "right": True},
    {"key": "test", "title": "Test", "right": True},
    {"key": "seconds", "title": "Time", "right": True},
    {"key": "epochs", "title": "Epochs", "right": True},
]
SPLITS = {"validation": "val", "training": "train"}

_table = component("run_table")


# Which runs


def chosen(known: dict[str, Known]) -> list[Known]:
    """The runs whose curves are shown: what the session ticked, or the link says, or what can be compared at first."""
    if SHOWN not in st.session_state:
        linked = st.query_params.get_all(SHOWN)
        if missing := [reference for reference in linked if reference and reference not in known]:
            st.toast(f"The link asks for runs that are not here: {plain(', '.join(missing)[:200])}.")
        st.session_state[SHOWN] = linked or [one.reference for one in _at_first(list(known.values()))]
    show_runs([reference for reference in st.session_state[SHOWN] if reference in known])
    return [known[reference] for reference in st.session_state[SHOWN]]


def show_runs(references: list[str]) -> None:
    """Make them the runs on the shared axes, also in the link; an empty choice is one, too."""
    st.session_state[SHOWN] = references
    st.query_params[SHOWN] = references or [""]


def _at_first(known: list[Known]) -> list[Known]:
    """The first run that has something to show, and those that learned from the same pictures."""
    measured = [one for one in known if one.row.result.best is not None or one.live]
    return [one for one in measured if one.data == measured[0].data][:MOST_AT_FIRST]


def opened(known: dict[str, Known]) -> Known | None:
    """The run whose name was pressed."""
    return known.get(st.session_state.setdefault(OPENED, st.query_params.get(OPENED, "")))


def open_run(reference: str) -> None:
    st.session_state[OPENED] = reference
    if reference:
        st.query_params[OPENED] = reference
    else:
        st.query_params.pop(OPENED, None)


# The table


def table(known: dict[str, Known], shown: list[Known], labels: list[str], styles: dict[str, int]) -> None:
    """Every run with its state and figures; ticks, stars and names are buttons."""
    opened(known)
    legend = {one.reference: label for one, label in zip(shown, labels)}
    best = max((one.row.result.best or 0 for one in known.values()), default=0)
    _table(
        key="run_table",
        data={
            "label": f"{len(known):,} runs, {len(shown):,} of them shown; the best validation accuracy is"
                     f" {curves.number(best, percent=True)}",
            "may": access.may_change(),
            "columns": COLUMNS,
            "rows": [_line(one, legend.get(one.reference), styles) for one in known.values()],
        },
        on_shown_change=lambda: show_runs(list(st.session_state.run_table.shown)),
        on_star_change=lambda: _star(known, st.session_state.run_table.star),
        on_opened_change=lambda: open_run(st.session_state.run_table.opened),
        height="content",
    )


def _line(one: Known, label: str | None, styles: dict[str, int]) -> dict:
    result = one.row.result
    colours, dash = run_styles.style(styles[one.reference]) if label is not None else ((), ())
    about = label if label and label != one.row.name else " · ".join((one.row.settings.get("network", "?"), one.data))
    return {
        "ref": one.reference, "name": one.row.name, "sub": about, "note": one.marks.note, "own": one.own,
        "star": one.marks.star, "shown": label is not None, "open": st.session_state.get(OPENED) == one.reference,
        "colours": colours, "dash": dash,
        "cells": {
            "state": {"text": one.state_in_words, "value": one.state_in_words},
            "best": _share(result.best),
            "test": _share(result.test),
            "seconds": {"text": duration(result.seconds) if result.seconds else "", "value": result.seconds},
            "epochs": {"text": f"{result.epochs:,}" if result.seconds else "", "value": result.epochs},
        },
    }


def _share(value: float | None) -> dict:
    return {"text": "" if value is None else curves.number(value, percent=True), "value": value, "share": value}


def _star(known: dict[str, Known], asked: dict) -> None:
    one = known.get(asked["ref"])
    try:
        access.check_may_change()
        if one and one.own:
            marks = one.marks
            run_marks.write(one.run, run_marks.Marks(marks.name, marks.note, bool(asked["on"])))
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)


# The curves


def choose_split() -> str:
    """Which curves: on pictures that are learned from, or on others."""
    return st.segmented_control(
        "Curves", list(SPLITS), default="validation", required=True, key="curves", bind="query-params",
        help="Validation pictures are never learned from: their accuracy tells how good a network is",
    )


def overlay(shown: list[Known], labels: list[str], styles: dict[str, int], view: View, split: str) -> None:
    """Loss and accuracy of the chosen runs on shared axes; the legend says only in what they differ."""
    watched = [watch(one.run) for one in shown]
    lanes = [
        run_styles.Lane(label, styles[one.reference], now.metrics, now.plan)
        for one, label, now in zip(shown, labels, watched)
    ]
    group = f"runs-{view.x_axis}-{split}"
    for place, column, title, y_label in zip(
        st.columns(2, gap="medium"), ("accuracy", "loss"), ("Accuracy", "Loss"), ("share of right answers", "cross-entropy")
    ):
        lines = run_styles.lines(lanes, SPLITS[split], column, view.x_axis, view.smoothing)
        percent, log = column == "accuracy", view.log_loss and column == "loss"
        with place:
            live_chart(
                lines,
                key=f"{group}-{column}-{log}",
                title=f"{title}, {split}",
                alt=curves.describe(f"{title}, {split}", lines, view.x_axis, percent=percent),
                x_label=view.x_axis,
                y_label=y_label,
                percent=percent,
                log_y=log,
                height=320,
                group=group,
                empty="Tick runs in the table below." if not shown else f"No {split} points yet.",
                max_points=max(100, POINTS // max(1, len(lines))),
            )


# In what they differ


def settings_table(shown: list[Known], labels: list[str]) -> None:
    """One row a setting, one column a run; rows in which all agree are hidden until they are asked for."""
    if not shown:
        st.caption("Tick runs in the table: their settings stand here side by side.")
        return
    rows = [one.row for one in shown]
    every = st.toggle("Also settings in which all agree", key="every", bind="query-params")
    found = analysis.table(rows, every)
    hidden = len(analysis.table(rows, True)) - len(analysis.table(rows, False))
    if not found:
        st.caption(f"All {hidden:,} settings are the same in these runs.")
        return
    unlike = set(analysis.differing(rows))
    wide_table.show(
        "settings",
        f"{len(found):,} settings of {len(shown):,} runs, {len(unlike):,} of them differ",
        ["Setting", *({"text": one.row.name, "note": label if label != one.row.name else ""}
                      for one, label in zip(shown, labels))],
        [[settings.title(name), *({"text": value, "strong": name in unlike} if value is not None
                                  else {"text": "–", "note": "does nothing here"} for value in values)]
         for name, values in found],
    )
    if hidden and not every:
        st.caption(f"{hidden:,} settings are the same in all of them, and hidden.")


def story(shown: list[Known], labels: list[str]) -> None:
    if not shown:
        st.markdown("Tick runs in the table: what sets them apart is said here.")
        return
    names = [plain(label) for label in labels]
    for line in analysis.story([one.row for one in shown], names, run_rows.titles(shown)):
        st.markdown(f"- {line}")


def formula(shown: list[Known], labels: list[str]) -> None:
    for line in analysis.formulas([one.row for one in shown], labels):
        st.latex(line)
    st.caption("The best two of the runs shown. A difference below two standard errors is no finding: another draw of"
               " validation pictures could turn it around.")
