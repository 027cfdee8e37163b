"""What does each layer make of the picture?"""

import streamlit as st

from resnet_viz.analysis import feature_maps
from resnet_viz.drawing import feature_maps as drawing
from resnet_viz.ui import feature_maps as ui
from resnet_viz.ui import networks, state, walls
from resnet_viz.ui.page import download_table, page, problems, under_picture
from resnet_viz.ui.pictures import choose_picture


def draw(seen, chosen, by, scale, picture, pixels):
    """What the network saw, and beside it the maps as one picture."""
    maps = seen.maps[chosen]
    diverging = drawing.signed(seen.maps)
    wall = drawing.wall(maps, drawing.limits(seen.maps).max() if scale == "layer" else None, diverging)
    left, right = st.columns([1, 4])
    with left:
        st.markdown("**The network sees**")
        size = f"{pixels.shape[1]} × {pixels.shape[0]} pixels"
        walls.show(drawing.enlarged(pixels), f"{picture.name}, as the network sees it: {size}", "content")
        st.caption(size)
    with right:
        channels, height, width = seen.maps.shape
        st.markdown(f"**{seen.layer}**: {len(chosen):,} of {channels:,} maps, {height} × {width} pixels each; "
                    f"{int(seen.dead.sum()):,} dead")
        walls.show(wall, feature_maps.describe(seen, picture.name))
        line, button = st.columns([4, 1], vertical_alignment="center")
        with line:
            ui.scale_line(seen, scale)
        with button:
            walls.download(wall, f"{picture.name}-{seen.layer}.png")
        if by != "channel" and len(chosen) <= ui.AMOUNTS[1]:
            st.caption(f"Channels, row by row: {', '.join(map(str, chosen))}")
        if (factor := drawing.shrink_factor(len(maps), width)) > 1:
            st.caption(f"The maps are larger than the page: each pixel drawn is the mean of {factor} × {factor}.")


def code(layer):
    st.code("from resnet_viz import checkpoints\nfrom resnet_viz.analysis.feature_maps import feature_maps\n"
            "from resnet_viz.data.preprocessing import see\n\n"
            f'checkpoint = checkpoints.read(checkpoints.find("{state.current_reference()}"))\n'
            "model = checkpoints.model(checkpoint)\n"
            "tensor = see(picture, checkpoint.preprocessing).tensor  # picture: PIL, RGB\n"
            f'seen = feature_maps(model, tensor, "{layer.name}")\n'
            f"seen.maps.shape  # {layer.output_shape}")


page("What does each layer make of the picture?", "A map for each channel: where in the picture its pattern was found, "
     "and how strongly.")
with problems():
    checkpoint = state.current_checkpoint()
    picture = choose_picture("feature_maps")
    if picture is not None:
        size = checkpoint.preprocessing.size
        choice = networks.Choice(checkpoint.network, checkpoint.arguments, size)
        layer, amount, by, scale = ui.controls(networks.summary_of(choice))
        seen = ui.maps_of(checkpoint, picture, layer.name)
        draw(seen, feature_maps.order(seen, by)[:amount], by, scale, picture, ui.pixels_of(checkpoint, picture))
        under_picture("view", story=lambda: st.markdown(ui.story(layer, seen, size)),
                      formula=lambda: ui.formula(layer, seen), code=lambda: code(layer),
                      numbers=lambda: download_table(feature_maps.rows(seen), f"{picture.name}-{layer.name}.csv",
                                                     ui.COLUMNS, feature_maps.describe(seen, picture.name)))
