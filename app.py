"""ResNet Viz: the pages in their sections, and the sidebar's checkpoint picker."""

from pathlib import Path

import streamlit as st

from resnet_viz.ui import lecture, page_change, presenter, printing, startup

HERE = Path(__file__).parent
PAGES = {  # section -> (script under pages/, title, icon); a page is listed when it works
    "Start": [("start/home", "Home", "home")],
    "Inspect": [
        ("inspect/checkpoint", "Checkpoint", "inventory_2"),
        ("inspect/predictions", "Predictions", "image_search"),
        ("inspect/architecture", "Architecture", "account_tree"),
        ("inspect/kernels", "Kernels", "grid_view"),
        ("inspect/feature_maps", "Feature maps", "layers"),
        ("inspect/attributions", "Attributions", "center_focus_strong"),
        ("inspect/channels", "Channels", "manage_search"),
        ("inspect/surgery", "Surgery", "healing"),
        ("inspect/errors", "Errors", "rule"),
    ],
    "Train": [
        ("train/training", "Training", "show_chart"),
        ("train/runs", "Runs", "table_rows"),
        ("train/time_machine", "Time machine", "history"),
        ("train/gradients", "Gradients", "thermostat"),
        ("train/race", "Race", "flag"),
        ("train/resources", "Resources", "memory"),
    ],
    "Learn": [
        ("learn/learning", "Learning", "school"),
        ("learn/operations", "Operations", "calculate"),
        ("learn/batch_norm", "Batch norm", "mood"),
        ("learn/residual_block", "Residual block", "call_merge"),
        ("learn/depth", "Depth", "stacks"),
        ("learn/overfitting", "Overfitting", "psychology"),
        ("learn/data", "Data", "photo_library"),
        ("learn/landscape", "Landscape", "landscape"),
        ("learn/plan", "Plan", "list"),
    ],
}


def page(path: str, title: str, icon: str) -> st.Page:
    return st.Page(HERE / "pages" / f"{path}.py", title=title, icon=f":material/{icon}:", default=title == "Home")


def main() -> None:
    presenting = presenter.on()
    st.set_page_config(
        page_icon=str(HERE / "resnet_viz" / "ui" / "icon.png"),
        layout="wide",
        initial_sidebar_state="collapsed" if presenting else "auto",
    )
    presenter.large_type()
    printing.style()
    chosen = st.navigation(
        {section: [page(*entry) for entry in entries] for section, entries in PAGES.items()},
        position="top" if presenting else "sidebar",
        expanded=True,  # no page hides behind "View more"
    )
    page_change.arrive(chosen.url_path)
    lecture.arrive()
    if problem := startup.installation_problem():
        st.warning(problem)
    with st.spinner("Starting PyTorch (a few seconds, once) ..."):
        from resnet_viz.ui import picker
    with st.sidebar:
        picker.checkpoint_picker()
    chosen.run()


if __name__ == "__main__":  # once a visit
    main()
else:  # once at the server's start: `streamlit run` sees the st.App and imports this file before it runs it
    startup.before_the_first_visitor()
    app = st.App(__file__, **startup.around_the_app())
