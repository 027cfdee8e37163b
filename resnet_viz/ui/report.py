"""What a bug report needs, to copy or to take along: the same as `python -m resnet_viz check`."""

import json

import streamlit as st

from .. import logs
from ..analysis import machine
from . import access, presenter
from .page import plain


def report() -> None:
    """A small button under everything; where strangers visit, the machine is none of their business."""
    if presenter.on() or access.open_to_others():
        return
    if st.button("Report a fault", icon=":material/bug_report:", type="tertiary", key="report"):
        _show()


@st.dialog("Report a fault", width="large", icon=":material/bug_report:")
def _show() -> None:
    found = machine.check()  # looks at every folder and package: only for who asks
    st.markdown("Say what you did, what you saw, and add this. It holds no names of persons, no passwords and no content of "
                f"files. What went wrong stands in {plain(logs.without_home(str(logs.place_of('server'))))}.")
    st.code(machine.text(found), language=None, wrap_lines=True, height=320)
    st.download_button("Download as JSON", json.dumps(found, indent=1), "check.json", "application/json", on_click="ignore",
                       icon=":material/download:")
