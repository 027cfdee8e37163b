"""A twin race in the browser, on shapes: started, watched, found again, paused, gone on with, stopped."""

import psutil
import pytest
from playwright.sync_api import expect

from resnet_viz import runs
from resnet_viz.training import race

from .test_training_live import ROW, button, fill, rows, runs_in

pytestmark = pytest.mark.browser


@pytest.fixture
def start(server, tmp_path, visit):
    """A function: start(epochs, pictures) presses Start race for resnet8 against plain8; returns (page, the two runs)."""

    def begin(epochs: int, pictures: int):
        serving = server(OMP_NUM_THREADS="1")
        page = visit(f"{serving.url}/race", height=1350)
        button(page, "Start race").wait_for(timeout=60_000)
        page.get_by_role("combobox", name="Recipe of both").click()
        page.get_by_role("option", name="Quick: shapes in a minute").click()
        expect(page.get_by_role("spinbutton", name="Epochs")).to_have_value("4", timeout=60_000)  # the recipe has arrived
        fill(page, "Epochs", epochs)
        button(page, "More").click()
        fill(page, "Learn from the first pictures only", pictures)
        page.keyboard.press("Escape")
        button(page, "Start race").click()
        (pair,) = wait(page, lambda: race.races(runs_in(tmp_path)))
        assert runs.read_config(pair[0])["epochs"] == epochs
        return page, pair

    yield begin
    for run in runs_in(tmp_path):
        if runs.state(run) in runs.ALIVE_STATES:
            psutil.Process(runs.read_status(run)["pid"]).kill()


def wait(page, what, seconds=120):
    """What `what` returns once it is true; asked five times a second."""
    for _ in range(seconds * 5):
        if found := what():
            return found
        page.wait_for_timeout(200)
    pytest.fail(f"waited {seconds} s in vain; the page says: {page.locator(ROW).all_inner_texts()}")


def drawn(page, chart, name, style="smooth"):
    """Points of one line; chart: its title's beginning."""
    line = page.locator(".chart", has_text=chart).locator(f"path[data-line='{name}'][data-style={style}]")
    return int(line.first.get_attribute("data-points")) if line.count() else 0


def states(pair):
    return [runs.state(run) for run in pair]


@pytest.mark.hard
def test_a_race_of_one_epoch_ends_with_both_curves_and_their_difference(start, picture):
    page, (first, second) = start(epochs=1, pictures=2000)
    wait(page, lambda: states((first, second)) == ["finished", "finished"])
    for run, name in ((first, "residual"), (second, "plain")):
        wait(page, lambda: drawn(page, "Training and validation loss", name) == len(rows(run)))
        assert drawn(page, "Training and validation loss", f"{name}, validation", "points") == 1
    assert drawn(page, "Difference of training loss", "difference") == len(rows(first))
    assert drawn(page, "Difference of training accuracy", "no difference") == 2
    page.get_by_text("One thing differs. shortcuts: residual against plain.").wait_for()
    picture(page, "race-finished")


@pytest.mark.hard
def test_both_are_seen_while_they_learn_found_again_paused_and_stopped(start, visit, picture):
    page, pair = start(epochs=200, pictures=2000)
    for name in ("residual", "plain"):
        wait(page, lambda: drawn(page, "Training and validation loss", name) > 2)
    assert states(pair) == ["running", "running"], "at the same time"
    before = drawn(page, "Difference of training loss", "difference")
    wait(page, lambda: drawn(page, "Difference of training loss", "difference") > before)
    picture(page, "race-live")
    button(page, "Pause both").click()
    wait(page, lambda: states(pair) == ["paused", "paused"])
    button(page, "Resume both").wait_for()

    page.reload()
    button(page, "Resume both").wait_for()
    assert all(run.name in page.url for run in pair), "the link carries both runs"
    other = visit(page.url)
    button(other, "Resume both").click()
    wait(page, lambda: states(pair) == ["running", "running"])
    button(page, "Stop both").click()
    wait(page, lambda: states(pair) == ["stopped", "stopped"])
    button(page, "Continue both").wait_for()
    button(other, "Continue both").wait_for()
