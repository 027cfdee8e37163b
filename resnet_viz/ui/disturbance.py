"""The live view: sliders and a box to drag that disturb the picture, and the answers that move with them."""

import base64
import io
from dataclasses import asdict
from functools import partial

import numpy as np
import streamlit as st
from PIL import Image

from ..analysis import disturbance, predictions
from ..analysis.disturbance import NONE, SLIDERS, Disturbance
from ..analysis.prediction_words import spoken, sureness, warning
from ..analysis.predictions import Verdict
from ..familiarity import Caution
from ..number_text import percent
from . import predictions as display
from . import state
from .beside import Network
from .component import component
from .page import problems
from .pictures import NamedPicture

KEY, IN_URL = "disturbance", "change"
BARS = 8  # rows of one answer, at most; of several heads, fewer
SHARP = 64  # pixels a side up to which the picture is sent without loss
HINT = (
    "These are the pixels that the network reads. Drag over them to cover a part; drag the box to move it. The line in a"
    " bar is where it stood undisturbed."
)

_live = component("disturbance")


@st.fragment
def show_live(picture: NamedPicture, networks: list[Network]) -> None:
    """The picture as the first network sees it, disturbed, and what all the networks say of it."""
    with problems():
        serial, wanted = _wanted()
        if text := disturbance.as_text(wanted):
            st.query_params[IN_URL] = text
        else:
            st.query_params.pop(IN_URL, None)
        pixels = _disturbed(picture, networks[0], wanted)
        asked = [_asked(network.key, picture.key, wanted, network, picture) for network in networks]
        before = [_asked(network.key, picture.key, NONE, network, picture)[0] for network in networks]
        answers = [
            part
            for network, (verdicts, caution), undisturbed in zip(networks, asked, before)
            for part in _answers(network, verdicts, undisturbed, caution, len(networks))
        ]
        data = {
            "serial": serial,
            "values": asdict(wanted),
            "picture": _data_url(pixels),
            "small": pixels.shape[0] <= SHARP,
            "alt": f"{picture.name}, {disturbance.as_text(wanted) or 'undisturbed'}: {spoken(asked[0][0][0])}",
            "hint": HINT,
            "sliders": [asdict(slider) for slider in SLIDERS],
            "answers": answers,
        }
        _live(key=KEY, data=data, on_wanted_change=lambda: None, height="content")


def _wanted() -> tuple[int, Disturbance]:
    """The browser's count of its changes, and what it wants; before the first, what the link says."""
    said = (st.session_state.get(KEY) or {}).get("wanted")
    if not said:
        return 0, disturbance.from_text(st.query_params.get(IN_URL, ""))
    return int(said["serial"]), disturbance.wanted(dict(said))


def _disturbed(picture: NamedPicture, network: Network, wanted: Disturbance) -> np.ndarray:
    recipe = network.checkpoint.preprocessing
    pixels = display.views(picture, recipe).resized[..., : recipe.channels]
    return disturbance.disturbed(pixels, wanted, tuple(255 * mean for mean in recipe.mean))


@st.cache_data(max_entries=512, show_spinner=False)
def _asked(
    network_key: str, picture_key: str, wanted: Disturbance, _network: Network, _picture: NamedPicture
) -> tuple[tuple[Verdict, ...], Caution | None]:
    pixels = _disturbed(_picture, _network, wanted)
    with state.model_of(_network.checkpoint) as model:
        return predictions.predict_pixels(model, _network.checkpoint, pixels, _network.familiar)


def _answers(network: Network, verdicts, undisturbed, caution: Caution | None, networks: int) -> list[dict]:
    """One part a classifier; the caution stands in the first."""
    parts = []
    for number, (verdict, before) in enumerate(zip(verdicts, undisturbed)):
        first = verdict.answers[0]
        title = network.title if networks > 1 else ""
        if len(verdicts) > 1:
            title = f"{title} Classifier {number + 1} of {len(verdicts)}".strip()
        parts.append({
            "title": title,
            "headline": f"{first.label}, {percent(first.probability)}",
            "words": sureness(verdict),
            "caution": warning(caution) if caution and number == 0 else "",
            "unlike": bool(caution and caution.unlike and number == 0),
            "rows": rows(verdict, before, BARS if len(verdicts) == 1 and networks == 1 else BARS - 3),
        })
    return parts


def rows(verdict: Verdict, before: Verdict, most: int) -> list[dict]:
    """The bars in an order that stays while they move: the likeliest before, then those that came up since."""
    now, was = ({a.index: a for a in v.answers} for v in (verdict, before))
    risen = [a.index for a in verdict.answers[:2]]
    kept = [a.index for a in before.answers[:most]]
    newcomers = [index for index in risen if index not in kept]
    places = kept[: most - len(newcomers)] + newcomers
    return [
        {"label": now[i].label, "share": now[i].probability, "was": was[i].probability, "first": i == risen[0]}
        for i in places
    ]


def _data_url(pixels: np.ndarray) -> str:
    file, sharp = io.BytesIO(), pixels.shape[0] <= SHARP
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    save = partial(image.save, file)
    save("PNG") if sharp else save("JPEG", quality=90)
    return f"data:image/{'png' if sharp else 'jpeg'};base64,{base64.b64encode(file.getvalue()).decode()}"
