"""The walls of kernels in a browser: what is drawn are the weights, a click or the keyboard picks one, the link carries it."""

import numpy as np
import pytest
from playwright.sync_api import expect

from resnet_viz import checkpoints
from resnet_viz.drawing import kernels as drawing

NAME = "resnet20-stem7-shapes"
PIXELS = """(canvas, [side, columns]) => {   // the middle of every weight's square, tile by tile
  const { wide, high, stepX, stepY } = canvas.grid, data = canvas.getContext('2d');
  const found = [];
  for (let at = 0; at < 64; at += 1)
    for (let y = 0; y < side; y += 1)
      for (let x = 0; x < side; x += 1) {
        const left = (at % columns) * stepX + (x + 0.5) * wide / side, top = Math.floor(at / columns) * stepY + (y + 0.5) * high / side;
        found.push(...data.getImageData(Math.floor(left), Math.floor(top), 1, 1).data.slice(0, 3));
      }
  return found;
}"""


@pytest.fixture(scope="module")
def url(shared_server):
    return shared_server().url


@pytest.fixture
def open_kernels(url, visit):
    def open_page(query: str = "", **more):
        page = visit(f"{url}/kernels?checkpoint={NAME}{query}", **more)
        expect(page.locator(".walls canvas")).to_have_count(3, timeout=60_000)  # the server's first page loads PyTorch
        return page

    return open_page


@pytest.mark.hard
def test_every_weight_is_drawn_in_its_colour(open_kernels):
    page = open_kernels()
    weights = checkpoints.read(checkpoints.find(NAME)).state["conv1.weight"].numpy()
    expected = drawing.coloured(weights, drawing.limits(weights))
    drawn = page.locator(".walls canvas").nth(1).evaluate(PIXELS, [7, 8])
    assert np.array_equal(np.array(drawn, dtype=np.uint8).reshape(expected.shape), expected)
    initial = checkpoints.read(checkpoints.find(NAME).with_name("initial.safetensors")).state["conv1.weight"].numpy()
    drawn = page.locator(".walls canvas").nth(0).evaluate(PIXELS, [7, 8])
    assert np.array_equal(np.array(drawn, dtype=np.uint8).reshape(expected.shape), drawing.coloured(initial, drawing.limits(initial)))


def test_a_click_shows_the_kernel_in_detail_and_the_link_keeps_it(open_kernels):
    page = open_kernels()
    step = page.locator(".walls canvas").first.evaluate("canvas => canvas.grid.stepX / canvas.grid.ratio")
    third = page.locator(".walls .box").nth(2)
    third.hover(position={"x": 2.5 * step, "y": 1.5 * step})
    expect(page.locator(".walls + output")).to_contain_text("Filter 10: norm")
    third.click(position={"x": 2.5 * step, "y": 1.5 * step})  # row 1, column 2 of eight columns
    expect(page.get_by_role("heading", name="Filter 10 of conv1")).to_be_visible()
    assert "kernel=10" in page.url and "64 kernels of 7 x 7 of conv1" in third.locator("canvas").get_attribute("aria-label")
    page.goto(f"{page.url}&order=by+colour")
    expect(page.get_by_role("heading", name="Filter 10 of conv1")).to_be_visible()


@pytest.mark.hard
def test_the_keyboard_reaches_every_kernel(open_kernels):
    page = open_kernels("&kernel=0")
    page.locator(".walls .box").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Filter 15 of conv1")).to_be_visible()  # 0, 1, 9, 17, 16, 15


@pytest.mark.hard
@pytest.mark.parametrize(("width", "dark"), [(400, False), (1440, True)])
def test_nothing_is_wider_than_the_screen(open_kernels, picture, width, dark):
    page = open_kernels(width=width, dark=dark)
    for box in page.locator(".walls canvas").all():
        place = box.bounding_box()
        assert place["x"] >= 0 and place["x"] + place["width"] <= width and place["width"] > 150
    picture(page, f"kernels-{width}{'-dark' if dark else ''}")
