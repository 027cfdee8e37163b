"""The twin race: the switch and the start of a new one, the hand on both runs, and their curves on shared axes."""

import random

import streamlit as st

from .. import runs
from ..analysis import race as analysis
from ..analysis.training import command
from ..data.sources import SOURCES
from ..drawing import race as drawing
from ..drawing import training as one_run
from ..drawing.curves import describe
from ..number_text import duration
from ..problems import Problem
from ..training import race, switches
from ..training.config import Config, from_dict
from ..training.presets import PRESETS
from . import access, presenter, queue
from .live_chart import live_chart
from .page import download_table, plain, problems
from .race_pairs import PLACES, Watching, show_pair
from .run_curves import EPOCH_COLUMNS, View
from .run_words import progress_line
from .runs import DEFAULTS, Watched

KEY = "race_{}".format  # session key of a setting of a new race
BEGIN_WITH, DEPTH = "shapes-resnet20", "56 layers"
FROM_RECIPE = ("epochs", "seed", "train_limit", "batch_size", "lr")  # that the page can change
CHARTS = {"loss": ("Training and validation loss", 300), "accuracy": ("Training and validation accuracy", 300)}

MAX_POINTS = 500  # of a line: there are twice as many lines as on the training page, and an update is to stay small


# A new race


def new_race() -> None:
    """One row: the switch, the recipe, and Start race; in read-only mode the line that says why there is none."""
    if not access.may_change():
        access.say_why()
        return
    if KEY("preset") not in st.session_state:
        st.session_state[KEY("preset")] = BEGIN_WITH
        _fill_in()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        with problems():
            _choose_switch()
        if not presenter.on():
            _choose_recipe()
        st.button("Start race", type="primary", icon=":material/flag:", key=KEY("start"), on_click=_start)
    if KEY("problem") in st.session_state:
        st.error(plain(st.session_state.pop(KEY("problem"))), icon=":material/error:")


def _choose_recipe() -> None:
    """All that is the same in both."""
    st.selectbox("Recipe of both", list(PRESETS), key=KEY("preset"), on_change=_fill_in, persist_state="session",
                 format_func=lambda name: PRESETS[name].title, width=190,
                 help="All that is the same in both, with the seed and the settings beside it")
    st.number_input("Epochs", 1, 100_000, key=KEY("epochs"), persist_state="session", width=80)
    st.number_input("Seed", 0, 2**31 - 1, key=KEY("seed"), persist_state="session", width=88,
                    help="Of both: the same first weights where the networks allow it, the same order of pictures")
    st.button(":material/casino:", key=KEY("dice"), on_click=_new_dice, help="New dice: another seed for both")
    with st.popover("More"):
        _more()


def _choose_switch() -> None:
    """The switch, and what the other twin has instead."""
    recipe = _recipe()
    offered = switches.possible(recipe)
    others = offered[_selectbox("Change only", list(offered), "switch", 132)]
    first = DEPTH if DEPTH in others else next(iter(others))
    own = next(iter(switches.differences(recipe, others[first]).values()))[0]
    _selectbox(f"from {own} to", list(others), "other", 160, first)


def _twins() -> tuple[Config, Config]:
    """The recipes on the screen; Problem where they make no sense."""
    recipe = _recipe()
    return recipe, switches.possible(recipe)[st.session_state[KEY("switch")]][st.session_state[KEY("other")]]


def _selectbox(label: str, options: list[str], key: str, width: int, first: str | None = None) -> str:
    """A choice among options that another control may have changed: what is not there any more gives way to the first."""
    if st.session_state.get(KEY(key)) not in options:
        st.session_state[KEY(key)] = first or options[0]
    return st.selectbox(label, options, key=KEY(key), persist_state="session",
                        width=width * 3 // 2 if presenter.on() else width)  # its type is larger


def _recipe() -> Config:
    """What both have in common; Problem where it makes no sense."""
    changes = {name: st.session_state[KEY(name)] for name in FROM_RECIPE}
    return from_dict({**PRESETS[st.session_state[KEY("preset")]].config.to_dict(), **changes})


def _fill_in() -> None:
    config = PRESETS[st.session_state[KEY("preset")]].config
    for name in FROM_RECIPE:
        st.session_state[KEY(name)] = getattr(config, name)


def _new_dice() -> None:
    st.session_state[KEY("seed")] = random.randrange(1, 100_000)


def _more() -> None:
    config = PRESETS[st.session_state[KEY("preset")]].config
    source = SOURCES.get(config.data)
    st.caption(f"{config.network} on {source.title if source else config.data}. Each of the two runs gets half of the"
               " processor's cores, unless the recipe says how many; in the queue the race counts as one run.")
    st.number_input("Learn from the first pictures only", 1, 10**9, value=None, key=KEY("train_limit"),
                    persist_state="session", placeholder="from all")
    st.number_input("Batch size", 1, 65_536, key=KEY("batch_size"), persist_state="session")
    st.number_input("Learning rate, at its highest", 1e-9, 1000.0, step=0.01, format="%.6g", key=KEY("lr"),
                    persist_state="session")


def _start() -> None:
    """Begin both runs and look at them; where they cannot begin, say why."""
    try:
        start_race(*_twins())
    except Problem as problem:
        st.session_state[KEY("problem")] = str(problem)


def start_race(first: Config, second: Config) -> None:
    access.check_may_change()
    for config in (first, second):
        access.check_recipe(config.to_dict())
    show_pair(race.start(first, second, switches.names(first, second) or (first.network, second.network)))


# The hand on both


def controls(watching: Watching) -> None:
    """Pause, resume, stop and continue both; called in a horizontal container."""
    if not watching.steered or not access.may_change():
        return
    states = [watched.state for watched in watching.both if watched.live]
    if states:
        paused = not {"running", "new", "queued"} & set(states)
        word, icon, command = ("Resume", "play_arrow", "resume") if paused else ("Pause", "pause", "pause")
        st.button(f"{word} both", icon=f":material/{icon}:", key="hold", width=140, on_click=_order, args=(watching, command))
        st.button("Stop both", icon=":material/stop:", key="stop", on_click=_order, args=(watching, "stop"),
                  help="Keep both at their step; you can continue later")
    if any(not watched.live and watched.state != "finished" for watched in watching.both):
        which = "the other" if states or "finished" in {watched.state for watched in watching.both} else "both"
        st.button(f"Continue {which}", icon=":material/play_arrow:", type="primary", key="continue",
                  on_click=_order, args=(watching, "continue"))


def _order(watching: Watching, command: str) -> None:
    try:
        access.check_may_change()
        for run in watching.pair:
            access.check_recipe(runs.read_config(run))
        race.resume(watching.pair) if command == "continue" else race.send(watching.pair, command)
    except Problem as problem:
        st.toast(plain(str(problem)), icon=":material/error:")


def progress(watching: Watching) -> None:
    """How far each is, side by side; of examples, that nothing is computed here."""
    if watching.bundled and not any(watched.live for watched in watching.both):
        trained = " and ".join(f"{name} for {_trained(watched)}" for name, watched in zip(watching.names, watching.both))
        st.caption(f":material/inventory_2: **Bundled results.** Trained beforehand, {plain(trained)}; this machine computes"
                   " nothing for them.")
        return
    queue.show(watching.first.run)
    for place, name, watched in zip(st.columns(2, gap="medium"), watching.names, watching.both):
        with place:
            st.markdown(f"**{plain(name)}**")
            progress_line(watched)


def _trained(watched: Watched) -> str:
    """12 epochs of 13,500 pictures in 5 min 23 s."""
    train = watched.metrics.get("train")
    if train is None:
        return "no time"
    epochs = max(1, int(watched.status.get("epoch") or 1))
    return f"{epochs:,} epochs of {int(train['images'][-1]) // epochs:,} pictures in {duration(float(train['elapsed_s'][-1]))}"


# The curves


def curves(watching: Watching, view: View) -> None:
    """Loss and accuracy of both, and under each the difference with its zero line and the first crossing."""
    lanes = _lanes(watching)
    ends = [one_run.x_end(view.x_axis, each.plan) for each in watching.both]
    shared = {"x_label": view.x_axis, "group": str(watching.pair), "x_end": max(filter(None, ends), default=None),
              "max_points": MAX_POINTS}
    key = f"{'-'.join(run.name for run in watching.pair)}-{view.x_axis}"
    compared = {column: _compared(lanes, column, view.x_axis, view.smoothing) for column in CHARTS}
    st.markdown(analysis.finding("loss", tuple(map(plain, watching.names)), compared["loss"], view.x_axis))
    for place, (column, (title, height)) in zip(st.columns(2, gap="medium"), CHARTS.items()):
        percent, log = column == "accuracy", view.log_loss and column == "loss"
        with place:
            lines = drawing.lines(lanes, column, view.x_axis, view.smoothing)
            live_chart(lines, key=f"{column}-{key}-{log}", title=title, percent=percent, log_y=log, height=height,
                       alt=describe(title, lines, view.x_axis, percent), empty="The first points come with the first batches.",
                       **shared)
    for place, (column, comparison) in zip(st.columns(2, gap="medium"), compared.items()):
        with place:
            _difference(watching, lanes, column, comparison, view, key, shared)


def _lanes(watching: Watching) -> list[tuple]:
    return [(name, each.metrics, each.plan) for name, each in zip(watching.names, watching.both)]


def _compared(lanes, column: str, x_axis: str, smoothing: float) -> analysis.Comparison:
    both = [drawing.training(metrics, column, x_axis, smoothing, plan) for _, metrics, plan in lanes]
    return analysis.compare(*both[0], *both[1])


def _difference(watching, lanes, column, comparison, view, key, shared) -> None:
    raw = _compared(lanes, column, view.x_axis, 0.0) if view.smoothing else None
    points = 100.0 if column == "accuracy" else 1.0  # percentage points: a difference of shares goes below zero
    lines = drawing.difference_lines(comparison, raw, points)
    title, unit = f"Difference of training {column}", "percentage points, " if points > 1 else ""
    first, second = watching.names
    live_chart(lines, key=f"difference-{column}-{key}", title=title, y_label=f"{unit}{second} − {first}", height=190,
               levels=drawing.zero_level(watching.names, column), events=drawing.crossing_events(comparison.crossings),
               alt=f"{title}. {analysis.finding(column, watching.names, comparison, view.x_axis)}".replace("**", ""),
               empty="The difference comes with the second run's first points.", **shared)


# Under the picture


def story(watching: Watching) -> None:
    names, metrics = watching.names, (watching.first.metrics, watching.second.metrics)
    lines = analysis.story(names, watching.differs, metrics)
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def formula(watching: Watching, view: View) -> None:
    compared = _compared(_lanes(watching), "loss", view.x_axis, view.smoothing)
    for line in analysis.formulas(watching.differs, compared, view.x_axis):
        st.latex(line)
    st.caption("L is the training loss, smoothed as drawn; where Δ changes its sign for at least"
               f" {analysis.LASTING} points, the curves have crossed.")


def code(watching: Watching) -> None:
    for place, name, watched in zip(PLACES, watching.names, watching.both):
        st.caption(f"{plain(name)}, without a browser:")
        st.code(command(watched.config, DEFAULTS).replace("runs/my-run", f"runs/{place}"), language="bash")


def numbers(watching: Watching) -> None:
    """What differs, and every epoch side by side."""
    if watching.differs and analysis.UNREADABLE not in watching.differs:
        st.dataframe([{"setting": title, "first": first, "second": second} for title, (first, second) in watching.differs.items()],
                     hide_index=True, alt="; ".join(f"{t}: {a} against {b}" for t, (a, b) in watching.differs.items()))
    rows = drawing.epochs_side_by_side(watching.names, [one_run.epochs_table(each.metrics) for each in watching.both])
    if not rows:
        st.caption("The first epoch of both is not over yet.")
        return
    columns = {name: EPOCH_COLUMNS[name.split(", ")[0]] for name in rows[0]}
    download_table(rows, "race-epochs.csv", columns=columns, alt=f"{len(rows)} epochs of both")
