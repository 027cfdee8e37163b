"""A run trained in the browser: what is drawn is what the trainer wrote, and the hand on the run works."""

import psutil
import pytest

from resnet_viz import runs

pytestmark = pytest.mark.browser

ROW = "[data-testid=stProgress]"


@pytest.fixture
def start(server, tmp_path, visit):
    """A function: start(epochs, pictures) presses Start for resnet8 on shapes; returns (page, run, server)."""

    def begin(epochs: int, pictures: int):
        serving = server(OMP_NUM_THREADS="1")
        page = visit(f"{serving.url}/training", height=1350)
        button(page, "Start").wait_for(timeout=60_000)
        fill(page, "Epochs", epochs)
        button(page, "More").click()
        fill(page, "Learn from the first pictures only", pictures)
        page.keyboard.press("Escape")
        button(page, "Start").click()
        run = wait_for(page, lambda: next(iter(runs_in(tmp_path)), None))
        wait_for(page, lambda: run.name in page.url and 0 < points(page) <= len(rows(run)))
        return page, run, serving

    yield begin
    for run in runs_in(tmp_path):
        if runs.state(run) in runs.ALIVE_STATES:
            psutil.Process(runs.read_status(run)["pid"]).kill()


def runs_in(folder):
    return [path.parent for path in (folder / "runs").glob("*/config.json")]


def fill(page, label, value):
    field = page.get_by_role("spinbutton", name=label)
    field.fill(str(value))
    field.press("Enter")
    page.wait_for_timeout(800)  # the page answers before the next field is touched


def wait_for(page, what, seconds=90):
    """What `what` returns once it is true; asked five times a second."""
    for _ in range(seconds * 5):
        if found := what():
            return found
        page.wait_for_timeout(200)
    pytest.fail(f"waited {seconds} s in vain; the page says: {page.locator(ROW).inner_text()}")


def loss_line(page, name="training"):
    return page.locator(f".chart path[data-line={name}]").first


def points(page, name="training"):
    return int(loss_line(page, name).get_attribute("data-points")) if loss_line(page, name).count() else 0


def rows(run, split="train"):
    return [row for row in runs.read_lines(run / "metrics.jsonl") if row["split"] == split]


def state(page, word):
    wait_for(page, lambda: page.locator(ROW).inner_text().startswith(word))


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_one_epoch_of_shapes_is_drawn_as_it_is_trained(start, picture):
    page, run, _ = start(epochs=1, pictures=1200)
    first = points(page)
    assert not rows(run, "test"), "seen while it trains"
    picture(page, "training-live")
    more = wait_for(page, lambda: points(page) > first and points(page))
    assert more <= len(rows(run))
    state(page, "Finished")
    wait_for(page, lambda: points(page) == len(rows(run)))
    last = rows(run)[-1]
    assert float(loss_line(page).get_attribute("data-last")) == pytest.approx(last["loss"], rel=1e-5)
    steps = -(-1200 // runs.read_config(run)["batch_size"])
    assert float(loss_line(page).get_attribute("data-last-x")) == last["step"] == steps
    for split, name in (("val", "validation"), ("test", "test")):
        wait_for(page, lambda: points(page, name) == 1)
        assert float(loss_line(page, name).get_attribute("data-last")) == pytest.approx(
            rows(run, split)[0]["loss"], rel=1e-5
        )
    picture(page, "training-finished")

    plot = page.locator(".chart .plot").first.bounding_box()
    page.mouse.move(plot["x"] + 100, plot["y"] + 100)
    page.mouse.down()
    page.mouse.move(plot["x"] + 250, plot["y"] + 100, steps=5)
    page.mouse.up()
    fill(page, "Epochs", 2)
    assert page.locator(".chart").first.get_attribute("data-zoomed") == "true", "a run of the whole page keeps the zoom"


@pytest.mark.hard
def test_pause_change_the_rate_reload_second_browser_and_stop(start, visit, picture):
    page, run, _ = start(epochs=200, pictures=2000)
    button(page, "Pause").click()
    state(page, "Paused")
    step = runs.read_status(run)["step"]
    button(page, "One batch").click()
    wait_for(page, lambda: runs.read_status(run)["step"] == step + 1)
    state(page, "Paused")

    button(page, "Learning rate").click()
    fill(page, "New learning rate", 0.02)
    button(page, "Set").click()
    page.keyboard.press("Escape")
    wait_for(page, lambda: any(event["command"] == "lr" and event["value"] == 0.02 for event in runs.read_events(run)))
    wait_for(page, lambda: "learning rate 0.02" in page.locator(".chart .events").first.text_content())
    picture(page, "training-paused")

    page.reload()
    state(page, "Paused")
    wait_for(page, lambda: points(page) == len(rows(run)))
    assert run.name in page.url, "the link carries the run"
    other = visit(page.url)
    state(other, "Paused")
    button(other, "Resume").click()
    state(page, "Running")

    seen = points(page)
    wait_for(page, lambda: points(page) > seen)
    button(page, "Stop").click()
    state(page, "Stopped")
    state(other, "Stopped")
    assert runs.state(run) == "stopped" and (run / "last.safetensors").exists()
    assert button(page, "Continue").is_visible()


@pytest.mark.hard
def test_the_run_goes_on_without_the_page_and_without_the_server(start, visit):
    page, run, serving = start(epochs=200, pictures=2000)
    page.close()
    serving.stop()
    before = len(rows(run))
    serving.start()
    page = visit(f"{serving.url}/training")
    state(page, "Running")
    wait_for(page, lambda: points(page) > before)
    runs.send(run, "stop")
    state(page, "Stopped")
