import shlex
from dataclasses import replace

import torch
from safetensors.torch import load_file

import pytest

from resnet_viz import checkpoints, runs
from resnet_viz.problems import Problem
from resnet_viz.commands.output import Parser
from resnet_viz.commands.training import train_arguments
from resnet_viz.training.bundle import bundle, card
from resnet_viz.training.config import from_dict
from resnet_viz.training.terminal import config_from


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


def test_the_cards_command_makes_the_same_recipe(finished, tmp_path):
    """But for the machine and the data set's place, which are another reader's own."""
    config = replace(from_dict(runs.read_config(finished)), schedule="multi-step", milestones=[0.5, 1.5], arguments={"stem_width": 8})
    text = card(finished, config.to_dict(), "Digits of somebody")
    words = shlex.split(next(line for line in text.splitlines() if line.strip().startswith("python -m")))
    parser = Parser(prog="train")
    train_arguments(parser)
    made = config_from(parser.parse_intermixed_args(words[words.index("train") + 1:]))
    assert replace(made, data="digits", device=config.device, threads=config.threads) == config
    assert "peak_at" not in text and "milestones" in text, "what does nothing is not said"


def test_one_weights_file_is_the_one_that_was_tested(tmp_path, finished):
    target = tmp_path / "tiny"
    bundle(finished, target, "Digits of somebody", one=True)
    checkpoint = checkpoints.read(checkpoints.best_or_last(target))
    name = "last" if checkpoint.epoch == runs.read_config(finished)["epochs"] else "best"
    assert [path.name for path in target.glob("*st.safetensors")] == [f"{name}.safetensors"] and runs.snapshots(target)
    assert checkpoint.metrics["test_accuracy"] == pytest.approx(runs.Metrics(target).refresh()["test"]["accuracy"][-1], abs=1e-6)
    assert f"(epoch {checkpoint.epoch})" in (target / "README.md").read_text(), "as the weights' own header says"


def test_an_unfinished_run_is_not_bundled(tmp_path):
    runs.write_config(tmp_path / "run", {})
    with pytest.raises(Problem, match="finished"):
        bundle(tmp_path / "run", tmp_path / "out", "x")
