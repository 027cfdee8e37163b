"""ResNet Viz: the pages in their sections, and the sidebar's checkpoint picker."""

from pathlib import Path

import streamlit as st

from resnet_viz.ui import startup

HERE = Path(__file__).parent
PAGES = {
    "Start": [("pages/start/home.py", "Home", ":material/home:")],
    "Inspect": [
        ("pages/inspect/predictions.py", "Predictions", ":material/image_search:"),
        ("pages/inspect/architecture.py", "Architecture", ":material/account_tree:"),
        ("pages/inspect/kernels.py", "Kernels", ":material/grid_view:"),
        ("pages/inspect/feature_maps.py", "Feature maps", ":material/layers:"),
    ],
    "Train": [("pages/train/training.py", "Training", ":material/show_chart:")],
}


def main() -> None:
    st.set_page_config(page_icon=str(HERE / "resnet_viz" / "ui" / "icon.png"), layout="wide")
    page = st.navigation(
        {
            section: [
                st.Page(HERE / path, title=title, icon=icon, default=title == "Home")
                for path, title, icon in pages
                if (HERE / path).exists()
            ]
            for section, pages in PAGES.items()
        }
    )
    if problem := startup.installation_problem():
        st.warning(problem)
    with st.spinner("Starting PyTorch (a few seconds, once) ..."):
        from resnet_viz.ui import state
    with st.sidebar:
        state.checkpoint_picker()
    page.run()


if __name__ == "__main__":  # once a visit
    main()
else:  # once at the server's start: `streamlit run` sees the st.App and imports this file before it runs it
    startup.before_the_first_visitor()
    app = st.App(__file__)
