"""What happens once when the server meets its first visitor: torch is loaded, and the installation is checked."""

import threading
from dataclasses import dataclass

import streamlit as st

from .. import versions


@dataclass
class WarmUp:
    """Filled in by the thread: `problem` is a sentence for the person, if the installation does not work."""

    thread: threading.Thread | None = None
    problem: str | None = None


@st.cache_resource(show_spinner=False)
def warm_up() -> WarmUp:
    """Start loading torch beside the page; once a server. The import takes 2 to 3 s, the first forward pass 1 s."""
    warm = WarmUp(problem=versions.pair_problem())
    if warm.problem is None:
        warm.thread = threading.Thread(target=_load, args=(warm,), name="warm-up", daemon=True)
        warm.thread.start()
    return warm


def _load(warm: WarmUp) -> None:
    import torch

    from ..networks import zoo

    with torch.inference_mode():
        zoo.build("resnet8").eval()(torch.zeros(1, 3, 32, 32))
    warm.problem = versions.import_problem()  # torchvision last: most pages do without it


def installation_problem() -> str | None:
    """What the person has to mend in the installation, as far as known by now."""
    return warm_up().problem
