"""The lesson on data in a browser: the cards follow slider, play and dice, and the link keeps the draw."""

import pytest
from playwright.sync_api import expect

from .test_in_class import rest

pytestmark = pytest.mark.browser
PIXELS = ("canvas => { const found = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; "
          "let sum = 0; for (let i = 0; i < found.length; i += 4) sum += found[i] * (i % 977); return sum; }")


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server()


def cards(page):
    page.wait_for_selector(".steps[data-frame]")
    return page.locator(".steps")


def test_the_cards_follow_slider_dice_and_recipe(server, visit, picture):
    page = visit(f"{server.url}/data?at=3")
    steps = cards(page)
    expect(steps).to_have_attribute("data-frame", "3")
    expect(steps.locator(".label")).to_have_text("draw 4 of 12")
    expect(steps.locator("canvas")).to_have_count(5)
    expect(steps.locator(".range").last).to_contain_text("from −")
    drawn, said = steps.locator("canvas").nth(1).evaluate(PIXELS), steps.locator(".said").inner_text()
    steps.get_by_label("Draw").focus()
    page.keyboard.press("ArrowRight")
    expect(steps).to_have_attribute("data-frame", "4")
    expect(steps.locator(".said")).not_to_have_text(said)
    page.wait_for_timeout(300)
    assert steps.locator("canvas").nth(1).evaluate(PIXELS) != drawn
    page.wait_for_url("**at=4*")
    steps.get_by_label("Play").click()
    expect(steps).to_have_attribute("data-frame", "6")
    steps.get_by_label("Play").click()
    rest(page)
    page.get_by_role("button", name="Draw again").click()
    page.wait_for_url("**dice=1*")
    expect(steps).to_have_attribute("data-frame", "0")
    picture(page, "data-1440-light")
    page.get_by_role("radio", name="Evaluation").click()
    expect(steps.locator(".said")).to_contain_text("Always the same")
    expect(steps.get_by_label("Play")).to_have_count(0)


@pytest.mark.hard
@pytest.mark.parametrize(("part", "width", "dark"), [("One picture", 400, True), ("Data sets", 400, False), ("ImageNet", 400, False),
                                                     ("Fine-tuning", 1440, True)])
def test_every_part_fits(server, visit, picture, part, width, dark):
    page = visit(f"{server.url}/data?part={part.replace(' ', '+')}", width=width, dark=dark)
    rest(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture(page, f"data-{part.lower().replace(' ', '-')}-{width}-{'dark' if dark else 'light'}")
