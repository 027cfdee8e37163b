"""The thermometer in a browser: what is pointed at, the keyboard, new columns of a live run without losing the cell."""

from pathlib import Path

import numpy as np
import pytest

from resnet_viz import checkpoints, runs
from resnet_viz.analysis.gradient_history import Reader
from resnet_viz.drawing import colours

from ..ui.test_training_page import make_run

pytestmark = pytest.mark.browser
BUNDLED = "resnet20-cifar10-jpeg"
LAYERS = ("conv1", "layer1.0.conv1", "fc")


def gradient_row(step: int) -> dict:
    norm = dict(zip(LAYERS, (1e-6 * step, 0.5, 2.0)))
    return {"step": step, "epoch": 0, "norm": norm, "update_ratio": dict.fromkeys(norm, 1e-3)}


@pytest.fixture(scope="module")
def server(shared_server):
    return shared_server()


def ready(page, count=1):
    page.wait_for_function(f"n => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')].filter(e => "
                           f"e.shadowRoot?.querySelector('.map[data-columns]')).length >= {count}")
    return page.locator(".map")


def test_pointing_says_layer_step_and_value(server, visit, picture):
    page = visit(f"{server.url}/gradients?run={BUNDLED}")
    one = ready(page).first
    history = Reader(checkpoints.BUNDLED / BUNDLED).refresh()
    assert int(one.get_attribute("data-columns")) == len(history.steps)
    canvas = one.locator(".plot canvas").bounding_box()
    page.mouse.move(canvas["x"] + canvas["width"] / 2, canvas["y"] + canvas["height"] * 7.5 / 20)
    layer, step = one.get_attribute("data-cell").rsplit(" ", 1)
    index = history.steps.tolist().index(int(step))
    assert layer == history.layers[7] and abs(history.steps[index] - history.steps[-1] / 2) < 2 * history.every
    assert float(one.get_attribute("data-value")) == pytest.approx(history.norm[7, index], rel=2e-3)
    said = one.locator(".said").inner_text()
    assert f"{layer}, layer 8 of 20, step {int(step):,} (epoch" in said
    picture(page, "gradients-pointing")
    page.mouse.move(10, 10)
    assert one.locator(".said").inner_text().startswith("Step 18,350: the first layer's gradient is")


@pytest.mark.hard
def test_the_keyboard_reaches_every_cell_and_it_is_spoken(server, visit):
    page = visit(f"{server.url}/gradients?run={BUNDLED}")
    one = ready(page).first
    history = Reader(checkpoints.BUNDLED / BUNDLED).refresh()
    one.locator(".plot").focus()
    for key, row, column in (("Home", 0, 0), ("ArrowRight", 0, 1), ("ArrowDown", 1, 1), ("PageDown", 19, 1), ("End", 19, -1),
                             ("ArrowLeft", 19, -2), ("ArrowUp", 18, -2)):
        page.keyboard.press(key)
        assert one.get_attribute("data-cell") == f"{history.layers[row]} {history.steps[column]}"
    assert "layer 19 of 20" in one.locator(".spoken").inner_text()
    page.keyboard.press("Escape")
    assert one.get_attribute("data-cell") == ""


@pytest.mark.hard
def test_the_colours_are_the_values(server, visit):
    """Every row of the first column has the table's colour for its value, on the fixed range."""
    page = visit(f"{server.url}/gradients?run={BUNDLED}")
    one = ready(page).first
    history = Reader(checkpoints.BUNDLED / BUNDLED).refresh()
    column = one.evaluate("""map => { const c = map.querySelector('.plot canvas'), context = c.getContext('2d');
        return Array.from({length: 20}, (_, row) =>
            [...context.getImageData(0, Math.floor((row + 0.5) / 20 * c.height), 1, 1).data.slice(0, 3)]); }""")
    places = np.round((np.log10(history.norm[:, 0]) + 4) / 6 * 255).astype(int)
    assert np.abs(np.array(column) - colours.SEQUENTIAL[places].astype(int)).max() <= 3


@pytest.mark.hard
def test_new_columns_come_and_the_cell_stays(server, visit):
    run = make_run(Path(server.environment["RESNET_VIZ_RUNS"]), "live", state="running", host="elsewhere", step=10, total_steps=2_000)
    runs.append(run / "gradients.jsonl", *map(gradient_row, range(10, 200, 10)))
    page = visit(f"{server.url}/gradients?run=runs/live&twin={BUNDLED}")
    maps = ready(page, 2)
    one, twin = maps.nth(0), maps.nth(1)
    one.locator(".plot").evaluate("node => { node.mine = 1; }")
    one.locator(".plot").focus()
    page.keyboard.press("Home")
    assert one.get_attribute("data-cell") == "conv1 10"
    assert twin.get_attribute("data-cell").startswith("conv1 "), "the twin points at the same layer and step"
    runs.append(run / "gradients.jsonl", *map(gradient_row, range(200, 1_000, 10)))
    page.wait_for_function("""() => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
        .some(e => e.shadowRoot?.querySelector('.map')?.dataset.columns === '99')""")
    assert one.get_attribute("data-cell") == "conv1 10" and one.locator(".plot").evaluate("node => node.mine") == 1
    assert int(one.get_attribute("data-x-end")) == int(twin.get_attribute("data-x-end"))


@pytest.mark.hard
@pytest.mark.parametrize(("width", "dark"), [(1440, True), (400, False)])
def test_it_fits_every_screen(server, visit, picture, width, dark):
    page = visit(f"{server.url}/gradients?run={BUNDLED}&twin=resnet20-stem7-shapes", width=width, dark=dark)
    ready(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(page, f"gradients-{width}-{'dark' if dark else 'light'}")
