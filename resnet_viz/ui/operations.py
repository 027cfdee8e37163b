"""The operations on the screen: what is put in, and the machine whose window moves."""

import base64
import hashlib
import json
import math
from dataclasses import dataclass

import numpy as np
import streamlit as st

from ..analysis import activations, operations, operations_network
from ..analysis.operations import Setting, Worked
from ..analysis.operations_examples import EXAMPLES, Example
from ..analysis.operations_network import Crop
from ..data.preprocessing import see
from ..drawing.colours import DIVERGING
from ..problems import Problem
from . import state
from .component import component
from .pictures import NamedPicture, choose_picture
from .predictions import verdicts
from .walls import png

AT = "at"  # query parameter of the window's place
CROP = "crop"  # query parameter of the crop's place, "row-column" of the layer's map
NETWORK = "your picture, the loaded network"
FROM_NETWORK = ("convolution", "softmax")  # the operations that can be watched at work on a picture
PALETTE = ["#{:02X}{:02X}{:02X}".format(*colour) for colour in DIVERGING[::3]]
MIDDLE = {"convolution": "Products", "max pooling": "Window", "average pooling": "Window",
          "fully connected": "Products"}
SIGNS = {"softmax": ("", "→"), "convolution": ("×", "sum ="), "fully connected": ("×", "sum ="), "max pooling": ("",
    "largest ="),
         "average pooling": ("", "mean =")}

_machine = component("operation")


@dataclass(frozen=True)
class Chosen:
    """One operation on certain numbers, worked out; `crop`, `layer` and `picture` where they come from the network."""

    operation: str
    x: np.ndarray
    setting: Setting
    worked: Worked
    note: str = ""
    crop: Crop | None = None
    layer: str = ""
    filter: int = 0
    pixels: np.ndarray | None = None
    labels: tuple[str, ...] = ()
    picture: str = ""

    @property
    def at(self) -> int:
        """Place of the window, in reading order, as far as the server knows."""
        wanted = st.query_params.get(AT, "")
        return min(int(wanted), self.worked.output.size - 1) if wanted.isdecimal() and len(wanted) < 6 else 0


# What is put in


def choose() -> Chosen:
    """The row of controls: which operation, on what, and how."""
    operation = st.segmented_control("Operation", list(operations.OPERATIONS), default="convolution", required=True,
                                     format_func=str.capitalize, key="operation", bind="query-params",
                                     label_visibility="collapsed")
    examples = EXAMPLES[operation]
    names = [*examples, *([NETWORK] if operation in FROM_NETWORK else [])]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = names[0]
        if len(names) > 1:
            name = st.selectbox("Numbers", names, key=f"{operation}-numbers".replace(" ", "-"), bind="query-params",
                                width=240)
        if name == NETWORK:
            return _a_crop() if operation == "convolution" else _an_answer()
        return _typed(operation, name, examples[name])


def _typed(operation: str, name: str, example: Example) -> Chosen:
    """The fields of an example, ready to be changed; a key of their own for each, so that a link means one thing."""
    def key(field):
        return {"key": f"{operation}-{name}-{field}".replace(" ", "-"), "bind": "query-params"}

    setting, extra = example.setting, {}
    if operation == "activation":
        extra["kind"] = st.selectbox("Function", list(activations.ACTIVATIONS), width=150, **key("kind"))
    if operation in ("batch norm", "dropout"):
        extra["mode"] = st.segmented_control("Mode", ["train", "evaluation"], default="train", required=True,
                                             **key("mode"))
    if operation == "batch norm":
        extra["scale"] = st.number_input("Scale γ", -10.0, 10.0, setting.scale, 0.5, width=120, **key("scale"))
        extra["shift"] = st.number_input("Shift β", -10.0, 10.0, setting.shift, 0.5, width=120, **key("shift"))
    if operation == "dropout":
        extra["p"] = st.number_input("Share p", 0.0, 0.9, setting.p, 0.1, width=120, **key("p"))
        extra["seed"] = st.number_input("Draw", 0, 999, setting.seed, width=120, help="Another number draws other "
                                        "places",
                                        **key("draw"))
    if "pooling" in operation:
        extra["size"] = st.number_input("Window", 1, 8, setting.size, width=90, **key("window"))
    if operation == "convolution" or "pooling" in operation:
        extra["stride"] = st.number_input("Stride", 1, 8, setting.stride, width=90, **key("stride"))
        extra["padding"] = st.number_input("Padding", 0, 4, setting.padding, width=90, **key("padding"))
    x = operations.matrix(st.text_input("Input", example.input, max_chars=1_000, width=285, help="Rows apart by /",
                                        **key("input")))
    if example.weights:
        label = "Kernel" if operation == "convolution" else "Weights"
        weights = operations.matrix(st.text_input(label, example.weights, max_chars=1_000, width=175,
                                                  help="Rows apart by /; of a fully connected layer one row an output",
                                                  **key("weights")))
        extra["weights"] = weights[None] if operation == "convolution" else weights
    setting = Setting(**{**vars(setting), **extra})
    return Chosen(operation, x[None], setting, operations.work(operation, x[None], setting), example.note)


def _a_crop() -> Chosen:
    """Layer and filter of the loaded checkpoint; the picture is chosen under them, the crop in the machine."""
    checkpoint = state.current_checkpoint()
    with state.model_of(checkpoint) as model:
        modules = operations_network.convolutions(model)
    layer = st.selectbox("Convolution", list(modules), key="convolution", bind="query-params", width=240)
    module = modules[layer]
    filter_ = int(st.number_input("Filter", 0, module.out_channels - 1, 0, key=f"filter-of-{module.out_channels}",
                                  bind="query-params", width=130))
    picture = _picture()
    x = _arriving(state.current_key(), picture.key, layer, checkpoint, picture)
    found = operations_network.crop(x, module, filter_, _crop_in_link())
    setting = Setting(weights=found.worked.factors[0], stride=module.stride[0], padding=module.padding[0])
    pixels = _pixels(state.current_key(), picture.key, checkpoint, picture)
    return Chosen("convolution", x, setting, found.worked, crop=found, layer=layer, filter=filter_,
                  pixels=pixels, picture=picture.name)


def _an_answer() -> Chosen:
    """The loaded network's logits for a picture, the likeliest class first."""
    verdict = verdicts([_picture()])[0][0]  # of several heads the first
    if len(verdict.logits) > operations.MOST:
        raise Problem(f"This network has {len(verdict.logits):,} classes, and at most {operations.MOST} logits can be "
                      "read in one picture; choose other numbers, or a network with fewer classes.")
    x = np.array(verdict.logits)[None]
    names = tuple(answer.label for answer in verdict.answers)
    note = "The last layer's logits for this picture, the likeliest class first."
    return Chosen("softmax", x[None], Setting(), operations.work("softmax", x[None], Setting()), note, labels=names)


def _picture() -> NamedPicture:
    with st.popover("Picture", icon=":material/image:"):
        return choose_picture("operations")


@st.cache_data(max_entries=16, show_spinner=False)
def _arriving(key: str, picture_key: str, layer: str, _checkpoint, _picture: NamedPicture) -> np.ndarray:
    with state.model_of(_checkpoint) as model:
        return operations_network.input_of(model, see(_picture.image, _checkpoint.preprocessing).tensor, layer)


@st.cache_data(max_entries=16, show_spinner=False)
def _pixels(key: str, picture_key: str, _checkpoint, _picture: NamedPicture) -> np.ndarray:
    return np.array(see(_picture.image, _checkpoint.preprocessing).resized.convert("RGB"))


def _crop_in_link() -> tuple[int, int] | None:
    words = st.query_params.get(CROP, "").split("-")
    return tuple(map(int, words)) if len(words) == 2 and all(w.isdecimal() and len(w) < 5 for w in words) else None


# The machine


def show(chosen: Chosen) -> None:
    """The picture that moves."""
    # the key holds what is shown, not the numbers: the same machine takes new ones without being built anew
    _machine(key="machine", data=described(chosen), height="content", on_rested_change=_rested, on_moved_change=_moved)
    if chosen.note:
        st.caption(chosen.note)


def described(chosen: Chosen) -> dict:
    """What operation.js reads; plain values, and minus infinity as null."""
    worked, operation = chosen.worked, chosen.operation
    products = None if worked.factors is None else np.abs(_products(worked))
    times, gives = SIGNS.get(operation, ("×", "→"))
    data = {
        "title": operation.capitalize(),
        "alt": alt(chosen),
        "inputs": [_rows(channel) for channel in worked.inputs],
        "names": list(worked.names),
        "padding": list(worked.padding),
        "unused": list(worked.unused),
        "window": list(worked.window),
        "places": worked.places.reshape(-1, 2).tolist(),
        "output": _rows(worked.output),
        "factors": None if worked.factors is None else [[_rows(k) for k in filter_] for filter_ in worked.factors],
        "factor": worked.factor,
        "parts": None if worked.parts is None else [_rows(part) for part in worked.parts],
        "said": list(worked.said),
        "patch": MIDDLE.get(operation),
        "most": operation == "max pooling",
        "signs": {"times": times, "gives": gives},
        "sizes": {"input": _size(worked.inputs.shape[1:], worked.padding), "output": " × ".join(map(str,
            worked.output.shape))},
        "limits": {"inputs": _limit(worked.inputs), "outputs": _limit(worked.output, worked.parts),
                   "factors": _limit(worked.factors), "products": _limit(products)},
        "colours": PALETTE,
        "labels": list(chosen.labels),
        "curve": _curve(chosen.setting.kind) if operation == "activation" else None,
        "picture": _thumbnail(chosen) if chosen.crop else None,
    }
    digest = hashlib.sha256(json.dumps(data, allow_nan=False).encode()).hexdigest()[:16]
    return {**data, "digest": digest, "at": chosen.at}


def alt(chosen: Chosen) -> str:
    """The finding in words."""
    found = chosen.worked.output
    return (f"{chosen.operation.capitalize()}: {found.shape[0]} × {found.shape[1]} outputs from {found.min():.3g} to "
            f"{found.max():.3g}, of an input of {chosen.worked.inputs.shape[1]} × {chosen.worked.inputs.shape[2]}")


def _products(worked: Worked) -> np.ndarray:
    return np.stack([worked.patch(row, column) * worked.factors[min(i, len(worked.factors) - 1)]
                     for i, (row, column) in enumerate(np.ndindex(worked.output.shape))])


def _rows(values: np.ndarray) -> list[list[float | None]]:
    return [[None if math.isinf(value) else float(f"{value:.6g}") for value in row] for row in values.tolist()]


def _limit(*arrays: np.ndarray | None) -> float:
    """The end of the colours: the largest number that is drawn, and a half more, so that dark cells stay readable."""
    finite = [np.abs(a[np.isfinite(a)]).max(initial=0) for a in arrays if a is not None]
    return float(max(finite, default=0)) * 1.5 or 1.0


def _size(shape: tuple[int, int], padding: tuple[int, int, int, int]) -> str:
    rows, columns = shape[0] - sum(padding[:2]), shape[1] - sum(padding[2:])
    return f"{rows} × {columns}" + (f" + {padding[0]} around" if padding[0] else "")


def _curve(kind: str) -> dict:
    x, y, slope = (values.round(6).tolist() for values in activations.curve(kind))
    low, high = min(*y, *slope), max(*y, *slope)
    span = high - low
    words = {"of": "Its curve", "legend": kind, "alt": f"{kind} and its slope from −6 to 6; the slope is at most "
                                                       f"{max(slope):.3g}"}
    return {"x": x, "y": y, "slope": slope, "low": low - span / 20, "high": high + span / 20, "names": words}


def _thumbnail(chosen: Chosen) -> dict:
    data = base64.b64encode(png(chosen.pixels)).decode()
    return {"src": f"data:image/png;base64,{data}", "alt": f"{chosen.picture}, as the network reads it",
            "high": chosen.pixels.shape[0], "wide": chosen.pixels.shape[1], "box": list(chosen.crop.size),
            "outputs": list(chosen.crop.place), "shape": list(chosen.crop.shape)}


def _rested() -> None:
    place = (st.session_state.get("machine") or {}).get("rested")
    if isinstance(place, int) and place >= 0:
        st.query_params[AT] = str(place)


def _moved() -> None:
    place = (st.session_state.get("machine") or {}).get("moved")
    if isinstance(place, list) and len(place) == 2:
        st.query_params[CROP] = "{}-{}".format(*map(int, place))
