"""The gradient of the answer on its way back through the loaded network's blocks, with the skips and without."""

import numpy as np
import streamlit as st

from ..analysis import residual_block_gradients, residual_block_questions
from ..analysis import residual_block_words as words
from ..analysis.errors import class_names
from ..analysis.predictions import predict
from ..analysis.residual_block_gradients import Passage
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from ..drawing import player
from . import state
from .learning_scene import Scene
from .page import NothingYet, plain
from .pictures import NamedPicture, choose_picture

LOWEST = 1e-16  # below it the chart ends: what is smaller is as good as nothing


def scene() -> Scene:
    checkpoint, key = state.current_checkpoint(), state.current_key()
    picture = choose_picture("residual-block-gradient")
    if picture is None:
        raise NothingYet("There is no picture here yet: drop one above.")
    label, found = _passages(key, picture.key, checkpoint, picture)
    frames = len(found) + 1
    return Scene(
        player.film(
            _panels(found),
            [words.gradient_said(found, i) for i in range(frames)],
            ["at the last block", *(f"through {passage.block}" for passage in found)],
            frames - 1,
            600,
            "Blocks back",
        ),
        words.gradient_story(found),
        lambda frame: words.gradient_formula(found, frame),
        words.GRADIENT_CODE,
        words.gradient_rows(found),
        lambda frame: residual_block_questions.of_gradients(found, frame),
        f"The gradient of the logit of {plain(class_names(checkpoint, 0)[label])}, which is what the network answers.",
    )


@st.cache_data(max_entries=32, show_spinner=False)
def _passages(
    key: str, picture_key: str, _checkpoint: Checkpoint, _picture: NamedPicture
) -> tuple[int, tuple[Passage, ...]]:
    with state.model_of(_checkpoint) as model:
        tensor = see(_picture.image, _checkpoint.preprocessing).tensor
        verdict = predict(model, _checkpoint, [_picture.image])[0][0]
        label = verdict.answers[0].index
        return label, residual_block_gradients.passages(model, tensor, label)


def _panels(found: tuple[Passage, ...]) -> list[dict]:
    kept, lost = residual_block_gradients.relative(found)
    steps = np.arange(len(kept))
    low = max(min(float(kept.min()), float(lost[lost > 0].min(initial=1.0))), LOWEST) / 3
    finding = words.gradient_finding(found)
    parts = [[0.0, 0.0, 0.0, 0.0]] + [[p.arriving, p.skip, p.layers, p.both] for p in found]
    return [
        player.lines(
            "The gradient on its way back",
            finding,
            [
                player.line("with the skips", steps, kept, player.GREEN, grows=True),
                player.line("all skips off", steps, np.maximum(lost, low), player.VERMILLION, grows=True),
            ],
            (0, len(found)),
            (low, float(max(kept.max(), lost.max())) * 3),
            ("blocks passed, counted from the last", "size (log scale)"),
            cursor=steps,
            log=True,
            ratio=0.62,
            place="wide",
            rule=True,
        ),
        player.bars(
            "In this block, with its skip",
            "What arrives at the block, what comes back by the skip and by the layers, and both together",
            ["arrives", "by the skip", "by the layers", "together"],
            parts,
        ),
    ]
