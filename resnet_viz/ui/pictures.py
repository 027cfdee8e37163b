"""The picture that a session looks at: uploaded, photographed or one of the examples, remembered from page to page.

For pages:
    choose_picture(key)     draws the row of choices; the picture in view, or None where there is none
    picture_in_view()       the same picture without the row
    choose_pictures(key)    the same row; the picture in view, and all of the person's own pictures (good and refused)
"""

import base64
import hashlib
import io
from dataclasses import dataclass
from functools import partial

import streamlit as st
from PIL import Image

from ..data import examples, uploads
from ..data.examples import Example
from ..problems import Problem, printable
from . import dropped, presenter, state
from .component import component
from .page import plain

LIMIT_PICTURES = 40  # of one session: they stay in memory until the browser leaves
THUMBNAIL = 168  # pixels a side, twice what is shown: sharp on fine screens
OWN = "own"  # names of the person's pictures in the strip: own-1, own-2, ...
IN_URL = "picture"
STAYS = (
    "Your own picture stays in this session: whoever opens a link to this page sees the first example instead."
)

_strip = component("picture_strip")


@dataclass(frozen=True)
class NamedPicture:
    """An upright RGB picture (PIL) with what to call it, what was done to open it, and its content as a short text."""

    name: str
    image: Image.Image
    note: str
    key: str


def choose_picture(key: str) -> NamedPicture | None:
    """The row of choices; returns the picture in view."""
    return choose_pictures(key)[0]


def choose_pictures(key: str) -> tuple[NamedPicture | None, list[NamedPicture]]:
    """The row of choices; returns the picture in view, and the person's own pictures in the order they came.

    key  a text of the page's own; what is chosen does not depend on it. Files that could not be opened get their
         sentences under the row, on the page where they were dropped, until the next choice.
    """
    strip, drop = (st.container(), None) if presenter.on() else st.columns([3, 2], vertical_alignment="center")
    if drop:
        with drop, st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _drop_zone(key)
    own, offered = _own(), examples.examples(_data_of_the_checkpoint())
    chosen = _in_view(own, offered)
    _keep_in_url(chosen)
    with strip:
        _strip(
            key=f"{key}_strip",
            data=_strip_data(own, offered, chosen),
            on_picked_change=partial(_pick, f"{key}_strip"),
            height="content",
        )
    if chosen is not None and chosen.startswith(f"{OWN}-"):
        st.caption(STAYS)
    page, problems = st.session_state.get("refused_pictures", (key, []))
    for problem in problems if page == key else []:
        st.error(plain(problem), icon=":material/broken_image:")
    return (_picture(chosen, own, offered) if chosen else None), own


def _own() -> list[NamedPicture]:
    return st.session_state.get("own_pictures", [])


def picture_in_view() -> NamedPicture | None:
    """The picture in view on the pages that let one choose, else the first example; None where there is none."""
    own, offered = _own(), examples.examples(_data_of_the_checkpoint())
    chosen = _in_view(own, offered)
    return _picture(chosen, own, offered) if chosen else None


def choose_second(first: NamedPicture) -> NamedPicture | None:
    """Another picture to hold beside the first: one of the person's own, or an example, which the link then carries."""
    own = {f"{i}. {picture.name}": picture for i, picture in enumerate(_own(), start=1) if picture.key != first.key}
    offered = {example.title: example for example in examples.examples(_data_of_the_checkpoint())
               if _example(example).key != first.key}
    chosen = st.selectbox("Second picture", [*own, *offered], key="second", bind="query-params", width=320)
    if chosen is None:
        return None
    return own[chosen] if chosen in own else _example(offered[chosen])


def example_pictures() -> list[NamedPicture]:
    """All examples of the strip."""
    return [_example(example) for example in examples.examples(_data_of_the_checkpoint())]


# What is in view


def _in_view(own: list[NamedPicture], offered: list[Example]) -> str | None:
    """The strip's name of the picture in view: what was chosen here, or what the link asks for, or the first."""
    names = [f"{OWN}-{i}" for i in range(len(own))] + [example.name for example in offered]
    wanted = st.session_state.get("picture_in_view") or st.query_params.get(IN_URL)
    return wanted if wanted in names else (names[0] if names else None)


def _keep_in_url(chosen: str | None) -> None:
    """An example that was chosen travels in the link; a person's own picture cannot."""
    if (
        chosen is None
        or chosen.startswith(f"{OWN}-")
        or "picture_in_view" not in st.session_state
        and IN_URL not in st.query_params
    ):
        st.query_params.pop(IN_URL, None)
    else:
        st.query_params[IN_URL] = chosen


def _picture(name: str, own: list[NamedPicture], offered: list[Example]) -> NamedPicture:
    if name.startswith(f"{OWN}-"):
        return own[int(name.removeprefix(f"{OWN}-"))]
    return _example(next(example for example in offered if example.name == name))


@st.cache_data(max_entries=32, show_spinner=False)
def _example(example: Example) -> NamedPicture:
    image = examples.read(example)
    return NamedPicture(example.title, image, "", f"example:{example.name}")


def _data_of_the_checkpoint() -> str | None:
    """What the current checkpoint learned from: pictures of that kind are offered first."""
    try:
        return state.current_checkpoint().data
    except Problem:
        return None


# The row of choices


def _pick(component: str) -> None:
    """A picture of the strip was clicked."""
    if picked := st.session_state[component].get("picked"):
        st.session_state.picture_in_view = picked
        st.session_state.pop("refused_pictures", None)


def _drop_zone(key: str) -> None:
    """Where files are dropped, and the camera; both are empty again once their pictures are in the strip."""
    turn = st.session_state.setdefault("pictures_turn", 0)
    st.file_uploader(
        "Your pictures",
        uploads.ENDINGS,
        accept_multiple_files=True,
        key=f"{key}_files_{turn}",
        on_change=_take_files,
        args=(key, f"{key}_files_{turn}"),
        max_upload_size=uploads.LIMIT_BYTES // 2**20,
        label_visibility="collapsed",
    )
    camera = st.popover("Camera", icon=":material/photo_camera:", on_change="rerun", key=f"{key}_camera_{turn}")
    if camera.open:
        with camera:
            widget = f"{key}_photograph_{turn}"
            st.camera_input("Take a photograph", key=widget, on_change=_take_photograph, args=(key, widget))


def _take_files(page: str, widget: str) -> None:
    files = st.session_state[widget] or []
    problems = []
    if len(files) > LIMIT_PICTURES:
        problems.append(f"{len(files):,} pictures are too many at once: the first {LIMIT_PICTURES} are shown here.")
    _take(page, [(file.name, file.getvalue()) for file in files[:LIMIT_PICTURES]], problems)
    for file in files:
        dropped.let_go(file)


def _take_photograph(page: str, widget: str) -> None:
    if (file := st.session_state[widget]) is not None:
        _take(page, [("photograph", file.getvalue())], [])
        dropped.let_go(file)


def _take(page: str, files: list[tuple[str, bytes]], problems: list[str]) -> None:
    """Decode files; the good ones replace the person's earlier pictures, the others leave a sentence."""
    pictures = []
    for name, data in files:
        try:
            decoded = uploads.decode(data, name)
        except Problem as problem:
            problems.append(str(problem))
            continue
        key = hashlib.sha256(data).hexdigest()
        pictures.append(NamedPicture(f"{printable(name):.120}", decoded.image, "; ".join(decoded.notes), key))
    st.session_state.refused_pictures = (page, problems)
    st.session_state.pictures_turn += 1
    if pictures:
        st.session_state.own_pictures = pictures
        st.session_state.picture_in_view = f"{OWN}-0"


# The strip


def _strip_data(own: list[NamedPicture], offered: list[Example], chosen: str | None) -> dict:
    pictures = [
        {"name": f"{OWN}-{i}", "title": picture.name, **_thumbnail(picture.key, picture.image)}
        for i, picture in enumerate(own)
    ]
    for example in offered:
        picture = _example(example)
        pictures.append({"name": example.name, "title": picture.name, **_thumbnail(picture.key, picture.image)})
    return {"label": "The picture to look at", "chosen": chosen, "pictures": pictures}


def thumbnail(picture: NamedPicture) -> str:
    """The middle square of the picture, small, as a data URL."""
    return _thumbnail(picture.key, picture.image)["src"]


@st.cache_data(max_entries=256, show_spinner=False)
def _thumbnail(key: str, _image: Image.Image) -> dict:
    """The middle square as a data URL, and whether it has so few pixels that they should stay visible."""
    side = min(_image.size)
    left, top = (_image.width - side) // 2, (_image.height - side) // 2
    square = _image.crop((left, top, left + side, top + side))
    if side > THUMBNAIL:
        square = square.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    square.save(file, "JPEG", quality=85) if side > THUMBNAIL else square.save(file, "PNG")
    kind = "jpeg" if side > THUMBNAIL else "png"
    return {"src": f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}", "small": side <= 64}
