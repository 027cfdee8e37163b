"""In a real browser: the sidebar's choice is in the address, going back leads out again, and a file changes the page."""

import pytest
import torch
from playwright.sync_api import expect

from resnet_viz.networks import zoo

pytestmark = pytest.mark.browser
DEFAULT = "resnet20-cifar10-jpeg"


def at(server, page: str, **query: str) -> str:
    return f"{server.url}/{page}" + ("?" + "&".join(f"{key}={value}" for key, value in query.items()) if query else "")


@pytest.mark.hard
def test_the_choice_is_in_the_address_and_going_back_leads_out(shared_server, visit):
    server = shared_server()
    page = visit("about:blank")
    page.goto(at(server, "kernels"))
    expect(page).to_have_url(at(server, "kernels", checkpoint=DEFAULT))  # the default too: a copied link stays true
    expect(page.get_by_role("radio", name="Numbers")).to_be_visible()  # the page is whole: a click in between loses the run
    page.get_by_role("link", name="Architecture").click()
    expect(page).to_have_url(at(server, "architecture", checkpoint=DEFAULT))
    expect(page.get_by_role("combobox", name="Network")).to_have_value(f"current checkpoint: {DEFAULT}")
    page.go_back()
    expect(page).to_have_url(at(server, "kernels", checkpoint=DEFAULT))
    for _ in range(3):  # two entries of its own at most
        if page.url == "about:blank":
            break
        page.go_back()
        page.wait_for_timeout(1000)
    assert page.url == "about:blank"


@pytest.mark.hard
def test_a_file_that_is_opened_is_what_the_architecture_page_shows(shared_server, visit, tmp_path):
    server, file = shared_server(), tmp_path / "theirs.pth"
    torch.save(zoo.build("resnet32").state_dict(), file)
    page = visit(at(server, "architecture", network="resnet152"))
    expect(page.get_by_role("combobox", name="Network")).to_have_value("resnet152")
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("combobox", name="Network")).to_have_value("current checkpoint: theirs")
    expect(page).to_have_url(at(server, "architecture", checkpoint="theirs.pth"))
    page.keyboard.press("Escape")
    page.get_by_test_id("stSidebar").get_by_role("link", name="assumptions").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What is in this weights file?")
    expect(page).to_have_url(at(server, "checkpoint", checkpoint="theirs.pth"))
