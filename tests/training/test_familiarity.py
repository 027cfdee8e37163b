"""A run leaves behind what strange pictures are told by, and a bundle takes it along."""

import torch
from safetensors.torch import load_file

from resnet_viz import checkpoints, familiarity, runs
from resnet_viz.data import unlike
from resnet_viz.data.preprocessing import normalise
from resnet_viz.training.bundle import bundle
from resnet_viz.training.config import from_dict
from resnet_viz.training.work import prepare


def test_a_finished_run_knows_its_own_pictures(finished, tmp_path):
    work = prepare(from_dict(runs.read_config(finished)))
    for run in (finished, tmp_path / "small"):
        if run != finished:
            bundle(finished, run, "Digits of somebody")
        checkpoint = checkpoints.read(checkpoints.best_or_last(run))
        familiar, model = familiarity.of(checkpoint), checkpoints.model(checkpoint)
        assert len(familiar.validation) == len(work.val) and familiar.test_images == len(work.test)
        found = familiarity.strangeness(model, normalise(work.val.images, work.preprocessing), familiar)
        assert (found > familiar.threshold).mean() <= 0.06
        flat = unlike.flat(40, work.preprocessing.channels, work.preprocessing.size, torch.Generator().manual_seed(5))
        strange = familiarity.strangeness(model, normalise(flat, work.preprocessing), familiar)
        assert (strange > familiar.threshold).mean() >= 0.8


def test_the_weights_are_those_that_were_tested(finished):
    """Asking the network a thousand pictures more changes nothing in it."""
    best = load_file(finished / "best.safetensors")
    epoch = checkpoints.read(finished / "best.safetensors").epoch
    kept = load_file(finished / "weights" / f"{epoch:04d}.safetensors")
    assert all(torch.equal(best[name].half(), kept[name]) for name in kept if kept[name].is_floating_point())
