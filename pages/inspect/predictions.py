"""What does the network see in this picture?"""

import streamlit as st

from resnet_viz.analysis import prediction_words as words
from resnet_viz.analysis import predictions
from resnet_viz.ui import predictions as display
from resnet_viz.ui import state
from resnet_viz.ui.page import PERCENT, download_table, page, plain, problems, under_picture
from resnet_viz.ui.pictures import choose_pictures, thumbnail

DECIMAL = st.column_config.NumberColumn(format="%.3f")


def story(seen, verdicts) -> None:
    st.markdown("\n".join(f"- {plain(line)}" for line in words.story(seen, verdicts)))


def formula(seen, verdicts, preprocessing) -> None:
    st.latex(words.normalisation_formula(seen, preprocessing))
    st.caption("What the first layer reads for the first channel of the middle pixel.")
    for verdict in verdicts:
        st.latex(words.softmax_formula(verdict))
    st.caption("Softmax: every logit z becomes a share of 100 %. This picture's logits are put in, the largest first.")


def code(picture, checkpoint) -> None:
    st.code(words.code(checkpoint.preprocessing, checkpoint.heads, picture.name))
    st.caption("The same without a browser:")
    st.code(f"python -m resnet_viz predict {state.current_reference()} PICTURE --json", language="bash")


def numbers(picture, verdicts) -> None:
    rows = predictions.class_rows(verdicts)
    finding = f"{len(rows)} classes for {picture.name}: {words.spoken(verdicts[0])}"
    download_table(rows, "probabilities.csv", {"probability": PERCENT, "logit": DECIMAL}, finding)


def all_pictures(pictures) -> None:
    st.subheader(f"All {len(pictures)} pictures", anchor=False)
    rows = predictions.table([picture.name for picture in pictures], display.verdicts(pictures))
    columns = {name: PERCENT for name in rows[0] if "probability" in name}
    columns |= {name: DECIMAL for name in rows[0] if "entropy" in name}
    finding = "; ".join(f"{picture.name}: {row[list(row)[1]]}" for picture, row in zip(pictures, rows))
    download_table(rows, "predictions.csv", columns, finding, [thumbnail(picture) for picture in pictures])


page(
    "What does the network see in this picture?",
    "Drop in your own or take an example: what it is called, how surely, and what was left of it by then.",
)
with problems():
    picture, own = choose_pictures("predictions")
    checkpoint = state.current_checkpoint()
    if picture:
        seen, verdicts = display.views(picture, checkpoint.preprocessing), display.verdicts([picture])[0]
        left, right = st.columns([2, 3], gap="medium")
        with left:
            display.show_framed(picture, seen)
        with right:
            display.show_verdicts(verdicts)
        st.subheader("What was left for the network", anchor=False)
        display.show_stations(seen, checkpoint.preprocessing)
        if len(own) > 1:
            all_pictures(own)
        under_picture(
            "view",
            story=lambda: story(seen, verdicts),
            formula=lambda: formula(seen, verdicts, checkpoint.preprocessing),
            code=lambda: code(picture, checkpoint),
            numbers=lambda: numbers(picture, verdicts),
        )
