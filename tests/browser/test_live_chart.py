"""The live chart keeps its node, its zoom and its readout while its data are replaced, and is reachable by keyboard."""

import math

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(shared_server):
    return shared_server("tests/browser/live_chart_app.py").url


@pytest.fixture
def page(url, visit):
    page = visit(url)
    page.wait_for_selector(".chart path.raw")
    return page


def chart(page, index=0):
    return page.locator(".chart").nth(index)


def data(page, name, index=0):
    return chart(page, index).get_attribute(f"data-{name}")


def drawn(page, style="raw"):
    return int(page.locator(f".chart path.{style}").first.get_attribute("data-points"))


ROOT = "document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"


def after_updates(page, count=2):
    before = int(data(page, "updates"))
    page.wait_for_function(f"n => +{ROOT}.querySelector('.chart').dataset.updates >= n", arg=before + count)


def drag(page, left, right, top=0.5, bottom=0.5, index=0, shift=False):
    box = chart(page, index).locator(".plot").bounding_box()
    if shift:
        page.keyboard.down("Shift")
    page.mouse.move(box["x"] + left * box["width"], box["y"] + top * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + right * box["width"], box["y"] + bottom * box["height"], steps=6)
    page.mouse.up()
    if shift:
        page.keyboard.up("Shift")


def test_node_zoom_and_hidden_line_survive_updates(page, picture):
    page.evaluate(f"{ROOT}.querySelector('.plot').mine = 1")
    chart(page).get_by_role("button", name="validation").click()
    drag(page, 0.3, 0.6)
    assert data(page, "zoomed") == "true"
    view, points = data(page, "x"), drawn(page)
    assert data(page, "x", 1) == view, "a chart of the same group follows the zoom"
    after_updates(page)
    assert data(page, "x") == view and drawn(page) > points
    assert page.evaluate(f"{ROOT}.querySelector('.plot').mine") == 1
    assert chart(page).locator("path.points").count() == 1, "only the key of the legend: the hidden line stays hidden"
    picture(page, "live-chart-zoomed")
    chart(page).get_by_role("button", name="Reset zoom").click()
    assert data(page, "zoomed") == "false"
    end = float(data(page, "x").split()[1])
    after_updates(page, 3)
    assert float(data(page, "x").split()[1]) > end, "without a zoom the view follows the data"


@pytest.mark.hard
def test_a_tall_box_zooms_both_ways_and_shift_drag_pans_and_a_double_click_resets(page):
    low, high = map(float, data(page, "y").split())
    drag(page, 0.3, 0.6, 0.3, 0.7)
    zoomed = list(map(float, data(page, "y").split()))
    assert low < zoomed[0] < zoomed[1] < high
    left = float(data(page, "x").split()[0])
    drag(page, 0.3, 0.5, shift=True)
    assert float(data(page, "x").split()[0]) < left
    assert data(page, "zoomed") == "true"
    chart(page).locator(".plot").dblclick()
    assert data(page, "zoomed") == "false"


@pytest.mark.hard
def test_the_readout_stays_under_the_mouse_and_is_shared(page):
    box = chart(page).locator(".plot").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 80)
    at = data(page, "readout")
    assert float(at) > 0 and data(page, "readout", 1) == at
    value = chart(page).locator(".value").first.inner_text()
    after_updates(page, 2)
    assert data(page, "readout") == at
    assert chart(page).locator(".value").first.inner_text() == value


@pytest.mark.hard
def test_keyboard_moves_the_readout_and_zooms(page):
    chart(page).locator(".plot").focus()
    page.keyboard.press("Home")
    assert data(page, "readout") == "10"
    page.keyboard.press("ArrowRight")
    assert data(page, "readout") == "20"
    assert "training 2." in chart(page).locator(".spoken").inner_text()
    page.keyboard.press("+")
    assert data(page, "zoomed") == "true"
    page.keyboard.press("Escape")
    assert data(page, "zoomed") == "false" and data(page, "readout") == ""


@pytest.mark.hard
def test_wheel_scrolls_the_page_until_the_chart_is_clicked(page):
    plot = chart(page).locator(".plot")
    plot.hover()
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(100)
    assert data(page, "zoomed") == "false"
    plot.click()
    page.mouse.wheel(0, -100)
    page.wait_for_function(f"{ROOT}.querySelector('.chart').dataset.zoomed === 'true'")


def test_alt_text_and_drawn_values_are_those_of_the_data(page):
    assert chart(page).get_by_role("img").get_attribute("aria-label").startswith("Loss: training falls from 2.")
    last = page.locator(".chart path.raw").first
    x, y = map(float, last.evaluate("line => [line.dataset.lastX, line.dataset.last]"))  # of one moment: the data grow
    assert y == pytest.approx(2.3 * math.exp(-x / 2000) + 0.1 + math.sin(x) * 0.05, abs=1e-5)


@pytest.mark.hard
def test_thinned_lines_say_so_and_a_zoom_brings_the_detail(url, visit):
    page = visit(f"{url}/?n=30000")
    page.wait_for_selector(".chart path.raw")
    assert drawn(page) <= 1200
    assert "points drawn" in chart(page).locator(".caption").inner_text()
    drag(page, 0.5, 0.52)
    first, last = map(float, data(page, "x").split())
    page.wait_for_function(f"{ROOT}.querySelector('.caption').textContent.includes('in more detail')")
    in_view = (last - first) / 10
    assert drawn(page) > min(in_view, 1200) * 0.9
    assert data(page, "zoomed") == "true"


@pytest.mark.hard
@pytest.mark.parametrize("width, dark", [(1440, True), (400, False)])
def test_it_fits_every_screen(url, visit, picture, width, dark):
    page = visit(url, width=width, dark=dark)
    page.wait_for_selector(".chart path.raw")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"live-chart-{width}-{'dark' if dark else 'light'}")
