"""Two depths in training, with and without shortcuts: the bundled runs by epoch, and the way to train them again."""

import numpy as np
import streamlit as st

from .. import checkpoints
from ..analysis import depth, depth_questions, depth_words
from ..analysis.depth import PAIRS, Learned
from ..analysis.training import command
from ..drawing import player
from ..number_text import percent
from . import recipe, runs
from .learning_scene import Scene
from .page import NothingYet

COLOURS = {"plain": (player.ORANGE, player.VERMILLION), "residual": (player.SKY_BLUE, player.BLUE)}  # shallow, deep
PRESETS = ("degradation-plain20", "degradation-plain56", "degradation-resnet20", "degradation-resnet56")
CODE = """# one run of the four; the others differ in --network alone ({others}). Here on CIFAR-10, which is downloaded;
# the bundled runs saw its JPEG version: --data FOLDER|ZIP
{command}

# and the two lines of PyTorch that a shortcut is
out = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
return self.act2(out + x)  # plain: self.act2(out)"""


@st.cache_data(max_entries=4, show_spinner=False)
def _learned(folder: str) -> dict[str, tuple[Learned, Learned]]:
    found = {word: tuple(checkpoints.BUNDLED / name for name in names) for word, names in PAIRS.items()}
    if not all((run / "metrics.jsonl").exists() for pair in found.values() for run in pair):
        raise NothingYet(
            "The four finished runs of this lesson are not installed here; train them.",
            "pages/train/training.py",
            'Train them: the recipes "Degradation"',
        )
    return {word: tuple(map(depth.learned, pair)) for word, pair in found.items()}


def scene() -> Scene:
    pairs = _learned(str(checkpoints.BUNDLED))
    found = [one for pair in pairs.values() for one in pair]
    epochs = found[0].epochs
    said = [depth_words.learned_said(found, index) for index in range(len(epochs))]
    return Scene(
        player.film(
            _panels(pairs, found, epochs),
            said,
            [f"epoch {epoch} of {epochs[-1]}" for epoch in epochs],
            len(epochs) - 1,
            400,
            "Epoch",
        ),
        depth_words.learned_story(pairs),
        lambda frame: depth_words.learned_formulas(pairs, frame),
        CODE.format(command=_command(), others=", ".join(one.network for one in found[1:])),
        depth.rows(found),
        lambda frame: depth_questions.of_learned(pairs),
        _note(found),
    )


def _command() -> str:
    return command(recipe.PRESETS[PRESETS[0]].config.to_dict(), runs.DEFAULTS)


def _note(found: list[Learned]) -> str:
    tested = ", ".join(f"{depth_words.title(one)} {percent(one.test)}" for one in found)
    return (
        "Finished runs of this project, CIFAR-10 (JPEG). Test error, asked once at the end on "
        f"{found[0].test_pictures:,} "
        f"pictures: {tested}."
    )


def _panels(pairs: dict, found: list[Learned], epochs: np.ndarray) -> list[dict]:
    finding, ends = depth_words.learned_finding(found), (0.5, float(epochs[-1]) + 0.5)
    coloured = [(one, colour) for word, pair in pairs.items() for one, colour in zip(pair, COLOURS[word])]

    def drawn(values: str) -> list[dict]:
        return [
            player.line(
                depth_words.title(one),
                epochs,
                getattr(one, values) * (100 if values != "reach" else 1),
                colour,
                grows=True,
            )
            for one, colour in coloured
        ]

    top = 100 * max(float(max(one.train.max(), one.held_out.max())) for one in found)
    reach = np.concatenate([one.reach for one in found])
    level = player.line("as strong as the last convolution's", ends, (1.0, 1.0), player.GREEN, dashed=True)
    vanished = player.line("vanished: a thousandth", ends, (depth.LEAST, depth.LEAST), player.PURPLE, dashed=True)
    shared = {"cursor": epochs, "rule": True}
    return [
        player.lines(
            "Wrong in training",
            finding,
            drawn("train"),
            ends,
            (0, 1.04 * top),
            ("epoch", "training error, %"),
            place="wide",
            ratio=0.62,
            **shared,
        ),
        player.lines(
            "Wrong on pictures kept back",
            finding,
            drawn("held_out"),
            ends,
            (0, 1.04 * top),
            ("epoch", "validation error, %"),
            **shared,
        ),
        player.lines(
            "The first layer's gradient",
            "Not gone in any of them.",
            [*drawn("reach"), level, vanished],
            ends,
            (depth.LEAST / 3, 3 * float(reach.max())),
            ("epoch", "first / last convolution (log scale)"),
            log=True,
            **shared,
        ),
    ]


def again() -> None:
    """The same recipes on the Training page, and the runs as races."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            "Train it yourself",
            PRESETS,
            key="again",
            bind="query-params",
            width=270,
            format_func=lambda name: recipe.PRESETS[name].title,
        )
        st.page_link(
            "pages/train/training.py",
            label="This recipe on the Training page",
            icon=":material/show_chart:",
            query_params={recipe.LINKED: chosen},
        )
        for word, (shallow, deep) in PAIRS.items():
            st.page_link(
                "pages/train/race.py",
                label=f"The {word} pair step by step",
                icon=":material/flag:",
                query_params={"first": shallow, "second": deep},
            )
