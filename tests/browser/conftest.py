"""What every browser test needs: a server of its own, one Chromium, and a place for the pictures of the screen."""

import functools
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
expect.set_options(timeout=15_000)  # two test files and their servers share the machine
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--enable-unsafe-swiftshader"]


@pytest.fixture(scope="session")
def browser():
    """The distribution's Chromium; without one the test fails with the line that installs it."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.fail("The browser tests need Chromium. Install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@functools.cache
def ports() -> list[int]:
    """Ports of this process of tests. They are used again: Chromium keeps the compiled scripts of each address."""
    probes = [socket.socket() for _ in range(20)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    found = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return found


def free_port() -> int:
    """The first of them on which nobody listens."""
    for port in ports():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("more than 20 servers at once")


class Server:
    """A running `streamlit run`: its address, process and log; stop() and start() keep the port, as a restart does."""

    def __init__(self, app: Path, folder: Path, **environment: str):
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.app, self.log = app, folder / f"server-{self.port}.log"
        self.environment = {**os.environ, "RESNET_VIZ_RUNS": str(folder / "runs"), **environment}
        self.process = None

    def start(self) -> "Server":
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(self.app),
            "--server.port",
            str(self.port),
            "--server.headless",
            "true",
            "--browser.gatherUsageStats",
            "false",
            "--server.fileWatcherType",
            "none",
        ]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                pytest.fail(f"The server ended at start:\n{self.log.read_text()[-3000:]}")
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).close()
                return self
            except OSError:
                time.sleep(0.1)
        pytest.fail(f"The server did not answer within 60 s:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@pytest.fixture
def server(tmp_path):
    """A factory: server(app="app.py", NAME="value") starts one on a free port, its runs in the test's folder."""
    started = []

    def start(app: str = "app.py", **environment: str) -> Server:
        started.append(Server(ROOT / app, tmp_path, **environment))
        return started[-1].start()

    yield start
    for one in started:
        one.stop()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory):
    """One server a process of tests and set of variables, as starting costs seconds: for tests that leave nothing behind
    on it."""
    running: dict[tuple, Server] = {}

    def give(app: str = "app.py", **environment: str) -> Server:
        key = (app, *sorted(environment.items()))
        if key not in running:
            running[key] = Server(ROOT / app, tmp_path_factory.mktemp("server"), **environment).start()
        return running[key]

    yield give
    for one in running.values():
        one.stop()


@pytest.fixture(scope="session")
def profile(browser):
    """One profile for all pages, as a page in a new one compiles all scripts again: 3 s of processor time, not 0.6."""
    return browser.new_context()


@pytest.fixture
def visit(browser, profile):
    """A factory: visit(url, width=1440, dark=False) opens a page of its own, with elsewhere=True as in another browser;
    an error of its scripts fails the test."""
    pages, errors = [], []

    def open_page(url: str, width: int = 1440, height: int = 900, dark: bool = False, elsewhere: bool = False):
        page = (browser.new_context() if elsewhere else profile).new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if dark else "light")
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for page in pages:
        if page.context is not profile:
            page.context.close()
        elif not page.is_closed():
            page.evaluate("try { localStorage.clear() } catch {}")
            page.close()
    profile.clear_cookies()
    profile.clear_permissions()
    assert not errors, f"the page's scripts raised: {errors}"


def rest(page) -> None:
    """Wait until the page is there and the server has nothing more to say."""
    page.locator("h1").first.wait_for(timeout=60_000)
    for _ in range(300):
        page.wait_for_timeout(200)
        if page.get_by_test_id("stStatusWidget").count() == 0 and page.get_by_test_id("stSkeleton").count() == 0:
            return
    pytest.fail("the page did not come to rest within 60 s")


@pytest.fixture
def picture():
    """A function: picture(page, name) keeps the screen as build/screenshots/<name>.png."""
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return lambda page, name, **more: page.screenshot(path=folder / f"{name}.png", **more)
