"""What earlier versions wrote is opened, shown and continued.

earlier/<commit>/finished and /stopped were written by the code of that commit (the last of each piece of work): two epochs
of 57 pictures of `shapes` by a ResNet-8 of 2, 2 and 4 channels, and the same stopped after some steps. The config is of version 1 up to
b04b9e9, of version 2 from 976edd4.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from resnet_viz import checkpoints, runs
from resnet_viz.analysis import time_machine
from resnet_viz.data.preprocessing import normalise
from resnet_viz.data.sources import Pictures, fit
from resnet_viz.training import run_archive
from resnet_viz.training.config import CONFIG_VERSION, from_dict

EARLIER = Path(__file__).parent / "earlier"
COMMITS = sorted(path.name for path in EARLIER.iterdir())
AT_ONCE = ("976edd4",)  # whose continuing `make test` waits for
STEPS = 8  # of two epochs
OTHER_SHAPES = "dfd4abd"  # drew `shapes` otherwise, so a run that it began learns from other pictures now


@pytest.fixture(scope="module", params=COMMITS)
def written(request, tmp_path_factory):
    """A folder with what one earlier version wrote, as it came."""
    folder = tmp_path_factory.mktemp(request.param)
    for kind in ("finished", "stopped"):
        shutil.copytree(EARLIER / request.param / kind, folder / kind)
    return folder


def test_they_are_small_and_of_every_version():
    assert sum(path.stat().st_size for path in EARLIER.rglob("*")) < 2_000_000
    versions = {json.loads(path.read_text()).get("version") for path in EARLIER.glob("*/*/config.json")}
    assert versions == set(range(1, CONFIG_VERSION + 1))


@pytest.mark.parametrize("kind", ["finished", "stopped"])
def test_a_run_is_read(written, kind):
    run = written / kind
    assert runs.is_run(run) and runs.state(run) == kind
    config = from_dict(runs.read_config(run))
    assert (config.network, config.data, config.epochs, config.seed, config.lr) == ("resnet8", "shapes", 2, 5, 0.05)
    metrics = runs.Metrics(run).refresh()
    steps = runs.read_status(run)["step"]
    assert metrics["train"]["step"][-1] == steps and (steps == STEPS) is (kind == "finished") and steps > 0 and np.isfinite(metrics["train"]["loss"]).all()
    assert len(runs.read_gradients(run)) >= 1 and ("test" in metrics) is (kind == "finished")
    assert [event["command"] for event in runs.read_events(run)][-1:] == ([] if kind == "finished" else ["stop"])
    snapshots = runs.snapshots(run)
    assert [one.step for one in snapshots][:3] == [0, 1, 2] and snapshots[-1].step <= steps
    assert set(runs.read_snapshot(snapshots[-1].path)) == {"conv1.weight", "layer1.0.conv1.weight", "probabilities", "confusion"}
    assert len(time_machine.film(run, 2**20, 10).step) == len(snapshots)


def test_its_weights_answer_as_they_did(written):
    """The probabilities that the earlier version wrote are what its weights say here, of the pictures it wrote."""
    run = written / "finished"
    for which in ("initial", "last", "best"):
        checkpoint = checkpoints.read(runs.weights_file(run, which))
        assert checkpoint.warnings == () and checkpoint.assumed == () and checkpoint.classes[:2] == ("arrow", "circle")
    assert [epoch for epoch, _ in runs.epoch_weights(run)] == [1, 2]
    images = torch.from_numpy(load_file(run / "pictures.safetensors")["images"])
    for which, moment in (("initial", 0), ("last", -1)):
        checkpoint = checkpoints.read(runs.weights_file(run, which))
        recipe = checkpoint.preprocessing
        seen = fit(Pictures(images, torch.zeros(len(images), 1), (), (10,), "ten"), recipe.channels, recipe.size).images
        with torch.inference_mode():
            found = checkpoints.model(checkpoint)(normalise(seen, recipe)).softmax(1).numpy()
        said = runs.read_snapshot(runs.snapshots(run)[moment].path)["probabilities"]
        np.testing.assert_allclose(found, said, atol=1e-4)


@pytest.mark.parametrize("written", [name if name in AT_ONCE else pytest.param(name, marks=pytest.mark.hard) for name in COMMITS],
                         indirect=True)
def test_a_stopped_run_is_continued_to_its_end(written):
    run = written / "stopped"
    ended = subprocess.run([sys.executable, "-m", "resnet_viz.training", str(run)], cwd=runs.PROJECT, timeout=200,
                           capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert runs.state(run) == "finished" and runs.read_config(run)["version"] == CONFIG_VERSION
    steps = runs.Metrics(run).refresh()["train"]["step"]
    assert steps[-1] == STEPS and sorted(set(steps)) == list(steps)
    finished = checkpoints.read(runs.weights_file(written / "finished", "last"))
    here = checkpoints.read(runs.weights_file(run, "last"))
    apart = max(float((here.state[name] - value).abs().max()) for name, value in finished.state.items() if value.is_floating_point())
    assert apart < (1e-4 if written.name[:7] != OTHER_SHAPES else 0.1)  # as if it had never been stopped, and by one version


def test_it_travels(written, tmp_path, monkeypatch):
    """Exported and imported by this version."""
    monkeypatch.setenv("RESNET_VIZ_RUNS", str(tmp_path))
    with open(tmp_path / "run.zip", "wb") as target:
        run_archive.export(written / "finished", target)
    with open(tmp_path / "run.zip", "rb") as source:
        here = run_archive.add(source, "run.zip")
    assert runs.state(here) == "finished"
    assert checkpoints.read(runs.weights_file(here, "last")).network == checkpoints.read(written / "finished" / "last.safetensors").network
