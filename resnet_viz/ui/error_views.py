"""The views of the errors page: who for whom, the classes, how sure it may be, its surest mistakes, the map."""

import io
import time
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import streamlit as st

from ..analysis import calibration, errors, last_features
from ..analysis import error_words as words
from ..analysis.errors import History
from ..drawing import errors as drawing
from ..drawing import tiles
from ..number_text import percent
from . import error_pictures, presenter
from .attribution_maps import Store
from .component import component
from .errors import Seen, ask_for_pictures, choose_cell, current, matrix
from .page import PERCENT, download_table, plain

MOST_MISTAKES = 60
MOST_FREQUENT = 5
THUMBNAIL = 40  # pixels of a picture on the map
LOOK_S = 0.3

_map = component("picture_map")


def who_for_whom(seen: Seen) -> None:
    """The matrix; beside it the cell that is picked, and under both its pictures."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        picked = matrix(seen)
    with right:
        if picked:
            _beside(seen, picked)
        if seen.verdicts is None:
            ask_for_pictures(seen)
    if seen.verdicts is not None and picked:
        _pictures(seen, errors.cell(seen.verdicts, *picked), "cell_wall", _cell_title(seen, picked))


def _beside(seen: Seen, picked: tuple[int, int]) -> None:
    """The cell in words, how it came about, and the most frequent mistakes to pick instead."""
    st.subheader(plain(_cell_title(seen, picked)), anchor=False)
    st.caption(plain(_cell_words(seen, picked)))
    if seen.history and len(seen.history) > 1:
        shares = errors.rates(seen.history.counts)[:, picked[0], picked[1]]
        _chart(drawing.cell_line(shares, *_moments(seen.history), seen.frame, picked[0] == picked[1]),
               f"{_cell_title(seen, picked)}: from {percent(float(shares[0]))} to {percent(float(shares[-1]))} of "
               f"the class")
    with st.container(gap=None):
        st.markdown("**Most frequent mistakes**")
        for number, pair in enumerate(errors.frequent_mistakes(seen.counts, MOST_FREQUENT)):
            st.button(plain(f"{_cell_title(seen, pair)}: {int(seen.counts[pair]):,} of "
                            f"{int(seen.counts[pair[0]].sum()):,}"),
                      type="tertiary", key=f"pair_{number}", on_click=choose_cell, args=pair)


def _pictures(seen: Seen, places: np.ndarray, key: str, title: str) -> None:
    """A wall of pictures, the one that is picked in large, and the votes."""
    place = error_pictures.wall(seen, places, key, title)
    if place is not None:
        error_pictures.closer(seen, place)
    error_pictures.votes(seen)


def _cell_title(seen: Seen, cell: tuple[int, int]) -> str:
    true, answered = cell
    return (f"{seen.classes[true]}, recognised" if true == answered
            else f"{seen.classes[true]}, taken for {seen.classes[answered]}")


def _cell_words(seen: Seen, cell: tuple[int, int]) -> str:
    count, row = int(seen.counts[cell]), int(seen.counts[cell[0]].sum())
    share = f", {percent(count / row)}" if row else ""
    return f"{count:,} of {row:,}{share}. Of {current(seen)}."


def classes(seen: Seen) -> None:
    """How many of each class are recognised; where the run kept its counts, also how that came."""
    st.caption(plain(f"Of {current(seen)}."))
    rows = errors.class_rows(seen.counts, seen.classes)
    if seen.history and len(seen.history) > 1:
        sums = seen.history.counts.sum(axis=2)
        shares = np.where(sums > 0, np.diagonal(errors.rates(seen.history.counts), axis1=1, axis2=2), np.nan)
        _chart(drawing.class_lines(shares, seen.classes, *_moments(seen.history)),
               f"How the share of each class that is recognised came to be: now {rows[-1]['class']} is best with "
               f"{percent(rows[-1]['right'])}")
    _chart(drawing.class_bars(rows), f"Hardest: {rows[0]['class']}, {percent(rows[0]['right'])} recognised; "
           f"easiest: {rows[-1]['class']}, {percent(rows[-1]['right'])}")
    if len(rows) > drawing.MOST_BARS:
        st.caption(f"The {drawing.MOST_BARS} hardest of {len(rows):,} classes; the table under Numbers has all.")


def _moments(history: History) -> tuple[list[str], list[str]]:
    """Every frame in words, and in short for an axis."""
    frames = range(len(history))
    return [words.when(history, i) for i in frames], [words.tick(history, i) for i in frames]


def _chart(figure, alt: str) -> None:
    st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt.replace("\xa0", " "))


def sureness(seen: Seen) -> None:
    """Whether it is right as often as it promises, and what one number would mend."""
    if seen.verdicts is None:
        ask_for_pictures(seen)
        return
    best = _best_temperature((seen.sitting.key, len(seen.verdicts), seen.choice.head), seen.verdicts.logits,
                             seen.verdicts.true)
    temperature = st.slider("Divide what it says before the softmax by (temperature)", 0.2, 5.0, 1.0, 0.05,
                            key="temperature", bind="query-params",
                            help="Above 1 it is less sure, below 1 surer; its answers stay the same.")
    found = calibrated(seen, temperature)
    left, right = st.columns([3, 1], gap="large")
    with left:
        _chart(drawing.reliability(found.count, found.confidence, found.accuracy), words.sureness(found))
    with right:
        st.metric("Expected calibration error", f"{100 * found.error:.1f} points",
                  help="The mean distance of what was promised from what came true, over all answers.")
        st.metric("Best temperature on these pictures", f"{best:.2f}",
                  f"leaves {100 * calibrated(seen, best).error:.1f} points", delta_color="off", delta_arrow="off",
                  help="The one with the least loss. Choose it on pictures that nothing else is judged by.")
        st.markdown(plain(words.sureness(found)))


def calibrated(seen: Seen, temperature: float) -> calibration.Calibration:
    """The calibration of softened answers."""
    return calibration.calibration(calibration.softened(seen.verdicts.logits, temperature).max(axis=1),
                                   seen.verdicts.right)


@st.cache_data(max_entries=32, show_spinner=False)
def _best_temperature(key: tuple, _logits: np.ndarray, _true: np.ndarray) -> float:
    return calibration.best_temperature(_logits, _true)


def surest_mistakes(seen: Seen) -> None:
    """The wrong answers of which it was surest."""
    if seen.verdicts is None:
        ask_for_pictures(seen)
        return
    places = errors.surest_mistakes(seen.verdicts, MOST_MISTAKES)
    st.caption(plain(f"{int((~seen.verdicts.right).sum()):,} mistakes among {current(seen)}."))
    _pictures(seen, places, "worst_wall", "Mistakes")


# The map


def feature_map(seen: Seen) -> None:
    """Pictures that look alike to the last layer lie together."""
    if seen.verdicts is None:
        ask_for_pictures(seen)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control("Laid out by", list(last_features.MAPS), default="PCA", required=True, key="laid",
                                    bind="query-params", help="PCA: the two directions in which they differ most. "
                                                              "t-SNE: "
                                    "neighbours stay neighbours; distances between groups mean nothing.")
        pictures = st.toggle("Draw the pictures", key="drawn", bind="query-params")
    count = min(len(seen.verdicts), last_features.MOST)
    places = _places(seen, kind, count)
    if places is None:
        return
    picked = _picked_on_map(count)
    true, answered = seen.verdicts.true[:count], seen.verdicts.answered[:count]
    atlas, side, columns = _atlas((seen.sitting.key, count), seen.sitting.exam.images[:count])
    wrong = int((true != answered).sum())
    _map(key="picture_map", height="content", on_picked_change=_remember_place, data=drawing.feature_map(
        places, true, answered, last_features.middles(places, true, len(seen.classes)), seen.classes,
        [words.verdict(seen.verdicts, i) for i in range(count)], atlas, side, columns, pictures, picked,
        f"Map of {count:,} pictures by {kind}; {wrong:,} with a wrong answer"))
    if kind == "PCA":
        shares = _shares((seen.sitting.key, count), _features(seen, count))
        st.caption(f"{count:,} pictures; the two directions hold {percent(float(shares.sum()))} of all differences "
                   f"between the {_features(seen, 1).shape[1]:,} numbers that the last layer is given.")
    if picked is not None:
        error_pictures.closer(seen, picked)
    error_pictures.votes(seen)


def _features(seen: Seen, count: int) -> np.ndarray:
    return errors.joined(list(seen.sitting.parts)).features[:count].float().numpy()


@st.cache_resource(max_entries=1, show_spinner=False)
def _workshop() -> tuple[ThreadPoolExecutor, Store]:
    """One map at a time for the server, and those that were made: who looks away finds it finished later."""
    return ThreadPoolExecutor(1, thread_name_prefix="feature-map"), Store(16)


def _places(seen: Seen, kind: str, count: int) -> np.ndarray | None:
    worker, kept = _workshop()
    key = (seen.sitting.key, kind, count)
    job: Future | None = kept.get(key)
    if job is None:
        job = worker.submit(last_features.MAPS[kind], _features(seen, count))
        kept.keep(key, job)
    place, began = st.empty(), time.monotonic()
    while not job.done():
        with place.container():
            st.caption(f":material/hourglass_top: Laying out {count:,} pictures by {kind}: "
                       f"{time.monotonic() - began:,.0f} s. Go "
                       "elsewhere if you like; it will be here when you come back.")
        time.sleep(LOOK_S)
    place.empty()
    return job.result()


@st.cache_data(max_entries=16, show_spinner=False)
def _shares(key: tuple, _features: np.ndarray) -> np.ndarray:
    return last_features.components(_features, 2)[1]


@st.cache_data(max_entries=8, show_spinner=False)
def _atlas(key: tuple, _images) -> tuple[bytes, int, int]:
    """The pictures as one JPEG, a tile's side, and how many stand in a row."""
    from PIL import Image

    pixels = last_features.thumbnails(_images, THUMBNAIL)
    columns = tiles.columns_for(len(pixels))
    data = io.BytesIO()
    Image.fromarray(tiles.atlas(pixels, columns)).save(data, format="JPEG", quality=88, subsampling=0)
    return data.getvalue(), pixels.shape[1], columns


def _picked_on_map(count: int) -> int | None:
    asked = st.query_params.get("shown", "")
    return int(asked) if asked.isdecimal() and int(asked) < count else None


def _remember_place() -> None:
    place = (st.session_state.get("picture_map") or {}).get("picked")
    if place is not None:
        st.query_params["shown"] = str(int(place))


# Under the picture


def numbers(seen: Seen) -> None:
    """Every class, and every picture that was asked."""
    rows = errors.class_rows(seen.counts, seen.classes)
    download_table(rows, f"{seen.file_name}-classes.csv", {"right": PERCENT, "trust": PERCENT, "± (95 %)": PERCENT},
                   words.finding(seen.counts, seen.classes))
    st.caption("right: of its pictures recognised (recall). trust: of the answers of this name right (precision). ±: "
               "chance alone, 95 of 100 draws of as many pictures.")
    if seen.verdicts is not None and not presenter.on():
        _download_answers(seen)


def _download_answers(seen: Seen) -> None:
    import pandas as pd

    verdicts = seen.verdicts
    frame = pd.DataFrame({"picture": seen.sitting.exam.numbers[:len(verdicts)].numpy(),
                          "label": np.array(verdicts.classes)[verdicts.true],
                          "answer": np.array(verdicts.classes)[verdicts.answered],
                          "sureness": verdicts.confidence.round(4),
                          "right": verdicts.right})
    st.download_button("Download every answer as CSV", frame.to_csv(index=False).encode("utf-8-sig"),
                       f"{seen.file_name}-answers.csv", "text/csv", on_click="ignore", icon=":material/download:")
