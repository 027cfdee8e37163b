"""How fast this machine is: `make bench`. Timings are noisy, so each figure is a median, and training is a ratio
measured alternating in one process."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from . import checkpoints, runs
from .data.augmentation import augment, batch_order, draw
from .data.preprocessing import NORMALISATIONS, Preprocessing, normalise, see
from .evaluation import loss_of
from .networks import zoo
from .training import presets, process
from .training.config import resolve
from .training.recipe import make_optimizer
from .training.work import prepare

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


def loop_against_constant_batch() -> dict:
    """Images per second of our step with its data work, over those of the same step on one batch that never changes."""
    config = resolve(presets.find("shapes-resnet20").config)
    torch.set_num_threads(config.threads)
    work = prepare(config)
    optimizer = make_optimizer(work.model, config)
    order = batch_order(0, 0, len(work.train))
    choices = draw(0, 0, len(work.train), config.flip, config.crop_padding)

    def batch(index: int):
        samples = order[index * config.batch_size: (index + 1) * config.batch_size]
        pictures = augment(work.train.images[samples], choices.of(samples, work.device))
        return normalise(pictures, work.preprocessing).contiguous(memory_format=torch.channels_last), work.train.labels[samples]

    def step(pictures, labels) -> None:
        loss = loss_of(work.model(pictures), labels, work.heads)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    constant = batch(0)
    seconds = {"ours": [], "constant": []}
    for index in range(24):  # alternating, so that whatever else the machine does hits both
        for name, action in (("ours", lambda: step(*batch(index))), ("constant", lambda: step(*constant))):
            started = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - started)
    ours, peer = (statistics.median(seconds[name][4:]) for name in ("ours", "constant"))
    return {"ratio": round(peer / ours, 3), "figure": f"{peer / ours:.2f} x ({config.batch_size / ours:,.0f} against {config.batch_size / peer:,.0f} images/s)"}


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
    ("training ResNet-20, beside the same step on a constant batch", loop_against_constant_batch, "over 0.90 x"),
    ("warm page change, slowest page, server side", page_change, "under 1 s"),
)
