"""A network as a drawing and a table that point at each other, in one browser component; the chosen layer under it.

Streamlit sends a component's whole script with every update. So the code travels once a page, in a component of its own
(`install`, called last on the page); the drawing's own script is a few lines that wait for it.
"""

import hashlib
import json

import pandas as pd
import streamlit as st

from ..analysis import architecture_graph, arithmetic
from ..analysis import checkpoint as tensors
from ..analysis.architecture import Summary
from ..analysis.architecture_graph import Part
from ..checkpoints import Checkpoint
from ..drawing import architecture as drawing
from ..drawing import architecture_svg, checkpoint
from . import architecture_boxes, networks, state
from .component import Carried
from .networks import Choice
from .page import plain

_drawing = Carried("architecture_drawing")

KEY = "architecture"
IN_URL = "layer"  # the chosen part, in the link
TALLEST = {"stage": 130, "block": 130, "layer": 92}  # pixels of the largest maps
MOST_ROWS = 2_500  # that one drawing may have: the browser builds each of them
BARS = ("params", "macs", "activation_bytes")
TEXTS = ("kind", "input", "output", "window", "weight", "sees")  # these repeat: they travel once, as numbers of words
COLUMNS = (  # field, title, explanation
    ("name", "Layer", "the way to it in the network"),
    ("kind", "Kind", "PyTorch's class"),
    ("input", "Input", "channels × height × width, of one picture"),
    ("output", "Output", "channels × height × width, of one picture"),
    ("window", "Kernel / stride / padding", "one number where height and width are alike"),
    ("weight", "Weight", "filters × input channels × height × width; outputs × inputs of a linear layer"),
    ("params", "Parameters", "and their share of the network's; the longest bar is the largest row"),
    ("macs", "MACs", "multiply-adds of convolutions and linear layers, and their share; FLOPs = 2 × MACs"),
    ("activation_bytes", "Activations, MiB", "what it puts out for one picture, 4 bytes a number, and its share"),
    ("sees", "Receptive field", "pixels a side of the picture that one number of its output depends on"),
    ("jump", "Jump", "pixels of the picture from one number of its output to the next"),
)
LEGEND = {
    "size": "taller: larger maps; wider: more of them. Both by the square root: four times as many are drawn twice as "
            "wide",
    "arc": "shortcut: x itself is added",
    "projection": "shortcut through a 1 × 1 convolution, which changes the shape of x",
    "padding": "shortcut that takes every second pixel and adds channels of zeros",
    "many": "several equal blocks",
    "norm": "batch norm", "act": "activation or dropout", "add": "the addition",
}
HINT = "Click a box or a row for its arithmetic; the arrow keys move on."


def install() -> None:
    """Bring the component's code into the page; until then the drawing waits."""
    _drawing.install()


def controls(choice: Choice, summary: Summary) -> tuple[str, bool]:
    """One row: zoom level, whether equal blocks are folded, and the depth, which chooses another network."""
    levels, fold, depth = st.columns([2.2, 2.2, 3], vertical_alignment="bottom", gap="medium")
    level = levels.segmented_control("One box for each", list(TALLEST), default="block", required=True, key="fold",
                                     bind="query-params")
    folded = True
    if any(part.count > 1 for part in architecture_graph.walk(architecture_graph.parts(summary))):
        many = len(summary.layers) > MOST_ROWS
        folded = fold.toggle("Equal blocks as one", True, key="folded", bind="query-params", disabled=many,
                             help=f"{len(summary.layers):,} layers are too many to draw each" if many else
                             "Blocks that are the same but for their weights are drawn once, with how many they are")
    kin = architecture_graph.kin(choice.network)
    if len(kin) > 1:
        own = next(layers for layers, name in kin.items() if name == choice.network)
        key = f"depth-{'-'.join(map(str, kin))}"
        st.session_state[key] = own  # it follows the network that is chosen above
        depth.select_slider("Layers deep", list(kin), key=key, on_change=_go, args=(key, kin))
    return level, folded or len(summary.layers) > MOST_ROWS


def _go(key: str, kin: dict[int, str]) -> None:
    st.session_state.network = kin[st.session_state[key]]


def show(choice: Choice, summary: Summary, level: str, folded: bool) -> Part:
    """The drawing with its table; returns the part that is chosen, at first the first one."""
    packed = _packed(repr(choice), level, folded, summary)
    part = _chosen(architecture_graph.parts(summary, folded), level)
    draw(KEY, packed, part.key)
    return part


def draw(key: str, packed: str, chosen: str) -> None:
    """The component itself: what `pack` gave, and the key of the part that is chosen in it."""
    head = json.dumps({"chosen": chosen}, ensure_ascii=False)
    _drawing(key=key, data=f"{head[:-1]},{packed[1:]}".encode(), on_chosen_change=_remember, height="content")


def _remember() -> None:
    st.session_state.chosen_part = st.query_params[IN_URL] = st.session_state[KEY]["chosen"]


def _chosen(found: tuple[Part, ...], level: str) -> Part:
    """What was chosen here or what the link asks for; else, and where the network has no such part, the first one."""
    wanted = st.session_state.get("chosen_part") or st.query_params.get(IN_URL)
    parts = list(architecture_graph.walk(found))
    fitting = [part for part in parts if part.key == wanted] + [part for part in parts if wanted in part.names]
    return [*fitting, architecture_graph.level_parts(found, level)[0]][0]


@st.cache_data(max_entries=64, show_spinner=False)
def _packed(choice: str, level: str, folded: bool, _summary: Summary) -> str:
    return pack(_summary, level, folded)


def pack(summary: Summary, level: str, folded: bool) -> str:
    """The JSON document that architecture_drawing.js reads, without the chosen part."""
    found, groups = architecture_boxes.of(summary, level, folded)
    drawn = drawing.drawn(groups, TALLEST[level])
    rows = architecture_boxes.rows(summary, found)
    fields = [*rows[0]]
    words = {word: number for number, word in enumerate(dict.fromkeys(row[text] for row in rows for text in TEXTS))}
    looks = {box.box.look for box in drawn.boxes}
    sentence = architecture_graph.finding(summary)
    stages = max(part.stage for part in architecture_graph.walk(found))
    document = {
        "title": sentence.partition(": ")[2][:1].upper() + sentence.partition(": ")[2][1:],
        "alt": sentence,
        "file": f"{summary.network}-{level}",
        "svg": architecture_svg.svg(drawn),
        "styles": {look: architecture_svg.style(stages, look) for look in architecture_svg.LOOKS},
        "stages": stages,
        "legend": _legend(drawn, architecture_graph.shortcuts(found), looks),
        "columns": COLUMNS,
        "bars": BARS,
        "texts": TEXTS,
        "totals": {key: sum(getattr(layer, key) for layer in summary.layers) for key in BARS},
        "level": architecture_boxes.frontier(found, level),
        "words": list(words),
        "fields": fields,
        "rows": [[words[row[field]] if field in TEXTS else row[field] for field in fields] for row in rows],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return f'{{"digest":"{hashlib.sha256(text.encode()).hexdigest()[:16]}",{text[1:]}'


def _legend(drawn: drawing.Drawing, ways: dict[str, int], looks: set[str]) -> list[tuple[str, str]]:
    """(icon, words) of what this drawing shows."""
    lines = [("size", LEGEND["size"])]
    lines += [("arc", LEGEND["arc"])] if ways["identity"] else []
    lines += [("dashed", LEGEND[way]) for way in ("projection", "padding") if ways[way]]
    lines += [("many", LEGEND["many"])] if any(box.box.many for box in drawn.boxes) else []
    return lines + [(look, LEGEND[look]) for look in ("norm", "act", "add") if look in looks] + [("", HINT)]


# The chosen part


def details(choice: Choice, part: Part) -> None:
    """The chosen part's arithmetic with its own numbers, and beside it its weights, where a checkpoint has them."""
    weights = networks.weights_of(choice)
    name = f"{part.key} × {part.count}" if part.count > 1 else part.key
    first, last = part.layers[0], part.layers[-1]
    st.markdown(f"**{plain(name)}**: {networks.shape_text(first.input_shape)} in, "
                f"{networks.shape_text(last.output_shape)} out")
    tensor = f"{first.name}.weight" if _begins_with_a_layer(part) else ""
    left, right = st.columns([3, 2], gap="medium") if weights and tensor in weights.state else (st.container(), None)
    left.table(pd.DataFrame(_lines(part), columns=["What", "Arithmetic"]).set_index("What"))
    if part.count > 1:
        left.caption(f"Each of the {part.count} has these numbers; the table above adds them up.")
    if right:
        with right:
            _weights(weights, tensor)


def _begins_with_a_layer(part: Part) -> bool:
    """Not a block or stage, but one layer, or one with what follows it."""
    return not part.parts or part.kind == "layers"


def _lines(part: Part) -> list[tuple[str, str]]:
    first = part.layers[0]
    if not part.parts:
        return arithmetic.lines(first)
    own = [(f"{first.name}: {what}", text) for what, text in arithmetic.lines(first)]
    return (own if _begins_with_a_layer(part) else []) + _sums(part)


def _sums(part: Part) -> list[tuple[str, str]]:
    """What the layers (or blocks) in it add up to, written out."""
    pieces = part.parts if part.kind == "stage" else tuple(Part(layer.name, layer.kind, (layer,), (layer.name,))
                                                          for layer in part.layers)
    found = []
    for what, number in (("parameters", "params"), ("multiply-adds", "macs")):
        terms = [(piece.total(number), piece.key.removeprefix(f"{part.key}."), piece.count) for piece in pieces]
        terms = [(value, name if count == 1 else f"{name} and {count - 1} more like it")
                 for value, name, count in terms if value]
        if terms:
            written = " + ".join(f"{value:,} ({name})" for value, name in terms)
            found.append((what, f"{written} = {sum(value for value, _ in terms):,}" if len(terms) > 1 else written))
    bytes_ = sum(piece.total("activation_bytes") for piece in pieces)
    return [*found, ("all outputs of one picture", arithmetic.size(bytes_))]


def _weights(weights: Checkpoint, name: str) -> None:
    """Histogram and statistics of one tensor of a checkpoint."""
    found = _statistics(state.current_key(), name, weights)
    words = tensors.describe(found)
    if found.histogram.any():
        st.plotly_chart(checkpoint.histogram(found.histogram, found.low, found.high, 190), key="weight-histogram",
                        config={"displayModeBar": False}, alt=words)
    st.caption(plain(words))


@st.cache_data(max_entries=256, show_spinner=False)
def _statistics(key: str, name: str, _weights: Checkpoint) -> tensors.Statistics:
    return tensors.of_tensor(name, _weights.state[name], tensors.kinds(_weights)[name])
