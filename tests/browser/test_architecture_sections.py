"""In a real browser: tables scroll inside at 400 px, the marked column is in view, presets go into the address."""

import pytest

pytestmark = pytest.mark.browser
PAPER = "architecture?part=The+paper's+table"


@pytest.fixture(scope="module")
def url(shared_server):
    return shared_server().url


def box(locator) -> dict:
    locator.wait_for()
    return locator.bounding_box()


@pytest.mark.hard
@pytest.mark.parametrize(("width", "dark"), [(1440, False), (1440, True), (400, False), (400, True)])
def test_the_marked_column_is_in_view_and_the_page_does_not_scroll_sideways(visit, url, picture, width, dark):
    page = visit(f"{url}/{PAPER}&network=resnet101", width, dark=dark)
    marked = page.locator("thead th.marked")
    assert marked.inner_text().split("\n") == ["101-layer", "chosen above"]
    frame, column, name = box(page.locator(".frame")), box(marked), box(page.locator("tbody th", has_text="conv4_x"))
    assert name["x"] + name["width"] <= column["x"] + 1  # the names stay where they are, beside it
    assert column["x"] + column["width"] <= frame["x"] + frame["width"] + 1
    assert frame["x"] + frame["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    picture(page, f"paper-table-{width}-{'dark' if dark else 'light'}")


@pytest.mark.hard
def test_brackets_stand_around_their_lines(visit, url):
    page = visit(f"{url}/{PAPER}&network=resnet101")
    block = page.locator("tbody tr", has_text="conv4_x").locator("td").nth(4)
    assert block.inner_text().split("\n") == ["1×1, 256", "3×3, 256 /2", "1×1, 1024", "× 23"]
    lines = block.locator(".lines")
    frame = box(lines)
    for line in lines.locator("div").all():
        inner = box(line)
        assert frame["x"] < inner["x"] and inner["y"] >= frame["y"]
        assert inner["x"] + inner["width"] < frame["x"] + frame["width"]
    assert lines.evaluate("e => getComputedStyle(e).borderLeftWidth") != "0px"


@pytest.mark.hard
def test_the_arrow_keys_scroll_the_table(visit, url):
    page = visit(f"{url}/{PAPER}&network=resnet18", 400)
    frame = page.locator(".frame")
    before = (frame.wait_for(), frame.evaluate("e => e.scrollLeft"))[1]
    frame.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => [...document.querySelectorAll('*')].some("
                           "e => e.shadowRoot?.querySelector('.frame')?.scrollLeft > before)", arg=before)


@pytest.mark.hard
def test_a_preset_fills_the_fields_and_the_address(visit, url):
    page = visit(f"{url}/architecture?part=Arithmetic")
    page.get_by_role("button", name="AlexNet's first").click()
    page.get_by_text("3 × 227 × 227 in, 96 × 55 × 55 out").wait_for()
    page.get_by_text("One line of the lab prints 105,415,600").wait_for()
    page.wait_for_url("**convolution-kernel=11**")
    again = visit(page.url)
    again.get_by_text("3 × 227 × 227 in, 96 × 55 × 55 out").wait_for()


@pytest.mark.hard
def test_bad_numbers_in_the_address_leave_a_page_that_works(visit, url):
    bad = "convolution-height=0&convolution-channels=-5&convolution-kernel=x"
    page = visit(f"{url}/architecture?part=Arithmetic&{bad}")
    page.get_by_text("The kernel is a whole number such as 3").wait_for()
    page.get_by_role("button", name="LeNet's first").click()
    page.get_by_text("1 × 28 × 28 in, 6 × 24 × 24 out").wait_for()
