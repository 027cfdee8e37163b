"""Questions of the lesson on batch norm: the marked option is torch's, the lecture's mistake is offered."""

from random import Random

import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz.analysis import batch_norm
from resnet_viz.analysis import batch_norm_number_words as number_words
from resnet_viz.analysis import batch_norm_questions as asked
from resnet_viz.analysis import batch_norm_words as words
from resnet_viz.analysis.batch_norm import Channel, Normalised, Wobble
from resnet_viz.analysis.learning_words import short
from resnet_viz.number_text import percent, plain

from .makers import check

SEEDS = range(40)
NAMES = tuple("abcd")
CHANNEL = Channel("bn1", 0.3, 2.0, 1.5, -0.5, 1e-5)
VALUES = np.random.default_rng(0).normal(2, 3, (16, 3, 3))


def a_wobble(size: int, spread: float) -> Wobble:
    random = np.random.default_rng(size)
    answers = np.abs(np.array([0.7, 0.1, 0.1, 0.1]) + spread * random.normal(size=(6, 4)))
    first = Normalised(random.normal(size=6), random.normal(size=6), random.uniform(1, 2, 6), size * 9)
    return Wobble(size, random.integers(0, 20, (6, size - 1)), answers / answers.sum(1, keepdims=True), first)


STILL = np.array([0.8, 0.1, 0.05, 0.05])
BY_SIZE = {size: a_wobble(size, 0.4 / size) for size in (2, 4, 8)}
NO_SPREAD = {size: Wobble(size, w.mates, np.tile([1.0, 0, 0, 0], (6, 1)), w.first) for size, w in BY_SIZE.items()}
RUNNING = batch_norm.running(VALUES, 4, 0.1, 20)
BATCH = batch_norm.made_batch(0)
MAKERS = {
    "moods": asked.of_moods(BY_SIZE, 4, CHANNEL, STILL, 0, NAMES, 2),
    "sure in any company": asked.of_moods(NO_SPREAD, 4, CHANNEL, np.array([1.0, 0, 0, 0]), 0, NAMES, 0),
    "running": asked.of_running(RUNNING, 7, 36),
    "at the start": asked.of_running(RUNNING, 0, 36),
    "all alike": asked.of_running(batch_norm.running(VALUES, 4, None, 20), 20, 36),
    "at once": asked.of_running(batch_norm.running(VALUES, 4, 1.0, 20), 20, 36),
    "still layer": asked.of_running(batch_norm.running(np.zeros((8, 2, 2)), 4, 0.1, 20), 20, 16),
    "numbers": asked.of_numbers(batch_norm.by_numbers(BATCH, "train"), 1.0, 0.0),
    "numbers in evaluation": asked.of_numbers(batch_norm.by_numbers(BATCH, "evaluation", 0.0, 2.0), 0.0, 2.0),
}


@pytest.mark.parametrize("name", MAKERS)
def test_every_maker_asks_something_that_can_be_answered_wrongly(name):
    check(MAKERS[name], SEEDS)


def right_of(question) -> str:
    return question.options[question.right]


@pytest.mark.parametrize("seed", range(10))
def test_a_number_through_the_layer_is_torchs_in_both_modes(seed):
    found, frame = BY_SIZE[4], 3
    x, mean, variance = (float(v[frame]) for v in (found.first.value, found.first.mean, found.first.variance))
    away = np.sqrt((variance * 18 - 2 * (x - mean) ** 2) / 16)  # a batch with x and exactly this mean and variance
    batch = torch.tensor([x, 2 * mean - x, *[mean + away, mean - away] * 8]).double().view(-1, 1, 1, 1)
    assert (batch.mean().item(), batch.var(correction=0).item()) == pytest.approx((mean, variance))
    layer = nn.BatchNorm2d(1).double()
    with torch.no_grad():
        layer.weight.fill_(CHANNEL.scale), layer.bias.fill_(CHANNEL.shift)
        layer.running_mean.fill_(CHANNEL.mean), layer.running_var.fill_(CHANNEL.variance)
        still, trained = layer.eval()(batch)[0].item(), layer.train()(batch)[0].item()
    question = asked.one_number(found, CHANNEL, frame, Random(seed))
    wanted = trained if "in **training** mode" in question.text else still
    assert right_of(question) == plain(wanted)
    said = [wrong for wrong in question.wrongs if "lecture" in wrong]
    assert said and "switched off" in said[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_running_statistics_are_torchs(seed):
    question = asked.next_mean(RUNNING, 7, Random(seed))
    step = Random(seed).randint(2, 12)
    assert right_of(question) == plain(RUNNING.means[step])  # which come from nn.BatchNorm2d
    random = Random(seed)
    m, steps = random.choice((0.01, 0.1, 0.2)), random.choice((5, 10, 20, 40))
    layer = nn.BatchNorm2d(1, momentum=m).double()
    for _ in range(steps):
        layer(torch.tensor([0.0, 2.0]).double().view(2, 1, 1, 1))
    assert right_of(asked.how_far(RUNNING, Random(seed))) == percent(layer.running_mean.item())
    random = Random(seed)
    n, biased = random.choice((2, 4, 5, 10)), random.choice((1.0, 2.0, 4.0, 9.0))
    numbers = torch.linspace(-1, 1, n).double()
    numbers *= (biased / numbers.var(correction=0)).sqrt()
    layer = nn.BatchNorm2d(1, momentum=1.0).double()
    layer(numbers.view(n, 1, 1, 1))
    assert right_of(asked.which_variance(RUNNING, 36, Random(seed))) == plain(layer.running_var.item())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_numbers_of_the_batch_are_torchs(seed):
    found = batch_norm.by_numbers(BATCH, "train", 2.0, 1.0)
    layer, x = nn.BatchNorm2d(3).double(), torch.from_numpy(BATCH).double()
    nn.init.constant_(layer.weight, 2.0), nn.init.constant_(layer.bias, 1.0)
    c = Random(seed).randrange(3)
    assert right_of(asked.mean_of(found, Random(seed))) == plain(x[:, c].mean().item())
    assert right_of(asked.variance_of(found, Random(seed))) == plain(x[:, c].var(correction=0).item())
    random = Random(seed)
    at = tuple(random.randrange(size) for size in x.shape)
    assert right_of(asked.output_of(found, 2.0, 1.0, Random(seed))) == plain(layer(x)[at].item())
    channels = Random(seed).choice((3, 16, 32, 64, 256))
    assert right_of(asked.learned(Random(seed))) == plain(sum(p.numel() for p in nn.BatchNorm2d(channels).parameters()))
    random = Random(seed)
    shape = random.choice((4, 8, 16, 32)), random.choice((4, 8, 16)), random.choice((3, 16, 64))
    numbers = torch.zeros(shape[0], shape[2], shape[1], shape[1])[:, 0].numel()
    assert right_of(asked.how_many(BY_SIZE[4], Random(seed))) == plain(numbers)


def test_what_is_said_has_the_numbers_of_now():
    found = BY_SIZE[4]
    said = words.mood_said(found, STILL, 0, NAMES, 1)
    assert (
        f"a has {percent(found.answers[1, 0])}" in said
        and f"always {percent(0.8)}" in said
        and "Among 3 others" in said
    )
    turned = Wobble(4, found.mates, found.answers[:, [1, 0, 2, 3]], found.first)
    assert "It would answer b" in words.mood_said(turned, STILL, 0, NAMES, 1)
    assert "another answer 6 times" in words.mood_finding(turned, STILL, 0, NAMES)
    lines = words.mood_formula(found, CHANNEL, 2)
    assert (
        short(CHANNEL.normalise(found.first.value[2], CHANNEL.mean, CHANNEL.variance), 4).replace("−", "-") in lines[-1]
    )
    assert "not switched off" in " ".join(words.mood_story(BY_SIZE, 4, STILL, 0, NAMES, "others", None))
    away = " ".join(words.mood_story(BY_SIZE, 4, np.array([0.1, 0.8, 0.05, 0.05]), 0, NAMES, "others", "letters"))
    assert f"not around {percent(0.1)}: these mates are not what it learned from (letters)" in away


def test_the_steps_of_a_batch_are_said():
    found = batch_norm.by_numbers(BATCH, "train")
    total = int(BATCH[:, 1].sum())
    assert f"{total} / 16 = {short(BATCH[:, 1].mean())}" in number_words.number_said(found, "train", 1, 0, 4)
    assert short(BATCH[:, 1].var()) in number_words.number_said(found, "train", 1, 0, 5)
    still = batch_norm.by_numbers(BATCH, "evaluation")
    assert f"= {short(0.1 * BATCH[:, 1].mean())}." in number_words.number_said(still, "evaluation", 1, 0, 4)
    assert f"= {short(0.9 + 0.1 * BATCH[:, 1].var(ddof=1))}." in number_words.number_said(still, "evaluation", 1, 0, 5)
    assert f"= {short(float(found.output[0, 2, 0, 0]))} for" in number_words.number_said(found, "train", 1, 0, 11)
    assert words.running_said(RUNNING, 0).startswith("A fresh layer") and short(RUNNING.means[3]) in words.running_said(
        RUNNING, 3
    )
    assert "after 22 steps" in " ".join(words.running_story(RUNNING, CHANNEL, 4, 0, None))


@pytest.mark.parametrize("mode", ["train", "evaluation"])
def test_the_code_that_is_shown_gives_the_numbers(mode):
    space = {}
    exec(number_words.number_code(mode, 1.5, -0.5, 3), space)  # noqa: S102
    found = batch_norm.by_numbers(batch_norm.made_batch(3), mode, 1.5, -0.5)
    np.testing.assert_allclose(space["y"].detach().numpy(), found.output, atol=1e-5)
    values = torch.from_numpy(VALUES).float()[:, None]
    space = {"values": values, "print": lambda *_: None}
    exec(words.running_code(0.1, 4), space)  # noqa: S102
    assert space["layer"].num_batches_tracked.item() == 4
