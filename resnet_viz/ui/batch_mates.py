"""The other pictures of a batch: from what the network learned from, if that is here, else crops of the photographs."""

import base64
import io
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
import torch
from PIL import Image
from torch import Tensor

from ..analysis.batch_norm import LARGE, LARGEST_BATCH
from ..checkpoints import Checkpoint
from ..data import downloads, examples, sources
from ..data.preprocessing import Preprocessing, normalise, see
from ..data.sources import SOURCES
from .pictures import NamedPicture

PHOTOGRAPHS = "photographs"
MANY = 128
TILE = 48  # pixels of a mate on the sheet, at most
ACROSS = 16
LOOKED_AT = 4_000  # of a data set's test pictures, from which the mates are drawn


@dataclass(frozen=True)
class Mates:
    """The picture as the network gets it, float32 [1, C, size, size], and the others [N, C, size, size]; `sheet` is the
    address of all of them as tiles of `side` pixels, the picture first."""

    name: str
    picture: Tensor = field(repr=False)
    pool: Tensor = field(repr=False)
    sheet: str = field(repr=False)
    side: int


def choose(checkpoint: Checkpoint) -> str:
    """The box; a name of the data sets, or PHOTOGRAPHS."""
    offered = [*_learned_from(checkpoint), PHOTOGRAPHS]
    chosen = st.selectbox(
        "Batch mates",
        offered,
        key="mates",
        bind="query-params",
        width=260,
        format_func=lambda name: title(name, short=True),
    )
    return chosen or offered[0]


def title(name: str, short: bool = False) -> str:
    if name == PHOTOGRAPHS:
        return "crops of photographs" if short else "crops of the other example photographs"
    return f"test pictures of {SOURCES[name].title}"


def _learned_from(checkpoint: Checkpoint) -> list[str]:
    return [
        name
        for name, source in SOURCES.items()
        if checkpoint.data
        and (checkpoint.data == name or checkpoint.data.startswith(source.title))
        and (not source.needs_download or downloads.is_here(name))
    ]


@st.cache_resource(max_entries=8, show_spinner=False)
def mates(name: str, picture_key: str, preprocessing: Preprocessing, _picture: NamedPicture) -> Mates:
    """The others by name, and the picture among them."""
    count = MANY if preprocessing.size <= LARGE else 3 * LARGEST_BATCH
    if name == PHOTOGRAPHS:
        photographs = [
            examples.read(example) for example in examples.examples() if f"example:{example.name}" != picture_key
        ]
        images = examples.crops(photographs, preprocessing.size, count)
    else:
        images = sources.load(name, "test").images[:LOOKED_AT]
        images = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:count]]
    images = sources.fit(
        sources.Pictures(images, torch.zeros(len(images), 1, dtype=torch.long), (), (), name),
        preprocessing.channels,
        preprocessing.size,
    ).images
    seen = see(_picture.image, preprocessing)
    pixels = np.array(seen.resized.convert("RGB"))
    others = images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()
    apart = [i for i in range(len(others)) if not np.array_equal(others[i], pixels)]  # "others" are others
    side = min(TILE, preprocessing.size)
    return Mates(
        name, seen.tensor, normalise(images[apart], preprocessing), _sheet([pixels, *others[apart]], side), side
    )


def _sheet(pictures: list[np.ndarray], side: int) -> str:
    rows = -(-len(pictures) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * side, rows * side))
    for place, pixels in enumerate(pictures):
        tile = Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX)
        sheet.paste(tile, (place % ACROSS * side, place // ACROSS * side))
    data = io.BytesIO()
    sheet.save(data, format="JPEG", quality=90, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
