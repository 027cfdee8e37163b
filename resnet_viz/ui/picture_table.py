"""Many pictures at once: the person's own, the examples, or some of a data set, folder or zip, and what is said of them."""

import hashlib

import streamlit as st
from PIL import Image

from ..analysis.predictions import table
from ..data import downloads, sources
from ..data.place import existing
from ..data.sources import SOURCES, Pictures
from ..data.splits import some_of_each
from ..number_text import percent
from . import predictions
from .beside import Network
from .measurement import path_of
from .page import PERCENT, download_table, plain
from .pictures import NamedPicture, example_pictures, thumbnail

FEW, MOST = 40, 400  # the page sends a small picture with every row
DECIMAL = st.column_config.NumberColumn(format="%.3f")
OWN, EXAMPLES = "Your pictures", "The examples"


def show_table(own: list[NamedPicture], networks: list[Network]) -> None:
    """The choice of pictures, and one row for each."""
    offered = ([OWN] if own else []) + [EXAMPLES, *_here()]
    left, right, _ = st.columns([4, 2, 3], vertical_alignment="bottom")
    learned_from = networks[0].checkpoint.data
    first = offered.index(learned_from) if not own and learned_from in offered else 0
    which = left.selectbox("Which pictures", offered, first, accept_new_options=True, key="many", persist_state="session",
                           format_func=lambda name: SOURCES[name].title if name in SOURCES else name,
                           help="Or type the path of a folder or zip: one folder a class, in test/, val/ or train/")
    count = FEW
    if which not in (OWN, EXAMPLES):
        count = right.number_input("At most, pictures", 1, MOST, FEW, 20, key="many_count", persist_state="session")
    pictures, truths = _pictures(which, own, count)
    asked = [predictions.answers(pictures, network) for network in networks]
    rows = _rows([picture.name for picture in pictures], networks, asked)
    if truths:
        rows = [{"picture": row["picture"], "shows": truth, **row} for row, truth in zip(rows, truths)]
    finding = _finding(networks, asked, truths)
    st.markdown("  \n".join(map(plain, finding.splitlines())))
    columns = {name: PERCENT for name in rows[0] if name == "as strange" or "probability" in name or "margin" in name}
    columns |= {name: DECIMAL for name in rows[0] if "entropy" in name}
    columns |= {name: st.column_config.CheckboxColumn() for name in rows[0] if name.startswith("caution")}
    download_table(rows, "predictions.csv", columns, finding, [thumbnail(picture) for picture in pictures])
    if any(network.familiar for network in networks):
        st.caption("caution: unlike what the network learned from. as strange: the share of its run's validation pictures that"
                   " look as strange to it or more; the caution begins at about 5 %.")


def _rows(names: list[str], networks: list[Network], asked: list) -> list[dict]:
    """One row a picture; of several networks only what can be compared at a glance, side by side."""
    if len(networks) == 1:
        return table(names, asked[0])
    parts = [table(names, said) for said in asked]
    columns = [name for name in dict.fromkeys(name for part in parts for name in part[0])
               if name.startswith(("class", "probability", "caution"))]
    return [
        {"picture": name} | {f"{column}, {network.title}": row[column] for column in columns
                             for network, row in zip(networks, said) if column in row}
        for name, *said in zip(names, *parts)
    ]


def _here() -> list[str]:
    """Data sets that are made here or already downloaded."""
    return [name for name, source in SOURCES.items() if not source.needs_download or downloads.is_here(name)]


def _pictures(which: str, own: list[NamedPicture], count: int) -> tuple[list[NamedPicture], list[str] | None]:
    """The pictures, and what they show where that is known."""
    if which in (OWN, EXAMPLES):
        return (own if which == OWN else example_pictures()), None
    which = path_of(which)
    found = _loaded(which, _stamp(which))
    names, images = found.classes[: found.heads[0]], found.images
    chosen = some_of_each(found.labels[:, 0], count).tolist()
    truths = [names[int(found.labels[i, 0])] for i in chosen]
    pictures = []
    for i, truth in zip(chosen, truths):
        pixels = images[i].permute(1, 2, 0).numpy()
        image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).convert("RGB")
        key = hashlib.sha256(pixels.tobytes()).hexdigest()
        pictures.append(NamedPicture(f"{truth} {i}", image, "", key))
    return pictures, truths


@st.cache_resource(max_entries=2, show_spinner="Reading the pictures ...")
def _loaded(which: str, stamp: int) -> Pictures:
    return sources.load(which, "test")


def _stamp(which: str) -> int:
    path = existing(which)
    return 0 if which in SOURCES or path is None else path.stat().st_mtime_ns


def _finding(networks: list[Network], asked, truths: list[str] | None) -> str:
    """One sentence a network: how many are right where that is known, and how many are cautioned."""
    sentences = []
    for network, said in zip(networks, asked):
        parts = [f"{len(said):,} pictures"]
        labels = set(network.checkpoint.classes or ())
        if truths and set(truths) <= labels:
            right = sum(verdicts[0].answers[0].label == truth for (verdicts, _), truth in zip(said, truths))
            parts.append(f"{right:,} right ({percent(right / len(said))})")
        if network.familiar is not None:
            parts.append(f"{sum(caution.unlike for _, caution in said):,} cautioned")
        sentences.append(("" if len(networks) == 1 else f"{network.title}: ") + ", ".join(parts) + ".")
    return "\n".join(sentences)
