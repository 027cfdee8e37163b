"""One update against torch's own penalties, clipping and averages; and what a continuation takes up again."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel

from resnet_viz import checkpoints, runs
from resnet_viz.problems import Problem
from resnet_viz.training.config import Config, resolve
from resnet_viz.training.recipe import make_optimizer
from resnet_viz.training.update import Update
from resnet_viz.training.work import prepare

from .conftest import TINY, train_here

ONE = replace(TINY, crop_padding=0, momentum=0.0, nesterov=False, weight_decay=0.0, val_fraction=0.0, train_limit=60)


def updated(steps: int = 1, **settings) -> tuple[Update, list]:
    """(the update after some steps of lr 0.1, the network's weights before)."""
    work = prepare(replace(ONE, **settings))
    update = Update(work, make_optimizer(work.model, work.config))
    update.load({})
    work.model.train()
    before = [p.detach().clone() for p in work.model.parameters()]
    for index in range(steps):
        update.step(torch.arange(20) + 20 * index, update.draw(0), 0.1)
    return update, before


def data_gradients(before) -> list:
    """Of the mean cross entropy of the first twenty pictures, at these weights."""
    work = prepare(ONE)
    work.model.train()
    with torch.no_grad():
        for p, value in zip(work.model.parameters(), before):
            p.copy_(value)
    p = work.preprocessing
    pictures = (work.train.images[:20] / 255 - torch.tensor(p.mean).view(3, 1, 1)) / torch.tensor(p.std).view(3, 1, 1)
    return list(
        torch.autograd.grad(
            F.cross_entropy(work.model(pictures), work.train.labels[:20, 0]), list(work.model.parameters())
        )
    )


def test_l1_is_the_gradient_of_the_sum_of_the_weights_sizes():
    update, before = updated(l1=0.01)
    for p, old, gradient in zip(update.work.model.parameters(), before, data_gradients(before)):
        penalty = torch.autograd.functional.jacobian(lambda w: 0.01 * w.abs().sum(), old) if old.ndim > 1 else 0
        torch.testing.assert_close(p, old - 0.1 * (gradient + penalty), rtol=1e-4, atol=1e-5)


def test_clipping_shortens_the_gradient_of_the_data_loss():
    update, before = updated(clip_norm=0.05)
    gradients = data_gradients(before)
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    assert norm > 0.1
    for p, old, gradient in zip(update.work.model.parameters(), before, gradients):
        torch.testing.assert_close(p, old - 0.1 * gradient * 0.05 / norm, rtol=1e-3, atol=1e-6)
    long, before = updated(clip_norm=1000.0)
    plain, _ = updated()
    assert all(torch.equal(a, b) for a, b in zip(long.work.model.parameters(), plain.work.model.parameters()))


def test_the_recorded_gradient_is_that_of_the_data_loss():
    work = prepare(replace(ONE, l1=0.5, clip_norm=1e-3))
    update = Update(work, make_optimizer(work.model, work.config))
    work.model.train()
    before = [p.detach().clone() for p in work.model.parameters()]
    outcome = update.step(torch.arange(20), update.draw(0), 0.1, watch=True)
    assert outcome.norms[0].item() == pytest.approx(data_gradients(before)[0].norm().item(), rel=1e-4)


def test_averaged_weights_are_torchs():
    work = prepare(replace(ONE, ema_decay=0.25))
    update = Update(work, make_optimizer(work.model, work.config))
    update.load({})
    # torch's mean begins with the first update; ours with the initial weights
    theirs = AveragedModel(
        work.model,
        avg_fn=lambda mean, now, count: (
            torch.lerp(mean, now, 1 - min(0.25, (1 + count) / (10 + count))) if mean.is_floating_point() else now
        ),
        use_buffers=True,
    )
    theirs.update_parameters(work.model)
    work.model.train()
    for index in range(3):
        update.step(torch.arange(20) + 20 * index, update.draw(0), 0.1)
        theirs.update_parameters(work.model)
    ours = update.judged.model.state_dict()
    for name, tensor in theirs.module.state_dict().items():
        torch.testing.assert_close(ours[name], tensor, rtol=1e-5, atol=1e-6)
    assert not torch.equal(ours["conv1.weight"], work.model.conv1.weight) and update.judged is not work


def test_best_last_and_test_are_of_the_averaged_weights_and_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    config = replace(
        TINY,
        ema_decay=0.9,
        train_limit=200,
        l1=1e-5,
        clip_norm=1.0,
        mixup=0.2,
        noise=0.05,
        epochs=2,
        optimizer="adamw",
        lr=0.01,
    )
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train_here(config, whole)
    assert train_here(config, parts, stop_at=5) == "stopped"
    train_here(config, parts)
    last, resume = load_file(whole / "last.safetensors"), load_file(whole / "resume.safetensors")
    assert all(torch.equal(t, load_file(parts / "last.safetensors")[name]) for name, t in last.items())
    assert all(torch.equal(t, resume[f"update.average.{name}"]) for name, t in last.items())
    assert not torch.equal(resume["model.conv1.weight"], last["conv1.weight"])
    accuracy = [row["accuracy"] for row in runs.read_lines(whole / "metrics.jsonl") if row["split"] == "val"]
    assert checkpoints.read(whole / "last.safetensors").metrics["val_accuracy"] == pytest.approx(accuracy[-1], abs=1e-6)


def test_fp16_without_cuda_is_refused_in_a_sentence():
    with pytest.raises(Problem, match="bf16 or fp32"):
        resolve(Config(precision="fp16", device="cpu"))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_nothing_is_scaled_where_nothing_need_be(precision):
    update, _ = updated(precision=precision)
    assert update.state() == {} and not update.scaler.is_enabled()


@pytest.mark.parametrize("network", ["resnet8", "simple-cnn", "hw4-resnet"])
def test_dropout_is_an_argument_of_the_network(network):
    work = prepare(replace(ONE, network=network, arguments={"dropout": 0.25}))
    assert work.model.dropout.p == 0.25 and work.header()["arguments"]["dropout"] == 0.25


def test_a_scaled_loss_gives_the_same_step_and_its_scale_travels():
    """The CPU can do it too, only more slowly than anything else: so it is tested there, and refused to people."""
    scaled, before = updated(precision="fp16")
    plain, _ = updated()
    assert scaled.scaler.is_enabled()
    for a, b, old in zip(scaled.work.model.parameters(), plain.work.model.parameters(), before):
        assert (a - b).norm() <= 0.2 * (b - old).norm() + 1e-4, "rounded, but not multiplied"
    scaled.scaler.update(123.0)
    state = scaled.state()
    again = Update(scaled.work, scaled.optimizer)
    again.load(state)
    again.step(torch.arange(20), again.draw(0), 0.1)
    assert again.scaler.get_scale() == 123.0
