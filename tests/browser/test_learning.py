"""The lesson on learning in a browser: the film plays, steps and is driven by keys, and the link keeps where it rests."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server()


def ready(page):
    page.wait_for_selector(".player[data-frame]")
    return page.locator(".player")


def test_one_step_by_mouse_and_by_key_is_the_slides_step_done_right(server, visit, picture):
    page = visit(f"{server.url}/learning?view=Formula")
    player = ready(page)
    expect(player.locator(".said")).to_have_text(
        "f = 16, the target is 4: loss 144. The next step moves x by −0.024, y by −0.216, z by −0.024.")
    player.get_by_label("One on").click()
    expect(player).to_have_attribute("data-frame", "1")
    expect(player.locator(".said")).to_contain_text("f = 14.01")
    page.wait_for_url("**at=1*")
    expect(page.get_by_text("With the numbers of step 1 of 40.")).to_be_visible()
    slider = player.locator("input[type=range]")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(player).to_have_attribute("data-frame", "2")
    page.keyboard.press("End")
    expect(player).to_have_attribute("data-frame", "40")
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    expect(player).to_have_attribute("data-playing", "true")
    page.wait_for_function("() => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]"
                           ".some(e => Number(e.shadowRoot?.querySelector('.player')?.dataset.frame) > 3)")
    page.keyboard.press(" ")
    expect(player).to_have_attribute("data-playing", "false")
    picture(page, "learning-1440-light")


@pytest.mark.hard
@pytest.mark.parametrize(("width", "dark"), [(400, False), (1440, True)])
def test_a_link_opens_its_part_and_fits(server, visit, picture, width, dark):
    page = visit(f"{server.url}/learning?part=Chain+rule&w=2&at=5", width=width, dark=dark)
    player = ready(page)
    expect(player).to_have_attribute("data-frame", "5")
    expect(player.locator(".said")).to_contain_text("Times this link's slope dy/dx = 6x² = 96")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"learning-chain-{width}-{'dark' if dark else 'light'}")


@pytest.mark.hard
@pytest.mark.parametrize("part", ["A neuron", "A mistake", "A slope", "Momentum and Adam", "Schedules", "Batch size"])
@pytest.mark.parametrize("width", [400, 1440])
def test_every_part_draws_and_fits(server, visit, picture, part, width):
    page = visit(f"{server.url}/learning?part={part.replace(' ', '+')}", width=width)
    player = ready(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(player.locator(".panels section")).not_to_have_count(0)
    picture(page, f"learning-{part.lower().replace(' ', '-')}-{width}")


@pytest.mark.hard
def test_the_surface_turns_under_mouse_and_keys(server, visit):
    page = visit(f"{server.url}/learning")
    canvas = ready(page).locator("canvas.turns")
    seen = [canvas.evaluate("c => c.toDataURL()")]
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 130)
    page.mouse.up()
    seen.append(canvas.evaluate("c => c.toDataURL()"))
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    seen.append(canvas.evaluate("c => c.toDataURL()"))
    assert len(set(seen)) == 3
