"""The lecture plan in a browser: gone through on the projector, a view added from "Copy link", and printed."""

import re

import pytest
from playwright.sync_api import expect

from .test_in_class import rest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server()


def large(page) -> float:
    return page.get_by_role("heading", level=1).evaluate("e => parseFloat(getComputedStyle(e).fontSize)")


@pytest.mark.hard
def test_steps_open_as_they_say_and_a_view_is_added(server, visit, picture):
    page = visit(f"{server.url}/plan")
    rest(page)
    before = large(page)
    page.get_by_role("link", name="Learning: Chain rule").click()
    expect(page.get_by_text("Numbers forward, slopes back")).to_be_visible()
    expect(page.get_by_text("Which numbers from the way forward does the way back need again?")).to_be_visible()
    rest(page)
    assert large(page) > 1.2 * before and "part=Chain+rule" in page.url
    page.get_by_role("link", name="Next:").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Why does the same picture get two answers?")
    rest(page)
    assert "part=" not in page.url, "what the step before had chosen under the same name is not carried on"
    page.get_by_role("link", name="Back", exact=True).click()
    expect(page.get_by_text("Numbers forward, slopes back")).to_be_visible()
    rest(page)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Add to the lecture plan").click()
    expect(page.get_by_text(re.compile(r"Learning: Chain rule is step \d+ of the lecture plan"))).to_be_visible()
    picture(page, "plan-step")
    page.get_by_role("link", name="Plan", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What happens in the next lecture?")
    expect(page.get_by_role("link", name="Learning: Chain rule")).to_have_count(2)


@pytest.mark.parametrize("path", ["learning", pytest.param("plan", marks=pytest.mark.hard), pytest.param("data", marks=pytest.mark.hard)])
def test_a_page_is_printed_whole_and_without_the_navigation(server, visit, picture, path):
    page = visit(f"{server.url}/{path}")
    rest(page)
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    page.emulate_media(media="print")
    for away in ("stSidebar", "stHeader"):
        expect(page.get_by_test_id(away)).to_be_hidden()
    expect(page.get_by_role("button", name="Copy link")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    needed, given = page.evaluate("[document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight, "
                                  "document.documentElement.scrollHeight]")
    assert given >= needed > 900, "nothing is cut off at the window's end"
    picture(page, f"print-{path}", full_page=True)
    pages = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))
    assert len(pages) >= given // 2_000, "a sheet holds some 1,100 to 1,500 pixels: not only the first screenful is there"
