"""Errors in a browser: cells are drawn as counted and picked by click or keyboard, moments play, the map shows its
pictures."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from resnet_viz import checkpoints
from resnet_viz.analysis import errors
from resnet_viz.drawing import colours


@pytest.fixture(scope="module")
def url(shared_server):
    return shared_server().url


@pytest.fixture
def open_errors(url, visit):
    def open_page(query: str = "", wait: str = ".confusion canvas", **more):
        page = visit(f"{url}/errors?{query}", **more)
        expect(page.locator(wait).first).to_be_visible(timeout=60_000)  # the server's first page loads PyTorch
        return page

    return open_page


def finish(page):
    """Click through what a slow machine leaves for a click."""
    button = page.get_by_role("button", name="Compute")
    while button.count():
        button.first.click()
        page.wait_for_timeout(1_000)


def counted(page) -> str:
    return page.locator(".confusion .words").inner_text().replace("\u202f", " ").replace("\xa0", " ")


def test_keyboard_and_mouse_name_every_cell_and_pick_one(open_errors):
    page = open_errors()
    history = errors.history(checkpoints.BUNDLED / "resnet20-cifar10-jpeg")
    frame = errors.frame_of(history, 47)
    counts = history.counts[frame]
    names = errors.class_names(checkpoints.read(checkpoints.find("resnet20-cifar10-jpeg")), 0)
    box = page.locator(".confusion .box")
    true, answered = errors.worst_pair(counts)
    assert names[true] in box.locator("canvas").get_attribute("aria-label")
    box.focus()
    for row, column in ((true, answered + 1), (true + 1, answered + 1)):
        page.keyboard.press("ArrowRight" if row == true else "ArrowDown")
        said = "recognised" if row == column else f"taken for {names[column]}"
        share = 100 * counts[row, column] / counts[row].sum()
        assert counted(page) == f"{names[row]} {said}: {counts[row, column]} of {counts[row].sum()} ({share:.1f} %)"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"{names[true + 1]}, taken for {names[answered + 1]}")).to_be_visible()
    assert f"cell={true + 1}-{answered + 1}" in page.url


@pytest.mark.hard
def test_moments_play_and_the_link_keeps_where_they_stopped(open_errors):
    page = open_errors("step=0")
    moment = page.locator(".confusion .bar output")
    expect(moment).to_contain_text("before training: 10.2")
    page.get_by_role("button", name="Play").click()
    expect(moment).to_contain_text("the end of epoch")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_url(re.compile(r"step=[1-9]"))
    stopped = moment.inner_text()
    page.reload()
    expect(page.locator(".confusion .bar output")).to_have_text(stopped)


@pytest.mark.hard
def test_a_mistake_has_the_colour_of_mistakes(open_errors):
    page = open_errors()
    canvas = page.locator(".confusion canvas")
    seen = canvas.evaluate("canvas => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, "
                           "canvas.height).data]")
    pixels = np.array(seen, dtype=np.uint8).reshape(-1, 4)[:, :3]
    for colour in (colours.BLUE, colours.VERMILLION):  # the most frequent mistake is as deep as it gets
        near = np.abs(pixels.astype(int) - colours.rgb(colour)).max(axis=1) < 24
        assert near.sum() > 200


@pytest.mark.hard
def test_the_map_shows_a_picture_under_the_keyboard_and_picks_it(open_errors, picture):
    page = open_errors("checkpoint=resnet20-stem7-shapes&of=Shapes&wrong=Map",
                       wait=".map canvas, [data-testid=stButton]")
    finish(page)
    box = page.locator(".map .box")
    expect(box.locator("canvas").first).to_have_attribute("aria-label", re.compile("1,000 pictures by PCA"),
                                                          timeout=60_000)
    box.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".map .seen")).to_be_visible()
    large = page.locator(".map .seen canvas").evaluate("canvas => [...canvas.getContext('2d').getImageData(0, 0, "
                                                       "canvas.width, canvas.height).data]")
    assert np.array(large).reshape(-1, 4)[:, :3].std() > 5  # a picture, not an empty place
    words = page.locator(".map .words").inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Whose mistake is it?")).to_be_visible()
    expect(page.get_by_text(words, exact=True).first).to_be_visible()
    assert "shown=" in page.url
    picture(page, "errors-map", full_page=True)
