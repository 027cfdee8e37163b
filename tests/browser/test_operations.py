"""The moving window in a browser: by mouse, by arrow keys and by play, always torch's numbers."""

import re

import numpy as np
import pytest
import torch
from playwright.sync_api import expect
from torch.nn import functional as F

from resnet_viz import checkpoints
from resnet_viz.analysis.operations import matrix
from resnet_viz.analysis.operations_examples import SLIDES, SLIDES_KERNEL

NETWORK = "convolution-numbers=your+picture%2C+the+loaded+network"
X, KERNEL = (torch.from_numpy(matrix(text)) for text in (SLIDES, SLIDES_KERNEL))
OUTPUT = F.conv2d(X[None, None], KERNEL[None, None])[0, 0].numpy()


@pytest.fixture(scope="module")
def url(shared_server):
    return shared_server().url


@pytest.fixture
def open_operations(url, visit):
    def open_page(query: str = "", **more):
        page = visit(f"{url}/operations?{query}", **more)
        expect(page.locator(".operation .matrix").first).to_be_visible(timeout=60_000)  # the first page loads PyTorch
        return page

    return open_page


def grid(page, title: str):
    """The matrix under a caption; of several the first."""
    caption = page.locator("figcaption", has_text=re.compile(f"^{title}"))
    return page.locator("figure", has=caption).locator(".matrix").first


def shown(matrix) -> np.ndarray:
    """The numbers in its cells."""
    texts = matrix.locator("i").all_text_contents()
    return np.array([float(text.replace("−", "-").replace("≈", "")) for text in texts])


def hover(matrix, row: int, column: int, columns: int) -> None:
    matrix.locator("i").nth(row * columns + column).hover()


def test_the_mouse_moves_the_window_both_ways(open_operations):
    page = open_operations()
    said, products = page.locator(".operation .said"), grid(page, "Products")
    np.testing.assert_array_equal(shown(grid(page, "Output")), OUTPUT.reshape(-1))
    for row, column in ((1, 2), (2, 0)):
        hover(grid(page, "Output"), row, column, 3)  # from an output to its patch
        expect(said).to_have_text(re.compile(rf"^Row {row}, column {column}: .* = {OUTPUT[row, column]:.0f}$"))
        patch = X[row:row + 3, column:column + 3]
        np.testing.assert_array_equal(shown(products), (patch * KERNEL).reshape(-1))
    hover(grid(page, "Input"), 2, 3, 5)  # from an input cell to the window that has it in the middle
    expect(said).to_contain_text("Row 1, column 2: ")
    assert grid(page, "Output").locator("i.fed").count() == 6  # three rows, two columns of outputs see this cell
    expect(page).to_have_url(re.compile("at=5"))  # at rest the link keeps the place, and so does the formula
    page.get_by_role("radio", name="Formula").click()
    expect(page.locator(".katex").nth(1)).to_contain_text("18")
    page.goto(page.url)
    expect(page.locator(".operation .said")).to_contain_text("Row 1, column 2: ")


@pytest.mark.hard
def test_the_keyboard_moves_and_plays(open_operations):
    page = open_operations()
    page.get_by_role("group", name="Convolution: arrow keys move the window").focus()
    said = page.locator(".operation .said")
    for key, place in (("ArrowRight", "Row 0, column 1"), ("ArrowDown", "Row 1, column 1"),
                       ("ArrowLeft", "Row 1, column 0"), ("ArrowUp", "Row 0, column 0"),
                       ("ArrowUp", "Row 0, column 0"), ("End", "Row 2, column 2")):
        page.keyboard.press(key)
        expect(said).to_contain_text(place)
    page.keyboard.press(" ")  # plays on from there, and begins again
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(said).to_contain_text("Row 0, column 0")
    expect(said).to_contain_text("Row 0, column 2")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.hard
def test_any_numbers_can_be_typed_and_the_floor_is_shown(open_operations):
    page = open_operations()
    page.get_by_role("textbox", name="Input").fill("1 2 3 4 / 5 6 7 8 / 9 1 2 3 / 4 5 6 7")
    page.get_by_role("textbox", name="Input").press("Enter")
    page.get_by_label("Stride").fill("2")
    page.get_by_label("Stride").press("Enter")
    expect(grid(page, "Output").locator("i")).to_have_count(1)
    assert shown(grid(page, "Output")) == [1 + 2 + 3 + 7 + 9 + 1]
    assert grid(page, "Input").locator("i.unused").count() == 7
    hover(grid(page, "Input"), 3, 1, 4)
    expect(page.locator(".operation .said")).to_contain_text("No window reaches this cell")
    page.get_by_role("textbox", name="Kernel").fill("1 1 / 1")
    page.get_by_role("textbox", name="Kernel").press("Enter")
    expect(page.get_by_text("Every row needs as many numbers as the first")).to_be_visible()


@pytest.mark.hard
def test_a_crop_of_the_picture_goes_through_the_loaded_network(open_operations, picture):
    page = open_operations(NETWORK)
    weights = checkpoints.read(checkpoints.find("resnet20-cifar10-jpeg")).state["conv1.weight"][0]
    kernel = grid(page, "Kernel")
    np.testing.assert_allclose(shown(kernel), weights[0].reshape(-1), atol=0.0051)
    expect(page.locator(".operation .said")).to_contain_text("Row 0, column 0: ")
    before = page.locator(".operation .said").text_content()
    thumb = page.get_by_role("group", name="Crop: arrow keys move it")
    thumb.click(position={"x": 1, "y": 1})
    expect(page).to_have_url(re.compile("crop=0-0"))
    expect(page.locator(".matrix i.padding").first).to_be_visible()  # the picture's own corner has padding around it
    assert page.locator(".operation .said").text_content() != before
    words = page.locator(".operation .said").text_content().partition(": ")[2]
    shares = [float(text.replace("−", "-")) for text in re.findall(r"−?\d[\d.]*(?:e−\d+)?", words)]
    assert sum(shares[:3]) == pytest.approx(shares[3], abs=0.006)  # three digits of each
    picture(page, "operations-network")


@pytest.mark.hard
def test_another_operation_on_a_phone(open_operations):
    page = open_operations("operation=Fully+connected", width=400, dark=True)
    expect(page.locator(".operation .said")).to_contain_text("2 × 2 + 1 × (−1) = 6")
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 400
