"""How fast this machine is: `make bench`. Timings are noisy, so each figure is a median, and training is a ratio
measured alternating in one process."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from . import checkpoints, live_page_speed, looking_speed, runs, training_speed
from .data.preprocessing import NORMALISATIONS, Preprocessing, see
from .networks import zoo
from .training import presets, process

SUMMARY = """
import time
from resnet_viz.analysis.architecture import summary
started = time.perf_counter()
summary("resnet152", None, 224)
print(time.perf_counter() - started)
"""


def run(tell) -> dict:
    """{"machine", "rows": [{"what", "figure", "seconds" or "ratio", "bar"}]}; tell(text) says what is measured."""
    from .analysis import machine

    about = machine.check()
    rows = []
    for what, measure, bar in MEASURES:
        tell(what)
        rows.append({"what": what, "bar": bar, **measure()})
    return {"machine": {key: about[key] for key in ("platform", "python", "cores", "memory_mib", "devices", "versions")}, "rows": rows}


def _median(action, times: int) -> dict:
    """Seconds of one call, the median of several after two that warm up."""
    action(), action()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return _seconds(statistics.median(seconds))


def _seconds(seconds: float) -> dict:
    return {"seconds": round(seconds, 4), "figure": f"{seconds:.3f} s"}


def summary_of_resnet152() -> dict:
    """In a fresh process, after the imports: the first call, which no cache helps."""
    found = [float(subprocess.run([sys.executable, "-c", SUMMARY], capture_output=True, text=True, check=True, cwd=runs.PROJECT).stdout)
             for _ in range(3)]
    return _seconds(statistics.median(found))


def summary_beside_torchinfo() -> dict:
    """From a name to ResNet-152's table, the network built each time: ours over torchvision's build and torchinfo."""
    try:
        import torchinfo
        import torchvision
    except ImportError:
        return {"figure": "not measured: torchinfo is not installed (requirements-test.txt)"}

    from .analysis.architecture import summary

    ways = {"ours": lambda: summary("resnet152", None, 224),
            "theirs": lambda: torchinfo.summary(torchvision.models.resnet152(), (1, 3, 224, 224), verbose=0)}
    seconds = {name: [] for name in ways}
    for _ in range(6):  # alternating; the first of each warms up
        for name, action in ways.items():
            started = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - started)
    ours, theirs = (statistics.median(seconds[name][1:]) for name in ways)
    return {"ratio": round(theirs / ours, 1), "figure": f"{theirs / ours:.0f} x ({ours:.3f} s against {theirs:.2f} s)"}


def prediction(network: str, size: int, resize: int):
    """From a decoded photograph to probabilities, one picture at a time; random weights, which take as long."""
    def measure() -> dict:
        from .data import examples

        picture = examples.read(examples.default())
        model = zoo.build(network).eval()
        preprocessing = Preprocessing(size, resize, *NORMALISATIONS["imagenet"])

        def answer():
            with torch.inference_mode():
                model(see(picture, preprocessing).tensor).softmax(1)

        return _median(answer, 9)
    return measure


def first_point() -> dict:
    """From Start to the first row of metrics.jsonl: a process begins, imports torch, makes the pictures, takes a step."""
    found = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            directory = Path(folder) / "run"
            started = time.perf_counter()
            process.start(presets.find("quick-shapes").config, directory)
            while not (directory / "metrics.jsonl").exists():
                time.sleep(0.01)
            found.append(time.perf_counter() - started)
            runs.send(directory, "stop")
            while process.running(directory):
                time.sleep(0.05)
    return _seconds(statistics.median(found))


def page_change() -> dict:
    """The slowest page of the app, warm, as the server computes it (without the browser)."""
    from .ui.page_speed import slowest_page

    if not checkpoints.bundled():
        return {"figure": "not measured: no bundled checkpoint"}
    name, seconds = slowest_page()
    return {"seconds": round(seconds, 4), "figure": f"{seconds:.3f} s ({name})"}


MEASURES = (
    ("table of ResNet-152 after imports, first call", summary_of_resnet152, "under 0.3 s"),
    ("table of ResNet-152, network built, beside torchvision and torchinfo", summary_beside_torchinfo, "over 5 x"),
    ("prediction of one picture, ResNet-20", prediction("resnet20", 32, 32), "under 0.1 s"),
    ("prediction of one picture, ResNet-152", prediction("resnet152", 224, 256), "under 0.5 s"),
    ("from Start to the first point of the curve", first_point, "under 4 s"),
    ("training ResNet-20, beside the same step on a constant batch", training_speed.beside_constant_batch, "over 0.90 x"),
    ("training ResNet-20, beside a plain loop (DataLoader, PIL and torchvision transforms, NCHW)", training_speed.beside_textbook_loop, "over 1.4 x"),
    ("the same in bf16, the precision of the CIFAR-10 preset", training_speed.in_bf16_beside_textbook_loop, "over 1.4 x"),
    ("GPU: the whole loop, ResNet-18 (3x3 stem), beside its step on a constant batch",
     training_speed.on_gpu(training_speed.whole_loop_beside_constant_batch), "over 0.95 x"),
    ("GPU: ResNet-18 (3x3 stem), operations a second beside airbench's train94 and a matrix product",
     training_speed.on_gpu(training_speed.rate_beside_airbench), "over 1 x"),
    ("warm page change, slowest page, server side", page_change, "under 1 s"),
    ("live page: one update at 10,000 points", live_page_speed.with_browser(live_page_speed.update_cost(10_000)), "under 60 ms and 40 kB"),
    ("live page: one update at 100,000 points", live_page_speed.with_browser(live_page_speed.update_cost(100_000)), "under 60 ms and 40 kB"),
    ("live page open in two browsers on this machine, beside the same training without", live_page_speed.with_browser(live_page_speed.two_browsers),
     "under 12 % slower (3 % on a GPU)"),
    *looking_speed.MEASURES,
)
