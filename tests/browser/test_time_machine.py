"""The time machine in a browser: one scrubber moves everything, at its own speed, and the link brings it back."""

import base64
import io
import shutil

import av
import numpy as np
import pytest
from PIL import Image

from resnet_viz import checkpoints
from resnet_viz.analysis import time_machine
from resnet_viz.drawing import kernels

pytestmark = pytest.mark.browser

RUN = checkpoints.BUNDLED / "resnet20-stem7-shapes"
LAST = 25  # its frames are 0 to 25
ROOT = (
    "[...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]"
    ".map(node => node.shadowRoot).find(root => root?.querySelector('.machine'))"
)


@pytest.fixture(scope="module")
def url(shared_server):
    return f"{shared_server().url}/time_machine"


@pytest.fixture
def opened(url, visit):
    def open_page(query: str = "", **more):
        page = visit(f"{url}?run={RUN.name}&{query}", **{"height": 1500, **more})
        page.wait_for_selector(".machine[data-frame]", timeout=60_000)
        return page

    return open_page


def machine(page):
    return page.locator(".machine")


def frame(page) -> int:
    return int(machine(page).get_attribute("data-frame"))


def wait_for_frame(page, number: int) -> None:
    page.wait_for_function(f"n => +{ROOT}?.querySelector('.machine').dataset.frame === n", arg=number)


def wall(page, name: str) -> np.ndarray:
    address = page.evaluate(f"name => {ROOT}.querySelector(`[data-wall=${{name}}]`).toDataURL()", name)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


def heading(page, part: str) -> str:
    return machine(page).locator(f".{part} h3").inner_text()


def test_the_scrubber_moves_everything_together(opened, picture):
    page = opened()
    picture(page, "time-machine", full_page=True)
    assert frame(page) == LAST
    assert heading(page, "answers").endswith("9 right")
    assert "96.7" in heading(page, "matrix") and "the end of epoch 16" in heading(page, "maps")
    scrubber = page.get_by_role("slider", name="Moment of training")
    for key, number, words in (("Home", 0, "before training"), ("ArrowRight", 1, "step 1 of the first epoch")):
        scrubber.press(key)
        assert frame(page) == number
        assert scrubber.get_attribute("aria-valuetext") == words
        assert words in heading(page, "maps")
        assert words in machine(page).locator(".walls").inner_text().lower()
    film = time_machine.film(RUN)
    assert heading(page, "answers").endswith(f"{time_machine.right(film, np.arange(10))[1]} right")
    assert f"{time_machine.accuracy(film)[1]:.1%}".rstrip("%") in heading(page, "matrix")
    scrubber.press("Home")
    assert np.array_equal(wall(page, "before"), wall(page, "now"))


@pytest.mark.hard
def test_colours_are_those_of_the_kernels_page(opened):
    """Every tile's middle pixel, before, now and in the difference, against the colours that Python draws."""
    page = opened("at=594")
    film = time_machine.film(RUN)
    weights = film.kernels["conv1"]
    order = time_machine.most_moved(time_machine.movement(weights).relative)
    before, now = weights[0][order], weights[time_machine.frame_at(film, 594)][order]
    limit = np.maximum(kernels.limits(before), kernels.limits(now))
    for name, part in (("before", before), ("now", now), ("difference", now - before)):
        expected, drawn = kernels.coloured(part, limit), wall(page, name)
        step = (drawn.shape[1] + 4) // 8  # eight tiles of seven weights and a gap; the gap is at most 8
        for tile in range(1, 64):  # the first one has a line around it
            found = drawn[(tile // 8) * step + step * 7 // 16, (tile % 8) * step + step * 7 // 16]
            near = np.abs(expected[tile].astype(int) - found[:3]).max(axis=2)
            assert near[2:5, 2:5].min() <= 1, f"{name} {tile}"


@pytest.mark.hard
def test_it_plays_in_the_browser_alone(opened):
    page = opened("at=0")
    received = []
    machine(page).get_by_label("Speed").select_option("40 frames/s")
    page.wait_for_timeout(1000)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.webSocketFrameReceived", lambda event: received.append(len(event["response"]["payloadData"])))
    began = page.evaluate("performance.now()")
    page.get_by_role("button", name="Play").click()
    wait_for_frame(page, LAST)
    took = page.evaluate("performance.now()") - began
    assert sum(received) < 5_000, "the frames were all there before; only the look for news goes on"
    assert took < 6_000, "26 frames at 40 a second take 0.65 s; a busy machine is slower"
    page.get_by_role("button", name="Play").wait_for()
    page.get_by_role("button", name="One frame back").click()
    assert frame(page) == LAST - 1
    page.get_by_role("button", name="First frame").click()
    page.get_by_role("slider", name="Moment of training").press("Space")
    page.get_by_role("button", name="Pause").click()
    stopped = frame(page)
    page.wait_for_timeout(500)
    assert frame(page) == stopped < LAST


@pytest.mark.hard
def test_the_curve_can_be_dragged(opened):
    page = opened()
    box = machine(page).locator("svg.time").bounding_box()
    page.mouse.move(box["x"] + box["width"] - 14, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 52 + (box["width"] - 66) * 10 / LAST, box["y"] + 60, steps=8)
    assert frame(page) == 10
    page.mouse.up()
    assert machine(page).get_attribute("data-step") == "297"


@pytest.mark.hard
def test_the_link_carries_moment_kernel_and_unit(opened, visit):
    page = opened()
    page.get_by_role("slider", name="Moment of training").press("ArrowLeft")
    page.wait_for_function("location.search.includes('at=4455')")
    page.locator("[data-wall=now]").focus()
    page.keyboard.press("ArrowRight")
    words = machine(page).locator(".words").inner_text()
    page.wait_for_function("location.search.includes('kernel=')")
    page.get_by_role("radio", name="images").click()
    page.wait_for_function("location.search.includes('unit=images')")
    page.get_by_text("At the end of epoch 15 the kernels of conv1").wait_for()
    again = visit(page.url)
    again.wait_for_selector(".machine[data-frame]", timeout=60_000)
    assert frame(again) == LAST - 1
    assert machine(again).locator(".words").inner_text() == words
    assert machine(again).locator(".readout strong").inner_text() == "285,000 images"
    again.get_by_role("slider", name="Moment of training").press("End")
    again.wait_for_function("!location.search.includes('at=')")


@pytest.mark.hard
def test_the_second_convolution_one_filter_at_a_time(opened):
    page = opened("convolution=layer1.0.conv1&filter=3")
    film = time_machine.film(RUN)
    moved = time_machine.movement(time_machine.shown(film.kernels["layer1.0.conv1"], 3))
    best = time_machine.most_moved(moved.relative)[0]
    words = machine(page).locator(".words").inner_text()
    assert f"Kernel {best} is {moved.relative[-1, best]:.2f}" in words and "All 64 together" in words
    assert "conv1, the end of epoch 16" in heading(page, "maps")


@pytest.mark.hard
def test_a_run_that_goes_on_is_followed_from_its_end_only(server, visit, tmp_path):
    run = shutil.copytree(RUN, tmp_path / "runs" / "going")
    rest = sorted((run / "snapshots").iterdir())[5:]
    waiting = tmp_path / "waiting"
    waiting.mkdir()
    for path in rest:
        path.rename(waiting / path.name)
    page = visit(f"{server().url}/time_machine?run=runs/going")
    page.wait_for_selector(".machine[data-frame]", timeout=60_000)
    assert frame(page) == 4
    shutil.copy(waiting / rest[0].name, run / "snapshots")
    wait_for_frame(page, 5)
    page.get_by_role("slider", name="Moment of training").press("ArrowLeft")
    shutil.copy(waiting / rest[1].name, run / "snapshots")
    page.wait_for_function(f"{ROOT}.querySelector('input').max === '6'")
    assert frame(page) == 4
    shutil.rmtree(run)
    page.wait_for_function("!location.search.includes('going')")
    page.wait_for_function(f"{ROOT}?.querySelector('input').max > 6")  # another run, which has more
    assert page.get_by_text("Traceback").count() == 0


@pytest.mark.hard
def test_a_film_to_take_along(opened):
    page = opened("at=0")
    for name, count in (("GIF", 26), ("MP4", 26 + 16)):
        page.get_by_role("button", name="Film").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Download {name}").click()
        page.keyboard.press("Escape")
        data = download.value.path().read_bytes()
        assert download.value.suggested_filename == f"{RUN.name}-conv1.{name.lower()}"
        if name == "GIF":
            assert Image.open(io.BytesIO(data)).n_frames == count
        else:
            with av.open(io.BytesIO(data)) as container:
                assert len(list(container.decode(video=0))) == count


@pytest.mark.hard
@pytest.mark.parametrize("width, dark", [(1440, True), (400, False)])
def test_it_fits_every_screen(opened, picture, width, dark):
    page = opened("at=297", width=width, dark=dark)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert machine(page).evaluate("node => node.scrollWidth <= node.clientWidth + 1")
    picture(page, f"time-machine-{width}-{'dark' if dark else 'light'}")
