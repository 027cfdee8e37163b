"""A composed picture on the page: sent as one PNG, with its words for who cannot see it, and as a download."""

import io

import numpy as np
import streamlit as st

from ..drawing.tiles import Paletted


def png(picture: np.ndarray | Paletted) -> bytes:
    """uint8 [H, W, 3 or 4], or a picture with a palette, as a PNG."""
    from PIL import Image

    data = io.BytesIO()
    if isinstance(picture, Paletted):
        image = Image.fromarray(picture.indices, "P")
        image.putpalette(picture.palette.tobytes(), "RGBA")
    else:
        image = Image.fromarray(picture)
    image.save(data, format="PNG", compress_level=4)
    return data.getvalue()


def show(picture: np.ndarray | Paletted, alt: str, width: str = "stretch") -> None:
    """As wide as its place: it was composed larger than that, so that it stays sharp. "content" keeps its own width."""
    st.image(png(picture), width=width, alt=alt)


def download(picture: np.ndarray | Paletted, file_name: str, key: str | None = None) -> None:
    st.download_button("Download PNG", png(picture), file_name, "image/png", on_click="ignore", key=key,
                       icon=":material/download:")
