"""The loss's surface in a browser: it turns by mouse and keys, says the file's numbers, and keeps its turn with new
data."""

import re

from playwright.sync_api import expect

from resnet_viz.analysis import landscape, landscape_file, landscape_process


def test_both_surfaces_turn_together_and_say_their_numbers(shared_server, visit):
    page = visit(f"{shared_server().url}/landscape")
    root, surface = page.locator(".landscape"), page.locator(".landscape canvas.turns")
    expect(surface).to_have_count(2, timeout=60_000)
    turns = lambda: (float(root.get_attribute("data-turn")), float(root.get_attribute("data-tilt")))  # noqa: E731
    expect(root).to_have_attribute("data-turn", re.compile(r"\d"))
    before, picture = turns(), surface.nth(1).evaluate("canvas => canvas.toDataURL()")
    box = surface.first.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 180, steps=4)
    page.mouse.up()
    dragged = turns()
    assert dragged[0] != before[0] and dragged[1] != before[1]
    assert surface.nth(1).evaluate("canvas => canvas.toDataURL()") != picture, "the other one turned with it"
    surface.nth(1).press("ArrowLeft")
    assert turns()[0] != dragged[0]
    kept = turns()
    page.get_by_role("radio", name="from above").click()
    expect(page.locator(".landscape canvas.turns")).to_have_count(0)
    assert turns() == kept, "new data came, the turn stayed"
    sheet = page.locator(".landscape .row canvas").first
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    found = landscape_file.read(landscape_process.SHIPPED / "plain56-cifar10-jpeg.npz")
    said = page.locator(".landscape .said").first
    expect(said).to_have_text(
        re.compile(r"1st direction [−\d.]+, 2nd direction [−\d.]+: loss [\d.,e]+, [\d.]+ % right")
    )
    x, y, loss = (
        float(part.replace("−", "-").replace(",", ""))
        for part in re.search(
            r"1st direction ([−\d.]+), 2nd direction ([−\d.]+): loss ([\d.,e]+)(?=,)", said.text_content()
        ).groups()
    )
    column, row = abs(found.x - x).argmin(), abs(found.y - y).argmin()
    assert loss == float(f"{found.loss[row, column]:.3g}") and landscape.middle_loss(found) < 2
