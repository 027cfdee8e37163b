"""Feature maps in a browser: a map of a strip opens its layer, and a cell shows on the picture what it sees."""

import re

import pytest
from playwright.sync_api import expect

from resnet_viz.analysis import receptive_field
from resnet_viz.analysis.architecture import summary

NAME = "resnet20-cifar10-jpeg"
LAYER = "layer2.0.act2"
RING = """([picture, ring]) => {   // the ring's place on the picture, in the network's pixels
  const whole = picture.getBoundingClientRect(), part = ring.getBoundingClientRect(), scale = 32 / whole.width;
  const sides = [part.top - whole.top, part.bottom - whole.top, part.left - whole.left, part.right - whole.left];
  return sides.map((x) => x * scale);
}"""


@pytest.fixture(scope="module")
def url(shared_server):
    return shared_server().url


@pytest.fixture
def open_maps(url, visit):
    def open_page(query: str, canvas: str, **more):
        page = visit(f"{url}/feature_maps?checkpoint={NAME}{query}", **more)
        expect(page.locator(canvas).first).to_be_visible(timeout=60_000)  # the server's first page loads PyTorch
        return page

    return open_page


def test_a_map_of_a_strip_opens_its_layer_with_that_map(open_maps):
    page = open_maps("", ".strips canvas")
    canvas = page.locator(".strip", has_text="layer3.1.act2").locator("canvas")
    canvas.hover(position={"x": 2.5 * 69, "y": 20})  # tiles of 64 pixels, 5 between them
    expect(page.locator(".strips + output")).to_contain_text("layer3.1.act2, map 2: mean")
    canvas.click(position={"x": 2.5 * 69, "y": 20})
    expect(page.get_by_text("Map 2 of layer3.1.act2")).to_be_visible()
    assert "map=2" in page.url and "layer=layer3.1.act2" in page.url
    page.goto(page.url)
    expect(page.get_by_text("Map 2 of layer3.1.act2")).to_be_visible()


def spans(row: int, column: int) -> list[int]:
    layers = summary("resnet20", {}, 32).layers
    down, along = receptive_field.fields(layers)[[layer.name for layer in layers].index(LAYER)]
    return [*receptive_field.span(down, row, 32), *receptive_field.span(along, column, 32)]


def ring_on_the_picture(page) -> list[float]:
    figure = page.locator(".cells figure").first
    return page.evaluate(RING, [figure.locator("canvas").element_handle(), figure.locator("i").element_handle()])


@pytest.mark.hard
def test_a_cell_shows_on_the_picture_what_it_sees(open_maps):
    page = open_maps(f"&look=One+layer&layer={LAYER}&map=3", ".cells canvas")
    box = page.locator(".cells .map")
    side = box.locator("canvas").bounding_box()["width"] / 16  # of a cell
    box.hover(position={"x": 7.5 * side, "y": 12.5 * side})
    expect(page.locator(".cells + output")).to_contain_text("Row 12, column 7")
    assert ring_on_the_picture(page) == pytest.approx(spans(12, 7), abs=0.1)
    box.click(position={"x": 7.5 * side, "y": 12.5 * side})
    expect(page).to_have_url(re.compile("cell=12-7"))
    box.focus()
    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator(".cells + output")).to_contain_text("Row 11, column 5")
    assert ring_on_the_picture(page) == pytest.approx(spans(11, 5), abs=0.1)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("cell=11-5"))
    page.goto(page.url)
    expect(page.locator(".cells + output")).to_contain_text("Row 11, column 5", timeout=30_000)


@pytest.mark.hard
def test_a_cell_stays_where_the_maps_have_the_same_shape_and_is_let_go_where_not(open_maps):
    page = open_maps(f"&look=One+layer&layer={LAYER}&map=3", ".cells canvas")
    page.locator(".cells .map").click(position={"x": 5, "y": 5})
    expect(page).to_have_url(re.compile("cell=0-0"))
    for layer, stays in (("layer2.1.act2", True), ("layer3.0.act2", False)):
        page.get_by_role("combobox", name=re.compile("Layer")).click()
        page.keyboard.type(layer)  # the list is long: what is not in sight is not there
        page.get_by_role("option", name=layer, exact=True).click()
        expect(page.get_by_text(f"Map 3 of {layer}")).to_be_visible()
        expect(page).to_have_url(re.compile(f"layer={layer}"))
        assert ("cell=0-0" in page.url) == stays


@pytest.mark.hard
@pytest.mark.parametrize(("look", "canvas"), [("Whole+network", ".strips canvas"),
                                              ("One+layer", ".cells canvas"),
                                              ("One+residual+block", ".cells canvas")])
@pytest.mark.parametrize(("width", "dark"), [(400, False), (1440, True)])
def test_nothing_is_wider_than_the_screen(open_maps, picture, look, canvas, width, dark):
    page = open_maps(f"&look={look}", canvas, width=width, dark=dark)
    for one in page.locator("canvas").all():
        place = one.bounding_box()
        assert place["x"] >= 0 and place["x"] + place["width"] <= width and place["width"] > 60
    picture(page, f"feature-maps-{look.lower()}-{width}{'-dark' if dark else ''}")
