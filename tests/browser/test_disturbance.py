"""In a real browser: sliders and a dragged box disturb the picture, and the answers move while they move."""

import re
import time

import pytest
from playwright.sync_api import expect

from resnet_viz import checkpoints
from resnet_viz.analysis import disturbance, predictions
from resnet_viz.number_text import percent
from resnet_viz.data import examples

pytestmark = pytest.mark.browser
NAME = "resnet20-cifar10-jpeg"


@pytest.fixture(scope="module")
def told():
    """A function: told(disturbance) is the headline that the analysis gives for the disturbed cat."""
    checkpoint = checkpoints.read(checkpoints.find(NAME))
    model, recipe = checkpoints.model(checkpoint), checkpoint.preprocessing
    pixels = predictions.what_the_network_saw(examples.read(examples.default()), recipe).resized

    def headline(wanted: disturbance.Disturbance) -> str:
        seen = disturbance.disturbed(pixels, wanted, tuple(255 * mean for mean in recipe.mean))
        first = predictions.predict_pixels(model, checkpoint, seen, None)[0][0].answers[0]
        return f"{first.label}, {percent(first.probability)}"

    return headline


def wanted_by(page) -> disturbance.Disturbance:
    """What the address of the page says."""
    found = page.evaluate("new URL(location).searchParams.get('change') ?? ''")
    return disturbance.from_text(found)


@pytest.mark.hard
def test_a_link_opens_it_disturbed_and_it_can_be_put_back(shared_server, visit, told):
    page = visit(f"{shared_server().url}/predictions?look=Disturb+it&change=turn:90,noise:30")
    headline = page.locator(".headline").first
    expect(headline).to_have_text(told(disturbance.Disturbance(turn=90, noise=30)), timeout=60_000)
    page.get_by_role("button", name="Put everything back").click()
    expect(headline).to_have_text(told(disturbance.NONE))
    expect(page).to_have_url(re.compile(r"^(?!.*change=).*$"))


def test_the_bars_follow_the_slider_and_the_dragged_box(shared_server, visit, told, picture):
    page = visit(f"{shared_server().url}/predictions?look=Disturb+it")
    headline = page.locator(".headline").first
    expect(headline).to_have_text(told(disturbance.NONE), timeout=60_000)
    page.get_by_role("slider", name="Blur").focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    expect(headline).to_have_text(told(disturbance.Disturbance(blur=3)))
    bar = page.locator(".bar.first .fill").first.evaluate("bar => parseFloat(bar.style.width)")
    assert headline.inner_text().replace("\xa0", " ").endswith(f", {bar:.1f} %")
    frame = page.locator(".frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in ((0.2, 0.2), (0.5, 0.6), (0.7, 0.75))]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=4)
    page.mouse.move(*at[2], steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("box"))
    page.wait_for_timeout(1500)
    wanted = wanted_by(page)
    assert wanted.blur == 3 and all(abs(a - b) < 0.02 for a, b in zip(wanted.box, (0.2, 0.2, 0.7, 0.75)))
    expect(headline).to_have_text(told(wanted))
    picture(page, "disturbance")
    page.locator(".cover").focus()
    page.keyboard.press("Delete")
    expect(headline).to_have_text(told(disturbance.Disturbance(blur=3)))


@pytest.mark.hard
def test_the_answer_comes_while_the_slider_moves(shared_server, visit):
    page = visit(f"{shared_server().url}/predictions?look=Disturb+it")
    page.locator(".bar .fill").first.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    slider, words = page.get_by_role("slider", name="Brightness"), page.locator(".headline").first
    slider.focus()
    seen, began = set(), time.monotonic()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(100)
        seen.add(words.inner_text())
    assert len(seen) > 2, "the answers move before the slider rests"
    assert time.monotonic() - began < 30
