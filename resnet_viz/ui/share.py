"""Copy link: the address of the page with all that is chosen on it, for whoever shall see the same."""

import ipaddress
import socket

import streamlit as st

from ..problems import Problem
from . import lecture
from .component import component
from .words import plain

ANYWHERE = (None, "", "0.0.0.0", "::")  # server.address, where other machines can reach the server

_copy_link = component("share")


def copy_link() -> None:
    """The button; it takes the address from the browser, where every choice of the page already stands."""
    _copy_link(key="copy_link", data={"host": _host()}, width="content", height="content", on_add_change=_add)


def _add() -> None:
    """The view on the screen becomes a step of the lecture plan."""
    address = (st.session_state.get("copy_link") or {}).get("add")
    if not isinstance(address, str):
        return
    try:
        st.toast(plain(lecture.add(address)), icon=":material/playlist_add:")
    except Problem as problem:
        st.toast(plain(str(problem)), icon=":material/error:")


@st.cache_data(ttl=600, show_spinner=False)
def _host() -> str | None:
    """What a link that says localhost should say instead: this machine in its network; None where nobody can reach it."""
    return own_address() if st.get_option("server.address") in ANYWHERE else None


def own_address() -> str | None:
    """This machine's IPv4 address in its network, or None where it has none. Nothing is sent."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # an address of documents (RFC 5737): only the way out is looked up
            address = probe.getsockname()[0]
    except OSError:
        return None
    return None if ipaddress.ip_address(address).is_loopback else address
