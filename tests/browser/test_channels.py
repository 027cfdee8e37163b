"""The page of channels in a browser: a tile is picked by click or keyboard, the link carries it, pictures are made."""

import pytest
from playwright.sync_api import expect

QUERY = "?checkpoint=resnet20-stem7-shapes&channel-limit=64"


@pytest.fixture(scope="module")
def url(shared_server):
    return shared_server().url


@pytest.fixture
def open_channels(url, visit):
    def open_page(query: str = "", walls: int = 1, **more):
        page = visit(f"{url}/channels{QUERY}{query}", **more)
        expect(page.locator(".walls canvas")).to_have_count(walls, timeout=60_000)  # the server's first page loads PyTorch
        return page

    return open_page


def test_a_click_shows_the_channel_and_the_link_keeps_it(open_channels):
    page = open_channels("&asked-layer=bn1&patches=whole+pictures")
    step = page.locator(".walls canvas").evaluate("canvas => canvas.grid.stepX / canvas.grid.ratio")
    box = page.locator(".walls .box")
    box.hover(position={"x": 2.5 * step, "y": 0.5 * step})
    expect(page.locator(".walls + output")).to_contain_text("Channel 2: Above 0 somewhere in")
    box.click(position={"x": 2.5 * step, "y": 0.5 * step})
    expect(page.get_by_role("heading", name="Channel 2 of bn1")).to_be_visible()
    assert "channel=2" in page.url and "What the 64 channels of bn1 answer most" in box.locator("canvas").get_attribute("aria-label")
    box.focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Channel 11 of bn1")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Channel 11 of bn1")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("radio", name="whole pictures")).to_be_checked()


@pytest.mark.hard
def test_the_classes_get_their_pictures(open_channels, picture):
    page = open_channels("&asked-layer=fc&made=true&channel=3", walls=2)
    expect(page.get_by_role("heading", name="Class 3")).to_be_visible()
    for _ in range(2):  # of all, and of the one in view; on a quick machine they are there at once
        if (compute := page.get_by_role("button", name="Compute")).count():
            compute.first.click()
            page.wait_for_timeout(1_000)
    expect(page.get_by_text("128 small steps")).to_be_visible(timeout=120_000)
    drawn = page.locator(".walls canvas").nth(1).evaluate(
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 4 == 3 && _).length")
    assert drawn > 10_000
    picture(page, "channels-classes")


@pytest.mark.hard
@pytest.mark.parametrize(("width", "dark"), [(400, False), (1440, True)])
def test_nothing_is_wider_than_the_screen(open_channels, picture, width, dark):
    page = open_channels(width=width, dark=dark)
    expect(page.get_by_text("The strongest first, row by row")).to_be_visible()
    for box in [*page.locator(".walls canvas").all(), *page.locator("[data-testid=stImage] img").all()]:
        place = box.bounding_box()
        assert place["x"] >= 0 and place["x"] + place["width"] <= width and place["width"] > 150
    picture(page, f"channels-{width}{'-dark' if dark else ''}")
