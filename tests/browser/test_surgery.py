"""Surgery in a browser: a block is switched on and off with a click, the answers change, the link carries it; any width."""

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def url(shared_server):
    return shared_server().url


@pytest.fixture
def open_surgery(url, visit):
    def open_page(query: str = "", **more):
        page = visit(f"{url}/surgery?checkpoint=resnet20-stem7-shapes&most=60{query}", **more)
        expect(page.get_by_test_id("stMetricValue")).to_be_visible(timeout=90_000)  # the server's first page loads PyTorch
        expect(page.locator(".js-plotly-plot")).to_be_visible(timeout=60_000)
        return page

    return open_page


def test_a_click_puts_a_block_back_and_takes_another(open_surgery):
    page = open_surgery("&blocks=layer1.2")
    caption = page.get_by_text("answers of resnet20-stem7-shapes changed")
    expect(caption).to_contain_text("Without layer1.2:")
    hurt = float(page.get_by_test_id("stMetricValue").inner_text().split()[0])
    page.get_by_role("button", name="layer1.2").click()
    expect(caption).to_contain_text("Nothing is changed: 0 of these 10")
    page.get_by_role("button", name="layer3.2").click()
    expect(caption).to_contain_text("Without layer3.2:")
    assert float(page.get_by_test_id("stMetricValue").inner_text().split()[0]) > hurt + 30
    assert "blocks=layer3.2" in page.url


@pytest.mark.hard
@pytest.mark.parametrize(("width", "dark"), [(400, False), (1440, True)])
def test_nothing_is_wider_than_the_screen(open_surgery, picture, width, dark):
    page = open_surgery(width=width, dark=dark)
    expect(page.get_by_text("Each block alone:")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture(page, f"surgery-{width}", full_page=True)
