import torch
from safetensors.torch import load_file

import pytest

from resnet_viz import checkpoints, runs
from resnet_viz.problems import Problem
from resnet_viz.training.bundle import bundle


def test_a_bundle_is_a_finished_run_of_half_the_size(tmp_path, finished, monkeypatch):
    target = tmp_path / "checkpoints" / "tiny"
    bundle(finished, target, "Digits of somebody")
    monkeypatch.setattr(checkpoints, "BUNDLED", target.parent)
    assert checkpoints.bundled() == ["tiny"] and runs.state(target) == "finished"
    assert not (target / "resume.safetensors").exists() and not (target / "weights").exists() and not (target / "pictures.safetensors").exists()
    checkpoint = checkpoints.read(checkpoints.find("tiny"))
    assert checkpoint.data == "Digits of somebody" and checkpoint.run == target
    for name, tensor in load_file(finished / "best.safetensors").items():
        torch.testing.assert_close(checkpoint.state[name], tensor, rtol=2e-3, atol=1e-4)
    assert len(runs.snapshots(target)) == len(runs.snapshots(finished))
    card = (target / "README.md").read_text()
    assert f"{checkpoint.metrics['test_accuracy']:.2%}" in card and "Digits of somebody" in card


def test_an_unfinished_run_is_not_bundled(tmp_path):
    runs.write_config(tmp_path / "run", {})
    with pytest.raises(Problem, match="finished"):
        bundle(tmp_path / "run", tmp_path / "out", "x")
