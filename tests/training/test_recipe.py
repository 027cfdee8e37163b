import numpy as np
import pytest
import torch
from torch import nn

from resnet_viz.training.config import Config
from resnet_viz.training.recipe import SCHEDULES, learning_rate, make_optimizer


def test_cosine_is_torchs():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    config = Config(lr=0.3, schedule="cosine")
    for step in range(20):
        assert learning_rate(config, step, 20) == pytest.approx(schedule.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        schedule.step()


def test_one_cycle_is_two_straight_lines():
    config = Config(lr=0.4, schedule="one-cycle")
    rates = [learning_rate(config, step, 100) for step in range(101)]
    assert rates[1:] == pytest.approx(np.interp(np.arange(1, 101), [0, 25, 100], [0, 0.4, 0]).tolist())
    assert 0 < rates[0] <= 0.004


def test_every_schedule_stays_within_its_highest_rate():
    for function in SCHEDULES.values():
        assert all(0 <= function(p) <= 1 for p in np.linspace(0, 1, 101))


@pytest.mark.parametrize("name, reference", [
    ("sgd", lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)),
    ("adam", lambda groups: torch.optim.Adam(groups, lr=0.1)),
])
def test_optimizers_decay_weights_and_leave_the_rest(name, reference):
    torch.manual_seed(0)
    ours, theirs = (nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2)) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    optimizer = make_optimizer(ours, Config(optimizer=name, lr=0.1, weight_decay=0.01))
    other = reference([{"params": [theirs[0].weight], "weight_decay": 0.01},
                       {"params": theirs[1].parameters(), "weight_decay": 0.0}])
    for _ in range(3):
        pictures, wanted = torch.randn(4, 1, 5, 5), torch.randn(4, 2, 3, 3)
        for model, o in ((ours, optimizer), (theirs, other)):
            o.zero_grad()
            (model(pictures) * wanted).mean().backward()
            o.step()
    for a, b in zip(ours.parameters(), theirs.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)
