"""The pictures behind the numbers: as a wall to pick from, where the network looked, and one of them in large."""

from collections.abc import Callable

import numpy as np
import streamlit as st
import torch

from ..analysis import attributions, last_features
from ..analysis import error_words as words
from ..data.preprocessing import normalise
from ..drawing import attributions as heat_drawing
from . import error_votes, presenter, state, walls
from .attribution_maps import Store, announced, under_a_bar
from .attributions import tile
from .errors import Seen
from .page import download_table, plain, problems

MOST = 24  # pictures of a wall: six rows of four, or three of eight
WIDE = 115  # css pixels a picture of a wall may take
SIDE = 96  # pixels of a picture in a wall; smaller ones stay as they are
MAP_PASSES = 3  # a gradient costs about two more passes
OPACITY = 0.6


def wall(seen: Seen, places: np.ndarray, key: str, title: str) -> int | None:
    """The pictures at these places, the first MOST of them, with where the network looked; the place that is picked."""
    if not len(places):
        st.caption("No picture here.")
        return None
    shown, all_ = places[:MOST], len(places)
    if seen.choice.order.startswith("least"):
        shown = places[::-1][:MOST]
    with_maps = st.toggle("Where it looked", value=True, key="looked", bind="query-params",
                          help="Grad-CAM: red spoke for the class, blue against it; both maps share one scale.")
    found = [walls.Wall(f"{title}: {min(all_, MOST):,} of {all_:,}, {seen.choice.order}" if all_ > MOST
                        else f"{title}, {seen.choice.order}", _small(_pixels(seen, shown)),
                        f"{len(shown)} pictures: {title}")]
    maps = _maps(seen, shown) if with_maps else None
    if maps is not None:
        for number, what in enumerate(("for what it says", "for what it is")):
            found.append(walls.Wall(f"Where it looked {what}", _small(maps[:, number]), f"Grad-CAM of each {what}"))
    columns = min(4 if maps is not None else 8, len(shown))
    return walls.pick(key, found, [int(place) for place in shown], [words.verdict(seen.verdicts, i) for i in shown],
                      label=title, first=int(shown[0]), in_url="shown", columns=columns,
                      most=WIDE * columns)


def _pixels(seen: Seen, places: np.ndarray) -> np.ndarray:
    """uint8 [n, size, size, 3]."""
    images = seen.sitting.exam.images[torch.from_numpy(np.array(places))]
    return last_features.thumbnails(images, images.shape[2])


def _small(pixels: np.ndarray) -> np.ndarray:
    return last_features.thumbnails(torch.from_numpy(pixels).permute(0, 3, 1, 2), SIDE)


# Where it looked


@st.cache_resource(max_entries=1, show_spinner=False)
def _kept() -> Store:
    return Store(600)  # pairs of maps: 224 x 224 take 400 KB


def _key(seen: Seen, place: int) -> tuple:
    return seen.sitting.key, seen.choice.head, int(place)


def heats(seen: Seen, place: int) -> np.ndarray | None:
    """Grad-CAM for what it says and for what it is, float32 [2, H, W]; None where it is not worked out."""
    return _kept().get(_key(seen, place))


def _maps(seen: Seen, places: np.ndarray) -> np.ndarray | None:
    """The maps over the pictures, uint8 [n, 2, H, W, 3], worked out where they are missing; None while they wait."""
    missing = [int(place) for place in places if heats(seen, place) is None]
    cost = 2 * MAP_PASSES * len(missing) * seen.sitting.seconds / seen.sitting.done
    if missing and announced(f"Where it looked in {len(missing)} pictures takes", cost, "heats"):
        with problems():
            under_a_bar(lambda told: _work_out(seen, missing, told), cost, "heats")
    if any(heats(seen, place) is None for place in places):
        return None
    return np.stack([_overlays(pixels, heats(seen, place)) for pixels, place in zip(_pixels(seen, places), places)])


def _overlays(pixels: np.ndarray, pair: np.ndarray) -> np.ndarray:
    end = heat_drawing.limit(list(pair))
    return np.stack([heat_drawing.overlay(pixels, heat, end, OPACITY) for heat in pair])


def _work_out(seen: Seen, places: list[int], told: Callable) -> None:
    recipe, step = seen.checkpoint.preprocessing, 8
    start = sum(seen.checkpoint.heads[:seen.choice.head])
    for first in range(0, len(places), step):
        some = places[first:first + step]
        inputs = normalise(seen.sitting.exam.images[some], recipe)
        pairs = []
        for classes in (seen.verdicts.answered, seen.verdicts.true):
            with state.model_of(seen.checkpoint) as model:
                pairs.append(attributions.gradcams(model, inputs, start + classes[some]))
        for place, pair in zip(some, np.stack(pairs, axis=1)):
            _kept().keep(_key(seen, place), pair)
        told((first + len(some)) / len(places), f"{first + len(some):,} of {len(places):,} pictures")


# One picture


def closer(seen: Seen, place: int) -> None:
    """One picture in large, what the network said of it, where it looked, and the vote."""
    verdicts, pixels = seen.verdicts, _pixels(seen, np.array([place]))[0]
    said, true = (verdicts.classes[int(which[place])] for which in (verdicts.answered, verdicts.true))
    st.markdown(f"**{plain(words.verdict(verdicts, place))}**")
    if st.session_state.get("looked", True):
        _maps(seen, np.array([place]))
    pair = heats(seen, place)
    with st.container(horizontal=True, gap="small"):
        tile(pixels, f"picture {int(seen.sitting.exam.numbers[place]):,} of {plain(seen.choice.data)}, "
                     f"{seen.choice.split}",
             words.verdict(verdicts, place))
        if pair is not None:
            both = _overlays(pixels, pair)
            for overlay, name in list(zip(both, (said, true)))[:1 if said == true else 2]:
                tile(overlay, f"where it looked for **{plain(name)}**", f"Grad-CAM for {name}")
    st.caption(plain(f"It says {words.spoken(verdicts, place)}."))
    error_votes.ballot(seen.sitting.key, place)


def votes(seen: Seen) -> None:
    """All votes on this exam, as a table and CSV."""
    rows = vote_rows(seen)
    if rows and not presenter.on():
        st.markdown("**Votes**")
        download_table(rows, f"{seen.file_name}-votes.csv", alt=f"{len(rows)} pictures with votes")


def vote_rows(seen: Seen) -> list[dict]:
    """One row a picture that has a vote, of those that were asked so far."""
    court, verdicts = error_votes.court(), seen.verdicts
    return [{"data": seen.choice.data, "part": seen.choice.split, "picture": int(seen.sitting.exam.numbers[place]),
             "label": verdicts.classes[int(verdicts.true[place])],
             "answer": verdicts.classes[int(verdicts.answered[place])],
             "sureness": round(float(verdicts.confidence[place]), 4),
             **{error_votes.VERDICTS[name]: count for name, count in court.of(seen.sitting.key, place).items()}}
            for place in court.pictures(seen.sitting.key) if place < len(verdicts)]
