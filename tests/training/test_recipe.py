"""Every optimiser against torch's own."""

import pytest
import torch
from torch import nn

from resnet_viz.training import ranges
from resnet_viz.training.config import Config
from resnet_viz.training.recipe import OPTIMIZERS, make_optimizer


@pytest.mark.parametrize("decay_all", [False, True])
@pytest.mark.parametrize("name, reference", [
    ("sgd", lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, nesterov=True)),
    ("adam", lambda groups: torch.optim.Adam(groups, lr=0.1)),
    ("adamw", lambda groups: torch.optim.AdamW(groups, lr=0.1)),
])
def test_optimizers_decay_weights_and_leave_the_rest_unless_told(name, reference, decay_all):
    torch.manual_seed(0)
    ours, theirs = (nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2)) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    optimizer = make_optimizer(ours, Config(optimizer=name, lr=0.1, weight_decay=0.01, decay_all=decay_all))
    other = reference([{"params": [theirs[0].weight], "weight_decay": 0.01},
                       {"params": theirs[1].parameters(), "weight_decay": 0.01 if decay_all else 0.0}])
    for _ in range(3):
        pictures, wanted = torch.randn(4, 1, 5, 5), torch.randn(4, 2, 3, 3)
        for model, o in ((ours, optimizer), (theirs, other)):
            o.zero_grad()
            (model(pictures) * wanted).mean().backward()
            o.step()
    for a, b in zip(ours.parameters(), theirs.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-7)


def test_every_optimiser_that_may_be_named_is_there():
    assert set(ranges.OPTIMIZERS) == set(OPTIMIZERS)
