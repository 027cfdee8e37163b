"""One picture's way into the network: the cards of its steps, drawn anew as often as one likes, and its normalisations."""

import base64
import hashlib
import io
import json

import numpy as np
import streamlit as st
from PIL import Image

from ..analysis import data_pipeline as pipeline
from ..analysis import data_questions, data_words
from ..analysis.data_pipeline import Way
from ..drawing import data as drawing
from ..drawing.colours import DIVERGING
from . import player, questions
from .component import component
from .page import download_table, under_picture
from .pictures import NamedPicture, choose_picture
from .tensors import CHART

RECIPES = ("training", "evaluation")
SHOWN = 448  # pixels of the whole picture in its card
FURTHEST = 3.0  # of the normalised values: beyond it the colours are the last ones
DIGITS = st.column_config.NumberColumn(format="%.4f")
_cards = component("data_steps")


def steps() -> None:
    """The part "One picture": recipe, normalisation and dice in one row, the cards, and what is said of them."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        recipe = st.segmented_control("Pipeline", RECIPES, default="training", required=True, format_func=str.capitalize,
                                      key="pipeline", bind="query-params", on_change=player.forget)
        normaliser = st.selectbox("Normalize", list(pipeline.NORMALISERS), key="normalise", bind="query-params", width=230)
        dice = int(st.number_input("Dice", 0, 9_999, 0, key="dice", bind="query-params", width=120, on_change=player.forget,
                                   help="The same number draws the same windows, here and on every other machine"))
        st.button("Draw again", icon=":material/casino:", on_click=_new_dice, disabled=recipe == "evaluation")
        picture = _picture()
    film = _film(picture.key, recipe, dice, picture.image)
    frame = _show(film, normaliser)
    way = _ways(picture.key, recipe, dice, picture.image)[frame]
    size = picture.image.size
    under_picture(
        "view",
        story=lambda: st.markdown("\n".join(f"- {line}" for line in data_words.story(recipe, size))),
        formula=lambda: _latex(data_words.formulas(size, way, recipe, normaliser)),
        code=lambda: st.code(data_words.code(recipe, normaliser, way.draw.seed if way.draw else 0)),
        numbers=lambda: download_table(pipeline.rows(picture.image, way, recipe, normaliser), "steps.csv",
                                       {name: DIGITS for name in ("from", "to", "mean", "std")}, film["frames"][frame]["said"]),
        questions=lambda: questions.ask("data", data_questions.of_a_picture(size, way, normaliser)),
    )


def _picture() -> NamedPicture:
    with st.popover("Picture", icon=":material/image:"):
        return choose_picture("data")


def _new_dice() -> None:
    st.session_state.dice = (st.session_state.dice + 1) % 10_000
    player.forget()


def _latex(lines: list[str]) -> None:
    for line in lines:
        st.latex(line)


def _show(film: dict, normaliser: str) -> int:
    """The cards; returns the draw where they rest."""
    wanted = st.query_params.get(player.AT, "")
    frame = min(int(wanted), len(film["frames"]) - 1) if wanted.isdecimal() and len(wanted) < 4 else 0
    mean, std = pipeline.constants(normaliser)
    data = {**film, "normal": {"mean": mean, "std": std, "limit": FURTHEST}, "table": DIVERGING.ravel().tolist()}
    data["id"] = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]
    _cards(key="data-steps", data={**data, "at": frame}, on_at_change=_rest, height="content")
    return frame


def _rest() -> None:
    frame = st.session_state["data-steps"].get("at")
    if isinstance(frame, int | float) and frame > 0:
        st.query_params[player.AT] = str(int(frame))
    else:
        player.forget()


@st.cache_data(max_entries=8, show_spinner=False)  # 3.6 MB each
def _ways(key: str, recipe: str, dice: int, _image: Image.Image) -> list[Way]:
    return pipeline.ways(_image, recipe, dice)


@st.cache_data(max_entries=32, show_spinner=False)
def _film(key: str, recipe: str, dice: int, _image: Image.Image) -> dict:
    """What the cards draw, but for the normalisation."""
    ways = _ways(key, recipe, dice, _image)
    small = _image.copy()
    small.thumbnail((SHOWN, SHOWN))
    shapes = [row["shape"] for row in pipeline.rows(_image, ways[0], recipe, "0 to 1")]
    types = ["uint8"] * 3 + ["float32"] * 2
    between = [_spread(way.cut) for way in ways] if recipe == "training" else [_spread(_resized(_image))]
    return {
        "recipe": recipe,
        "original": {"src": _url(np.asarray(small)), "width": _image.width, "height": _image.height},
        "steps": [{"name": name, "shape": shape, "type": kind} for name, shape, kind in zip(pipeline.names(recipe), shapes, types)],
        "spread": _spread(np.asarray(_image)),
        "frames": [{"window": way.window, "mirrored": bool(way.draw and way.draw.mirrored), "src": _url(way.cut),
                    "between": middle, "spread": _spread(way.pixels), "said": data_words.said(_image.size, way, recipe)}
                   for way, middle in zip(ways, between)],
    }


def _resized(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize(pipeline.resized(*image.size), Image.Resampling.BILINEAR))


def _spread(pixels: np.ndarray) -> dict:
    ends = [[int(channel.min()), int(channel.max())] for channel in np.moveaxis(pixels, 2, 0)]
    return {"counts": pipeline.histogram(pixels).tolist(), "ends": ends}


def _url(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


# Normalisations


def normalisations() -> None:
    """The part "Normalisations": one picture under all of them, on one axis."""
    picture = _picture()
    way = _ways(picture.key, "evaluation", 0, picture.image)[0]
    rows = data_words.normalisation_rows(way.pixels)
    own = next(row for row in rows if row["normalisation"] == "ImageNet's mean and std")
    finding = (f"By ImageNet's mean and std the red of this picture comes to a mean of {own['mean of red']:.2f} and a standard "
               f"deviation of {own['std of red']:.2f}: {'brighter' if own['mean of red'] > 0 else 'darker'} than red is on average "
               "there.")
    st.markdown(finding)
    st.plotly_chart(drawing.spreads(_spreads(way.pixels)), config=CHART, key="spreads",
                    alt=f"How the pixels are spread under {len(rows)} normalisations. {finding}")
    byte = int(way.pixels[112, 112, 0])
    under_picture(
        "view",
        story=lambda: st.markdown("\n".join(f"- {line}" for line in data_words.normalisation_story())),
        formula=lambda: _latex(data_words.normalisation_formulas(byte)),
        code=lambda: st.code(data_words.normalisation_code()),
        numbers=lambda: download_table(rows, "normalisations.csv", {name: DIGITS for name in rows[0] if name != "normalisation"}, finding),
        questions=lambda: questions.ask("data", data_questions.of_normalisations(way)),
    )


def _spreads(pixels: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Where each part of the histogram lies under each normalisation, and its share of the pixels."""
    counts = pipeline.histogram(pixels)
    shares = counts / counts.sum(1, keepdims=True)
    middles = (np.arange(pipeline.BINS) + 0.5) * (256 / pipeline.BINS) / 255
    found = {}
    for name in pipeline.NORMALISERS:
        mean, std = (np.array(values)[:, None] for values in pipeline.constants(name))
        found[name] = (middles - mean) / std, shares
    return found
