"""The whole network on one picture, as a column of strips: from the pixels to the answer, a row a layer."""

import hashlib
import json

import numpy as np
import streamlit as st

from ..analysis import feature_maps_strips
from ..analysis.architecture import Summary
from ..analysis.feature_maps_strips import Strip, Strips
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from ..drawing import feature_maps as drawing
from ..drawing.tiles import Paletted, atlas
from . import feature_maps as ui
from . import networks, state
from .component import component
from .page import download_table, under_picture
from .pictures import NamedPicture
from .walls import png

LEVELS = {"block": "after every block", "layer": "after every layer"}
COLUMNS = {
    "maps": st.column_config.NumberColumn("Maps", format="localized"),
    "side": st.column_config.NumberColumn("Pixels a side", format="%d"),
    "dead": st.column_config.NumberColumn("Dead maps", format="localized"),
    "mean": st.column_config.NumberColumn("Mean", format="%.4g"),
    "limit": st.column_config.NumberColumn("Largest |value|", format="%.4g"),
}
WHOLE = {
    "map": "the largest value of that map",
    "layer": "the largest value of that layer",
    "network": "the largest value of all layers",
}
HINT = "Click a map, or a layer's name, to look closer."

_strips = component("strips")


def show(checkpoint: Checkpoint, picture: NamedPicture) -> None:
    level_place, order_place, scale_place = st.columns(3)
    level = level_place.selectbox("Strips", list(LEVELS), format_func=LEVELS.get, key="strips", bind="query-params")
    by, scale = ui.order_and_scale(order_place, scale_place)
    found = strips_of(checkpoint, picture, level)
    pixels = ui.pixels_of(checkpoint, picture)
    chosen = [strip.channels[strip.first(by, len(strip.mean))] for strip in found.strips]
    _strips(
        key="network_strips",
        data=packed(found, by, scale, pixels, picture.name, checkpoint.classes),
        height="content",
        on_picked_change=lambda: _open([strip.layer for strip in found.strips], chosen),
    )
    ui.scale_line(False, found.limit if scale == "network" else None, WHOLE[scale])
    st.caption("Where a layer has negative values, white is 0, red above it and blue below.")
    under_picture(
        "view",
        story=lambda: st.markdown(story(found)),
        code=_code,
        numbers=lambda: download_table(
            rows(found), f"{picture.name}-network.csv", COLUMNS, describe(found, picture.name)
        ),
    )


def _open(layers: list[str], chosen: list[np.ndarray]) -> None:
    """A map or a layer's name was clicked: that layer opens, with that map picked. The first strip is the picture."""
    picked = (st.session_state.get("network_strips") or {}).get("picked")
    strip, _, tile = (picked or "").partition(",")
    if not strip.isdecimal() or not 1 <= int(strip) <= len(layers):
        return
    st.session_state["look"] = "layer"
    st.session_state["layer"] = st.query_params["layer"] = layers[
        int(strip) - 1
    ]  # a box that is not drawn yet has no place in the URL
    channels = chosen[int(strip) - 1]
    if tile.isdecimal() and int(tile) < len(channels):
        st.session_state["map_wall_picked"] = int(channels[int(tile)])
        st.query_params["map"] = str(channels[int(tile)])


def strips_of(checkpoint: Checkpoint, picture: NamedPicture, level: str, key: str | None = None) -> Strips:
    """The strips of a network, worked out once for all sessions; key: of a checkpoint that is not the current one."""
    return _found(key or state.current_key(), picture.key, level, checkpoint, picture)


@st.cache_resource(max_entries=8, show_spinner="Sending the picture through the whole network ...")
def _found(key: str, picture_key: str, level: str, _checkpoint: Checkpoint, _picture: NamedPicture) -> Strips:
    layers = _layers(
        networks.summary_of(
            networks.Choice(_checkpoint.network, _checkpoint.arguments, _checkpoint.preprocessing.size)
        ),
        level,
    )
    with state.model_of(_checkpoint) as model:
        return feature_maps_strips.strips(model, see(_picture.image, _checkpoint.preprocessing).tensor, layers)


def _layers(summary: Summary, level: str) -> list[str]:
    return [layer.name for layer in (feature_maps_strips.ends(summary) if level == "block" else summary.layers)]


def packed(
    found: Strips, by: str, scale: str, pixels: np.ndarray, picture: str, classes: tuple[str, ...] | None
) -> bytes:
    """The bytes that strips.js reads: uint32 head length, JSON head, one PNG a strip; the picture is the first."""
    files = [png(pixels)]
    described = [
        {
            "title": "What the network sees",
            "line": f"{pixels.shape[1]} × {pixels.shape[0]} pixels",
            "alt": picture,
            "names": [],
            "count": 1,
            "tile": [pixels.shape[1], pixels.shape[0]],
            "bytes": len(files[0]),
        }
    ]
    for strip in found.strips:
        places = strip.first(by, len(strip.mean))
        files.append(png(_drawn(strip, places, scale, found.limit)))
        described.append(
            {
                "title": strip.layer,
                "line": line(strip, classes),
                "alt": f"{strip.layer}: {line(strip, classes)}",
                "names": [_name(strip, int(strip.channels[place]), classes) for place in places],
                "count": len(places),
                "tile": [strip.maps.shape[2], strip.maps.shape[1]],
                "bytes": len(files[-1]),
            }
        )
    head = {"strips": described, "hint": HINT}
    head["digest"] = hashlib.sha256(json.dumps(head).encode() + b"".join(files)).hexdigest()[:16]
    text = json.dumps(head, ensure_ascii=False).encode()
    return len(text).to_bytes(4, "little") + text + b"".join(files)


def _drawn(strip: Strip, places: np.ndarray, scale: str, limit: float) -> Paletted:
    diverging = strip.lowest < 0
    tops = {"map": strip.limits[places], "layer": strip.limit, "network": limit}[scale]
    if strip.shape[1:] == (1, 1) and scale == "map":
        tops = strip.limit  # a single number alone would always have the last colour
    return Paletted(
        atlas(drawing.indices(strip.maps[places], tops, diverging), len(places)), drawing.palette(diverging)
    )


def line(strip: Strip, classes: tuple[str, ...] | None) -> str:
    """What there is of a layer, in a few words."""
    channels, height, width = strip.shape
    if (height, width) == (1, 1):
        return f"{channels:,} numbers" + (
            f"; largest: {_class(strip, int(strip.mean.argmax()), classes)}" if strip.layer == "fc" else ""
        )
    return f"{channels:,} maps, {height} × {width}" + (f"; {int(strip.dead.sum()):,} dead" if strip.dead.any() else "")


def _class(strip: Strip, number: int, classes: tuple[str, ...] | None) -> str:
    """The answer that a number of the last layer stands for; its place where the classes have no names."""
    return (
        classes[number] if strip.layer == "fc" and classes and len(classes) == len(strip.mean) else f"number {number}"
    )


def _name(strip: Strip, channel: int, classes: tuple[str, ...] | None) -> str:
    if strip.shape[1:] == (1, 1):
        return f"{_class(strip, channel, classes)}: {strip.mean[channel]:.3g}"
    dead = ", dead" if strip.dead[channel] else ""
    return f"map {channel}: mean {strip.mean[channel]:.3g}, largest {strip.maximum[channel]:.3g}{dead}"


def describe(found: Strips, picture: str) -> str:
    dead = sum(int(strip.dead.sum()) for strip in found.strips)
    channels = sum(len(strip.mean) for strip in found.strips)
    return f"{len(found.strips):,} layers for {picture}: {dead:,} of {channels:,} maps are dead."


def story(found: Strips) -> str:
    """What happens on the way, with this network's own numbers."""
    first, last = found.strips[0], next((s for s in reversed(found.strips) if s.shape[1:] != (1, 1)), found.strips[0])
    dead = sum(int(strip.dead.sum()) for strip in found.strips)
    return (
        f"From top to bottom the maps become smaller and more: {first.shape[0]:,} of "
        f"{first.shape[1]} × {first.shape[2]} pixels in {first.layer}, {last.shape[0]:,} of "
        f"{last.shape[1]} × {last.shape[2]} in {last.layer}. The first still look like the picture; "
        "the last say only whether something was found, and roughly where. "
        f"{dead:,} of the maps are dead on this picture: the same value everywhere."
    )


def rows(found: Strips) -> list[dict]:
    """One row a layer."""
    return [
        {
            "layer": s.layer,
            "maps": s.shape[0],
            "side": s.shape[1],
            "dead": int(s.dead.sum()),
            "mean": float(s.mean.mean()),
            "limit": s.limit,
        }
        for s in found.strips
    ]


def _code() -> None:
    st.code(
        "from resnet_viz import checkpoints\nfrom resnet_viz.analysis.feature_maps import order\n"
        "from resnet_viz.analysis.feature_maps_strips import strips\nfrom resnet_viz.data.preprocessing import see\n\n"
        f'checkpoint = checkpoints.read(checkpoints.find("{state.current_reference()}"))\n'
        "model = checkpoints.model(checkpoint)\n"
        "tensor = see(picture, checkpoint.preprocessing).tensor  # picture: PIL, RGB\n"
        'for strip in strips(model, tensor, ["act1", "fc"]).strips:\n'
        '    print(strip.layer, strip.shape, strip.dead.sum(), order(strip, "mean")[:12])'
    )
