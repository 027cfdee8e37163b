"""Real steps in a process of their own: what they count, how they end, and what a GPU would be asked (with a fake)."""

import json
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace

import psutil
import pytest
import torch

from resnet_viz import runs
from resnet_viz.analysis import resource_measurement as measurement
from resnet_viz.analysis import resource_steps as steps
from resnet_viz.analysis import resources
from resnet_viz.analysis.resource_measurement import Measured
from resnet_viz.analysis.resources import GIB, MIB
from resnet_viz.networks import zoo
from tests.refusals import refused


@pytest.fixture(scope="module")
def tiny():
    return resources.demand("resnet8", {}, 32)


def asked(found, batches, optimizer="momentum", limit=None):
    return measurement.request(found, {}, optimizer, batches, limit)


def heard(request) -> list[dict]:
    """All events of a measurement but the ticks."""
    return [event for event in measurement.events(request) if event["event"] != "tick"]


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.mark.short(1)
@pytest.mark.parametrize(("precision", "optimizer"), [("fp32", "adam"), ("bf16", "sgd"), ("fp16", "momentum")])
def test_the_count_is_the_estimate(precision, optimizer):
    found = resources.demand("resnet8", {}, 32, precision)
    before = children()
    told = heard(asked(found, [2, 4], optimizer))
    assert not children() - before
    rows = [measurement.measured(found, optimizer, event) for event in told if event["event"] == "batch"]
    assert [row.batch for row in rows] == [2, 4]
    for row in rows:
        assert row.counted["stored"] == found.stored(row.batch)
        assert row.counted_error == 0
        assert 0.2 * GIB < row.peak_bytes < 3 * GIB and row.reserved_bytes is None
        assert len(row.seconds) == steps.TIMED and 0 < row.images_per_s < 1e6
        low, high = row.epoch_s(1000)
        assert 0 < low <= high and low == pytest.approx(-(-1000 // row.batch) * min(row.seconds))
        assert sum(row.parts().values()) == pytest.approx(row.peak_bytes, rel=1e-6)
    first = [event for event in told if event["event"] == "step"][:5]
    assert [(e["batch"], e["step"], e["steps"]) for e in first] == [(2, number, 5) for number in range(5)]


def test_a_stop_ends_the_process_at_once(tiny):
    before = children()
    with closing(measurement.events(asked(tiny, [65_536]))) as told:  # about 45 s a step
        next(event for event in told if event["event"] in ("step", "tick"))
        assert len(children() - before) == 1
        stopped = time.monotonic()
    assert children() == before and time.monotonic() - stopped < 5


def test_while_it_works_it_can_be_stopped_every_moment(tiny, monkeypatch):
    monkeypatch.setattr(measurement, "PROCESS", (sys.executable, "-c", "import time; time.sleep(60)"))
    with closing(measurement.events(asked(tiny, [1]))) as told:
        started = time.monotonic()
        assert [next(told) for _ in range(3)] == [{"event": "tick"}] * 3
        assert time.monotonic() - started < 3


def test_it_ends_with_whoever_asked(tiny):
    process = subprocess.Popen(measurement.PROCESS, cwd=runs.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    process.stdin.write(json.dumps(asked(tiny, [32_768])) + "\n")
    process.stdin.close()
    assert process.wait(60) == 1
    process.stdout.close()


@pytest.mark.hard
def test_a_batch_that_cannot_fit_is_not_tried(tiny):
    limit = resources.fixed(tiny, "sgd") + 5 * resources.per_picture(tiny)
    told = heard(asked(tiny, [2, 4, 8, 16], "sgd", limit))
    assert [e["batch"] for e in told if e["event"] == "batch"] == [2, 4]
    assert told[-1]["event"] == "full" and told[-1]["batch"] == 8 and "may be used" in told[-1]["why"]


UNGUARDED = "from resnet_viz.analysis import resource_steps as s; s._too_large = lambda *a: None; s.main()"


@pytest.mark.hard
def test_a_device_that_refuses_ends_the_measurement_and_not_the_app(monkeypatch):
    """Where the estimate would be too low, the process runs into its own limit, which is Linux's."""
    monkeypatch.setattr(measurement, "PROCESS", (sys.executable, "-c", UNGUARDED))
    found = resources.demand("resnet20", {}, 32)
    before = children()
    told = heard(asked(found, [2, 4096], limit=GIB))
    assert [e["batch"] for e in told if e["event"] == "batch"] == [2]
    assert told[-1] == {"event": "full", "batch": 4096, "why": "the device refused more memory"}
    assert not children() - before


def test_a_process_that_the_system_ends_did_not_fit(tiny, monkeypatch):
    said = json.dumps({"event": "step", "batch": 8, "step": 0, "steps": 5})
    script = f"import os; print('{said}', flush=True); os.kill(os.getpid(), 9)"
    monkeypatch.setattr(measurement, "PROCESS", (sys.executable, "-c", script))
    told = heard(asked(tiny, [8]))
    assert told[-1] == {"event": "full", "batch": 8, "why": "the system ended the process (signal 9)"}


@pytest.mark.parametrize("script", ["raise ValueError('no such thing')", "import sys; sys.stdin.close(); 1 / 0"])
def test_another_failure_is_one_sentence(tiny, monkeypatch, script):
    monkeypatch.setattr(measurement, "PROCESS", (sys.executable, "-c", script))
    with refused("measuring process failed: (ValueError: no such thing|ZeroDivisionError)"):
        list(measurement.events(asked(tiny, [1])))


def test_batches():
    found = resources.demand("resnet18", {}, 64)
    assert measurement.batches_up_to(found, 1) == [1]
    assert measurement.batches_up_to(found, 8) == [1, 2, 4, 8]
    assert measurement.batches_up_to(found, 12) == [1, 2, 4, 8, 12]
    small = resources.demand("resnet18", {}, 32)
    assert measurement.batches_up_to(small, 5) == [2, 4, 5]
    with refused("batch of 2 or more"):
        measurement.batches_up_to(small, 1)
    with refused("between 1 and 65,536"):
        measurement.request(found, {}, "sgd", [70_000])


def test_an_epoch_needs_pictures(tiny):
    row = Measured(8, {"weights": 1}, 10, None, 0, (2.0, 4.0), {})
    assert row.epoch_s(17) == (6.0, 12.0) and row.images_per_s == pytest.approx(16 / 6)
    with refused("between 1 and"):
        row.epoch_s(0)


# A GPU, as far as it can be tried without one

@pytest.fixture
def cuda(monkeypatch):
    """What was asked of torch.cuda, and answers of a card with 24 GiB."""
    calls = []
    answers = {"get_device_properties": type("Card", (), {"total_memory": 24 * GIB, "name": "Card"}),
               "mem_get_info": (20 * GIB, 24 * GIB), "max_memory_allocated": 2 * GIB, "max_memory_reserved": 3 * GIB,
               "memory_reserved": 3 * GIB, "set_per_process_memory_fraction": None, "empty_cache": None,
               "reset_peak_memory_stats": None, "synchronize": None}

    def answering(name):
        def ask(*arguments):
            calls.append((name, *arguments))
            return answers[name]
        return ask

    for name in answers:
        monkeypatch.setattr(torch.cuda, name, answering(name))
    return calls


def test_what_a_gpu_is_asked(cuda):
    meter = steps.CudaMeter(None)
    assert ("set_per_process_memory_fraction", 1.0, 0) in cuda
    meter.start()
    assert {"empty_cache", "reset_peak_memory_stats"} <= {name for name, *_ in cuda}
    meter.wait()
    assert cuda[-1] == ("synchronize", 0)
    assert meter.read() == {"peak_bytes": 2 * GIB, "reserved_bytes": 3 * GIB, "outside_bytes": GIB}


def test_a_smaller_card_is_played_by_a_larger_one(cuda):
    meter = steps.CudaMeter(8 * GIB)
    fraction = next(call[1] for call in cuda if call[0] == "set_per_process_memory_fraction")
    assert fraction == pytest.approx((8 * GIB - 512 * MIB) / (24 * GIB))
    assert meter.room() == 16 * GIB  # the allocator decides


def test_a_gpu_that_is_full_ends_the_measurement(monkeypatch, tiny):
    class Fake(steps.Step):
        """A card on which four pictures are too many."""

        def __call__(self, pictures, labels):
            if len(pictures) >= 4:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.")
            super().__call__(pictures, labels)

    monkeypatch.setattr(steps, "Step", Fake)
    monkeypatch.setitem(steps.METERS, "cpu", Plain)
    told = list(steps.measure(asked(tiny, [2, 4, 8])))
    assert [event["batch"] for event in told if event["event"] == "batch"] == [2]
    assert told[-1] == {"event": "full", "batch": 4, "why": "the device refused more memory"}


class Plain:
    """A meter that watches nothing: the test's own process stays without limits."""

    def __init__(self, limit):
        self.limit = limit

    def room(self):
        return 8 * GIB

    def start(self):
        pass

    def wait(self):
        pass

    def read(self):
        return {"peak_bytes": GIB, "reserved_bytes": 2 * GIB, "outside_bytes": 0}


def test_a_bug_in_a_step_is_not_called_full(monkeypatch, tiny):
    def broken(self, pictures, labels):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(steps.Step, "__call__", broken)
    monkeypatch.setitem(steps.METERS, "cpu", Plain)
    with pytest.raises(RuntimeError, match="multiplied"):
        list(steps.measure(asked(tiny, [2])))


@pytest.mark.parametrize("text", ["DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes",
                                  "could not create a primitive", "std::bad_alloc", "CUDA out of memory",
                                  "cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "Unable to find an engine to execute"])
def test_words_of_a_full_memory(text):
    assert steps.is_full(RuntimeError(text)) and steps.is_full(MemoryError())
    assert not steps.is_full(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def test_on_a_gpu_the_context_is_outside_of_the_peak(tiny):
    found = resources.demand("resnet8", {}, 32, "fp32", "cuda")
    counted = {"weights": MIB, "gradients": MIB, "optimizer": MIB, "buffers": 0, "stored": 10 * MIB}
    estimated = resources.parts(found, 4, "momentum")
    row = Measured(4, counted, 20 * MIB, 30 * MIB, GIB, (1.0,), estimated)
    assert row.estimated_peak == sum(estimated.values()) - estimated["process"]
    assert row.parts()["workspace"] == 7 * MIB and "process" not in row.parts()
    assert replace(row, reserved_bytes=None).estimated_peak == sum(estimated.values())


def test_counting_leaves_nothing_behind():
    """A hook that keeps an output itself would keep the whole graph for ever."""
    model = zoo.build("resnet8")
    pictures = torch.randn(64, 3, 32, 32)

    def count():
        return steps.count_saved(model, lambda: model(pictures).sum())

    first = count()
    before = psutil.Process().memory_info().rss
    for _ in range(20):
        assert count() == first
    assert psutil.Process().memory_info().rss - before < 10 * first["stored"]  # a leak would be 20 times
    assert all(p.grad is None for p in model.parameters())
