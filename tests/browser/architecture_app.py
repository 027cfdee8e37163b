"""A small app for test_architecture: one network, ?network=, drawn in every zoom level, folded and not."""

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from resnet_viz.analysis import architecture  # noqa: E402
from resnet_viz.networks import zoo  # noqa: E402
from resnet_viz.ui import architecture_drawing  # noqa: E402

CUSTOM = {"block": "basic", "depths": [1, 5, 2], "widths": [24, 24, 300], "heads": [7, 1200], "stem": "cifar",
          "stem_width": 200, "shortcut": "B", "in_channels": 1}

st.set_page_config(layout="wide")
name = st.query_params.get("network", "resnet8")
arguments = CUSTOM if name == zoo.CUSTOM else {}
size = 64 if name == zoo.CUSTOM else zoo.find(name).input_size
summary = architecture.summary(name, arguments, size)
with st.container(width=int(st.query_params.get("width", "980"))):  # the page leaves 980 pixels of 1440
    for level in architecture_drawing.TALLEST:
        for folded in (True, False):
            architecture_drawing.draw(f"{level}-{folded}", architecture_drawing.pack(summary, level, folded), "")
architecture_drawing.install()
