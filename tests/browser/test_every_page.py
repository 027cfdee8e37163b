"""Every page on a telephone, dark: its question is there, nothing is wider than the screen, no script fails."""

import pytest

from ..pages.test_every_page import PAGES
from .conftest import rest

pytestmark = pytest.mark.browser


@pytest.mark.short(2)
@pytest.mark.parametrize("name", PAGES)
def test_on_a_telephone(shared_server, visit, picture, name):
    path = "" if name == "start/home" else name.rpartition("/")[2]
    page = visit(f"{shared_server().url}/{path}", width=400, dark=True)
    rest(page)
    assert page.locator("h1").first.inner_text() == PAGES[name]
    assert page.get_by_test_id("stException").count() == 0
    inside = page.get_by_test_id("stMain")
    assert inside.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    picture(page, f"telephone-{name.replace('/', '-')}", full_page=True)
