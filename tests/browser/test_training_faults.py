"""A run watched in the browser while things go wrong: its trainer is killed, its directory deleted; and it starts again."""

import shutil

import psutil
import pytest

from resnet_viz import runs

from .test_training_live import button, rows, runs_in, start, state, wait_for  # noqa: F401 (a fixture)

pytestmark = pytest.mark.browser


def sentence(page, words):
    page.get_by_test_id("stAlert").filter(has_text=words).first.wait_for(timeout=60_000)


@pytest.mark.hard
def test_killed_continued_stopped_started_again_and_deleted(start, tmp_path, picture):  # noqa: F811
    page, run, _ = start(epochs=200, pictures=1000)
    pictures = page.locator(".pictures figure")
    wait_for(page, lambda: pictures.count() == 10 and page.locator(".pictures img:not([hidden])").count() == 10)
    assert page.locator(".confusion > img").get_attribute("src").startswith("data:image/png")
    said = [cell.get_attribute("data-said") for cell in pictures.all()]

    psutil.Process(runs.read_status(run)["pid"]).kill()
    state(page, "Failed")
    sentence(page, "its process ended without a word")
    step = rows(run)[-1]["step"]
    picture(page, "training-killed")
    button(page, "Continue").click()
    state(page, "Running")
    # it was killed before anything was saved to go on from: it begins again, and draws no line twice
    wait_for(page, lambda: rows(run) and rows(run)[-1]["step"] > step)
    steps = [row["step"] for row in rows(run)]
    assert steps == sorted(set(steps))
    wait_for(page, lambda: [cell.get_attribute("data-said") for cell in pictures.all()] != said)
    button(page, "Stop").click()
    state(page, "Stopped")

    button(page, "Same start").click()
    wait_for(page, lambda: len(runs_in(tmp_path)) == 2)
    again = next(one for one in runs_in(tmp_path) if one != run)
    wait_for(page, lambda: again.name in page.url and rows(again))
    assert runs.read_config(again) == runs.read_config(run)
    first = [row["loss"] for row in rows(run)[:1]]
    assert [row["loss"] for row in rows(again)[:1]] == first, "the same first weights and the same first batch"

    trainer = psutil.Process(runs.read_status(again)["pid"])
    shutil.rmtree(again, ignore_errors=True)
    sentence(page, "was deleted or moved; you see another one")
    wait_for(page, lambda: run.name in page.url)
    state(page, "Stopped")
    picture(page, "training-deleted")
    wait_for(page, lambda: not trainer.is_running() or trainer.status() == psutil.STATUS_ZOMBIE)
    assert not (again / "config.json").exists()
