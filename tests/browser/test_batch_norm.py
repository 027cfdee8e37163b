"""The lessons on batch norm and on the residual block in a browser: shuffled by key, followed by the mouse."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect

from resnet_viz import checkpoints
from resnet_viz.data import examples
from resnet_viz.data.preprocessing import see


@pytest.fixture(scope="module")
def url(shared_server):
    return shared_server().url


@pytest.mark.hard
def test_the_mates_are_shuffled_and_the_link_keeps_the_shuffle(url, visit, picture):
    page = visit(f"{url}/batch_norm", width=400, dark=True)
    said = page.locator(".player .said")
    expect(said).to_contain_text("Among 7 others", timeout=60_000)  # the first page loads PyTorch
    last = said.text_content()
    assert page.locator(".player canvas").count() == 3
    page.get_by_role("button", name="Back to the start").click()
    expect(said).not_to_have_text(last)
    page.locator(".player input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".player .where")).to_have_text("shuffle 2 of 20")
    expect(page).to_have_url(re.compile("at=1"))
    picture(page, "batch_norm-400")
    page.get_by_role("radio", name="By numbers").click()
    cells = page.locator(".player .cells").first.locator("i")
    expect(cells).to_have_count(48)
    assert all(text in "12345678" for text in cells.all_text_contents())
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400


def test_a_place_of_the_block_is_followed(url, visit, picture):
    page = visit(f"{url}/residual_block?block-of-loaded-9=layer2.1%2C+identity&channel-of-layer2.1=4", height=1300)
    said = page.locator(".block-lesson .said")
    expect(said).to_contain_text("H(x) = F(x) + x", timeout=60_000)
    residual, x = block_of_the_cat("layer2.1", 4)
    whole = page.locator(".block-lesson .whole").nth(1)
    box = whole.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 4.5 / 16, box["y"] + box["height"] * 6.5 / 16)
    expect(said).to_contain_text("Row 6, column 4: ")
    total = residual[6, 4] + x[6, 4]
    assert digits(said.text_content())[2:] == pytest.approx([residual[6, 4], x[6, 4], total, max(total, 0)], abs=0.006)
    middle = page.locator(".way.H figure").first.locator("i").nth(4)
    assert digits(middle.text_content()) == pytest.approx([residual[6, 4]], abs=0.006)
    expect(page).to_have_url(re.compile("at=100"))
    page.get_by_role("group", name="layer2.1, channel 4: arrow keys move the place").focus()
    page.keyboard.press("ArrowDown")
    expect(said).to_contain_text("Row 7, column 4: ")
    page.keyboard.press(" ")
    expect(said).to_contain_text("Row 7, column 6: ")
    page.keyboard.press(" ")
    page.get_by_text("Skip", exact=True).click()
    expect(said).to_contain_text("the skip is off")
    picture(page, "residual_block")


def digits(text: str) -> list[float]:
    return [float(word.replace("−", "-").replace("≈", "")) for word in re.findall(r"[−≈]?\d+(?:\.\d+)?", text)]


def block_of_the_cat(block: str, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """F(x) and x of one channel by PyTorch."""
    checkpoint, parts = checkpoints.read(checkpoints.find("resnet20-cifar10-jpeg")), []
    model = checkpoints.model(checkpoint)
    model.get_submodule(block).add.register_forward_pre_hook(lambda add, given: parts.extend(given))
    with torch.no_grad():
        model(see(examples.read(examples.find("cat")), checkpoint.preprocessing).tensor)
    return tuple(part[0, channel].numpy() for part in parts)
