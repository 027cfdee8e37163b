"""What the live page costs: of one update the server's time and the bytes, and of two open browsers the training's speed.

Measured from outside: the bytes on the browser's own WebSocket, and the seconds that the server's process computed.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from . import checkpoints, runs
from .training import presets, process
from .training.config import resolve

FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--enable-unsafe-swiftshader"]
NO_BROWSER = {"figure": "not measured: it needs playwright (requirements-test.txt) and Chromium"}
LOOKS, WARM_LOOKS = 12, 3  # updates that are measured, after those that bring the code
STEPS_A_ROW = 10
WINDOW_S, PAIRS = 15.0, 5  # so long with the page open in two browsers, then as long without, in turns
WINDOW_ROWS = 5  # at least
SETTLE_S = 3.0  # after opening or leaving a page


def with_browser(measure):
    """The measure as a row of the benchmark: a sentence where there is no browser to measure with."""
    def measured() -> dict:
        try:
            from playwright.sync_api import sync_playwright
        except ImportError:
            return dict(NO_BROWSER)
        path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        if path is None:
            return dict(NO_BROWSER)
        with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            try:
                return measure(browser, Path(folder))
            finally:
                browser.close()
    return measured


@contextmanager
def _server(folder: Path):
    """The app with its runs in `folder`; yields the address of the training page, and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(runs.PROJECT / "app.py"), "--server.port", str(port), "--server.headless", "true"]
    server = subprocess.Popen(command, cwd=runs.PROJECT, env={**os.environ, "RESNET_VIZ_RUNS": str(folder)}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while server.poll() is None:
            try:
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://localhost:{port}/training", psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()


# One update


def rows(first: int, last: int) -> list[dict]:
    """Rows of metrics.jsonl with a falling, noisy loss: training rows number first+1 to last."""
    return [{"split": "train", "epoch": n // 1000, "step": n * STEPS_A_ROW, "images": n * STEPS_A_ROW * 128, "loss": 2.3 / n**0.2 + (n * 37 % 101) / 500,
             "accuracy": min(0.99, n**0.2 / 12) - (n * 53 % 97) / 1000, "lr": 0.1, "elapsed_s": n * 0.5} for n in range(first + 1, last + 1)]


def _living_run(run: Path, points: int) -> None:
    """A run of so many points whose process is this one, with a finished example's snapshots where there is one."""
    examples = [checkpoints.BUNDLED / name for name in checkpoints.bundled()]
    for example in examples[:1]:
        shutil.copytree(example / "snapshots", run / "snapshots")
        shutil.copyfile(checkpoints.best_or_last(example), run / "initial.safetensors")
    runs.write_config(run, resolve(presets.find("shapes-resnet20").config).to_dict())
    runs.append(run / "metrics.jsonl", *rows(0, points))


def _beat(run: Path, points: int) -> None:
    me = psutil.Process()
    runs.write_json(run / "status.json", {"state": "running", "step": points * STEPS_A_ROW, "total_steps": 2 * points * STEPS_A_ROW, "epoch": 0,
                                          "heartbeat": time.time(), "host": socket.gethostname(), "pid": me.pid, "message": "training",
                                          "process_created": me.create_time(), "process_after_boot_s": runs.after_boot_s(me)})


class Conversation:
    """The frames of a page's WebSocket, as looks: a question of the page, and the bytes and time of the answer."""

    def __init__(self, page):
        self.looks = []  # [asked at, last word at, bytes]
        page.on("websocket", self._listen)

    def _listen(self, channel) -> None:
        channel.on("framesent", lambda frame: self.looks.append([time.perf_counter(), None, 0]))
        channel.on("framereceived", self._received)

    def _received(self, frame) -> None:
        if self.looks:
            self.looks[-1][1] = time.perf_counter()
            self.looks[-1][2] += len(frame)

    def answered(self) -> list[tuple[float, int]]:
        """(seconds, bytes) of each look that was answered."""
        return [(last - asked, size) for asked, last, size in self.looks if last is not None]


def update_cost(points: int):
    """One update of the page of a run of so many points, ten of them new each time."""
    def measure(browser, folder: Path) -> dict:
        run = folder / "live"
        _living_run(run, points)
        _beat(run, points)
        with _server(folder) as (url, server):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            talk = Conversation(page)
            page.goto(f"{url}?run=runs/live")
            page.locator(".chart path[data-line=training]").first.wait_for(timeout=90_000)
            count, used = points, []
            while len(talk.answered()) < LOOKS + WARM_LOOKS + 3:
                runs.append(run / "metrics.jsonl", *rows(count, count + 10))
                count += 10
                _beat(run, count)
                page.wait_for_timeout(1000)
                used.append((_cpu_s(server), len(talk.answered())))
        found, ((first_s, first), (last_s, last)) = talk.answered()[-LOOKS:], (used[WARM_LOOKS], used[-1])
        seconds, size = (last_s - first_s) / (last - first), statistics.median(size for _, size in found)
        waited = statistics.median(seconds for seconds, _ in found)
        return {"seconds": round(seconds, 4), "bytes": int(size), "waited_s": round(waited, 4),
                "figure": f"{1000 * seconds:.0f} ms, {size / 1000:.0f} kB (the browser waited {1000 * waited:.0f} ms)"}
    return measure


def _cpu_s(process: psutil.Process) -> float:
    """What a process has computed so far: other work of this machine does not count."""
    times = process.cpu_times()
    return times.user + times.system


def _browsers_cpu_s() -> float:
    """What the browsers that were opened here have computed so far."""
    found = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            found += _cpu_s(child) if "chrom" in child.name() else 0.0
        except psutil.Error:
            continue  # a helper process that has just ended
    return found


# Two browsers beside a training


def two_browsers(browser, folder: Path) -> dict:
    """Images a second with the page open in two browsers, over those without, in turns beside one training."""
    config = replace(presets.find("shapes-resnet20").config, epochs=10_000, batch_size=32, val_fraction=0.0, keep_weights=False)
    os.environ["RESNET_VIZ_RUNS"], before = str(folder), os.environ.get("RESNET_VIZ_RUNS")
    run = folder / "live"
    try:
        process.start(config, run)
        with _server(folder) as (url, server):
            pages = [browser.new_context(viewport={"width": 1440, "height": 900}).new_page() for _ in range(2)]
            while not (run / "metrics.jsonl").exists():
                time.sleep(0.1)
            ratios, computed, open_s = [], [], 0.0
            for _ in range(PAIRS):
                began, before_s = time.perf_counter(), (_cpu_s(server), _browsers_cpu_s())
                beside = _rate(run, pages, f"{url}?run=runs/live")
                computed.append((_cpu_s(server) - before_s[0], _browsers_cpu_s() - before_s[1]))
                open_s += time.perf_counter() - began
                ratios.append(beside / _rate(run, pages, "about:blank"))
    finally:
        runs.send(run, "stop")
        while process.running(run):
            time.sleep(0.1)
        os.environ.pop("RESNET_VIZ_RUNS") if before is None else os.environ.update(RESNET_VIZ_RUNS=before)
    slower = 1 - statistics.median(ratios)
    server_share, browser_share = (sum(part) / open_s for part in zip(*computed))
    return {"ratio": round(1 - slower, 3), "server_share": round(server_share, 3), "browser_share": round(browser_share, 3),
            "figure": f"{100 * slower:.1f} % slower (pairs: {', '.join(f'{100 * (1 - r):.0f}' for r in ratios)} %; of one core the server"
                      f" took {100 * server_share:.0f} %, both browsers {100 * browser_share:.0f} %)"}


def _rate(run: Path, pages, address: str) -> float:
    """Images a second of training time while the pages show the address."""
    for page in pages:
        page.goto(address)
    pages[0].wait_for_timeout(1000 * SETTLE_S)
    first, found = len(runs.read_lines(run / "metrics.jsonl")) - 1, []
    while len(found) < WINDOW_ROWS:
        pages[0].wait_for_timeout(1000 * WINDOW_S)
        found = [row for row in runs.read_lines(run / "metrics.jsonl")[first:] if row["split"] == "train"]
    return (found[-1]["images"] - found[0]["images"]) / (found[-1]["elapsed_s"] - found[0]["elapsed_s"])
