"""The lesson on batch norm: its parts; the first is one picture among other batch mates every time."""

import numpy as np
import streamlit as st

from ..analysis import batch_norm
from ..analysis import batch_norm_questions as asked
from ..analysis import batch_norm_words as words
from ..analysis.batch_norm import Channel, Wobble
from ..analysis.errors import class_names
from ..checkpoints import Checkpoint
from ..drawing import player
from . import batch_mates, batch_norm_statistics, lesson, state
from .batch_mates import ACROSS, Mates
from .learning_scene import Scene
from .page import NothingYet, plain, problems
from .pictures import choose_picture

USUAL = 8  # the batch size that the page begins with


def moods() -> Scene:
    checkpoint, key = state.current_checkpoint(), state.current_key()
    picture = choose_picture("batch-norm")
    if picture is None:
        raise NothingYet("There is no picture here yet: drop one above.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = batch_mates.choose(checkpoint)
        mates = batch_mates.mates(name, picture.key, checkpoint.preprocessing, picture)
        offered = batch_norm.sizes(checkpoint.preprocessing.size, len(mates.pool))
        size = st.select_slider(
            "Batch size", offered, USUAL, key=f"batch-to-{offered[-1]}", bind="query-params", width=280
        )
        seed = int(
            st.number_input(
                "Draw", 0, 999, 0, key="draw", bind="query-params", width=110, help="Other draws of batch mates"
            )
        )
    still, channel = _still(key, picture.key, checkpoint, mates)
    by_size = {
        n: _wobble(
            key,
            picture.key,
            name,
            n,
            batch_norm.shuffles(n, n == size, checkpoint.preprocessing.size),
            seed,
            checkpoint,
            mates,
        )
        for n in offered
    }
    return _mood_scene(checkpoint, picture.name, mates, by_size, size, still, channel)


@st.cache_data(max_entries=32, show_spinner=False)
def _still(key: str, picture_key: str, _checkpoint: Checkpoint, _mates: Mates) -> tuple[np.ndarray, Channel]:
    with state.model_of(_checkpoint) as model:
        channel = batch_norm.channel_of(model)  # first, for it says what a network without batch norm lacks
        return batch_norm.in_evaluation(model, _mates.picture, _checkpoint.heads), channel


@st.cache_data(max_entries=256, show_spinner="Asking the network in other company ...")
def _wobble(
    key: str, picture_key: str, name: str, size: int, count: int, seed: int, _checkpoint: Checkpoint, _mates: Mates
) -> Wobble:
    with state.model_of(_checkpoint) as model:
        return batch_norm.wobble(model, _mates.picture, _mates.pool, _checkpoint.heads, size, count, seed)


def _mood_scene(
    checkpoint: Checkpoint,
    picture: str,
    mates: Mates,
    by_size: dict[int, Wobble],
    size: int,
    still: np.ndarray,
    channel: Channel,
) -> Scene:
    found, label, names = by_size[size], int(still.argmax()), class_names(checkpoint, 0)
    count, shown = len(found.answers), tuple(plain(name) for name in names)
    learned = (checkpoint.data or "other pictures") if mates.name == batch_mates.PHOTOGRAPHS else None
    return Scene(
        player.film(
            _mood_panels(picture, mates, by_size, size, still, label, names),
            [words.mood_said(found, still, label, names, i) for i in range(count)],
            [f"shuffle {i + 1} of {count}" for i in range(count)],
            count - 1,
            600,
            "Shuffle",
        ),
        words.mood_story(by_size, size, still, label, shown, batch_mates.title(mates.name), learned and plain(learned)),
        lambda frame: words.mood_formula(found, channel, frame),
        words.mood_code(state.current_reference(), size),
        words.mood_rows(by_size, still, label, names),
        lambda frame: asked.of_moods(by_size, size, channel, still, label, shown, frame),
    )


def _mood_panels(
    picture: str,
    mates: Mates,
    by_size: dict[int, Wobble],
    size: int,
    still: np.ndarray,
    label: int,
    names: tuple[str, ...],
) -> list[dict]:
    found, at_rest, name = by_size[size], 100 * float(still[label]), names[label]
    count, finding = len(found.answers), words.mood_finding(found, still, label, names)
    steps, answers = np.arange(1, count + 1), 100 * found.answers[:, label]
    clouds = {n: 100 * w.answers[:, label] for n, w in by_size.items()}
    jitter = {n: n * np.exp(0.12 * np.linspace(-1, 1, len(values))) for n, values in clouds.items()}
    ends = (min(by_size) * 0.8, max(by_size) * 1.25)
    return [
        player.pictures(
            "One picture, other company",
            f"{picture} and {size - 1} others, another {size - 1} with every shuffle",
            mates.sheet,
            mates.side,
            ACROSS,
            [[0, *(row + 1)] for row in found.mates],
            (picture, "its batch mates" if size > 2 else "its batch mate"),
            0.62,
        ),
        player.lines(
            f"Probability of {name}, shuffle by shuffle",
            finding,
            [
                player.line("evaluation", (0.5, count + 0.5), (at_rest, at_rest), player.BLUE),
                player.line("training", steps, answers, player.VERMILLION, grows=True),
            ],
            (0.5, count + 0.5),
            (0, 102),
            ("shuffle", "%"),
            cursor=steps,
            ratio=0.5,
        ),
        player.lines(
            "The same for every batch size",
            words.spread_finding(by_size, label),
            [
                player.line("evaluation", ends, (at_rest, at_rest), player.BLUE),
                player.line(
                    "training, one dot a shuffle",
                    np.concatenate(list(jitter.values())),
                    np.concatenate(list(clouds.values())),
                    player.VERMILLION,
                    scatter=2.6,
                ),
            ],
            ends,
            (0, 102),
            ("batch size (log scale)", "%"),
            log_x=True,
            ratio=0.5,
            dots=[
                [{"at": [float(x), float(y)], "colour": player.VERMILLION}] for x, y in zip(jitter[size], clouds[size])
            ],
        ),
    ]


PARTS = {
    "Two moods": moods,
    "Running statistics": batch_norm_statistics.running,
    "By numbers": batch_norm_statistics.numbers,
}


def choose_part() -> str:
    return lesson.choose_part(PARTS, "Two moods")


def show(part: str) -> None:
    """The part's controls, its film, and under it what is said of the frame where the film rests."""
    with problems():
        lesson.show("batch-norm", part, PARTS[part]())
