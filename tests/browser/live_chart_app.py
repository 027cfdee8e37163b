"""A small app for test_live_chart: two linked charts whose data grow every half second, from ?n= points on."""

import sys
import time
from pathlib import Path

import numpy as np
import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from resnet_viz.drawing.curves import Event, Line, describe, smooth  # noqa: E402
from resnet_viz.ui.live_chart import install, live_chart  # noqa: E402

st.set_page_config(layout="wide")
count = int(st.query_params.get("n", "200"))
st.session_state.setdefault("began", time.time())


@st.fragment(run_every=0.5)
def live():
    points = count + int((time.time() - st.session_state.began) * 20)
    x = np.arange(1, points + 1) * 10
    loss = 2.3 * np.exp(-x / 2000) + 0.1 + np.sin(x) * 0.05
    lines = [
        Line("training", x, loss, ("#0072B2", "#56B4E9"), "raw"),
        Line("training", x, smooth(loss, 0.9), ("#0072B2", "#56B4E9")),
        Line("validation", x[39::40], loss[39::40], ("#D55E00", "#E69F00"), "points", (5, 3)),
    ]
    live_chart(
        lines,
        key="loss",
        title="Loss",
        y_label="nats",
        alt=describe("Loss", lines, "step"),
        group="run",
        events=[Event(500, "lr 0.1 to 0.05")],
    )
    rate = [Line("learning rate", x, 0.1 / x, ("#555555", "#bbbbbb"))]
    live_chart(
        rate,
        key="rate",
        title="Learning rate",
        alt=describe("Learning rate", rate, "step"),
        group="run",
        height=140,
        log_y=True,
    )
    st.text(f"points {points}")


live()
install()
