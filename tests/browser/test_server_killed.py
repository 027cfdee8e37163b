"""The server is killed while a file is open and another one on its way: nothing half stays, and the next server clears up."""

import os
import time

import pytest
import torch
from playwright.sync_api import expect

from resnet_viz.networks import zoo

pytestmark = [pytest.mark.browser, pytest.mark.hard]
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}  # bytes a second


def test_killed_during_an_upload(server, visit, tmp_path):
    system, small, large = tmp_path / "system", tmp_path / "small.pth", tmp_path / "large.pth"
    system.mkdir()
    torch.save(zoo.build("resnet8").state_dict(), small)
    large.write_bytes(os.urandom(20_000_000))
    serving = server(TMPDIR=str(system))
    page = visit(f"{serving.url}/kernels")
    expect(page.get_by_role("radio", name="Numbers")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Open a file").click()
    drop = page.get_by_test_id("stPopoverBody").locator("input[type=file]")
    drop.set_input_files(small)
    expect(page).to_have_url(f"{serving.url}/kernels?checkpoint=small.pth", timeout=90_000)
    (kept,) = system.glob("resnet-viz-*")

    sent = []
    page.on("request", lambda request: sent.append(request.method == "PUT"))
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.emulateNetworkConditions", SLOW)
    drop.set_input_files(large)
    deadline = time.monotonic() + 30
    while not any(sent):
        assert time.monotonic() < deadline, "the upload never began"
        page.wait_for_timeout(100)
    page.wait_for_timeout(3000)  # 1 of 20 MB
    serving.process.kill()
    serving.process.wait()
    assert [path.name for path in kept.iterdir()] == ["small.pth"]
    assert not [path for path in system.rglob("*") if path.is_file() and path.stat().st_size > 200_000 and path.parent != kept]
    assert not list((tmp_path / "runs").glob("*"))

    os.utime(kept, (time.time() - 120,) * 2)  # two minutes later
    serving.start()
    assert not list(system.glob("resnet-viz-*"))
    page = visit(f"{serving.url}/kernels")
    expect(page.get_by_role("radio", name="Numbers")).to_be_visible(timeout=90_000)
