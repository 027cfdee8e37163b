"""The homework's and the article's network against plain modules written here from their descriptions."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from resnet_viz.networks import zoo
from resnet_viz.problems import Problem
from tests.foreign_networks import randomised


class Homework(nn.Module):
    """As the homework describes it: PyTorch's biases everywhere, no activation after the sum."""

    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList([nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32)])
        before = 32
        for width, count in ((32, 2), (64, 4), (128, 4), (256, 2)):
            if width > before:
                self.parts.append(nn.Conv2d(before, width, 1))
            for index in range(count):
                stride = 2 if width > before and index == 0 else 1
                block = [nn.Conv2d(width, width, 3, stride, 1), nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, 1, 1),
                         nn.BatchNorm2d(width)]
                self.parts.append(nn.ModuleList(block + ([nn.Conv2d(width, width, 1, stride)] if stride > 1 else [])))
            before = width
        self.parts.append(nn.Linear(256, 100))

    def forward(self, x):
        stem, norm, *middle, last = self.parts
        x = norm(F.relu(stem(x)))
        for part in middle:
            if isinstance(part, nn.Conv2d):
                x = part(x)
            else:
                first, norm1, second, norm2, *around = part
                x = norm2(second(F.relu(norm1(first(x))))) + (around[0](x) if around else x)
        return last(F.max_pool2d(x, 4).flatten(1))


class Article(nn.Module):
    """As the article describes it: one block and one block with stride 2 a stage, three heads of their own."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 64, 2, 2, 3, bias=False), nn.BatchNorm2d(64))
        self.blocks = nn.ModuleList()
        before = 64
        for width in (64, 128, 256, 512):
            for stride in (1, 2):
                block = [nn.Conv2d(before, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width),
                         nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)]
                if stride > 1 or before != width:
                    block.append(nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)))
                self.blocks.append(nn.ModuleList(block))
                before = width
        self.heads = nn.ModuleList(nn.Linear(512, classes) for classes in (168, 11, 7))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem(x)), 1)
        for first, norm1, second, norm2, *around in self.blocks:
            x = F.relu(norm2(second(F.relu(norm1(first(x))))) + (around[0](x) if around else x))
        x = F.avg_pool2d(x, 2).flatten(1)
        return torch.cat([head(x) for head in self.heads], 1)


def body(model: nn.Module) -> list[torch.Tensor]:
    """Every tensor in front of the linear layers, in order of definition, which is the order of use."""
    linear = {id(p) for module in model.modules() if isinstance(module, nn.Linear) for p in module.parameters()}
    return [t for t in model.state_dict(keep_vars=True).values() if id(t) not in linear]


def copied(theirs: nn.Module, name: str) -> nn.Module:
    """Our network with the weights of theirs."""
    ours = zoo.build(name).eval()
    with torch.no_grad():
        for mine, other in zip(body(ours), body(theirs), strict=True):
            assert mine.shape == other.shape
            mine.copy_(other)
        heads = [module for module in theirs.modules() if isinstance(module, nn.Linear)]
        ours.fc.weight.copy_(torch.cat([head.weight for head in heads]))
        ours.fc.bias.copy_(torch.cat([head.bias for head in heads]))
    return ours


@pytest.mark.short(1)
@pytest.mark.parametrize(("name", "reference", "channels", "sizes", "params"), [
    ("hw4-resnet", Homework, 3, (32, 25, 56), 4_035_364),
    ("grapheme-resnet", Article, 1, (64, 28, 91), 11_612_858),
])
def test_the_same_weights_give_the_same_logits(name, reference, channels, sizes, params):
    torch.manual_seed(0)
    theirs = randomised(reference())
    assert sum(p.numel() for p in theirs.parameters()) == params
    ours = copied(theirs, name)
    with torch.no_grad():
        for size in sizes:
            x = torch.randn(2, channels, size, size)
            assert torch.allclose(ours(x), theirs(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "channels"), [("simple-cnn", 3), ("hw4-resnet", 3), ("grapheme-resnet", 1)])
def test_the_sizes_that_fit_are_exactly_those_that_the_zoo_says(name, channels):
    model = zoo.build(name).eval()
    low, high = zoo.NETWORKS[name].sizes
    with torch.no_grad():
        for size in (low, high):
            assert model(torch.zeros(1, channels, size, size)).shape == (1, sum(zoo.NETWORKS[name].heads))
            model.sizes = 1, 1000  # one pixel further, torch itself refuses
            further = size - 1 if size == low else size + 1
            with pytest.raises(RuntimeError, match="shapes cannot be multiplied|too small"):
                model(torch.zeros(1, channels, further, further))
            del model.sizes
            with pytest.raises(Problem, match=f"{name} takes pictures of {low} to {high} pixels a side, not {further}"):
                model(torch.zeros(1, channels, further, further))


def test_dropout_is_for_training_only():
    model = zoo.build("hw4-resnet", {"heads": [5], "dropout": 0.9})
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert not torch.equal(model(x), model(x))
        model.eval()
        assert torch.equal(model(x), model(x)) and model.dropout.p == 0.9
