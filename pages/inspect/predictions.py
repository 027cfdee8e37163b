"""What does the network see in this picture?"""

import streamlit as st

from resnet_viz.analysis import prediction_words as words
from resnet_viz.analysis import predictions
from resnet_viz.ui import beside, state
from resnet_viz.ui import predictions as display
from resnet_viz.ui.disturbance import show_live
from resnet_viz.ui.page import PERCENT, download_table, page, plain, problems, under_picture
from resnet_viz.ui.picture_table import show_table
from resnet_viz.ui.pictures import choose_pictures

DECIMAL = st.column_config.NumberColumn(format="%.3f")
LOOKS = ["This picture", "Disturb it", "Many pictures"]


def story(seen, verdicts, caution, network) -> None:
    lines = words.story(seen, verdicts) + words.caution_story(caution, network.familiar)
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def formula(seen, verdicts, caution, network) -> None:
    st.latex(words.normalisation_formula(seen, network.checkpoint.preprocessing))
    st.caption("What the first layer reads for the first channel of the middle pixel.")
    for verdict in verdicts:
        st.latex(words.softmax_formula(verdict))
    st.caption("Softmax: every logit z becomes a share of 100 %. This picture's logits are put in, the largest first.")
    if caution:
        st.latex(words.strangeness_formula(caution, network.familiar))
        st.caption("Strangeness: at each of a few convolutions r holds the mean and the log spread of the channels; μ and Σ"
                   " are their mean and covariance over training pictures. Right: where the caution begins.")


def code(picture, checkpoint) -> None:
    st.code(words.code(checkpoint.preprocessing, checkpoint.heads, picture.name))
    st.caption("The same without a browser:")
    st.code(f"python -m resnet_viz predict {state.current_reference()} PICTURE --json", language="bash")


def numbers(picture, verdicts) -> None:
    rows = predictions.class_rows(verdicts)
    finding = f"{len(rows)} classes for {picture.name}: {words.spoken(verdicts[0])}"
    download_table(rows, "probabilities.csv", {"probability": PERCENT, "logit": DECIMAL}, finding)


def this_picture(picture, networks) -> None:
    seen = display.views(picture, networks[0].checkpoint.preprocessing)
    columns = st.columns([2, *[3 if len(networks) == 1 else 2] * len(networks)], gap="medium")
    with columns[0]:
        display.show_framed(picture, seen)
    for number, (network, column) in enumerate(zip(networks, columns[1:])):
        verdicts, caution = display.answers([picture], network)[0]
        with column:
            if len(networks) > 1:
                st.caption(plain(network.title))
            display.show_verdicts(verdicts, f"verdict_{number}")
            display.show_caution(caution, network)
    st.subheader("What was left for the network", anchor=False)
    display.show_stations(seen, networks[0].checkpoint.preprocessing)


page(
    "What does the network see in this picture?",
    "Drop in your own or take an example: what it is called, how surely, and what was left of it by then.",
)
with problems():
    picture, own = choose_pictures("predictions")
    if picture:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            look = st.segmented_control("Look at", LOOKS, default=LOOKS[0], required=True, key="look", bind="query-params")
            second = beside.choose_beside()
        network = beside.current()
        networks = [network, second] if second else [network]
        if look == "Many pictures":
            show_table(own, networks)
        else:
            show_live(picture, networks) if look == "Disturb it" else this_picture(picture, networks)
            if len(own) > 1:
                st.subheader(f"All {len(own)} pictures", anchor=False)
                show_table(own, networks)
            seen = display.views(picture, network.checkpoint.preprocessing)
            verdicts, caution = display.answers([picture], network)[0]
            under_picture(
                "view",
                story=lambda: story(seen, verdicts, caution, network),
                formula=lambda: formula(seen, verdicts, caution, network),
                code=lambda: code(picture, network.checkpoint),
                numbers=lambda: numbers(picture, verdicts),
            )
