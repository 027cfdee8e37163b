"""In class, in a real browser: a copied link shows the same elsewhere, the projector's view, and who may only look."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from resnet_viz import checkpoints, runs
from resnet_viz.ui import share

from ..pages.test_every_page import PAGES
from .conftest import rest

pytestmark = pytest.mark.browser
DEFAULT = "resnet20-cifar10-jpeg"
FORBIDDEN = re.compile(
    r"^(Start|Same start|New dice|Pause|Resume|One batch|One epoch|Learning rate|Set|Stop|Cancel|Continue|Delete.*|Rename.*"
    r"|Import.*|Star.*|Note.*|Undo.*|Save|Forget|Set by hand|Measure on this machine.*|Download .* and use it|Race.*"
    r"|Train.*|Probe.*)$"
)


def seen(page) -> dict:
    """What stands on the page: words, what the controls hold, what the pictures show."""
    rest(page)
    main = page.get_by_test_id("stMain")
    return {
        "words": main.inner_text(),
        "controls": main.locator("input:not([type=file])").evaluate_all("all => all.map(e => e.value)"),
        "pictures": main.locator("img").evaluate_all("all => all.map(e => [e.alt, e.naturalWidth])"),
    }


def choose(page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()
    rest(page)


def copied(page) -> str:
    """What "Copy link" has put on the clipboard."""
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    return page.evaluate("navigator.clipboard.readText()")


@pytest.fixture
def copying(visit):
    """A visit that may use the clipboard."""

    def open_page(url):
        page = visit("about:blank")
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(url)
        rest(page)
        return page

    return open_page


def kernels_of_one_filter(page):
    choose(page, "Convolution", "layer2.0.conv1")
    choose(page, "Kernels", "the inputs of one filter")
    field = page.get_by_role("spinbutton", name="Filter")
    field.fill("7")
    field.press("Enter")
    rest(page)
    choose(page, "Colour scale for", "each kernel")
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowLeft")
    rest(page)
    page.get_by_role("radio", name="Numbers").click()
    expect(page.get_by_role("button", name="Download CSV")).to_be_visible()


def maps_of_a_picture(page):
    page.get_by_role("radio", name="One layer").click()
    rest(page)
    choose(page, "Layer", "layer1.0.act2")
    choose(page, "Order", "by variance")
    choose(page, "Colour scale for", "whole layer")
    page.get_by_role("radio", name="Coffee").click()


def lenets_first(page):
    """Its one input channel is what a number field begins with: it must be in the link all the same."""
    page.get_by_role("radio", name="Arithmetic").click()
    rest(page)
    page.get_by_role("button", name="LeNet's first").click()


def curves_by_epoch(page):
    choose(page, "Run", "Finished example: resnet20-stem7-shapes")
    page.get_by_role("button", name="Axes").click()
    page.get_by_role("radio", name="epoch", exact=True).click()
    page.get_by_text("Loss on a logarithmic axis").click()
    page.keyboard.press("Escape")
    rest(page)
    page.get_by_role("radio", name="Formula").click()


@pytest.mark.hard
@pytest.mark.parametrize(("path", "change"), [("kernels", kernels_of_one_filter), ("feature_maps", maps_of_a_picture),
                                              ("architecture", lenets_first),
                                              ("training", curves_by_epoch)],
                         ids=lambda part: getattr(part, "__name__", part))
def test_a_copied_link_shows_the_same_in_another_browser(server, copying, visit, path, change):
    page = copying(f"{server().url}/{path}")
    at_first = seen(page)
    change(page)
    here = seen(page)
    assert here != at_first
    link = copied(page)
    assert link == page.url and f"checkpoint={DEFAULT}" in link
    there = seen(visit(link, elsewhere=True))
    assert there == here


@pytest.mark.hard
def test_the_copied_address_is_one_that_others_can_open(server, copying, shared_server):
    page = copying(f"{shared_server().url}/kernels")
    assert copied(page) == page.url
    expect(page.get_by_role("status").filter(has_text="Only this machine can open it")).to_be_visible()
    open_to_all, address = server(STREAMLIT_SERVER_ADDRESS="0.0.0.0"), share.own_address()
    page = copying(f"{open_to_all.url}/kernels")
    assert copied(page) == page.url.replace("localhost", address or "localhost")


@pytest.mark.hard
@pytest.mark.parametrize("width", [400, pytest.param(1440, marks=pytest.mark.hard)])
def test_what_is_said_of_the_copy_fits_on_the_screen(shared_server, visit, width):
    page = visit(f"{shared_server().url}/architecture", width=width)
    rest(page)
    page.get_by_role("button", name="Copy link").click()
    box = page.get_by_role("status").filter(has_text="link").or_(page.get_by_role("status").filter(has_text="Copied"))
    found = box.first.bounding_box()
    assert found["x"] >= 0 and found["x"] + found["width"] <= width


@pytest.mark.hard
def test_where_the_browser_forbids_copying_the_link_can_be_taken_by_hand(shared_server, visit):
    """As on a class server without https: there the browser has no clipboard for pages."""
    page = visit("about:blank")
    page.add_init_script("delete Navigator.prototype.clipboard; Document.prototype.execCommand = () => false")
    page.goto(f"{shared_server().url}/kernels?order=by+norm%2C+the+strongest+first")
    rest(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("textbox", name="Link of this page")).to_have_value(page.url)


# The projector


@pytest.mark.hard
def test_presenting_makes_type_large_and_controls_few_and_is_in_the_link(shared_server, visit, picture):
    server = shared_server()
    page = visit(f"{server.url}/kernels")
    rest(page)
    title, side = page.get_by_role("heading", level=1), page.get_by_test_id("stSidebar")
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    before, wide = title.evaluate(size), title.bounding_box()["x"]
    expect(side.get_by_role("link", name="Training")).to_be_visible()
    page.get_by_text("Present", exact=True).click()
    expect(side.get_by_role("link", name="Training")).not_to_be_visible()
    rest(page)
    assert title.evaluate(size) >= 1.3 * before
    assert title.bounding_box()["x"] < wide, "the picture has the sidebar's place too"
    expect(page.get_by_role("button", name="Download PNG")).to_have_count(0)
    picture(page, "presenting")

    page.get_by_role("navigation", name="App pages").get_by_role("button", name="Train").click()
    page.get_by_role("menuitem", name="Training").click()
    expect(title).to_have_text("How does a network learn?")
    rest(page)
    assert "present=true" in page.url and title.evaluate(size) >= 1.3 * before
    other = visit(page.url)
    rest(other)
    assert other.get_by_role("heading", level=1).evaluate(size) >= 1.3 * before

    page.get_by_text("Present", exact=True).click()
    expect(side.get_by_role("link", name="Training")).to_be_visible()
    rest(page)
    assert title.evaluate(size) == before and "present" not in page.url


# Who may only look


def buttons(page) -> set[str]:
    """The names of all buttons on the page, also of those behind its popovers."""
    rest(page)
    main = page.get_by_test_id("stMain")
    found = names(main)
    for opener in main.get_by_test_id("stPopover").get_by_role("button").all():
        if not opener.is_enabled() or "Camera" in opener.inner_text():
            continue
        opener.click()
        page.wait_for_timeout(700)
        found |= names(page.get_by_test_id("stPopoverBody"))
        page.keyboard.press("Escape")
    return found


def names(place) -> set[str]:
    script = "all => all.map(e => (e.getAttribute('aria-label') || e.innerText || e.textContent || '').split('\\n').pop().trim())"
    return set(place.get_by_role("button").evaluate_all(script))


@pytest.fixture
def things(tmp_path):
    """Runs of a person's own: one finished, one that can be continued. Returns a function that tells all files."""
    for name, state in (("mine", "finished"), ("left", "stopped")):
        shutil.copytree(checkpoints.BUNDLED / DEFAULT, tmp_path / "runs" / name)
        status = runs.read_status(tmp_path / "runs" / name) or {}
        runs.write_json(tmp_path / "runs" / name / "status.json", {**status, "state": state, "step": 10})
    return lambda: {str(path.relative_to(tmp_path)): path.stat().st_mtime_ns
                    for path in (tmp_path / "runs").rglob("*") if path.is_file()}


@pytest.mark.hard
def test_a_viewer_is_offered_nothing_that_changes_anything(server, visit, things):
    serving, before = server(RESNET_VIZ_READONLY="1"), things()
    page = visit(f"{serving.url}/training?run=runs/left")  # the first page would offer Continue
    for name, question in ({"train/training": PAGES["train/training"]} | PAGES).items():
        if page.get_by_role("heading", level=1).inner_text() != question:
            link = name.rpartition("/")[2].capitalize().replace("_", " ")
            page.get_by_test_id("stSidebarNav").get_by_role("link", name=link, exact=True).click()
            expect(page.get_by_role("heading", level=1)).to_have_text(question)
        offered = buttons(page)
        assert "Copy link" in offered
        assert [button for button in offered if FORBIDDEN.match(button)] == [], name
        assert page.get_by_test_id("stException").count() == 0
        if name in ("train/training", "train/resources"):
            expect(page.get_by_test_id("stMain")).to_contain_text("whoever started this server made it read-only")
    assert things() == before


@pytest.mark.hard
def test_without_it_the_same_look_finds_the_controls(server, visit, things):
    """So that the test above does not pass because it finds no button at all."""
    serving = server()
    offered = buttons(visit(f"{serving.url}/training?run=runs/left"))
    assert {"Start", "Continue"} <= {button for button in offered if FORBIDDEN.match(button)}
    assert any(FORBIDDEN.match(button) for button in buttons(visit(f"{serving.url}/resources")))
