"""What does training this network cost?"""

import pandas as pd
import streamlit as st

from resnet_viz.analysis import resource_words
from resnet_viz.ui import resource_measurement, resources
from resnet_viz.ui.page import page, problems, under_picture


def formula(setting) -> None:
    rows = resource_words.formulas(setting.demand, setting.batch, setting.optimizer, setting.device.memory_bytes)
    st.table(pd.DataFrame(rows, columns=["What", "Arithmetic"]).set_index("What"))
    st.caption("MiB = 2²⁰ bytes, GiB = 2³⁰ bytes.")


def code(setting) -> None:
    st.code(resource_words.code(setting.demand, setting.choice.arguments, setting.batch))
    if command := resources.command(setting):
        st.caption("This page without a browser; with --measure also the real steps:")
        st.code(command, language="bash", wrap_lines=True)


page("What does training this network cost?", "Memory for one step, drawn to scale, and how large a batch it leaves "
     "room for; then a few real steps on this machine.")
with problems():
    setting = resources.choose()
    resources.totals(setting)
    resources.bar(setting)
    with problems():
        resource_measurement.measure(setting)
    under_picture("view", story=lambda: resources.story(setting), formula=lambda: formula(setting), code=lambda: code(setting),
                  numbers=lambda: resources.numbers(setting))
