"""Which two runs are looked at: races, examples that differ in one thing, or any two. The link carries both."""

import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import streamlit as st

from .. import checkpoints, runs
from ..analysis.race import UNREADABLE
from ..problems import Problem
from ..training import race, switches
from ..training.config import Config, from_dict
from . import presenter, state
from .page import NothingYet, plain
from .runs import Watched, known_runs, seconds_between_looks, watch

PLACES = ("first", "second")  # names in the URL
LAST_ROWS = 10  # of training: their mean says how far a run came
TITLE_FROM = "-race-"  # of a race's directory name: the time before it, what the twin is called after it


@dataclass(frozen=True)
class Watching:
    """Both runs as they are at this moment; what differs, and what they are called by it."""

    first: Watched
    second: Watched
    names: tuple[str, str]
    differs: dict[str, tuple[str, str]]

    @property
    def both(self) -> tuple[Watched, Watched]:
        return self.first, self.second

    @property
    def pair(self) -> race.Pair:
        return self.first.run, self.second.run

    @property
    def bundled(self) -> bool:
        return any(watched.bundled for watched in self.both)

    @property
    def steered(self) -> bool:
        """Whether they are a race, whose two runs obey together."""
        return race.is_pair(self.pair)

    @property
    def pause(self) -> float:
        """Seconds between two looks."""
        return min(seconds_between_looks(watched) for watched in self.both)


def show_pair(pair: race.Pair) -> None:
    """Make it what this session looks at, also in its link."""
    _show(*map(_reference, pair))


def _reference(run: Path) -> str:
    return run.name if run.parent == checkpoints.BUNDLED else state.run_reference(run)


def _show(*references: str) -> None:
    for place, reference in zip(PLACES, references):
        st.session_state[place] = st.query_params[place] = reference


def _known_pairs(known: dict[str, Path]) -> list[tuple[str, str]]:
    """References of what the picker offers: own races, the newest first, then examples that differ in one thing."""
    names = {path: reference for reference, path in known.items()}
    own = [run for run in known.values() if run.parent != checkpoints.BUNDLED]
    races = [(names[first], names[second]) for first, second in race.races(own) if first in names and second in names]
    return races + _examples(tuple(path for path in known.values() if path.parent == checkpoints.BUNDLED))


@st.cache_data(max_entries=8, show_spinner=False)
def _examples(bundled: tuple[Path, ...]) -> list[tuple[str, str]]:
    """Bundled runs that differ in one switch, in the switches' order; of each the pair that came out furthest apart first."""
    order, found = list(switches.SWITCHES), []
    for pair in combinations(sorted(bundled), 2):
        differs = list(_compared(*map(_config, pair))[1])
        if len(differs) == 1 and differs[0] in order:
            lost = [watch(run).metrics["train"]["loss"][-LAST_ROWS:].mean() for run in pair]
            found.append((order.index(differs[0]), -abs(lost[1] - lost[0]), tuple(run.name for run in pair)))
    return [names for _, _, names in sorted(found)]


def _chosen(known: dict[str, Path], offered: list[tuple[str, str]]) -> tuple[str, str]:
    """The session's two runs; at its beginning the link's; else the newest race, an example, or any two."""
    of_session = tuple(st.session_state.get(place) for place in PLACES)
    if all(reference in known for reference in of_session):
        return of_session
    linked = tuple(st.query_params.get(place) for place in PLACES)
    if all(reference in known for reference in linked):
        return linked
    for reference in filter(None, linked):
        if reference not in known:
            st.toast(plain(f"The link asks for the run {reference!r:.80}, which is not here; you see another race instead."))
    if len(known) < 2:
        raise NothingYet("A race needs two runs, and there are not two yet: press Start race.")
    return offered[0] if offered else tuple(known)[:2]


def begin_to_look() -> tuple[race.Pair, float]:
    """(the two runs, seconds between two looks at them); NothingYet where there are not two runs."""
    known = known_runs()
    _show(*_chosen(known, _known_pairs(known)))
    pair = tuple(known[st.session_state[place]] for place in PLACES)
    return pair, watch_pair(pair).pause


def choose_pair() -> race.Pair:
    """The pickers, for a horizontal container; the two runs that are looked at."""
    known = known_runs()
    offered = _known_pairs(known)
    now = _chosen(known, offered)
    pairs = offered if now in offered else [now, *offered]
    st.session_state.race_picker = now
    st.selectbox("Race", pairs, key="race_picker", format_func=lambda pair: _title(*(known[one] for one in pair)),
                 width=460 if presenter.on() else 330, on_change=lambda: _show(*st.session_state.race_picker))
    with st.popover("Any two runs", icon=":material/compare_arrows:"):
        for place, reference in zip(PLACES, now):
            st.session_state[f"race_{place}"] = reference
            st.selectbox(f"{place.capitalize()} run", list(known), key=f"race_{place}", on_change=_choose_any)
        st.caption("The difference is second minus first. Two runs that differ in one setting can be compared fairly.")
    return tuple(known[reference] for reference in now)


def _choose_any() -> None:
    _show(*(st.session_state[f"race_{place}"] for place in PLACES))


@st.cache_data(max_entries=256, show_spinner=False)
def _title(first: Path, second: Path) -> str:
    """How the picker calls them: the same for as long as the page is open, also where one is deleted meanwhile."""
    configs = _config(first), _config(second)
    networks = tuple(str(config.get("network")) for config in configs)
    names = networks if networks[0] != networks[1] else _compared(*configs)[0] or (first.name, second.name)
    said = " / ".join(names)
    if first.parent == second.parent == checkpoints.BUNDLED:
        return f"Finished example: {said}"
    return f"{said} ({_begun(first)})" if race.is_pair((first, second)) else said


def _begun(run: Path) -> str:
    """21 Nov 10:08, from the name of a race's directory; the name where it is another."""
    try:
        return time.strftime("%d %b %H:%M", time.strptime(run.name.partition(TITLE_FROM)[0], "%Y%m%d-%H%M%S")).lstrip("0")
    except ValueError:
        return run.name


def watch_pair(pair: race.Pair) -> Watching:
    """Read what is new in both; Problem where one is gone."""
    first, second = map(watch, pair)
    names, differs = _compared(first.config, second.config)
    if names is None or names[0] == names[1]:
        names = _whole_names(first, second)
    return Watching(first, second, names, differs)


def _whole_names(first: Watched, second: Watched) -> tuple[str, str]:
    """Two texts that differ: the networks, else the directories."""
    networks = first.config.get("network"), second.config.get("network")
    chosen = networks if networks[0] != networks[1] else (first.run.name, second.run.name)
    return chosen if chosen[0] != chosen[1] else ("first", "second")


def _config(run: Path) -> dict:
    return runs.read_config(run) or {}


def _compared(first: dict, second: dict) -> tuple[tuple[str, str] | None, dict[str, tuple[str, str]]]:
    """(what to call them, what differs); a recipe that cannot be read has nothing in common with another."""
    try:
        if not (first and second):
            raise Problem("There is no recipe; choose two runs, or start a race.")
        recipes: tuple[Config, Config] = from_dict(first), from_dict(second)
    except (Problem, TypeError):
        return None, {UNREADABLE: ("", "")}
    return switches.names(*recipes), switches.differences(*recipes)
