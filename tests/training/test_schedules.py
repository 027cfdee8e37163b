"""Every schedule against torch's own, step by step."""

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from resnet_viz.problems import Problem
from resnet_viz.training.config import Config
from resnet_viz.training.ranges import SCHEDULES as NAMES
from resnet_viz.training.schedules import FIRST, SCHEDULES, learning_rate

EPOCHS, PER_EPOCH = 7, 11  # a run whose epochs no power of two divides
STEPS = EPOCHS * PER_EPOCH


def torchs(make, steps: int = STEPS) -> list[float]:
    """The rates that torch gives the updates 0, 1, 2, ... of a run."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    schedule = make(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def ours(steps: int = STEPS, **settings) -> list[float]:
    config = Config(lr=0.3, epochs=EPOCHS, **settings)
    return [learning_rate(config, step, STEPS) for step in range(steps)]


def exponential(optimizer):
    return lr_scheduler.LambdaLR(optimizer, lambda step: 0.8 ** (step // PER_EPOCH))


def warmed_cosine(optimizer):
    warm = 2 * PER_EPOCH
    rise = lr_scheduler.LinearLR(optimizer, FIRST, 1.0, warm)
    return lr_scheduler.SequentialLR(
        optimizer, [rise, lr_scheduler.CosineAnnealingLR(optimizer, STEPS - warm, 0.01)], [warm]
    )


def one_cycle(optimizer):
    """torch counts both ends of its cycle as steps, and ends one step before ours does."""
    return lr_scheduler.OneCycleLR(
        optimizer,
        0.3,
        total_steps=STEPS + 1,
        pct_start=(0.4 * STEPS + 1) / (STEPS + 1),
        anneal_strategy="linear",
        div_factor=1e9,
        final_div_factor=1e9,
    )


@pytest.mark.parametrize(
    ("settings", "make"),
    [
        ({"schedule": "constant"}, lambda o: lr_scheduler.ConstantLR(o, 1.0)),
        ({"schedule": "constant", "warmup_epochs": 1.0}, lambda o: lr_scheduler.LinearLR(o, FIRST, 1.0, PER_EPOCH)),
        ({"schedule": "step", "step_epochs": 3, "gamma": 0.5}, lambda o: lr_scheduler.StepLR(o, 3 * PER_EPOCH, 0.5)),
        ({"schedule": "multi-step", "milestones": [2, 5]}, lambda o: lr_scheduler.MultiStepLR(o, [22, 55], 0.1)),
        (
            {"schedule": "multi-step", "milestones": (0.5, 0.75)},
            lambda o: lr_scheduler.MultiStepLR(o, [39, 58], 0.1),
        ),  # 38.5 and 57.75
        ({"schedule": "exponential", "gamma": 0.8}, exponential),
        ({"schedule": "cosine"}, lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS)),
        ({"schedule": "cosine", "warmup_epochs": 2.0, "min_lr": 0.01}, warmed_cosine),
        (
            {"schedule": "cyclical", "cycle_epochs": 2.0, "min_lr": 0.01},
            lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.3, step_size_up=PER_EPOCH, cycle_momentum=False),
        ),
    ],
)
def test_every_schedule_is_torchs(settings, make):
    assert ours(**settings) == pytest.approx(torchs(make), abs=1e-12)


def test_exponential_is_torchs_stepped_once_an_epoch():
    assert ours(schedule="exponential", gamma=0.8)[::PER_EPOCH] == pytest.approx(
        torchs(lambda o: lr_scheduler.ExponentialLR(o, 0.8), EPOCHS), abs=1e-12
    )


def test_one_cycle_is_torchs_but_for_the_first_step():
    found = ours(schedule="one-cycle", peak_at=0.4)
    assert found[1:] == pytest.approx(torchs(one_cycle)[1:], abs=1e-9) and found[0] == pytest.approx(0.003)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_stays_within_its_highest_rate(name):
    rates = ours(STEPS + 1, schedule=name, milestones=[3])
    assert all(0 <= rate <= 0.3 for rate in rates) and max(rates) > 0.29


def test_every_schedule_that_may_be_named_is_there():
    assert set(NAMES) == set(SCHEDULES)


@pytest.mark.parametrize("total", [1, 7, 10_007])
def test_an_epoch_begins_exactly_where_it_begins(total):
    config = Config(lr=1.0, epochs=49, schedule="exponential", gamma=0.5)
    assert [learning_rate(config, e * total, 49 * total) for e in range(49)] == [0.5**e for e in range(49)]


def test_a_run_without_an_epoch_has_a_rate():
    for name in SCHEDULES:
        assert 0 <= learning_rate(Config(epochs=0, schedule=name, milestones=[1]), 0, 0) <= 0.1


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"schedule": "multi-step"}, "milestones"),
        ({"schedule": "one-cycle", "warmup_epochs": 1}, "rise of their own"),
        ({"schedule": "cosine", "min_lr": 0.5}, "min_lr"),
        ({"schedule": "cosine", "warmup_epochs": 9}, "longer than the run"),
        ({"schedule": "multi-step", "milestones": [0]}, "milestones"),
        ({"schedule": "multi-step", "milestones": [[1]]}, "milestones"),
    ],
)
def test_what_does_not_fit_together_is_refused(settings, word):
    with pytest.raises(Problem, match=word):
        Config(**settings)
