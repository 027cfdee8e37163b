"""One layer on a picture, or on two, or before training and now: maps to pick from, and what a cell of one sees."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from ..analysis import feature_maps, receptive_field
from ..analysis.architecture import Layer, Summary
from ..analysis.feature_maps import FeatureMaps
from ..checkpoints import Checkpoint
from ..drawing import feature_maps as drawing
from ..drawing.tiles import Paletted, columns_for, side_by_side
from . import beginnings, cells, feature_maps_network, networks, state, walls
from . import feature_maps as ui
from .page import download_table, plain, under_picture
from .pictures import NamedPicture, choose_second

ATLAS = 960  # pixels of a wall at most, as it is sent: about what it gets on screen


@dataclass(frozen=True)
class Side:
    """One wall: the maps of a layer, on which picture, by which weights."""

    title: str
    seen: FeatureMaps
    picture: NamedPicture
    checkpoint: Checkpoint
    key: str


def show(checkpoint: Checkpoint, picture: NamedPicture) -> None:
    size = checkpoint.preprocessing.size
    summary = networks.summary_of(networks.Choice(checkpoint.network, checkpoint.arguments, size))
    layer, amount, by, scale, beside = ui.controls(summary)
    sides = BESIDE[beside](checkpoint, picture, layer.name)
    seen = sides[-1].seen if beside == "before" else sides[0].seen  # whose order holds: now, or on the first picture
    limit = LIMITS[scale](sides)
    # two walls need the whole width; one leaves room for the picked map beside it
    left, right = st.columns([3, 2], gap="large") if len(sides) == 1 else (st.container(), st.container())
    with left:
        chosen = feature_maps.order(seen, by)[:amount]
        number = _walls(layer, sides, seen, chosen, limit)
        if seen.maps[0].size > 1:
            _below_the_walls(sides, chosen, limit, scale, picture)
    with right:
        _one_map(layer, number, sides, limit, summary)
    under_picture(
        "view",
        story=lambda: st.markdown(ui.story(layer, seen, size)),
        formula=lambda: ui.formula(layer, seen),
        code=lambda: _code(layer),
        numbers=lambda: download_table(
            feature_maps.rows(seen),
            f"{picture.name}-{layer.name}.csv",
            ui.COLUMNS,
            feature_maps.describe(seen, picture.name),
        ),
    )


# What stands beside


def _alone(checkpoint: Checkpoint, picture: NamedPicture, layer: str) -> list[Side]:
    return [Side("Now", ui.maps_of(checkpoint, picture, layer), picture, checkpoint, state.current_key())]


def _with_before(checkpoint: Checkpoint, picture: NamedPicture, layer: str) -> list[Side]:
    """What the run's initial weights made of the same picture, and then now."""
    begun = beginnings.before()
    if begun.checkpoint is None:
        st.info(plain(begun.why))
        return _alone(checkpoint, picture, layer)
    key = beginnings.before_key()
    return [
        Side("Before training", ui.maps_of(begun.checkpoint, picture, layer, key), picture, begun.checkpoint, key),
        *_alone(checkpoint, picture, layer),
    ]


def _with_second(checkpoint: Checkpoint, picture: NamedPicture, layer: str) -> list[Side]:
    second = choose_second(picture)
    pictures = [picture] if second is None else [picture, second]
    return [
        Side(one.name, ui.maps_of(checkpoint, one, layer), one, checkpoint, state.current_key()) for one in pictures
    ]


BESIDE = {"nothing": _alone, "before": _with_before, "second": _with_second}


def _network_limit(sides: list[Side]) -> float:
    return max(feature_maps_network.strips_of(side.checkpoint, side.picture, "block", side.key).limit for side in sides)


LIMITS = {
    "map": lambda sides: None,
    "layer": lambda sides: max(float(drawing.limits(side.seen.maps).max()) for side in sides),
    "network": _network_limit,
}
WHOLE = {
    "map": "the largest value of that map",
    "layer": "the largest value of the layer",
    "network": "the largest value of all layers",
}


# The walls


def _walls(layer: Layer, sides: list[Side], seen: FeatureMaps, chosen: np.ndarray, limit: float | None) -> int:
    """All maps, those of several sides in the same order; returns the channel that is picked."""
    channels, height, width = seen.maps.shape
    st.markdown(
        f"**{layer.name}**: {len(chosen):,} of {channels:,} maps, {height} × {width} pixels each"
        + (f"; {int(seen.dead.sum()):,} dead" if len(sides) == 1 else "")
    )
    factor = -(-columns_for(len(chosen)) * width // (ATLAS // len(sides)))
    diverging = _diverging(sides)
    shown = [
        walls.Wall(
            _title(side) if len(sides) > 1 else "",
            _tiles(side, chosen, limit, diverging, factor),
            feature_maps.describe(side.seen, side.picture.name),
            drawing.palette(diverging),
        )
        for side in sides
    ]
    names = [
        f"Channel {c}: mean {seen.mean[c]:.3g}, largest {seen.maximum[c]:.3g}{', dead' if seen.dead[c] else ''}"
        for c in chosen
    ]
    return walls.pick(
        "map_wall",
        shown,
        chosen.tolist(),
        names,
        label=f"Maps of {layer.name}",
        first=int(chosen[seen.variance[chosen].argmax()]),
        in_url="map",
        most=460 if len(sides) > 1 else 660,
    )


def _title(side: Side) -> str:
    return f"{side.title}: {int(side.seen.dead.sum()):,} dead" if side.seen.dead.any() else side.title


def _diverging(sides: list[Side]) -> bool:
    return any(drawing.signed(side.seen.maps) for side in sides)


def _tiles(side: Side, chosen: np.ndarray, limit: float | None, diverging: bool, factor: int) -> np.ndarray:
    maps = side.seen.maps[chosen]
    return drawing.indices(drawing.shrunk(maps, factor), drawing.limits(maps) if limit is None else limit, diverging)


def _below_the_walls(
    sides: list[Side], chosen: np.ndarray, limit: float | None, scale: str, picture: NamedPicture
) -> None:
    diverging = _diverging(sides)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(width="content"):
            ui.scale_line(
                diverging, limit, WHOLE[scale] + (" on both sides" if len(sides) > 1 and limit is not None else "")
            )
        walls.download(
            lambda: _together([drawing.wall(side.seen.maps[chosen], limit, diverging) for side in sides]),
            f"{picture.name}-{sides[0].seen.layer}.png",
        )


def _together(drawn: list[Paletted]) -> np.ndarray:
    return side_by_side([one.rgba() for one in drawn])


# One map


def _one_map(layer: Layer, number: int, sides: list[Side], limit: float | None, summary: Summary) -> None:
    """The picked map large, its cells to pick from, and on the picture what a cell sees."""
    seen = sides[-1].seen
    st.markdown(f"**Map {number} of {layer.name}**, and what one cell of it sees")
    if seen.maps[number].size == 1:
        st.caption(
            "One number is left of the whole picture: "
            + ", ".join(f"{plain(side.title)} {side.seen.maps[number].item():.4g}" for side in sides)
            + ". It comes from every pixel."
        )
        return
    at = np.unravel_index(int(np.nan_to_num(seen.maps[number]).argmax()), seen.maps[number].shape)
    names = [layer.name for layer in summary.layers]
    field = receptive_field.fields(summary.layers)[names.index(layer.name)]
    cells.pick(
        "map_cell",
        _panels(sides, number, limit),
        field,
        summary.input_shape[1:],
        in_url="cell",
        label=f"Cells of map {number} of {layer.name}",
        first=(int(at[0]), int(at[1])),
        least=165 if len(sides) > 1 else 240,
    )


def _panels(sides: list[Side], number: int, limit: float | None) -> list[cells.Panel]:
    """Each picture once, and after it its map or maps."""
    diverging, panels, last = _diverging(sides), [], None
    one_picture = len({side.picture.key for side in sides}) == 1
    for side in sides:
        if side.picture.key != last:
            pixels = ui.pixels_of(side.checkpoint, side.picture)
            panels.append(
                cells.Panel(
                    side.picture.name,
                    pixels,
                    f"{side.picture.name} as the network sees it, {pixels.shape[1]} × {pixels.shape[0]} pixels",
                )
            )
            last = side.picture.key
        values = side.seen.maps[number]
        top = float(np.abs(values).max()) if limit is None else limit
        drawn = Paletted(drawing.indices(values[None], top, diverging)[0], drawing.palette(diverging))
        title = "Its map" if len(sides) == 1 else side.title if one_picture else f"Map for {side.title}"
        panels.append(
            cells.Panel(
                title,
                drawn,
                f"Map {number} for {side.picture.name}, {values.shape[0]} × {values.shape[1]} "
                f"cells, the largest {values.max():.3g}",
                values,
            )
        )
    return panels


def _code(layer: Layer) -> None:
    st.code(
        "from resnet_viz import checkpoints\nfrom resnet_viz.analysis.feature_maps import feature_maps\n"
        "from resnet_viz.data.preprocessing import see\n\n"
        f'checkpoint = checkpoints.read(checkpoints.find("{state.current_reference()}"))\n'
        "model = checkpoints.model(checkpoint)\n"
        "tensor = see(picture, checkpoint.preprocessing).tensor  # picture: PIL, RGB\n"
        f'seen = feature_maps(model, tensor, "{layer.name}")\n'
        f"seen.maps.shape  # {layer.output_shape}"
    )
