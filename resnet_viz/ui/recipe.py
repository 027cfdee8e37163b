"""The recipe of a new run: a preset, the few settings in view, all others behind More, and Start."""

import streamlit as st

from ..analysis import training
from ..data.sources import SOURCES
from ..networks import zoo
from ..problems import Problem
from ..training import results
from ..training.config import Config
from ..training.presets import PRESETS
from . import access, presenter, recipe_form, runs
from .page import plain, problems
from .recipe_form import KEY

LINKED = "recipe"  # in the URL, e.g. of a lesson's link: the preset to begin with


def new_run() -> None:
    """The recipe of a new run and Start in one row; in read-only mode the line that says why there is none."""
    if not access.may_change():
        access.say_why()
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        if presenter.on():
            start_button()
            with st.expander("What Start begins", icon=":material/tune:"):
                with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
                    choose_recipe()
        else:
            choose_recipe()
            start_button()
    with problems():
        if said := results.in_words(st.session_state[KEY("preset")], _results(results.stamp())):
            st.caption(plain(" ".join(said)))


@st.cache_data(max_entries=2, show_spinner=False)
def _results(stamp: int) -> list[results.Row]:
    return results.kept()


def choose_recipe() -> None:
    """The row of settings that decide a new run; read them with `chosen_recipe`, also in a button's callback."""
    linked = st.query_params.pop(LINKED, None)  # counts once: from then on the person decides
    if linked in PRESETS or KEY("preset") not in st.session_state:
        st.session_state[KEY("preset")] = linked if linked in PRESETS else next(iter(PRESETS))
        _fill_in()
    st.selectbox(
        "Recipe",
        list(PRESETS),
        key=KEY("preset"),
        on_change=_fill_in,
        persist_state="session",
        width=215,
        format_func=lambda name: PRESETS[name].title,
        help=PRESETS[st.session_state[KEY("preset")]].description,
    )
    st.selectbox(
        "Network",
        list(zoo.NETWORKS),
        key=KEY("network"),
        on_change=_another_network,
        persist_state="session",
        width=170,
    )
    st.selectbox(
        "Pictures",
        _sources(),
        key=KEY("data"),
        on_change=_own_size,
        persist_state="session",
        width=140,
        accept_new_options=True,
        format_func=lambda name: SOURCES[name].title if name in SOURCES else name,
        help="A data set, or the path of a folder or zip on the server: train/<class>/*, test/<class>/*",
    )
    st.number_input("Epochs", 1, 100_000, key=KEY("epochs"), persist_state="session", width=85)
    st.number_input(
        "Seed",
        0,
        2**31 - 1,
        key=KEY("seed"),
        persist_state="session",
        width=95,
        help="The same seed and recipe give the same run: the same first weights, the same order of pictures.",
    )
    st.button(
        ":material/casino:",
        key="new_dice",
        on_click=_new_dice,
        help="Another seed, so other first weights and another order of pictures",
    )
    with st.popover("More"):
        recipe_form.form()
        with problems():
            st.caption("Start does what this line does without a browser:")
            st.code(training.command(chosen_recipe().to_dict(), runs.DEFAULTS, machine=True), language="bash")


def start_button() -> None:
    """Begin a run with the recipe on the screen and look at it; where it cannot begin, say why."""
    st.button("Start", type="primary", icon=":material/play_arrow:", key="start", on_click=_start)
    if "start_problem" in st.session_state:
        st.error(plain(st.session_state.pop("start_problem")), icon=":material/error:")


def _start() -> None:
    try:
        runs.start_run(chosen_recipe())
    except Problem as problem:
        st.session_state.start_problem = str(problem)


def chosen_recipe() -> Config:
    """The settings on the screen as a config; Problem where they make no sense."""
    base = PRESETS[st.session_state[KEY("preset")]].config
    values = recipe_form.settings_on_screen()
    if not values["data"]:
        raise Problem("Choose the pictures to learn from.")
    own = base.arguments if values["network"] == base.network else {}  # they belonged to the preset's network
    return Config(**values, arguments=recipe_form.arguments_on_screen(values["network"], own))


def _sources() -> list[str]:
    own = st.session_state.get(KEY("data"))
    return list(SOURCES) + ([own] if own and own not in SOURCES else [])


def _fill_in() -> None:
    """Put the preset's settings on the screen."""
    recipe_form.fill_in(PRESETS[st.session_state[KEY("preset")]].config)


def _another_network() -> None:
    """Its own dropout, and its own size of pictures."""
    st.session_state[KEY("dropout")] = float(zoo.dropout_of(st.session_state[KEY("network")]) or 0)
    _own_size()


def _own_size() -> None:
    """The preset's size belongs to its network and its pictures."""
    base = PRESETS[st.session_state[KEY("preset")]].config
    same = (st.session_state[KEY("network")], st.session_state[KEY("data")]) == (base.network, base.data)
    st.session_state[KEY("size")] = base.size if same else None


def _new_dice() -> None:
    st.session_state[KEY("seed")] = runs.new_seed()
