"""In a real browser: a fault is one sentence and a line in the log, who has the password comes in, and names stay text."""

import json
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from ..reliability.test_names_from_strangers import hostile_run


@pytest.mark.hard
def test_a_fault_of_the_program_is_one_sentence_and_its_trace_is_in_the_log(server, visit, tmp_path):
    logs = tmp_path / "logs"
    page = visit(server("tests/browser/faulty_app.py", RESNET_VIZ_LOGS=str(logs)).url, width=800)
    page.get_by_role("button", name="Press").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This page met a fault of the program (KeyError, number ")
    expect(alert).to_contain_text("python -m resnet_viz check")
    assert page.get_by_test_id("stException").count() == 0 and "faulty_app" not in page.locator("body").inner_text()
    lines = [json.loads(line) for line in (logs / "server.log").read_text().splitlines()]
    (fault,) = [line for line in lines if line["level"] == "ERROR"]
    number = fault["what"].split()[1]
    assert f"number {number})" in alert.inner_text() and len(fault["session"]) == 8
    assert fault["error"]["kind"] == "KeyError" and "faulty_app.py" in fault["error"]["trace"]
    assert "content of a file" not in json.dumps(lines)  # names of lines of code, not the values in them


@pytest.mark.hard
def test_with_a_password_the_page_asks_once_and_the_link_is_kept(server, visit, tmp_path):
    serving = server("tests/browser/faulty_app.py", RESNET_VIZ_PASSWORD="open, sesame", RESNET_VIZ_LOGS=str(tmp_path))
    page = visit(f"{serving.url}/?checkpoint=a%20b", width=400)
    field = page.get_by_label("Password")
    field.fill("open")
    field.press("Enter")
    expect(page.get_by_role("status")).to_have_text("That is not the password; try again.")
    field.fill("open, sesame")
    page.get_by_role("button", name="Enter").click()
    expect(page.get_by_role("heading", name="A page")).to_be_visible()
    assert "checkpoint=a%20b" in page.url
    page.reload()
    expect(page.get_by_role("heading", name="A page")).to_be_visible()
    page.get_by_role("button", name="Press").click()  # also the connection behind the page came through
    expect(page.get_by_role("alert")).to_contain_text("tell whoever started this server")


def test_hostile_names_run_nothing_and_load_nothing(server, visit, tmp_path):
    run = hostile_run(tmp_path / "runs")
    page, dialogs, asked = visit("about:blank"), [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    address = server().url
    page.goto(f"{address}/predictions?checkpoint=runs/{quote(run.name)}")
    expect(page.get_by_text("resnet8, 10 classes")).to_be_visible()
    page.get_by_text("<img src=x onerror=alert(1)>").first.wait_for()
    page.wait_for_timeout(500)
    assert not dialogs and page.locator("img[src=x], a[href^=javascript], img[onerror]").count() == 0
    assert [url for url in asked if not url.startswith((address, "data:", "blob:", "ws://localhost", "about:"))] == []
