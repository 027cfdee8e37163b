"""Learning by heart, live: the baseline and one cure on the same axes, recorded or trained here and now."""

import streamlit as st

from ..analysis import overfitting, overfitting_questions
from ..analysis.overfitting import Curves, Ended
from ..analysis.training import command
from ..data.sources import SOURCES
from ..drawing import overfitting as drawing
from ..networks import zoo
from ..problems import Problem
from ..training import by_heart
from ..training.by_heart import BASELINE, PICTURES, RECIPES
from . import access, overfitting_known, questions, queue, run_words, runs, state
from .live_chart import live_chart
from .overfitting_known import ALL, CURES, NONE, STOP, Lane, Setting
from .page import download_table, plain, under_picture

MARKED = {NONE: 1, STOP: 1, ALL: 0}  # of how many lines the least loss is marked; of the others of two
SEED = "heart_seed"
PAUSE = "heart_pause"  # session key: seconds between two looks
PROBLEM = "heart_problem"  # session key: what went wrong in a callback, which may not draw


def choose() -> tuple:
    """(what is chosen, the row for the buttons beside the controls)."""
    cure = st.segmented_control("Cure", CURES, default=NONE, required=True, key="cure", bind="query-params")
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
    with row:
        pictures = st.segmented_control(
            "Digits to learn from", PICTURES, default=PICTURES[0], required=True, key="pictures", bind="query-params"
        )
        with st.popover("More", icon=":material/tune:"):
            seed = st.number_input(
                "Seed",
                0,
                2**31 - 1,
                0,
                key=SEED,
                bind="query-params",
                width=130,
                help="Other first weights, other pictures, another order; recorded are "
                + ", ".join(map(str, by_heart.SEEDS)),
            )
            st.caption(
                "Handwritten digits of 8 × 8 pixels; no batch norm, AdamW, a rate that stays. A cure differs from the "
                "baseline in one setting."
            )
    return Setting(cure, pictures, int(seed)), row


def pause() -> float:
    """Seconds between two looks, as the last one left it."""
    return st.session_state.get(PAUSE, runs.QUIET_S)


def look() -> None:
    """One look: controls, state of what is trained here, the curves, and what is said of them."""
    setting, row = choose()
    lanes = [overfitting_known.lane(recipe, setting) for recipe in setting.recipes]
    _hand(setting, lanes, row)
    shown = overfitting_known.shown(setting, lanes)
    _charts(setting, lanes, shown)
    ends = overfitting_known.ends()
    under_picture(
        "view",
        story=lambda: _story(setting, shown, ends),
        formula=lambda: _formula(setting, shown),
        code=lambda: _code(setting),
        numbers=lambda: _numbers(ends),
        questions=lambda: questions.ask("overfitting", overfitting_questions.of_curves(shown, ends)),
    )
    st.session_state[PAUSE] = min(
        [runs.seconds_between_looks(lane.watched) for lane in lanes if lane.watched] or [runs.QUIET_S]
    )


# The hand on it


def _hand(setting: Setting, lanes: list[Lane], row) -> None:
    """What is trained here and now, and the buttons for it."""
    live = [lane for lane in lanes if lane.watched is not None and lane.watched.live]
    with row:
        if not access.may_change():
            access.say_why()
        elif live:
            st.button("Stop", icon=":material/stop:", key="heart_stop", on_click=_stop, args=(live,))
        else:
            missing = [lane.recipe for lane in lanes if lane.watched is None]
            st.button(
                "Train it here" if missing else "Train it with new dice",
                type="primary",
                icon=":material/play_arrow:",
                key="heart_start",
                on_click=_start,
                args=(setting, missing),
            )
        own = next((lane.watched for lane in reversed(lanes) if lane.watched is not None), None)
        if own is not None:
            st.page_link(
                "pages/train/training.py",
                label="This run on the Training page",
                icon=":material/show_chart:",
                query_params={"run": state.run_reference(own.run)},
            )
    st.caption(_source(setting, lanes))
    if PROBLEM in st.session_state:
        st.error(plain(st.session_state.pop(PROBLEM)), icon=":material/error:")
    if live:
        for place, lane in zip(st.columns(len(live), gap="medium"), live):
            with place:
                st.markdown(f"**{lane.recipe}**")
                run_words.progress_line(lane.watched)
        queue.show(live[-1].watched.run)


def _source(setting: Setting, lanes: list[Lane]) -> str:
    """Where the curves come from, in one line."""
    found: dict[str, list[str]] = {}
    for lane in lanes:
        known = "recorded beforehand by this project" if lane.curves is not None else "not trained yet"
        found.setdefault("trained here" if lane.watched is not None else known, []).append(lane.recipe)
    return "; ".join(f"{', '.join(names)}: {where}" for where, names in found.items()) + f". Seed {setting.seed}."


def _start(setting: Setting, missing: list[str]) -> None:
    """Begin the runs that are not there yet, or all of them with other dice; they wait for each other in the queue."""
    try:
        if not missing:
            st.session_state[SEED] = runs.new_seed()
        for recipe in missing or setting.recipes:
            runs.start_run(by_heart.config_of(recipe, setting.pictures, st.session_state[SEED]))
    except Problem as problem:
        st.session_state[PROBLEM] = str(problem)


def _stop(live: list[Lane]) -> None:
    for lane in live:
        runs.order(lane.watched.run, "stop")


# The picture


def _charts(setting: Setting, lanes: list[Lane], shown: list[Curves]) -> None:
    alt = " ".join(f"{one.name}: {overfitting.finding(one)}" for one in shown)
    drawn = [(one.name, vars(one)) for one in shown]
    marks = drawing.stops(
        [(one.name, float(one.x[one.stop])) for one in shown[: MARKED.get(setting.cure, 2)]]
    )
    group, end = f"{setting.pictures}-{setting.seed}", RECIPES[BASELINE].epochs
    shared = {
        "x_label": "epoch",
        "group": f"heart-{group}",
        "x_end": end,
        "height": 330,
        "empty": "No points yet: press Train it here."
        if access.may_change()
        else "Nothing is recorded for this setting.",
    }
    for place, (column, title) in zip(st.columns(2, gap="medium"), (("loss", "Loss"), ("accuracy", "Right answers"))):
        with place:
            live_chart(
                drawing.lines(drawn, column),
                key=f"heart-{column}-{setting.cure}-{group}",
                title=title,
                alt=alt,
                percent=column == "accuracy",
                events=marks if column == "loss" else [],
                **shared,
            )


# Under the picture


def _story(setting: Setting, shown: list[Curves], ends: list[Ended]) -> None:
    if not shown:
        st.markdown("Nothing is known of this setting yet: it was not recorded. Train it here; it takes some seconds.")
        return
    told = overfitting.story(shown, ends if setting.pictures == PICTURES[0] else [], setting.pictures, _weights())
    st.markdown("\n".join(f"- {line}" for line in told))


@st.cache_data(max_entries=1, show_spinner=False)
def _weights() -> int:
    """Parameters of the network that learns here."""
    config = RECIPES[BASELINE]
    channels = SOURCES[config.data].channels
    model = zoo.build(config.network, {**config.arguments, "in_channels": channels}, device="meta")
    return sum(parameter.numel() for parameter in model.parameters())


def _formula(setting: Setting, shown: list[Curves]) -> None:
    for line in overfitting.formulas(setting.cure, shown, RECIPES.get(setting.cure, RECIPES[BASELINE])):
        st.latex(line)


def _code(setting: Setting) -> None:
    st.code(overfitting.CODE.get(setting.cure, overfitting.CODE[NONE]))
    st.caption("The run on the screen without a browser, and the record of all of them:")
    recipe = setting.recipes[-1]
    st.code(
        command(by_heart.config_of(recipe, setting.pictures, setting.seed).to_dict(), runs.DEFAULTS)
        + "\n\npython -m resnet_viz.training.by_heart",
        language="bash",
    )


def _numbers(ends: list[Ended]) -> None:
    st.markdown(
        f"**Every cure with {PICTURES[0]} digits**, mean of the recorded seeds; loss and share of right "
        "answers on "
        "pictures kept back, at the end and where the loss was least"
    )
    columns = {
        name: st.column_config.NumberColumn(format="%.3f")
        for name in ("loss, learned", "loss, kept back", "its least loss")
    }
    columns |= {name: st.column_config.NumberColumn(format="percent") for name in ("right, kept back", "from", "to")}
    columns["in epoch"] = st.column_config.NumberColumn(format="%.1f")
    download_table(overfitting.rows(ends), "by-heart.csv", columns, overfitting.compared(ends) if ends else None)
