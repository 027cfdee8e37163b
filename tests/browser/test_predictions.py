"""In a real browser: a link on a fresh server, a photograph uploaded and its prediction read, bad files, the strip."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from resnet_viz import checkpoints
from resnet_viz.analysis import predictions
from resnet_viz.data import examples

from .conftest import rest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
NAME = "resnet20-cifar10-jpeg"
QUESTION = "What does the network see in this picture?"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> dict[str, Path]:
    """Real photographs as JPEG files, named after what they show."""
    folder = tmp_path_factory.mktemp("photographs")
    paths = {}
    for name in ("cat", "motorcycle", "coffee"):
        paths[name] = folder / f"my {name}.jpg"
        examples.read(examples.find(name)).save(paths[name], quality=90)
    return paths


def told_by_the_command(*paths: Path) -> list[dict]:
    """The first answer for each picture as `python -m resnet_viz predict` gives it."""
    command = [sys.executable, "-m", "resnet_viz", "predict", NAME, *map(str, paths), "--json"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [row["top"][0] for row in json.loads(found.stdout)]


@pytest.fixture(scope="module")
def told():
    """A function: told(path, ...) gives the first answer for each picture, by the same analysis in this process."""
    checkpoint = checkpoints.read(checkpoints.find(NAME))
    return lambda *paths: [row["top"][0] for row in predictions.of_files(checkpoint, list(map(str, paths)), 1)]


def headline(page) -> str:
    """The answer at the top, once the page has come to rest."""
    page.locator("h2").first.wait_for(timeout=60_000)
    rest(page)
    return page.locator("h2").first.inner_text().replace("\xa0", " ")


def upload(page, *paths: Path) -> None:
    page.get_by_test_id("stMain").locator("input[type=file]").set_input_files([str(path) for path in paths])
    page.wait_for_timeout(500)
    rest(page)


def expected(answer: dict) -> str:
    return f"{answer['label']}, {100 * answer['probability']:.1f} %"


@pytest.mark.hard
def test_a_link_on_a_fresh_server(server, visit, picture):
    """The first request that this server ever gets is for /predictions: no visit to / before."""
    page = visit(f"{server().url}/predictions?picture=rocket")
    assert "%" in headline(page)
    assert page.locator("h1").inner_text() == QUESTION
    assert page.get_by_text("Page not found").count() == 0
    assert page.get_by_test_id("stSidebarNav").locator("a").count() >= 6
    assert page.get_by_role("radio", name="Rocket").get_attribute("aria-checked") == "true"
    picture(page, "predictions", full_page=True)


@pytest.fixture(scope="module")
def app(shared_server):
    return shared_server()


def test_nothing_is_asked_of_the_network(app, visit, picture):
    page = visit("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{app.url}/predictions")
    headline(page)
    page.get_by_role("radio", name="Formula").click()
    rest(page)
    local = re.compile(r"^(https?|wss?)://localhost:|^(data|blob):")
    page.goto(f"{app.url}/")
    page.get_by_text("Where the parameters are").wait_for(timeout=60_000)
    rest(page)
    picture(page, "home", full_page=True)
    assert asked and [url for url in asked if not local.match(url)] == []


def test_a_photograph_is_uploaded_and_its_prediction_read(app, visit, photographs, told, picture):
    page = visit(f"{app.url}/predictions?picture=rocket")
    before = headline(page)
    upload(page, photographs["cat"])
    (answer,) = told(photographs["cat"])
    assert answer["label"] == "cat" and headline(page) == expected(answer) != before
    assert page.get_by_text("my cat.jpg, 451 x 300 pixels").count() == 1
    bars = page.get_by_test_id("stPlotlyChart").locator(".bars text").all_text_contents()
    assert len(bars) == 5 and bars[0] == f"{100 * answer['probability']:.1f} %"
    picture(page, "predictions-upload", full_page=True)


@pytest.mark.hard
def test_several_pictures_and_a_bad_file_among_them(app, visit, photographs, tmp_path):
    (tmp_path / "text.png").write_text("a text, renamed")
    page = visit(f"{app.url}/predictions")
    headline(page)
    upload(page, photographs["motorcycle"], tmp_path / "text.png", photographs["coffee"])
    answers = told_by_the_command(photographs["motorcycle"], photographs["coffee"])
    assert headline(page) == expected(answers[0])
    alerts = page.get_by_test_id("stAlert").all_inner_texts()
    assert len(alerts) == 1 and "text.png is not a picture that can be opened here" in alerts[0]
    assert page.get_by_text("All 2 pictures").count() == 1
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").first.click()
    rows = Path(waiting.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].startswith("picture,class,probability") and len(rows) == 3
    for row, name, answer in zip(rows[1:], ("motorcycle", "coffee"), answers):
        assert row.startswith(f"my {name}.jpg,{answer['label']},{answer['probability']:.4f}"[:-1])
    page.get_by_role("radio", name="my coffee.jpg").click()  # the strip brings the other one into view
    page.wait_for_timeout(500)
    assert headline(page) == expected(answers[1])


@pytest.mark.hard
def test_a_text_renamed_to_png_gives_a_sentence_and_the_page_stays_usable(app, visit, photographs, told, tmp_path):
    (tmp_path / "text.png").write_text("a text, renamed")
    page = visit(f"{app.url}/predictions")
    headline(page)
    upload(page, tmp_path / "text.png")
    assert "text.png is not a picture that can be opened here" in page.get_by_test_id("stAlert").inner_text()
    assert headline(page).startswith("cat, ")  # the example is still answered
    upload(page, photographs["motorcycle"])
    assert headline(page) == expected(told(photographs["motorcycle"])[0])


@pytest.mark.hard
def test_the_strip_by_keyboard_and_the_link(app, visit):
    page = visit(f"{app.url}/predictions")
    headline(page)
    page.get_by_role("radio", name="Cat").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    rest(page)
    assert page.get_by_role("radio", name="Rocket").get_attribute("aria-checked") == "true"
    assert "picture=rocket" in page.url
    chosen = headline(page)
    page.reload()
    page.wait_for_timeout(500)
    assert headline(page) == chosen  # the link carries the view


@pytest.mark.hard
@pytest.mark.parametrize("path, dark", [("", True), ("predictions?view=Formula", False)])
def test_a_telephone_has_no_sideways_scroll(app, visit, picture, path, dark):
    page = visit(f"{app.url}/{path}", width=400, height=860, dark=dark)
    page.locator("h1").wait_for(timeout=60_000)
    rest(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    picture(page, f"{path.partition('?')[0] or 'home'}-400-{'dark' if dark else 'light'}")


@pytest.mark.hard
def test_opening_weights_in_the_sidebar(app, visit, tmp_path):
    """A file that is no weights file: a sentence, and the old checkpoint stays; a good one: the page answers by it."""
    (tmp_path / "bad.pth").write_bytes(b"not weights")
    page = visit(f"{app.url}/predictions")
    before = headline(page)
    page.get_by_role("button", name="Open a file").click()
    drop = page.locator("[data-testid=stPopoverBody] input[type=file]")
    drop.set_input_files(str(tmp_path / "bad.pth"))
    alert = page.locator("[data-testid=stPopoverBody] [data-testid=stAlert]")
    alert.wait_for(timeout=30_000)
    assert "bad.pth is not a weights file" in alert.inner_text()
    rest(page)
    drop.set_input_files(str(ROOT / "checkpoints" / NAME / "initial.safetensors"))
    page.wait_for_url("**checkpoint=initial.safetensors*", timeout=30_000)
    page.keyboard.press("Escape")
    assert headline(page) != before  # the untrained network says something else


@pytest.mark.hard
def test_the_examples_are_real_photographs(photographs):
    """What the tests above rely on: three readable files with different content."""
    assert len({Image.open(path).size for path in photographs.values()}) == 3
