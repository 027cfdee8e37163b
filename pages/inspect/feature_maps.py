"""What does each layer make of the picture?"""

import streamlit as st

from resnet_viz.ui import feature_maps_layer, feature_maps_network, residual_view, state
from resnet_viz.ui.page import page, problems
from resnet_viz.ui.pictures import choose_picture

LOOKS = {
    "network": ("Whole network", feature_maps_network.show),
    "layer": ("One layer", feature_maps_layer.show),
    "block": ("One residual block", residual_view.show),
}

page("What does each layer make of the picture?", "A map for each channel: where in the picture its pattern was found, "
     "and how strongly.")
with problems():
    checkpoint = state.current_checkpoint()
    picture = choose_picture("feature_maps")
    if picture is not None:
        look = st.segmented_control("Look at", list(LOOKS), format_func=lambda name: LOOKS[name][0], default="network",
                                    required=True, key="look", bind="query-params", label_visibility="collapsed")
        with problems():
            LOOKS[look][1](checkpoint, picture)
