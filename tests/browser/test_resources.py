"""What training costs, in a browser: the measurement shows how far it is, and Stop ends its process."""

import psutil
import pytest
from playwright.sync_api import expect


@pytest.fixture
def opened(browser, shared_server):
    """opened(query, width) -> (page, server process) of the resources page."""
    pages, server = [], shared_server()

    def open_page(query: str, width: int = 1440):
        pages.append(browser.new_page(viewport={"width": width, "height": 1000}))
        pages[-1].goto(f"{server.url}/resources?{query}")
        expect(pages[-1].get_by_text("Largest batch that fits")).to_be_visible(timeout=60_000)
        return pages[-1], psutil.Process(server.process.pid)

    yield open_page
    for page in pages:
        page.close()


def measuring(server: psutil.Process) -> list[int]:
    alive = [child for child in server.children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]
    return [child.pid for child in alive
            if "resnet_viz.analysis.resource_steps" in " ".join(child.cmdline())]


@pytest.mark.hard
def test_stop_ends_the_process_and_keeps_what_was_measured(opened):
    page, server = opened("network=resnet18&size-resnet18=64&batch=2048")
    page.get_by_label("Batches of 1, 2, 4 ... up to").fill("1024")
    page.get_by_role("button", name="Measure on this machine").click()
    expect(page.get_by_text("batch 4: step")).to_be_visible(timeout=90_000)
    assert len(measuring(server)) == 1
    page.get_by_role("button", name="Stop", exact=True).last.click()
    expect(page.get_by_text("pictures/s: an epoch")).to_be_visible(timeout=20_000)
    page.wait_for_timeout(500)
    assert measuring(server) == []
    expect(page.get_by_text("Largest batch that fits")).to_be_visible()


@pytest.mark.hard
def test_nothing_overflows_a_telephone(opened):
    page, _ = opened("network=resnet50&precision=bf16", width=400)
    page.wait_for_timeout(1500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    labels = page.evaluate("""[...document.querySelectorAll('.js-plotly-plot .bars text')].filter(t => t.textContent)
        .map(t => { const box = t.getBoundingClientRect(); return [box.left, box.right]; })""")
    shown = sorted(box for box in labels if box[1] - box[0] > 1)
    assert shown and all(left[1] <= right[0] for left, right in zip(shown, shown[1:]))
