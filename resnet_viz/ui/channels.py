"""What the channels of a layer answer most: the pass over the pictures, their wall, and one channel in detail."""

import time
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ..analysis import attribution_words, channel_words, channels
from ..analysis.architecture import Layer
from ..analysis.channels import Strongest
from ..analysis.receptive_field import Sides, fields
from ..checkpoints import Checkpoint, label
from ..drawing import channels as drawing
from . import channel_dreams, channel_pictures, measurement, networks, state, walls
from .attribution_maps import PATIENCE_S, Store, under_a_bar
from .channel_pictures import Collection
from .page import PERCENT, plain

ORDERS = {"number": "by number", "strongest": "strongest first", "often": "answers often first", "seldom": "answers rarely first",
          "class": "one class first"}
AMOUNTS = (16, 64)
PATCHES = ("what it sees", "whole pictures")
SHEET = 400  # css pixels of nine patches
COLUMNS = {
    "channel": st.column_config.TextColumn("Channel"),
    "strongest": st.column_config.NumberColumn("Strongest", format="%.3g"),
    "weakest shown": st.column_config.NumberColumn("Ninth", format="%.3g", help="the weakest of those shown"),
    "above 0": PERCENT,
    "commonest": st.column_config.TextColumn("Commonest class"),
    "of one class": st.column_config.NumberColumn("Of it", help="how many of the strongest are pictures of that class"),
    "pictures": st.column_config.TextColumn("Pictures", help="their places among those looked through, the strongest first"),
}


@dataclass(frozen=True)
class Choice:
    """What the controls say. amount: channels in the wall; goal: of the made pictures, see analysis.dreams.GOALS."""

    checkpoint: Checkpoint
    layer: Layer
    field: Sides
    among: Collection
    by: str
    amount: int
    made: bool
    goal: str
    seed: int

    @property
    def classes(self) -> bool:
        """Whether its channels are the network's classes."""
        return self.layer.kind == "Linear" and len(self.checkpoint.classes or ()) == self.layer.output_shape[0]

    def name(self, channel: int) -> str:
        return f"{channel} {label(self.checkpoint, channel)}" if self.classes else str(channel)


@dataclass(frozen=True)
class Looked:
    """What a pass has found so far, and the seconds that it took."""

    found: Strongest
    seconds: float


@st.cache_resource(max_entries=1, show_spinner=False)
def store() -> Store:
    return Store()


def controls(checkpoint: Checkpoint) -> Choice:
    """One row, and the rest behind "More"."""
    size = checkpoint.preprocessing.size
    layers = networks.summary_of(networks.Choice(checkpoint.network, checkpoint.arguments, size)).layers
    offered = channels.layers(layers)
    names = [layer.name for layer in offered]
    first = names.index(channels.first_to_show(offered, size).name)
    left, middle, right, switch, more = st.columns([6, 6, 5, 5, 3], vertical_alignment="bottom")
    name = left.selectbox("Layer", names, first, key="asked-layer", bind="query-params")
    layer = offered[names.index(name)]
    with middle:
        among = channel_pictures.choose(checkpoint)
    by = right.selectbox("Order", list(ORDERS), format_func=ORDERS.get, key="channel-order", bind="query-params")
    made = switch.toggle("Made pictures", key="made", bind="query-params",
                         help="Beside the real patches of every channel a picture made to please it")
    with more.popover("More", width="stretch"):
        amount = _amount(layer.output_shape[0])
        limit = st.number_input("At most, pictures", 9, channel_pictures.MOST, channel_pictures.LIMIT, 500,
                                key="channel-limit", bind="query-params", help="a draw with every class in its share")
        goal, seed = channel_dreams.controls(layer, size)
        st.file_uploader("A zip with one folder of pictures for each class", ["zip"], key="channel_zip",
                         on_change=measurement.keep_zip, args=("channel_zip", "among"))
    field = next(field for one, field in zip(layers, fields(layers)) if one.name == name)
    st.caption(_described(layer, size))
    collection = channel_pictures.collection(among, limit, checkpoint.preprocessing)
    return Choice(checkpoint, layer, field, collection, by, amount, made, goal, seed)


def _described(layer: Layer, size: int) -> str:
    """How many there are, and what one unit of it sees."""
    seen = layer.receptive_field
    width = "the whole picture" if min(seen) >= size else f"{seen[1]:,} × {seen[0]:,} pixels of the picture's {size:,} × {size:,}"
    return f"{layer.name} has {layer.output_shape[0]:,} {'classes' if layer.kind == 'Linear' else 'channels'}; one unit sees {width}."


def _amount(channels_: int) -> int:
    amounts = [amount for amount in AMOUNTS if amount < channels_] + [channels_]
    first = min(len(amounts), len(AMOUNTS)) - 1
    return st.selectbox("Channels shown", amounts, first, format_func=lambda n: f"all {n:,}" if n == channels_ else f"{n:,}",
                        key=f"amount-{channels_}", bind="query-params")


# The pass over the pictures


def look(choice: Choice) -> Strongest:
    """What is found: at once for a few seconds; what takes longer goes on after a click, and what was found stays."""
    key = state.current_key(), choice.among.key, choice.layer.name
    if store().get(key) is None:
        _go_on(choice, key, PATIENCE_S)
    looked, total = store().get(key), len(choice.among.images)
    if looked.found.seen < total:
        left = looked.seconds / looked.found.seen * (total - looked.found.seen)
        place = st.empty()
        with place.container(horizontal=True, vertical_alignment="center"):
            pressed = st.button("Go on", type="primary", key="look_on", icon=":material/play_arrow:")
            st.markdown(f"{looked.found.seen:,} of {total:,} pictures looked through; the others take "
                        f"{attribution_words.duration(left)} on this machine. You can stop; what is done stays.")
        if pressed:
            place.empty()
            _go_on(choice, key, float("inf"))
    return store().get(key).found


def _go_on(choice: Choice, key: tuple, patience_s: float) -> None:
    images, step = choice.among.images, channels.batch_of(choice.checkpoint.preprocessing.size)

    def work(told) -> None:
        looked = store().get(key) or Looked(None, 0.0)
        began = time.monotonic()
        while (seen := looked.found.seen if looked.found else 0) < len(images):
            before = time.monotonic()
            with state.model_of(choice.checkpoint) as model:  # batch by batch: others may use it in between
                found = channels.with_more(looked.found, model, images[seen:seen + step], choice.checkpoint.preprocessing,
                                           choice.layer.name)
            looked = Looked(found, looked.seconds + time.monotonic() - before)
            store().keep(key, looked)
            told(found.seen / len(images), f"{found.seen:,} of {len(images):,} pictures")
            if time.monotonic() - began > patience_s:
                break
    under_a_bar(work, PATIENCE_S, "look")


# The wall


def finding(choice: Choice, found: Strongest) -> str:
    """The layer in one sentence."""
    return channel_words.finding(found, choice.among.labels, choice.among.classes, choice.layer.name)


def pick(choice: Choice, found: Strongest) -> int:
    """A tile a channel: its nine patches, and where asked for the picture made for it. Returns the channel picked."""
    shown = channel_words.order(found, choice.among.labels, choice.by)[:choice.amount]
    tiles = _tiles(state.current_key(), choice.among.key, choice.layer.name, found.seen, tuple(shown.tolist()),
                   choice, found)
    drawn = [walls.Wall("The parts of real pictures that it answers most", tiles, finding(choice, found))]
    if choice.made:
        made = channel_dreams.wall(choice.checkpoint, choice.layer, choice.goal, choice.seed, shown.tolist(),
                                   tiles.shape[1:3])
        alt = f"The pictures made for {len(shown):,} channels of {choice.layer.name}"
        drawn.append(walls.Wall("Made to please it", made, alt))
    names = [f"{'Class' if choice.classes else 'Channel'} {choice.name(i)}: "
             f"{channel_words.of_channel(found, choice.among.labels, choice.among.classes, i)}" for i in shown.tolist()]
    strongest = int(shown[found.values[shown, 0].argmax()])
    return walls.pick("channel_wall", drawn, shown.tolist(), names, label=f"Channels of {choice.layer.name}", first=strongest,
                      in_url="channel", columns=_columns(len(shown), choice.made))


def _columns(shown: int, two_walls: bool) -> int:
    """Wide rather than high, so that the channel in view is near."""
    return min(4 if two_walls and shown <= 2 * AMOUNTS[0] else 8 if shown <= AMOUNTS[1] else 16, shown)


@st.cache_resource(max_entries=16, show_spinner=False)
def _tiles(key: str, pictures: str, layer: str, seen: int, shown: tuple[int, ...], _choice: Choice, _found: Strongest) -> np.ndarray:
    side = drawing.side_for(len(shown))
    return np.stack([drawing.mosaic(drawing.shrunk(_patches(_choice, _found, channel), side)) for channel in shown])


def _patches(choice: Choice, found: Strongest, channel: int) -> np.ndarray:
    return channels.patches(found, choice.among.images, choice.checkpoint.preprocessing.size, channel, choice.field)


# One channel


def detail(choice: Choice, found: Strongest, channel: int) -> None:
    """The nine patches large, and the picture made for the channel."""
    kind = "Class" if choice.classes else "Channel"
    st.subheader(plain(f"{kind} {choice.name(channel)} of {choice.layer.name}"), anchor=False)
    words = channel_words.of_channel(found, choice.among.labels, choice.among.classes, channel)
    st.markdown(plain(words))
    left, right = st.columns(2, gap="large")
    with left:
        whole = st.segmented_control("Real pictures", PATCHES, default=PATCHES[0], required=True, key="patches",
                                     bind="query-params", label_visibility="collapsed") == PATCHES[1]
        patches = _patches(choice, found, channel)
        picture = _whole(choice, found, channel) if whole else drawing.sheet(patches)
        walls.show(picture, f"The {found.values.shape[1]} strongest answers. {words}", SHEET)
        places = channel_words.places(found, choice.among.labels, choice.among.classes, channel)
        border = " Grey is beyond the picture's border." if not whole and (patches[..., 3] == 0).any() else ""
        st.caption(plain(f"The strongest first, row by row: {', '.join(places)}. One a picture, among {found.seen:,} of "
                         f"{choice.among.title}.{border}"))
    with right:
        best = float(found.values[channel, 0])
        channel_dreams.show(choice.checkpoint, choice.layer, choice.goal, choice.seed, channel, best)


def _whole(choice: Choice, found: Strongest, channel: int) -> np.ndarray:
    """The whole pictures, each with a line around what the unit sees."""
    everything = tuple(type(side)(10**6, 1, -10**6 // 2) for side in choice.field)  # as of a unit that sees it all
    pictures = channels.patches(found, choice.among.images, choice.checkpoint.preprocessing.size, channel, everything)
    frames = [channels.frame(at, choice.field) for at in zip(found.rows[channel], found.columns[channel])]
    pictures = drawing.shrunk(pictures, drawing.SHEET // drawing.COLUMNS)
    factor = choice.checkpoint.preprocessing.size / pictures.shape[2]
    frames = [tuple((round(start / factor), round(end / factor)) for start, end in frame) for frame in frames]
    return drawing.boxed(pictures, frames)


def table(choice: Choice, found: Strongest) -> list[dict]:
    names = [choice.name(channel) for channel in range(len(found.values))]
    return channel_words.rows(found, choice.among.labels, choice.among.classes, names)
