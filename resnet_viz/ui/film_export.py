"""A run's kernels as a film to take along: GIF or MP4, made when its button is pressed."""

import streamlit as st

from ..analysis import film, time_machine
from ..drawing import time_machine as drawing
from .time_machine_frames import Reel

SPEEDS = (4, 8, 16)  # frames a second
COLUMNS = {
    "rank": st.column_config.NumberColumn("Rank", format="localized"),
    "kernel": st.column_config.NumberColumn("Kernel", format="%d"),
    "moved": st.column_config.NumberColumn("Moved", format="%.3f", help="|now − before| / |before|"),
    "cosine": st.column_config.NumberColumn("Cosine", format="%.3f", help="of the angle between now and before"),
    "moved at the end": st.column_config.NumberColumn("Moved at the end", format="%.3f"),
}


def choose_film(reel: Reel) -> None:
    """How fast, and one button a format."""
    with st.popover("Film", icon=":material/movie:"):
        speed = st.segmented_control(
            "Frames a second", SPEEDS, default=8, required=True, key="film-speed", bind="query-params"
        )
        for name, (_, mime) in film.FORMATS.items():
            st.download_button(
                f"Download {name}",
                lambda name=name: make(reel, name, speed),
                f"{reel.run.name}-{reel.layer}.{name.lower()}",
                mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"film-{name}",
                width="stretch",
            )
        st.caption(
            f"Before, now and difference of {len(reel.film):,} moments with the loss under them. "
            "It takes a few seconds to be drawn."
        )


def make(reel: Reel, name: str, speed: int) -> bytes:
    """The film as a file's bytes."""
    rows, curve = reel.metrics.get("train"), None
    if rows is not None:
        seen = rows["step"] <= reel.film.step[-1]
        x = time_machine.places(reel.film, rows["step"][seen])
        curve = drawing.Curve(*drawing.thinned_curve(x, rows["loss"][seen]), "Training loss")
    titles = [f"{reel.run.name}, {reel.layer}: {time_machine.when(reel.film, i)}" for i in range(len(reel.film))]
    encode, _ = film.FORMATS[name]
    return encode(drawing.frames(reel.weights, titles, reel.scale, curve), speed)
