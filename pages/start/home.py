"""What is inside a residual network?"""

import streamlit as st

from resnet_viz.ui import home, live_chart, report, state
from resnet_viz.ui.page import page, problems

page(
    "What is inside a residual network?",
    "ResNet Viz opens one up before, while and after it learns. Follow a question, bring a picture of your own, "
    "or train a network of your own.",
)
with problems():
    state.current_checkpoint()

NEEDS = "Needs a trained network."
left, right = st.columns(2)
with left:
    home.card(
        "pages/inspect/predictions.py",
        "What does the network see in this picture?",
        ":material/image_search:",
        home.prediction,
        NEEDS,
    )
with right:
    home.card(
        "pages/inspect/feature_maps.py",
        "What does each layer make of the picture?",
        ":material/layers:",
        home.feature_maps,
        NEEDS,
    )
left, right = st.columns(2)
with left:
    home.card(
        "pages/inspect/kernels.py", "What did the first layer learn?", ":material/grid_view:", home.kernels, NEEDS
    )
with right:
    home.card(
        "pages/train/training.py",
        "How does a network learn?",
        ":material/show_chart:",
        home.learning,
        "Start a run and watch its loss fall; the built-in shapes need no download.",
    )
home.card(
    "pages/inspect/architecture.py",
    "What is this network made of?",
    ":material/account_tree:",
    home.architecture,
    NEEDS,
)
report.report()
live_chart.install()
