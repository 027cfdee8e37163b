"""Walls to pick from: what the browser gets, byte by byte, and which tile counts as picked."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from resnet_viz.drawing import colours
from resnet_viz.ui import walls

HEAD = {"names": list("abcde"), "columns": 3, "tile": [2, 4]}


def read(data: bytes) -> tuple[dict, list[np.ndarray]]:
    """Head and pictures, as wall.js takes them apart."""
    start = 4 + int.from_bytes(data[:4], "little")
    head, pictures = json.loads(data[4:start]), []
    for wall in head["walls"]:
        pictures.append(np.asarray(Image.open(io.BytesIO(data[start:start + wall["bytes"]])).convert("RGBA")))
        start += wall["bytes"]
    assert start == len(data)
    return head, pictures


@pytest.mark.parametrize("paletted", [False, True])
def test_every_pixel_of_every_tile_arrives_once(paletted):
    tiles = np.random.default_rng(0).integers(0, 256, (5, 4, 2), dtype=np.uint8)
    palette = np.concatenate([colours.DIVERGING, np.full((256, 1), 255, np.uint8)], axis=1)
    wall = walls.Wall("Now", tiles, "finding", palette) if paletted else walls.Wall("Now", palette[tiles][..., :3], "finding")
    head, (picture,) = read(walls.packed([wall], HEAD, 3))
    assert (head["walls"][0]["title"], head["walls"][0]["alt"], head["chosen"]) == ("Now", "finding", 3)
    assert picture.shape == (2 * 4, 3 * 2, 4)
    for place in range(5):
        row, column = divmod(place, 3)
        assert np.array_equal(picture[4 * row:4 * row + 4, 2 * column:2 * column + 2], palette[tiles[place]])


def test_only_the_pick_changes_where_the_tiles_stay():
    tiles = np.zeros((5, 4, 2, 3), dtype=np.uint8)
    first, again, other = (read(walls.packed([walls.Wall("Now", picture, "finding")], HEAD, chosen))[0]
                           for picture, chosen in ((tiles, 0), (tiles, 4), (tiles + 1, 4)))
    assert first["digest"] == again["digest"] != other["digest"] and again["chosen"] == 4


def page():
    import numpy as np
    import streamlit as st

    from resnet_viz.ui import walls

    numbers = st.session_state.get("numbers", [7, 5, 3])
    tiles = np.zeros((len(numbers), 3, 3, 3), dtype=np.uint8)
    st.text(walls.pick("wall", [walls.Wall("Now", tiles, "finding")], numbers, [f"kernel {n}" for n in numbers], label="Kernels",
                       first=numbers[0], in_url="kernel"))


def test_the_link_says_which_one_is_picked_and_a_stranger_is_the_first():
    for asked, shown in (("3", "3"), ("4", "7"), ("none", "7"), ("", "7")):
        app = AppTest.from_function(page)
        app.query_params["kernel"] = asked
        assert app.run().text[0].value == shown and not app.exception


def test_a_pick_stays_with_its_kernel_when_the_order_changes():
    app = AppTest.from_function(page)
    app.session_state["wall_picked"] = 5
    app.run()
    head, _ = read(app.get("bidi_component")[0].proto.bytes)
    assert app.text[0].value == "5" and head["names"][head["chosen"]] == "kernel 5"
    app.session_state["numbers"] = [5, 3, 7]
    app.run()
    head, _ = read(app.get("bidi_component")[0].proto.bytes)
    assert app.text[0].value == "5" and head["chosen"] == 0
