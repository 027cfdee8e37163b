"""The lesson on the residual block: one channel of it by numbers, and the gradient on its way back."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from ..analysis import residual_block, residual_block_questions
from ..analysis import residual_block_words as words
from ..analysis.errors import class_names
from ..analysis.residual_block import Passed, Walk
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from ..number_text import percent
from . import lesson, questions, residual_block_gradient, state
from .component import component
from .page import NothingYet, download_table, plain, problems, under_picture
from .pictures import NamedPicture, choose_picture
from .residual_block_network import Network, choose_network
from .residual_block_steps import described

AT = "at"  # query parameter of the place, in reading order of the block's output

_block = component("residual_block")


@dataclass(frozen=True)
class Chosen:
    """What the controls say, worked out; `answer` is (class, its probability with and without the skip), or None."""

    network: Network
    picture: NamedPicture
    found: Walk
    inputs: int
    skip: bool
    answer: tuple[str, float, float] | None

    @property
    def at(self) -> int:
        """The place, as far as the server knows."""
        wanted = st.query_params.get(AT, "")
        if wanted.isdecimal() and len(wanted) < 6:
            return min(int(wanted), self.found.total.size - 1)
        return words.telling_place(self.found)


def numbers() -> None:
    """The controls, the moving picture and what stands under it."""
    chosen = _choose()
    pixels = np.array(see(chosen.picture.image, chosen.network.checkpoint.preprocessing).resized.convert("RGB"))
    data = described(chosen.found, chosen.skip, chosen.at, chosen.picture.name, pixels)
    _block(key="residual-block", data=data, height="content", on_rested_change=_rested)
    if chosen.answer:
        name, on, off = chosen.answer
        st.caption(
            f"The whole network says {plain(name)} with {percent(on)}; without the skip of "
            f"{plain(chosen.found.block)} with "
            f"{percent(off)}."
        )
    under_picture(
        "view",
        story=lambda: st.markdown(
            "\n".join(
                f"- {line}"
                for line in words.story(
                    chosen.found,
                    chosen.inputs,
                    chosen.answer and (plain(chosen.answer[0]), *chosen.answer[1:]),
                    chosen.skip,
                )
            )
        ),
        formula=lambda: _formula(chosen),
        code=lambda: st.code(words.code(chosen.found)),
        numbers=lambda: download_table(words.rows(chosen.found, chosen.at), "residual-block.csv", alt=alt(chosen)),
        questions=lambda: questions.ask("residual-block", residual_block_questions.of_block(chosen.found, chosen.at)),
    )


def _formula(chosen: Chosen) -> None:
    row, column = divmod(chosen.at, chosen.found.total.shape[1])
    st.caption(f"With the numbers of channel {chosen.found.channel}, row {row}, column {column}.")
    for line in words.formula(chosen.found, chosen.at, chosen.skip):
        st.latex(line)


def _choose() -> Chosen:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        network = choose_network()
        ways, telling = _blocks(network.key, network.checkpoint)
        names = list(ways)
        block = st.selectbox(
            "Block",
            names,
            len(names) // 2 if network.trained else 0,
            key=f"block-of-{network.name}-{len(names)}",
            bind="query-params",
            width=260,
            on_change=_forget,
            format_func=lambda name: f"{name}, {words.SHORT[ways[name]]}",
        )
        with st.popover("Picture", icon=":material/image:"):
            picture = choose_picture("residual-block")
        if picture is None:
            raise NothingYet("There is no picture here yet: drop one above.")
        seen = _passed(network.key, picture.key, block, network.checkpoint, picture)
        channel = int(
            st.number_input(
                "Channel",
                0,
                seen.channels - 1,
                telling[block],
                key=f"channel-of-{block}",
                bind="query-params",
                width=120,
            )
        )
        skip = st.toggle(
            "Skip", True, key="skip", bind="query-params", help="Off: H(x) is F(x) alone, in this block only"
        )
    found = _walk(network.key, picture.key, block, channel, seen)
    answer = None
    if network.trained:
        on, off = _answers(network.key, picture.key, block, network.checkpoint, picture)
        best = int(on.argmax())
        answer = class_names(network.checkpoint, 0)[best], float(on[best]), float(off[best])
    return Chosen(network, picture, found, len(seen.arriving), skip, answer)


@st.cache_data(max_entries=32, show_spinner=False)
def _blocks(key: str, _checkpoint: Checkpoint) -> tuple[dict[str, str], dict[str, int]]:
    """Block -> the way around it, and its telling channel."""
    with state.model_of(_checkpoint) as model:
        ways = residual_block.kinds(model)
        return ways, {name: residual_block.telling_channel(model, name) for name in ways}


@st.cache_resource(max_entries=6, show_spinner=False)
def _passed(key: str, picture_key: str, block: str, _checkpoint: Checkpoint, _picture: NamedPicture) -> Passed:
    with state.model_of(_checkpoint) as model:
        return residual_block.passed(model, see(_picture.image, _checkpoint.preprocessing).tensor, block)


@st.cache_resource(max_entries=32, show_spinner=False)
def _walk(key: str, picture_key: str, block: str, channel: int, _seen: Passed) -> Walk:
    return residual_block.walk(_seen, channel)


@st.cache_data(max_entries=64, show_spinner=False)
def _answers(
    key: str, picture_key: str, block: str, _checkpoint: Checkpoint, _picture: NamedPicture
) -> tuple[np.ndarray, np.ndarray]:
    with state.model_of(_checkpoint) as model:
        return residual_block.answers(
            model, see(_picture.image, _checkpoint.preprocessing).tensor, _checkpoint.heads, block
        )


def _forget() -> None:
    st.query_params.pop(AT, None)


def _rested() -> None:
    place = (st.session_state.get("residual-block") or {}).get("rested")
    if isinstance(place, int) and place >= 0:
        st.query_params[AT] = str(place)


def alt(chosen: Chosen) -> str:
    """The finding in words."""
    found = chosen.found
    return (
        f"{found.block}, channel {found.channel}: F(x) from {found.residual.min():.3g} to "
        f"{found.residual.max():.3g}, x from "
        f"{found.shortcut.min():.3g} to {found.shortcut.max():.3g}"
    )


# The page


PARTS = {"Numbers forward": None, "Gradient back": residual_block_gradient.scene}


def choose_part() -> str:
    return lesson.choose_part(PARTS, "Numbers forward")


def show(part: str) -> None:
    with problems():
        if PARTS[part] is None:
            numbers()
        else:
            lesson.show("residual-block", part, PARTS[part]())
