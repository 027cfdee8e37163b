"""A real browser in the class: it sees what a visitor without one sees, down to the files of the pictures."""

import shutil
import time
from itertools import count

from playwright.sync_api import sync_playwright

from ..browser.conftest import FLAGS, rest
from .classroom import CHOICES, Mixed, picture, truth
from .load import spread
from .visitor import Visitor

LAP_S = 60.0  # from one lap to the next
PICTURES = "imgs => imgs.map(img => new URL(img.src).pathname).filter(path => path.startsWith('/media/'))"


def accompany(url: str, until: float) -> dict:
    """Lap after lap predictions, feature maps and kernels, each beside a visitor of the same picture; {what: spread of
    seconds}. The page is waited for until it has come to rest, so its times are longer than what a person waits. A lap
    takes most of a core (a new profile, drawing without a GPU), which the class has to do without: one a minute."""
    took = {"Chromium: a picture, to the answer": [], "Chromium: another page": [], "Chromium: open a page by its link": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for lap in count():
            began = time.monotonic()
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            _lap(context.new_page(), url, CHOICES[lap % len(CHOICES)], lap % 3, took)
            context.close()
            time.sleep(max(0.0, min(LAP_S - (time.monotonic() - began), until - time.monotonic())))
            if time.monotonic() >= until:
                break
        browser.close()
    return {what: spread(seconds) for what, seconds in took.items()}


def _lap(page, url: str, checkpoint: str, turn: int, took: dict[str, list[float]]) -> None:
    page.set_default_timeout(60_000)
    visitor = Visitor(url).open("predictions", f"checkpoint={checkpoint}")
    began = time.monotonic()
    page.goto(f"{url}/predictions?checkpoint={checkpoint}")
    page.locator("h2").first.wait_for()
    rest(page)
    took["Chromium: open a page by its link"].append(time.monotonic() - began)
    data, began = picture(0, turn).data, time.monotonic()
    page.get_by_test_id("stMain").locator("input[type=file]").set_input_files({"name": "photo.jpg", "mimeType": "image/png", "buffer": data})
    page.get_by_text("photo.jpg, 32 x 32 pixels").wait_for()
    rest(page)
    took["Chromium: a picture, to the answer"].append(time.monotonic() - began)
    visitor.upload("predictions_files_0", "photo.jpg", data)
    compare(page, visitor)
    if not page.locator("h2").first.inner_text().startswith(truth(checkpoint, None, 0, turn).label):
        raise Mixed(f"Chromium shows {page.locator('h2').first.inner_text()!r} for {checkpoint}")
    for name, word in (("Feature maps", "feature_maps"), ("Kernels", "kernels")):
        began = time.monotonic()
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url(f"**/{word}*")
        rest(page)
        took["Chromium: another page"].append(time.monotonic() - began)
        visitor.go(word)
        compare(page, visitor)
    visitor.close()


def compare(page, visitor: Visitor) -> None:
    """The same headings, the same picture files in the same order, the same checkpoint in the sidebar."""
    seen = {"headings": [text.replace("\xa0", " ") for text in page.locator("h1, h2, h3").all_inner_texts() if text],
            "pictures": page.get_by_test_id("stMain").locator("img").evaluate_all(PICTURES),
            "checkpoint": page.get_by_test_id("stSidebar").get_by_role("combobox").input_value()}
    wanted = {"headings": [text.replace("\xa0", " ").replace("\\", "") for text in visitor.texts("heading")], "pictures": visitor._addresses(),
              "checkpoint": next(state.string_value for name, state in visitor.values.items() if name.endswith("-checkpoint"))}
    if seen != wanted:
        raise Mixed(f"on {visitor.page} Chromium sees {seen}, a visitor {wanted}")
