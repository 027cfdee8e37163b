"""What a residual block adds to the picture's maps: x, F(x), their sum and what is left of it, on one scale."""

import numpy as np
import streamlit as st

from ..analysis import receptive_field, residual_view
from ..analysis.residual_view import Parts, Share
from ..checkpoints import Checkpoint
from ..data.preprocessing import see
from ..drawing import feature_maps as drawing
from ..drawing import residual_view as chart
from ..drawing.tiles import Paletted
from . import beginnings, cells, networks, state, walls
from . import feature_maps as ui
from .page import download_table, plain, under_picture
from .pictures import NamedPicture
from .tensors import CHART

MAPS = 16
WAYS = {
    "identity": "as it came",
    "padding": "every second pixel, padded with empty maps",
    "projection": "brought to the new shape by a 1 × 1 convolution",
}
TITLES = {"F(x)": "F(x), what the block works out", "x + F(x)": "x + F(x), the sum", "after": "after the activation"}
SHORT = {"after": "after the activation"}
ORDERS = {"residual": "where F(x) is largest", "shortcut": "where x is largest", "channel": "by channel"}
COLUMNS = {"block": st.column_config.TextColumn("Block"), "shortcut": st.column_config.TextColumn("Shortcut")} | {
    name: st.column_config.NumberColumn(label, format="%.3f")
    for name, label in (
        ("|F(x)|", "|F(x)|"),
        ("|x|", "|x|"),
        ("ratio", "|F(x)| / |x|"),
        ("cosine", "Cosine of F(x) and x"),
    )
}


def show(checkpoint: Checkpoint, picture: NamedPicture) -> None:
    found = _shares(state.current_key(), picture.key, checkpoint, picture)
    names = [share.block for share in found]
    block_place, amount_place, order_place = st.columns([3, 2, 3])
    middle = names[len(names) // 2]
    block = block_place.selectbox("Block", names, index=names.index(middle), key="block", bind="query-params")
    seen = _parts(state.current_key(), picture.key, block, checkpoint, picture)
    channels = len(seen.total)
    amounts = [*(str(n) for n in (MAPS, 64) if n < channels), f"all {channels:,}"]
    amount = amount_place.selectbox("Maps", amounts, key=f"parts-of-{channels}", bind="query-params")
    by = order_place.selectbox("Order", list(ORDERS), format_func=ORDERS.get, key="parts-order", bind="query-params")
    number = _walls(seen, order(seen, by)[: channels if amount.startswith("all") else int(amount)], picture)
    _one_map(seen, number, checkpoint, picture)
    share = found[names.index(block)]
    st.subheader("How much every block adds", anchor=False)
    before = _before(picture)
    finding = residual_view.describe(found)
    st.plotly_chart(
        chart.ratios(names, [s.ratio for s in found], [s.ratio for s in before] if before else None, block),
        config=CHART,
        key="ratios",
        alt=finding,
    )
    st.caption(plain(f"{finding} The length of x is the root of the sum of the squares of all its numbers."))
    under_picture(
        "view",
        story=lambda: st.markdown(story(seen, share)),
        formula=lambda: _formula(seen, share),
        code=lambda: _code(block),
        numbers=lambda: download_table(residual_view.rows(found), f"{picture.name}-blocks.csv", COLUMNS, finding),
    )


def order(seen: Parts, by: str) -> np.ndarray:
    """Channels in the order of show."""
    if by == "channel":
        return np.arange(len(seen.total))
    lengths = np.square(getattr(seen, by)).sum(axis=(1, 2))
    return np.argsort(-lengths, kind="stable")


def _walls(seen: Parts, chosen: np.ndarray, picture: NamedPicture) -> int:
    """The four parts, the same maps in the same order on one scale; returns the channel that is picked."""
    found = seen.named()
    limit = max(float(np.abs(part[chosen]).max()) for part in found.values())
    titles = TITLES | {"x": f"x, {WAYS[seen.way]}"}
    factor = drawing.shrink_factor(len(chosen), seen.total.shape[2], 480)
    shown = [
        walls.Wall(
            titles[name],
            drawing.indices(drawing.shrunk(part[chosen], factor), limit, True),
            f"{titles[name]}: {len(chosen):,} maps of {seen.block} for {picture.name}, "
            f"from {part.min():.3g} to {part.max():.3g}",
            drawing.palette(True),
        )
        for name, part in found.items()
    ]
    strength = {name: np.sqrt(np.square(part).sum(axis=(1, 2))) for name, part in found.items()}
    names = [
        f"Channel {c}: |x| {strength['x'][c]:.3g}, |F(x)| {strength['F(x)'][c]:.3g}, "
        f"|x + F(x)| {strength['x + F(x)'][c]:.3g}"
        for c in chosen
    ]
    number = walls.pick(
        "map_wall", shown, chosen.tolist(), names, label=f"Maps of {seen.block}", first=int(chosen[0]), in_url="map"
    )
    ui.scale_line(True, limit, "the largest value of all that is shown; white is 0")
    return number


def _one_map(seen: Parts, number: int, checkpoint: Checkpoint, picture: NamedPicture) -> None:
    """The picked map of all parts, cell by cell, and on the picture what a cell of the sum sees."""
    st.markdown(f"**Map {number} of {seen.block}**, cell by cell")
    maps = {name: part[number] for name, part in seen.named().items()}
    limit = max(float(np.abs(values).max()) for values in maps.values())
    pixels = ui.pixels_of(checkpoint, picture)
    panels = [cells.Panel(picture.name, pixels, f"{picture.name} as the network sees it")]
    for name, values in maps.items():
        drawn = Paletted(drawing.indices(values[None], limit, True)[0], drawing.palette(True))
        panels.append(
            cells.Panel(
                SHORT.get(name, name),
                drawn,
                f"{name} of map {number}, from {values.min():.3g} to {values.max():.3g}",
                values,
            )
        )
    summary = networks.summary_of(
        networks.Choice(checkpoint.network, checkpoint.arguments, checkpoint.preprocessing.size)
    )
    place = [layer.name for layer in summary.layers].index(f"{seen.block}.add")
    at = np.unravel_index(int(np.nan_to_num(np.abs(maps["F(x)"])).argmax()), maps["F(x)"].shape)
    cells.pick(
        "map_cell",
        panels,
        receptive_field.fields(summary.layers)[place],
        pixels.shape[:2],
        in_url="cell",
        label=f"Cells of map {number} of {seen.block}",
        first=(int(at[0]), int(at[1])),
    )


def story(seen: Parts, share: Share) -> str:
    """What the block does, with its own numbers."""
    left = (
        "The sum goes on as it is. "
        if seen.after is None
        else f"The activation then cuts off what is below 0: {float((seen.total < 0).mean()):.0%} of the numbers. "
    )
    return (
        f"Two ways lead through **{seen.block}**. On one, x goes around ({WAYS[seen.way]}); "
        "on the other the block works out F(x). "
        f"Here F(x) is **{share.ratio:.2f}** times as long as x: "
        f"it {'corrects' if share.ratio < 1 else 'overrules'} what arrived. "
        f"{_direction(share.cosine)} {left}A plain network of the same layers must rebuild everything at every step."
    )


def _direction(cosine: float) -> str:
    if not np.isfinite(cosine):
        return ""
    words = (
        "points partly against x, so it takes away from it"
        if cosine < -0.2
        else "points partly along x, so it strengthens it"
        if cosine > 0.2
        else "points neither along x nor against it: it adds something else"
    )
    return f"It {words} (cosine {cosine:.2f}).".replace("-", "−")


def _formula(seen: Parts, share: Share) -> None:
    st.latex(
        r"y = x + F(x), \qquad \frac{\lVert F(x) \rVert}{\lVert x \rVert} = "
        rf"\frac{{{share.residual:.4g}}}{{{share.shortcut:.4g}}} = {share.ratio:.3g}"
    )
    at = np.unravel_index(int(np.nan_to_num(seen.total).argmax()), seen.total.shape)
    x, residual, total = (float(part[at]) for part in (seen.shortcut, seen.residual, seen.total))
    st.latex(rf"x + F(x) = {x:.3g} + ({residual:.3g}) = {total:.3g}")
    st.caption(
        f"The norms are over all {seen.total.size:,} numbers; the sum is the largest: "
        f"channel {at[0]}, row {at[1]}, column {at[2]}."
    )


def _code(block: str) -> None:
    st.code(
        "from resnet_viz import checkpoints\nfrom resnet_viz.analysis.residual_view import parts, shares\n"
        "from resnet_viz.data.preprocessing import see\n\n"
        f'checkpoint = checkpoints.read(checkpoints.find("{state.current_reference()}"))\n'
        "model = checkpoints.model(checkpoint)\n"
        "tensor = see(picture, checkpoint.preprocessing).tensor  # picture: PIL, RGB\n"
        f'seen = parts(model, tensor, "{block}")  # x, F(x), their sum, and after the activation\n'
        "for share in shares(model, tensor):\n    print(share.block, share.ratio)"
    )


def _before(picture: NamedPicture) -> tuple[Share, ...] | None:
    """The same before training, where that is known."""
    begun = beginnings.before().checkpoint
    return _shares(beginnings.before_key(), picture.key, begun, picture) if begun else None


@st.cache_data(max_entries=32, show_spinner=False)
def _shares(key: str, picture_key: str, _checkpoint: Checkpoint, _picture: NamedPicture) -> tuple[Share, ...]:
    with state.model_of(_checkpoint) as model:
        return residual_view.shares(model, see(_picture.image, _checkpoint.preprocessing).tensor)


@st.cache_resource(max_entries=6, show_spinner=False)
def _parts(key: str, picture_key: str, block: str, _checkpoint: Checkpoint, _picture: NamedPicture) -> Parts:
    with state.model_of(_checkpoint) as model:
        return residual_view.parts(model, see(_picture.image, _checkpoint.preprocessing).tensor, block)
