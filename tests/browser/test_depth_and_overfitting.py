"""The lessons on depth and on overfitting in a browser: a film by key and by link, and a small network that really
learns by heart."""

import pytest
from playwright.sync_api import expect

from resnet_viz.ui import overfitting

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server()


@pytest.mark.hard
def test_the_gradient_goes_back_by_key(server, visit, picture):
    page = visit(f"{server.url}/depth?depth=8&view=Formula&at=0")
    page.wait_for_selector(".player[data-frame='0']", timeout=60_000)
    player = page.locator(".player")
    expect(player.locator(".said")).to_contain_text("counts as 1 in every network")
    player.locator("input[type=range]").focus()
    page.keyboard.press("End")
    expect(player.locator(".said")).to_contain_text("this arrives at the first layer: Sigmoid alone: ")
    page.wait_for_url(lambda url: "at=" not in url)  # the end is where the film rests without a link
    expect(page.get_by_text("With the numbers of 6 layers back.")).to_be_visible()
    picture(page, "depth-1440-light")


def test_recorded_curves_are_there_at_once_on_a_phone(server, visit, picture):
    page = visit(f"{server.url}/overfitting?cure=L2", width=400)
    page.get_by_text("No cure.").wait_for()
    expect(page.get_by_role("button", name="Train it here")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, "overfitting-400-light")


@pytest.mark.hard
@pytest.mark.parametrize("part", overfitting.FILMS)
@pytest.mark.parametrize(("width", "dark"), [(400, True), (1440, False)])
def test_every_film_draws_and_fits(server, visit, picture, part, width, dark):
    page = visit(f"{server.url}/overfitting?part={part.replace(' ', '+')}", width=width, dark=dark)
    page.wait_for_selector(".player[data-frame]", timeout=120_000)  # the quarrel is measured first
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"overfitting-{part.lower().replace(' ', '-')}-{width}-{'dark' if dark else 'light'}")


@pytest.mark.hard
def test_a_run_begins_survives_a_reload_and_is_stopped(server, visit):
    page = visit(f"{server.url}/overfitting?heart_seed=7")
    page.get_by_role("button", name="Train it here").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("epoch 2 of 40").or_(page.get_by_text("epoch 3 of 40"))).to_be_visible(timeout=180_000)
    page.reload()
    expect(page.get_by_role("button", name="Stop")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Train it with new dice")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("no cure: trained here. Seed 7.")).to_be_visible()
