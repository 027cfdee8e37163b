"""A class at work: `python -m tests.reliability.load --sessions 30 --seconds 300` prints a table and writes a JSON file.

So many sessions on a server of its own, five of them on the live page of a run that trains beside; the training's speed is
taken before, with and after the class. The work is bounded by its seconds; the clients run on the same machine.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from resnet_viz import runs
from resnet_viz.training import presets, process

from .classroom import Mixed, Onlooker, Student
from .visitor import Fault

SOON_S = 3.0  # p95 of an interaction, on two cores
WARM_UP = 0.4  # of the time: afterwards memory shall be flat
ROWS, PATIENCE_S = 6, 30.0  # of the training's metrics that a speed is read from, and how long they are waited for
ALONE_S = 30.0  # at most, before the class and after it; a class of less than that leaves the speed alone
NAMES = {"open": "open a page by its link", "go": "another page", "upload": "a picture or weights file, to the answer",
         "choose": "a choice in a list", "press": "a click in a picture", "look": "one look at the live run"}
_lock = threading.Lock()


@contextmanager
def served(folder: Path):
    """(address, process) of the app with its runs and logs in the folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(runs.PROJECT / "app.py"), "--server.port", str(port), "--server.headless", "true"]
    environment = {**os.environ, "RESNET_VIZ_RUNS": str(folder / "runs"), "RESNET_VIZ_LOGS": str(folder / "logs")}
    with open(folder / "server.txt", "ab") as said:
        server = subprocess.Popen(command, cwd=runs.PROJECT, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        while server.poll() is None:
            with suppress(OSError):
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1).close()
                break
            time.sleep(0.1)
        yield f"http://localhost:{port}", psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def trained(folder: Path):
    """A run that begins while the rest is got ready, and does not end by itself; stopped with the block."""
    config = replace(presets.find("shapes-resnet20").config, epochs=10_000, batch_size=32, val_fraction=0.0, keep_weights=False)
    run = folder / "runs" / "live"
    before = os.environ.get("RESNET_VIZ_RUNS")
    os.environ["RESNET_VIZ_RUNS"] = str(folder / "runs")
    process.start(config, run)
    try:
        yield run
    finally:
        runs.send(run, "stop")
        while process.running(run):
            time.sleep(0.1)
        os.environ.pop("RESNET_VIZ_RUNS") if before is None else os.environ.update(RESNET_VIZ_RUNS=before)


class Pace:
    """The training's speed between two calls: median over its rows, in images a second; not a number where they are too few."""

    def __init__(self, run: Path):
        self.run, self.seen = run, 0

    def _rows(self) -> list[dict]:
        return [row for row in runs.read_lines(self.run / "metrics.jsonl") if row["split"] == "train"]

    def begin(self) -> None:
        self.seen = len(self._rows())

    def end(self, patience_s: float = 0.0) -> float:
        until = time.monotonic() + patience_s
        while len(self._rows()) < self.seen + ROWS and time.monotonic() < until:
            time.sleep(0.2)
        rows = self._rows()[self.seen :]
        rates = [(b["images"] - a["images"]) / (b["elapsed_s"] - a["elapsed_s"]) for a, b in zip(rows, rows[1:]) if b["elapsed_s"] > a["elapsed_s"]]
        return statistics.median(rates) if rates else float("nan")


def by_itself(pace: Pace, seconds: float) -> float:
    """The training's speed while nobody asks for anything."""
    if not seconds:
        return float("nan")
    time.sleep(2)  # those who left are seen off
    pace.begin()
    time.sleep(seconds)
    return pace.end(PATIENCE_S)


def attend(one, until: float, wrong: list[str], late_s: float) -> None:
    """Lap after lap until the time is over; whoever meets a fault says so and comes in again."""
    time.sleep(late_s)
    while time.monotonic() < until:
        try:
            for _ in one.lesson():
                if (left := until - time.monotonic()) <= 0:
                    break
                one.visitor.stay(min(one.think(), left))
        except (Fault, Mixed, OSError, LookupError, ValueError) as error:
            with _lock:
                wrong.append(f"{type(error).__name__}: {error}"[:400])
            time.sleep(1)
        finally:
            with suppress(Exception):
                one.visitor.close()


def watch(server: psutil.Process, until: float, found: list[dict]) -> None:
    began = time.monotonic()
    while time.monotonic() < until:
        times = server.cpu_times()
        found.append({"at_s": time.monotonic() - began, "memory": server.memory_info().rss, "threads": server.num_threads(),
                      "load": os.getloadavg()[0], "cpu_s": times.user + times.system})
        time.sleep(1)


def hold(sessions: int, seconds: float, live: int, think_s: float, folder: Path, beside=None) -> dict:
    """One class; beside(url, until) is called in a thread of its own, and what it returns stands in the result."""
    wrong, samples = [], []
    with trained(folder) as run, served(folder) as (url, server):
        people = [*(Student(number, sessions - live, url, think_s) for number in range(sessions - live)),
                  *(Onlooker(url) for _ in range(live))]
        for one in people:
            one.prepare()
        while not (run / "metrics.jsonl").exists():
            time.sleep(0.1)
        pace, alone_s = Pace(run), min(ALONE_S, seconds / 5) if seconds >= ALONE_S else 0.0
        alone = by_itself(pace, alone_s)
        pace.begin()
        began = time.monotonic()
        until = began + seconds
        late = min(10.0, seconds / 10) / len(people)
        threads = [threading.Thread(target=attend, args=(one, until, wrong, late * place)) for place, one in enumerate(people)]
        threads.append(threading.Thread(target=watch, args=(server, until, samples)))
        if beside:
            company = ThreadPoolExecutor(1).submit(beside, url, until)  # what it raises is raised here
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen = company.result() if beside else None
        with_class = pace.end()
        again = by_itself(pace, alone_s)
        memory_after = server.memory_info().rss
    timings = [timing for one in people for timing in one.visitor.timings]
    return {"sessions": sessions, "live": live, "seconds": seconds, "think_s": think_s, "wrong": wrong + logged(folder),
            "checks": sum(one.checks for one in people), "beside": seen,
            "interactions": {kind: spread([t.seconds for t in timings if t.kind == kind]) for kind in NAMES},
            "all": spread([t.seconds for t in timings]), "settled": spread([t.seconds for t in timings if t.began > began + WARM_UP * seconds]),
            "bytes": sum(t.size for t in timings), "memory": memory(samples, memory_after), "load": spread([s["load"] for s in samples]),
            "server_share": (samples[-1]["cpu_s"] - samples[0]["cpu_s"]) / (samples[-1]["at_s"] - samples[0]["at_s"]),
            "training": {"alone": alone, "with the class": with_class, "alone again": again,
                         "slower": 1 - with_class / statistics.mean([alone, again])}}


def spread(values: list[float]) -> dict:
    if not values:
        return {"count": 0}
    return {"count": len(values), "median": float(np.median(values)), "p95": float(np.percentile(values, 95)), "most": max(values)}


def memory(samples: list[dict], after: int) -> dict:
    """Medians (MB) of the server's resident memory right after the warm-up and at the end, each over a tenth of the time."""
    end = samples[-1]["at_s"]
    part = lambda first: statistics.median(s["memory"] / 1e6 for s in samples if first * end <= s["at_s"] <= (first + 0.1) * end + 1)
    return {"first": samples[0]["memory"] / 1e6, "warm": part(WARM_UP), "end": part(0.9), "most": max(s["memory"] for s in samples) / 1e6,
            "after": after / 1e6, "threads": max(s["threads"] for s in samples)}


def logged(folder: Path) -> list[str]:
    """Errors in the server's own log, and tracebacks in what it printed."""
    lines = [json.loads(line) for path in (folder / "logs").glob("server.log*") for line in path.read_text().splitlines()]
    printed = (folder / "server.txt").read_text(errors="replace")
    return [f"log: {line['what']}" for line in lines if line["level"] == "ERROR"] + (
        [f"printed: {printed[printed.index('Traceback'):][:600]}"] if "Traceback" in printed else [])


def table(result: dict) -> str:
    rows = [f"{'':45}{'count':>8}{'median':>9}{'p95':>9}{'longest':>9}  (s)"]
    for name, one in [*((NAMES[kind], one) for kind, one in result["interactions"].items()), ("all", result["all"]),
                      ("all after the warm-up", result["settled"]), *((result["beside"] or {}).items())]:
        if one["count"]:
            rows.append(f"{name:45}{one['count']:8,}{one['median']:9.2f}{one['p95']:9.2f}{one['most']:9.2f}")
    about, speed = result["memory"], result["training"]
    rows += [f"{result['sessions']} sessions, {result['live']} of them on the live page, {result['seconds']:g} s, thinking {result['think_s']:g} s on average",
             f"p95 after the warm-up {'under' if result['settled']['p95'] < SOON_S else 'over'} {SOON_S:g} s",
             f"{result['checks']:,} screens checked; wrong: {len(result['wrong'])}", *result["wrong"][:10],
             f"memory of the server: {about['first']:,.0f} MB at first, {about['warm']:,.0f} MB after the warm-up, {about['end']:,.0f} MB at the end"
             f" (most {about['most']:,.0f}), {about['after']:,.0f} MB when all had left; at most {about['threads']} threads",
             f"training: {speed['alone']:,.0f} images/s alone, {speed['with the class']:,.0f} with the class, {speed['alone again']:,.0f} alone again:"
             f" {100 * speed['slower']:.0f} % slower",
             f"the server used {100 * result['server_share']:.0f} % of a core, sent {result['bytes'] / 1e6:,.0f} MB; load average {result['load']['median']:.1f}"
             f" (most {result['load']['most']:.1f}) on {os.cpu_count()} cores"]
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--live", type=int, default=5, help="of the sessions, on the live page")
    parser.add_argument("--think", type=float, default=10, help="seconds between two interactions of a student, on average")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        result = hold(asked.sessions, asked.seconds, asked.live, asked.think, Path(folder))
    print(table(result))
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1))
    return 1 if result["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
