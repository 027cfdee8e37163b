"""The parts of a training step against real models and optimisers, the peak against torch's tracker, and the laws."""

import psutil
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from torch.nn import functional as F

from resnet_viz.analysis import resource_steps, resources
from resnet_viz.analysis.resources import ALLOWANCES, GIB, MIB, OPTIMIZERS, PARTS
from resnet_viz.networks import zoo
from tests.refusals import refused

COUNTED = ("weights", "gradients", "optimizer", "buffers", "copies", "activations", "batch")


@pytest.fixture(scope="module")
def large():
    return resources.demand("resnet152", {}, 224, "fp32", "cuda")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("network", ["resnet8", "simple-cnn", "grapheme-resnet"])
def test_weights_gradients_state_and_buffers_are_those_of_a_real_step(network, optimizer):
    side = zoo.find(network).input_size
    step = resource_steps.Step({"network": network, "arguments": {}, "size": side, "optimizer": optimizer,
                                "precision": "fp32", "device": "cpu"})
    step(*step.batch(2))
    real = step.counted({})
    found = resources.parts(resources.demand(network, {}, side), 2, optimizer)
    assert {part: found[part] for part in real} == real
    assert (real["optimizer"] > 0) == (optimizer != "sgd")


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_state_is_that_of_torchs_optimisers_whatever_their_options(optimizer):
    """Also without the fused kernels that training takes."""
    model = zoo.build("resnet8")
    make = {"sgd": lambda p: torch.optim.SGD(p, 0.1), "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
            "adam": torch.optim.Adam}[optimizer]
    found = make(list(model.parameters()))
    model(torch.randn(2, 3, 32, 32)).sum().backward()
    found.step()
    tensors = [t for state in found.state.values() for t in state.values() if torch.is_tensor(t)]
    assert resources.optimizer_bytes(resources.demand("resnet8", {}, 32), optimizer) == \
        sum(t.numel() * t.element_size() for t in tensors)


def tracked_peak(network: str, batch: int, precision: str) -> int:
    """The most memory of two steps as torch's own tracker sees it, on tensors without numbers."""
    with FakeTensorMode():
        model = zoo.build(network)
        pictures, labels = torch.randn(batch, 3, 64, 64), torch.zeros(batch, dtype=torch.long)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, foreach=False)
        tracker = MemTracker()
        tracker.track_external(model, optimizer, pictures, labels)
        with tracker:
            for _ in range(2):
                with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                    logits = model(pictures)
                loss = F.cross_entropy(logits.float(), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                del logits, loss
                tracker.reset_mod_stats()  # of the modules; the peak stays
        return next(iter(tracker.get_tracker_snapshot("peak").values()))["Total"]


@pytest.mark.short(1)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("network", ["resnet18", "resnet50"])
def test_the_largest_moment_is_the_sum_of_the_parts(network, precision):
    found = resources.parts(resources.demand(network, {}, 64, precision), 64, "momentum")
    assert sum(found[part] for part in COUNTED) == pytest.approx(tracked_peak(network, 64, precision), rel=0.02)


def test_what_the_course_adds_up(large):
    with_biases = resources.demand("resnet152", {"conv_bias": True}, 224)
    assert with_biases.params == 60_268_520
    found = resources.parts(with_biases, 1, "momentum")
    assert (found["weights"] + found["gradients"] + found["optimizer"]) / MIB == pytest.approx(689.72, abs=0.01)
    assert large.stored(8) / MIB == pytest.approx(1354.27, abs=0.05)


def test_parts_have_names_and_add_up_from_the_fixed_and_the_per_picture(large):
    for kind in ALLOWANCES:
        for precision in ("fp32", "bf16", "fp16"):
            found = resources.demand("resnet20", {}, 32, precision, kind)
            parts = resources.parts(found, 7, "adam")
            assert list(parts) == list(PARTS) and min(parts.values()) >= 0
            assert sum(parts.values()) == resources.fixed(found, "adam") + 7 * resources.per_picture(found)
            assert (parts["copies"] > 0) == (parts["batch"] > 0) == (precision != "fp32")


def test_the_largest_batch_fits_and_one_more_does_not(large):
    batches = []
    for gib in (1, 2, 8, 16, 24, 48, 80):
        for optimizer in OPTIMIZERS:
            most = resources.largest_batch(large, optimizer, gib * GIB)
            if most:
                assert sum(resources.parts(large, most, optimizer).values()) <= gib * GIB
            assert sum(resources.parts(large, most + 1, optimizer).values()) > gib * GIB
        batches.append(most)
    assert batches == sorted(batches) and batches[0] == 0 and batches[-1] > 400


def test_memory_decides_the_batch_as_the_lecture_says(large):
    def most(network, side, precision="fp32", optimizer="adam"):
        return resources.largest_batch(resources.demand(network, {}, side, precision, "cuda"), optimizer, 8 * GIB)

    assert most("resnet18", 224) > most("resnet50", 224) > most("resnet152", 224) > 0
    assert most("resnet18", 112) > 3 * most("resnet18", 224)
    assert most("resnet50", 224, "bf16") > 1.7 * most("resnet50", 224)
    assert most("resnet152", 224, optimizer="sgd") > most("resnet152", 224, optimizer="adam")


def test_a_batch_of_one_where_batch_norm_needs_two():
    found = resources.demand("resnet18", {}, 32)
    assert found.least_batch == 2 and resources.demand("resnet18", {}, 64).least_batch == 1
    with refused("batch of 2 or more"):
        resources.parts(found, 1, "sgd")
    just = resources.fixed(found, "sgd") + resources.per_picture(found)
    assert resources.largest_batch(found, "sgd", just) == 0
    assert resources.largest_batch(found, "sgd", just + resources.per_picture(found)) == 2
    with pytest.raises(ValueError, match="more than 1 value"):  # torch says so, too
        zoo.build("resnet18")(torch.randn(1, 3, 32, 32))


@pytest.mark.parametrize("batch", [0, -3, 65_537])
def test_absurd_batches(large, batch):
    with refused("between 1 and 65,536"):
        resources.parts(large, batch, "sgd")


def test_other_refusals(large):
    with refused("no computer's memory"):
        resources.demand("resnet18", {}, 5_000)
    with refused("simple-cnn"):
        resources.demand("simple-cnn", {}, 64)
    with refused("sgd, momentum, adam"):
        resources.parts(large, 1, "lion")
    with refused("cpu, cuda"):
        resources.demand("resnet8", {}, 32, "fp32", "tpu")
    for gib in (0, -1, float("nan"), float("inf")):
        with refused("at most 10,000 GiB"):
            resources.check_memory(gib)
    assert resources.check_memory(1.5) == 1.5 * GIB


def test_this_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(resources, "CGROUP", str(tmp_path))
    whole = resources.this_device()
    assert (whole.kind, whole.memory_bytes) == ("cpu", psutil.virtual_memory().total)
    assert 0 < resources.available_bytes() <= whole.memory_bytes
    (tmp_path / "memory.max").write_text("1073741824\n")
    (tmp_path / "memory.current").write_text("1000000000\n")
    assert resources.this_device().memory_bytes == GIB and resources.available_bytes() == GIB - 10**9
    (tmp_path / "memory.max").write_text("max\n")  # no limit
    assert resources.this_device() == whole


def test_a_gpu_comes_first(monkeypatch):
    card = type("Properties", (), {"name": "Some GPU", "total_memory": 24 * GIB})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: card)
    assert resources.this_device() == resources.Device("cuda", "Some GPU", 24 * GIB)


def test_nothing_is_allocated():
    """A demand that would fill any machine is answered at once."""
    found = resources.demand("resnet152", {}, 4096)
    assert sum(resources.parts(found, 65_536, "adam").values()) > 1_000_000 * GIB
