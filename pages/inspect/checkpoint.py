"""What is in this weights file?"""

import streamlit as st

from resnet_viz.ui import checkpoint, comparison, export, measurement, state, tensors
from resnet_viz.ui.page import page, problems

SECTIONS = {
    "Card": lambda file, key: checkpoint.card(file),
    "Tensors": tensors.tensors,
    "Compare": comparison.compare,
    "Measure": lambda file, key: measurement.measure(file),
    "Save as": lambda file, key: export.save_as(file),
}

page("What is in this weights file?", "Any ResNet's weights, from anywhere: which network they are, what the file does "
     "not say, and what every tensor holds.")
checkpoint.drop_zone()
with problems():
    current, key = state.current_checkpoint(), state.current_key()
    section = st.segmented_control("Section", list(SECTIONS), default="Card", required=True, key="section",
                                   bind="query-params", label_visibility="collapsed")
    SECTIONS[section](current, key)
