"""Every network of the zoo, and every choice of its layers, through one real step of this project's training."""

from dataclasses import replace

import pytest
import torch

from resnet_viz import runs
from resnet_viz.data import sources
from resnet_viz.data.preprocessing import Preprocessing
from resnet_viz.networks import zoo
from resnet_viz.networks.resnet import ACTIVATIONS, NORMS
from resnet_viz.problems import Problem
from resnet_viz.training import batches, process
from resnet_viz.training.config import Config
from resnet_viz.training.loop import Loop
from resnet_viz.training.recipe import make_optimizer
from resnet_viz.training.saving import Position
from resnet_viz.training.status import Status
from resnet_viz.training.update import Update
from resnet_viz.training.work import Split, Work, prepare

TINY = Config(batch_size=4, lr=0.01, weight_decay=0.0, val_fraction=0.0, device="cpu", threads=1)


@pytest.fixture
def pictures(monkeypatch):
    """make(channels, size, heads): from now on every data set is eight random pictures."""
    def make(channels=3, size=32, heads=(5,)):
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, (8, channels, size, size), generator=generator, dtype=torch.uint8)
        labels = torch.stack([torch.arange(8) % classes for classes in heads], dim=1)
        found = sources.Pictures(images, labels, tuple(f"c{i}" for i in range(sum(heads))), heads, "made")
        monkeypatch.setattr(sources, "load", lambda *_: found)

    return make


def step(run, work: Work) -> dict[str, bool]:
    """One update as the loop makes it: weight -> whether it moved. A bias in front of batch norm never does."""
    run.mkdir()
    before = {name: parameter.detach().clone() for name, parameter in work.model.named_parameters()}
    loop = Loop(run, Update(work, make_optimizer(work.model, work.config)), Position(), Status(run), lambda text: None)
    work.model.train()
    loop._step(torch.arange(4), loop.update.draw(0))
    assert loop.loss_sum.isfinite() and loop.position.step == 1 and runs.read_gradients(run)[0]["norm"]
    after = dict(work.model.named_parameters())
    assert all(parameter.isfinite().all() for parameter in after.values())
    return {name: not torch.equal(before[name], after[name]) for name in before if before[name].ndim > 1}


@pytest.mark.short(5)
@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_every_network_takes_a_step(name, pictures, tmp_path):
    pictures(size=32)
    work = prepare(replace(TINY, network=name))
    assert work.model.fc.out_features == 5 and work.preprocessing.size == 32
    assert work.model.conv1.in_channels == work.train.images.shape[1] == zoo.NETWORKS[name].in_channels
    assert all(step(tmp_path / "run", work).values())


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", ["resnet14", "plain14"])
def test_every_activation_and_normalisation_takes_a_step(name, activation, norm, pictures, tmp_path):
    pictures(size=16)
    work = prepare(replace(TINY, network=name, arguments={"activation": activation, "norm": norm}))
    kinds = {type(module) for module in work.model.modules()}
    assert type(ACTIVATIONS[activation]()) in kinds and (torch.nn.BatchNorm2d in kinds) == (norm == "batch")
    moved = step(tmp_path / "run", work)
    # fourteen layers of sigmoids without shortcut or batch norm: too little comes back to move the first in float32
    vanished = (name, activation, norm) == ("plain14", "sigmoid", "none")
    assert moved["fc.weight"] and all(moved.values()) == (not vanished) and moved["conv1.weight"] == (not vanished)


@pytest.mark.parametrize(("name", "heads"), [
    ("grapheme-resnet", (168, 11, 7)), ("resnet8", (5, 3)), ("hw4-resnet", (2, 2)),
])
@pytest.mark.parametrize("channels", [1, 3])
def test_several_heads_of_grey_and_coloured_pictures(name, heads, channels, pictures, tmp_path):
    pictures(3, 32, heads)
    work = prepare(replace(TINY, network=name, arguments={"in_channels": channels}))
    assert work.train.images.shape[1] == work.model.conv1.in_channels == channels and work.heads == heads
    assert all(step(tmp_path / "run", work).values())


def test_pictures_of_any_number_of_channels(pictures, tmp_path):
    """No data set here has five channels, so the pictures are put in by hand."""
    pictures()
    arguments = {"in_channels": 5, "heads": [5]}
    with pytest.raises(Problem, match="1 .grey. or 3"):
        prepare(replace(TINY, network="resnet8", arguments=arguments))
    work = prepare(replace(TINY, network="resnet8"))
    images = torch.randint(0, 256, (8, 5, 32, 32), dtype=torch.uint8)
    work = replace(work, model=zoo.build("resnet8", arguments), train=Split(images, work.train.labels),
                   preprocessing=Preprocessing(32, 32, (0.5,) * 5, (0.2,) * 5))
    assert all(step(tmp_path / "run", work).values())


@pytest.mark.parametrize(("name", "own", "size"), [
    ("simple-cnn", 8, 32), ("simple-cnn", 64, 32), ("hw4-resnet", 28, 28), ("hw4-resnet", 64, 32),
    ("grapheme-resnet", 8, 64), ("grapheme-resnet", 32, 32), ("resnet20", 8, 8),
])
def test_pictures_are_brought_to_a_size_that_the_network_takes(name, own, size, pictures):
    pictures(size=own)
    work = prepare(replace(TINY, network=name))
    assert work.preprocessing.size == work.fixed.images.shape[-1] == size and work.train.images.shape[-1] == min(own, size)
    assert batches.batch(work, torch.arange(2), batches.plan(work, 0)).pictures.shape[2:] == (size, size)


@pytest.mark.parametrize(("changes", "words"), [
    ({"network": "simple-cnn", "size": 64}, "32 to 35 pixels"),
    ({"network": "grapheme-resnet", "size": 92}, "28 to 91"),
    ({"network": "hw4-resnet", "arguments": {"norm": "none"}}, "hw4-resnet has no norm"),
    ({"network": "resnet20", "arguments": {"activation": "gelu"}}, "relu, leaky-relu"),
    ({"network": "resnet20", "arguments": {"acitvation": "relu"}}, "Unknown network argument"),
    ({"network": "resnext50-32x4d", "arguments": {"groups": 5}}, "5 groups cannot share 128 channels"),
])
def test_what_cannot_be_trained_is_refused_before_a_run_exists(changes, words, tmp_path):
    with pytest.raises(Problem, match=words):
        process.create(replace(TINY, **changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()
