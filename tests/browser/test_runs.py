"""The page of all runs in a browser: ticks, the link, stars, names, a zip out and in, delete and undo, two people."""

import zipfile

import pytest
from playwright.sync_api import expect

from resnet_viz import run_marks, runs
from resnet_viz.run_marks import Marks
from resnet_viz.training.config import Config

from ..ui.test_training_page import make_run


@pytest.fixture
def folder(tmp_path):
    """Two finished runs that differ in their learning rate."""
    for name, lr in (("slow", 0.01), ("fast", 0.5)):
        run = make_run(tmp_path / "runs", name)
        runs.write_config(run, Config(network="resnet8", epochs=2, lr=lr, device="cpu", threads=1).to_dict())
    return tmp_path / "runs"


def open_runs(visit, server, **more):
    page = visit(f"{server.url}/runs", **more)
    expect(row(page, "slow")).to_be_visible(timeout=60_000)
    return page


def row(page, name):
    return page.get_by_role("row").filter(has=page.get_by_role("button", name=name, exact=True))


def tick(page, name):
    return page.get_by_label(f"Show the curves of {name}")


def legend(page):
    return page.get_by_role("group", name="Lines: press to show or hide").first


@pytest.mark.hard
def test_ticks_travel_in_the_link_and_survive_a_look(folder, server, visit, picture):
    here = server()
    page = open_runs(visit, here)
    expect(legend(page)).to_contain_text("learning rate 0.01")
    expect(legend(page)).to_contain_text("learning rate 0.5")
    picture(page, "runs")
    tick(page, "resnet20-stem7-shapes").uncheck()  # the finished example that learned from the same pictures
    tick(page, "slow").uncheck()
    expect(legend(page)).not_to_contain_text("learning rate")  # alone it differs from nobody
    expect(legend(page)).to_contain_text("fast")
    page.wait_for_timeout(6_000)  # the page has looked again
    expect(tick(page, "slow")).not_to_be_checked()
    assert "show=runs%2Ffast" in page.url and "slow" not in page.url
    other = visit(page.url)
    expect(legend(other)).to_contain_text("fast")
    expect(tick(other, "slow")).not_to_be_checked()
    page.reload()
    expect(tick(page, "fast")).to_be_checked()
    expect(tick(page, "slow")).not_to_be_checked()
    tick(page, "fast").uncheck()
    expect(page.get_by_text("Tick runs in the table below.").first).to_be_visible()


@pytest.mark.hard
def test_a_table_is_sorted_and_found_in_without_the_server(folder, server, visit):
    for number in range(9):
        run_marks.write(make_run(folder, f"more-{number}"), Marks(f"more {number}", "needle" if number == 3 else ""))
    page = open_runs(visit, server())
    names = page.get_by_role("rowheader")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(names.first).to_contain_text("fast")
    page.get_by_role("button", name="Run ▴").click()
    expect(names.first).to_contain_text("slow")
    page.get_by_role("searchbox").fill("needle")
    expect(names).to_have_count(1)
    expect(names.first).to_contain_text("more 3")
    page.get_by_role("searchbox").fill("nothing has this")
    expect(page.get_by_text("No run has these words.")).to_be_visible()


def test_star_name_zip_delete_and_undo(folder, server, visit, tmp_path):
    page = open_runs(visit, server())
    star = page.get_by_role("button", name="Star for fast")
    star.focus()
    page.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()  # the table was drawn anew around it
    page.get_by_role("button", name="fast", exact=True).click()
    page.get_by_label("Name").fill("The winner")
    page.get_by_label("Name").press("Enter")
    expect(row(page, "The winner")).to_be_visible()
    assert run_marks.read(folder / "fast") == Marks("The winner", "", True)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as zip").click()
    download.value.save_as(tmp_path / "fast.zip")
    with zipfile.ZipFile(tmp_path / "fast.zip") as archive:
        assert "fast/metrics.jsonl" in archive.namelist() and archive.testzip() is None
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Deleted fast.")).to_be_visible()
    expect(row(page, "The winner")).to_have_count(0)
    assert not (folder / "fast").exists()
    page.get_by_role("button", name="Undo").click()
    expect(row(page, "The winner")).to_be_visible()
    page.get_by_role("button", name="Import").click()
    page.locator('input[type="file"]').last.set_input_files(tmp_path / "fast.zip")
    expect(page.get_by_text("Imported as fast-2.")).to_be_visible()
    expect(row(page, "The winner")).to_have_count(2)
    assert runs.metrics_csv(folder / "fast-2") == runs.metrics_csv(folder / "fast")


@pytest.mark.hard
def test_what_one_person_writes_the_other_sees(folder, server, visit):
    here = server()
    page, other = open_runs(visit, here), open_runs(visit, here)
    page.get_by_role("button", name="slow", exact=True).click()
    page.get_by_label("Note").fill("Never again")
    page.get_by_label("Note").blur()
    page.get_by_role("button", name="Star for slow").click()
    expect(other.get_by_role("button", name="Star for slow")).to_have_attribute("aria-pressed", "true")
    other.get_by_role("button", name="slow", exact=True).click()
    expect(other.get_by_label("Note")).to_have_value("Never again")


@pytest.mark.hard
def test_a_run_that_vanishes_leaves_the_others(folder, server, visit):
    page = open_runs(visit, server())
    (folder / "slow").rename(folder.parent / "elsewhere")
    expect(row(page, "slow")).to_have_count(0)
    expect(legend(page)).not_to_contain_text("learning rate")
    expect(legend(page)).to_contain_text("resnet8")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.hard
def test_a_telephone_shows_it_without_scrolling_sideways(folder, server, visit, picture):
    page = open_runs(visit, server(), width=400, dark=True)
    expect(legend(page)).to_contain_text("learning rate 0.5")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    picture(page, "runs-400", full_page=True)
