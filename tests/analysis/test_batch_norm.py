"""Batch norm in its two moods, against torch's own layer and whole networks in training mode."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz.analysis import batch_norm
from resnet_viz.networks import zoo
from resnet_viz.problems import Problem

from ..foreign_networks import randomised

HEADS = (10,)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return randomised(zoo.build("resnet8")).eval()


@pytest.fixture(scope="module")
def pictures():
    return torch.randn(13, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def trained_answer(model, batch) -> np.ndarray:
    """torch's own training mode, on a copy."""
    practised = copy.deepcopy(model).train()
    with torch.no_grad():
        return practised(batch).softmax(1)[0].numpy()


# Two moods


def test_every_shuffle_is_the_whole_network_in_training_mode(model, pictures):
    picture, pool = pictures[:1], pictures[1:]
    found = batch_norm.wobble(model, picture, pool, HEADS, 4, 5)
    assert found.mates.shape == (5, 3) and all(len(set(row)) == 3 for row in found.mates.tolist())
    for mates, answer in zip(found.mates, found.answers):
        np.testing.assert_allclose(answer, trained_answer(model, torch.cat([picture, pool[mates]])), atol=1e-5)
    assert len({tuple(row) for row in found.mates.tolist()}) > 1
    assert (
        batch_norm.spread(found.answers, 3) == pytest.approx(found.answers[:, 3].std())
        and found.answers[:, 3].std() > 0
    )
    again, other = (batch_norm.wobble(model, picture, pool, HEADS, 4, 5, seed) for seed in (0, 1))
    assert (again.mates == found.mates).all() and (other.mates != found.mates).any()


def test_in_evaluation_the_mates_do_not_matter(model, pictures):
    alone = batch_norm.in_evaluation(model, pictures[:1], HEADS)
    with torch.no_grad():
        among = model(pictures).softmax(1)[0].numpy()
    np.testing.assert_allclose(alone, among, atol=1e-6)


def test_equal_mates_in_another_order_make_no_difference(model, pictures):
    pool = pictures[1:2].repeat(6, 1, 1, 1)
    found = batch_norm.wobble(model, pictures[:1], pool, HEADS, 4, 4)
    np.testing.assert_allclose(found.answers, found.answers[:1].repeat(4, 0), atol=1e-6)


def test_the_running_statistics_stay_and_dropout_does_not_wobble(model, pictures):
    threads = torch.get_num_threads()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    batch_norm.wobble(model, pictures[:1], pictures[1:], HEADS, 8, 2)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    dropping = nn.Sequential(model, nn.Dropout(0.5))
    one, two = (batch_norm.wobble(dropping, pictures[:1], pictures[1:], HEADS, 2, 3).answers for _ in range(2))
    np.testing.assert_array_equal(one, two)
    assert torch.get_num_threads() == threads


def test_what_the_first_batch_norm_meets(model, pictures):
    picture, pool = pictures[:1], pictures[1:]
    found = batch_norm.wobble(model, picture, pool, HEADS, 3, 2)
    channel = batch_norm.channel_of(model)
    assert channel.layer == "bn1" and found.first.count == 3 * 32 * 32
    for i, mates in enumerate(found.mates):
        with torch.no_grad():
            arriving = model.conv1(torch.cat([picture, pool[mates]]))
            right = copy.deepcopy(model.bn1).train()(arriving)[0, 0, 16, 16].item()
            still = model.bn1(arriving)[0, 0, 16, 16].item()
        first = found.first
        assert channel.normalise(first.value[i], first.mean[i], first.variance[i]) == pytest.approx(right, abs=1e-5)
        assert channel.normalise(first.value[i], channel.mean, channel.variance) == pytest.approx(still, abs=1e-5)


def test_what_cannot_be_done_is_said(model, pictures):
    for size in (1, 20):
        with pytest.raises(Problem, match="at least 2 pictures"):
            batch_norm.wobble(model, pictures[:1], pictures[1:], HEADS, size, 1)
    with pytest.raises(Problem, match="no batch norm"):
        batch_norm.norms(nn.Conv2d(3, 3, 1))
    with pytest.raises(Problem, match="channels 0 to 15"):
        batch_norm.channel_of(model, "bn1", 16)
    deep = nn.Sequential(nn.Conv2d(3, 4, 32), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4, 10))
    found = batch_norm.wobble(deep, pictures[:1], pictures[1:], HEADS, 2, 1)
    assert found.first.count == 2


def test_sizes_follow_pool_and_picture():
    assert batch_norm.sizes(32, 128) == (2, 4, 8, 16, 32, 64)
    assert batch_norm.sizes(32, 10) == batch_norm.sizes(224, 128) == (2, 4, 8)
    counts = [batch_norm.shuffles(size, False, 32) for size in batch_norm.SIZES]
    assert counts == sorted(counts, reverse=True) and counts[-1] >= 5 and batch_norm.shuffles(64, True, 32) == 20
    assert batch_norm.shuffles(8, True, 224) == 5


# Running statistics


@pytest.mark.parametrize("momentum", [0.1, 0.5, 1.0, None])
def test_running_statistics_are_algorithm_two_step_by_step(momentum):
    values = np.random.default_rng(0).normal(3, 2, (12, 4, 4))
    found = batch_norm.running(values, 4, momentum, 7)
    mean, variance = 0.0, 1.0
    for step in range(7):
        weight = 1 / (step + 1) if momentum is None else momentum
        mean = (1 - weight) * mean + weight * found.batch_means[step]
        variance = (1 - weight) * variance + weight * found.batch_variances[step]
        assert found.means[step + 1] == pytest.approx(mean) and found.variances[step + 1] == pytest.approx(variance)
    assert (found.means[0], found.variances[0]) == (0, 1)
    assert found.mean == pytest.approx(values.mean()) and found.variance == pytest.approx(values.var(ddof=1))
    assert np.mean(found.batch_means[:3]) == pytest.approx(values.mean())  # three batches of four are all twelve


def test_batches_of_everything_move_as_expected():
    values = np.random.default_rng(0).normal(3, 2, (6, 4, 4))
    for momentum in (0.1, 0.3, None):
        found = batch_norm.running(values, 6, momentum, 9)
        np.testing.assert_allclose(found.means, found.expected(0, found.mean))
        np.testing.assert_allclose(found.variances, found.expected(1, found.variance))
    slow, fast = (batch_norm.running(values, 2, momentum, 200) for momentum in (0.05, 0.5))
    assert slow.means[-60:].std() < fast.means[-60:].std()
    with pytest.raises(Problem, match="no variance"):
        batch_norm.running(values[:, :1, :1], 1, 0.1, 2)


def test_what_arrives_is_the_layers_input(model, pictures):
    found = batch_norm.arriving(model, pictures, "layer1.0.bn1", 3, batch=5)
    with torch.no_grad():
        right = model.layer1[0].conv1(model.act1(model.bn1(model.conv1(pictures))))[:, 3]
    np.testing.assert_allclose(found, right, atol=1e-5)
    with pytest.raises(Problem, match="Unknown batch norm"):
        batch_norm.arriving(model, pictures, "conv1", 0)


# By numbers


@pytest.mark.parametrize("mode", ["train", "evaluation"])
def test_the_numbers_are_torchs(mode):
    x = batch_norm.made_batch(5)
    assert x.shape == (4, 3, 2, 2) and x.min() >= 1 and x.max() <= 8
    layer = nn.BatchNorm2d(3).double()
    nn.init.constant_(layer.weight, 1.5)
    nn.init.constant_(layer.bias, -0.25)
    inputs = torch.from_numpy(x).double()
    right = layer(inputs)
    if mode == "evaluation":
        right = layer.eval()(inputs)
    found = batch_norm.by_numbers(x, mode, 1.5, -0.25)
    np.testing.assert_allclose(found.output, right.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(0.1 * found.batch_mean, layer.running_mean.numpy())
    np.testing.assert_allclose(0.9 + 0.1 * found.unbiased, layer.running_var.numpy())
    np.testing.assert_allclose(found.centred + found.mean[:, None, None], x)
    if mode == "train":
        np.testing.assert_allclose(found.normal.mean(axis=(0, 2, 3)), 0, atol=1e-12)
        np.testing.assert_allclose(found.normal.var(axis=(0, 2, 3)), 1, atol=1e-4)
