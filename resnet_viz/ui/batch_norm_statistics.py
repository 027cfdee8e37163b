"""How the running statistics come, on the loaded network's own numbers; and a small batch, number by number."""

import numpy as np
import streamlit as st

from ..analysis import batch_norm
from ..analysis import batch_norm_number_words as number_words
from ..analysis import batch_norm_questions as asked
from ..analysis import batch_norm_words as words
from ..analysis.batch_norm import Channel, Running
from ..checkpoints import Checkpoint
from ..drawing import player
from . import batch_mates, state
from .batch_mates import Mates
from .learning_scene import Scene
from .page import NothingYet, plain
from .pictures import picture_in_view

STEPS = 80
MOMENTA = ("0.01", "0.03", "0.1", "0.3", "1", "none")
BATCHES = (1, 2, 4, 8, 16)


# Running statistics


def running() -> Scene:
    checkpoint, key = state.current_checkpoint(), state.current_key()
    picture = picture_in_view()
    if picture is None:
        raise NothingYet("There is no picture here yet: drop one in the first part.")
    layers = _layers(key, checkpoint)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        layer = st.selectbox("Batch norm", list(layers), key="norm", bind="query-params", width=220)
        channels, far = layers[layer]
        number = int(
            st.number_input(
                "Channel",
                0,
                channels - 1,
                far,
                key=f"channel-of-{layer}",
                bind="query-params",
                width=110,
                help="At first the one whose mean is furthest from 0",
            )
        )
        momentum = st.select_slider("Momentum", MOMENTA, "0.1", key="momentum", bind="query-params", width=240)
        size = st.select_slider("Batch size", BATCHES, 4, key="pictures-a-batch", bind="query-params", width=200)
        with st.popover("More", icon=":material/tune:"):
            name = batch_mates.choose(checkpoint)
            seed = int(
                st.number_input(
                    "Order", 0, 999, 0, key="order", bind="query-params", help="Another order of the pictures"
                )
            )
    mates = batch_mates.mates(name, picture.key, checkpoint.preprocessing, picture)
    values, channel = _arriving(key, picture.key, name, layer, number, checkpoint, mates)
    found = batch_norm.running(values, size, None if momentum == "none" else float(momentum), STEPS, seed)
    learned = plain(checkpoint.data) if checkpoint.data else None
    return Scene(
        player.film(
            _running_panels(found, layer, number, size),
            [words.running_said(found, i) for i in range(STEPS + 1)],
            [f"step {i} of {STEPS}" for i in range(STEPS + 1)],
            STEPS // 2,
            120,
        ),
        words.running_story(found, channel, size, number, learned),
        lambda frame: words.running_formula(found, frame),
        words.running_code(found.momentum, size),
        words.running_rows(found),
        lambda frame: asked.of_running(found, frame, size * values[0].size),
        f"What arrives at {plain(layer)}, channel {number}, for {len(values)} pictures: {batch_mates.title(name)}.",
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _layers(key: str, _checkpoint: Checkpoint) -> dict[str, tuple[int, int]]:
    """The batch norms: how many channels, and the one whose running mean is furthest from 0."""
    with state.model_of(_checkpoint) as model:
        return {
            name: (norm.num_features, int(norm.running_mean.abs().argmax()))
            for name, norm in batch_norm.norms(model).items()
        }


@st.cache_data(max_entries=16, show_spinner="Asking the network ...")
def _arriving(
    key: str, picture_key: str, name: str, layer: str, number: int, _checkpoint: Checkpoint, _mates: Mates
) -> tuple[np.ndarray, Channel]:
    with state.model_of(_checkpoint) as model:
        return batch_norm.arriving(model, _mates.pool, layer, number), batch_norm.channel_of(model, layer, number)


def _running_panels(found: Running, layer: str, number: int, size: int) -> list[dict]:
    steps, drawn = np.arange(STEPS + 1), []
    for title, of_batch, kept, start, end, place in (
        ("Running mean", found.batch_means, found.means, 0.0, found.mean, "wide"),
        ("Running variance", found.batch_variances, found.variances, 1.0, found.variance, "side"),
    ):
        every = np.concatenate([of_batch, kept, [end]])
        low, high = float(every.min()), float(every.max())
        edge = 0.06 * ((high - low) or 1.0)
        drawn.append(
            player.lines(
                f"{title} of channel {number}" if place == "wide" else title,
                f"{title} of {layer}: from {start:g} to {kept[-1]:.3g} in {STEPS} batches of {size}; all the data have "
                f"{end:.3g}",
                [
                    player.line("all the data", (0, STEPS), (end, end), player.BLUE),
                    player.line("each batch", steps[1:], of_batch, player.ORANGE, grows=True, scatter=3),
                    player.line("running", steps, kept, player.VERMILLION, grows=True),
                    player.line(
                        "if all batches were alike", steps, found.expected(start, end), player.GREEN, dashed=True
                    ),
                ],
                (0, STEPS),
                (low - edge, high + edge),
                ("step", "mean" if place == "wide" else "variance"),
                cursor=steps,
                ratio=0.62 if place == "wide" else 0.95,
                place=place,
            )
        )
    return drawn


# By numbers


def numbers() -> Scene:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        mode = st.segmented_control(
            "Mode", ["train", "evaluation"], default="train", required=True, key="mode", bind="query-params"
        )
        scale = st.number_input("Scale γ", -10.0, 10.0, 1.0, 0.5, key="scale", bind="query-params", width=120)
        shift = st.number_input("Shift β", -10.0, 10.0, 0.0, 0.5, key="shift", bind="query-params", width=120)
        seed = int(
            st.number_input(
                "Draw",
                0,
                999,
                0,
                key="numbers-draw",
                bind="query-params",
                width=110,
                help="Other whole numbers from 1 to 8",
            )
        )
    found = batch_norm.by_numbers(batch_norm.made_batch(seed), mode, scale, shift)
    frames = len(number_words.STAGES) * found.x.shape[1]
    return Scene(
        player.film(
            _number_panels(found, mode),
            [number_words.number_said(found, mode, scale, shift, i) for i in range(frames)],
            [f"channel {c}: {number_words.STAGES[which]}" for c, which in map(number_words.stage, range(frames))],
            3,
            1500,
        ),
        number_words.number_story(found, mode),
        lambda frame: number_words.number_formula(found, scale, shift, frame),
        number_words.number_code(mode, scale, shift, seed),
        number_words.number_rows(found),
        lambda frame: asked.of_numbers(found, scale, shift),
    )


def _number_panels(found: batch_norm.Worked, mode: str) -> list[dict]:
    pictures, channels = found.x.shape[:2]
    frames = [number_words.stage(i) for i in range(len(number_words.STAGES) * channels)]
    rows, columns = [f"channel {c}" for c in range(channels)], [f"picture {n}" for n in range(pictures)]
    by_channel = found.x.transpose(1, 0, 2, 3)
    marks, after = [c for c, _ in frames], []
    for c, which in frames:
        now = np.full(by_channel.shape, np.nan)
        for done in range(c + 1):
            part = found.output if done < c or which == 3 else found.normal if which == 2 else None
            if part is not None:
                now[done] = part[:, done]
        after.append(now)
    finding = ", ".join(
        f"channel {c}: mean {found.mean[c]:.3g}, variance {found.variance[c]:.3g}" for c in range(channels)
    )
    return [
        player.cells(
            "The batch",
            f"{pictures} pictures with {channels} channels of 2 × 2; {finding}",
            rows,
            columns,
            [by_channel],
            marks,
        ),
        _number_line(found, frames),
        player.cells(
            "After batch norm",
            f"Every channel normalised in {mode} mode, then scaled and shifted; {finding}",
            rows,
            columns,
            after,
            marks,
            "full",
        ),
    ]


def _number_line(found: batch_norm.Worked, frames: list[tuple[int, int]]) -> dict:
    """The 16 numbers of a channel as dots that move to their new places."""
    stations = {0: found.x, 1: found.x, 2: found.normal, 3: found.output}
    every = np.concatenate([part.reshape(-1) for part in stations.values()])
    dots, cursor = [], []
    for c, which in frames:
        part = stations[which][:, c]
        dots.append(
            [
                {"at": [float(value), n], "colour": n}
                for n, of_picture in enumerate(part)
                for value in of_picture.reshape(-1)
            ]
        )
        cursor.append(float(part.mean()))
    return player.lines(
        "One channel's numbers on a line",
        "The numbers of a channel, their mean as a dashed line; normalised they lie around 0",
        [player.line("", (0, 0), (-0.6, len(found.x) - 0.4), player.SKY_BLUE, dashed=True)],
        (float(every.min()) - 0.5, float(every.max()) + 0.5),
        (-0.6, len(found.x) - 0.4),
        ("value", "picture"),
        cursor=cursor,
        rule=True,
        dots=dots,
        ratio=0.62,
    )
