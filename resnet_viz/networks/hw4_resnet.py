"""The homework's residual network for CIFAR-100: twelve basic blocks, 4,035,364 parameters.

A relative of He et al.'s, with the homework's own choices: a bias in every convolution, ReLU before batch norm in the
stem, a 1x1 convolution between the stages to widen, a bare 1x1 convolution as projection, and nothing after the sum.
"""

import torch
from torch import Tensor, nn

from .picture_sizes import must_fit
from .resnet import Add

STAGES = ((32, 2), (64, 4), (128, 4), (256, 2))  # (channels, blocks)


class Hw4Block(nn.Module):
    """Convolution, batch norm, ReLU, convolution, batch norm, plus the way around; no ReLU after the sum."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = nn.Conv2d(channels, channels, 1, stride) if stride > 1 else None
        self.add = Add()

    def forward(self, x: Tensor) -> Tensor:
        out = self.act1(self.bn1(self.conv1(x)))
        return self.add(self.bn2(self.conv2(out)), x if self.downsample is None else self.downsample(x))


class Hw4ResNet(nn.Module):
    """Stem with dropout, four stages of blocks, each but the first behind a 1x1 convolution, max pool, linear layer.

    Pictures [N, in_channels, 32, 32] -> logits [N, sum(heads)].
    """

    sizes = 25, 56  # pixels a side that leave 4 to 7 after three halvings, i.e. one window of the last pool

    def __init__(self, heads: tuple[int, ...] = (100,), in_channels: int = 3, dropout: float = 0.3):
        super().__init__()
        channels = STAGES[0][0]
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.act1 = nn.ReLU()
        self.bn1 = nn.BatchNorm2d(channels)
        self.dropout = nn.Dropout(dropout)
        for number, (width, depth) in enumerate(STAGES, start=1):
            if number > 1:
                self.add_module(f"widen{number}", nn.Conv2d(channels, width, 1))
            blocks = [Hw4Block(width, stride=2 if number > 1 and index == 0 else 1) for index in range(depth)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            channels = width
        self.maxpool = nn.MaxPool2d(4)
        self.fc = nn.Linear(channels, sum(heads))

    def forward(self, x: Tensor) -> Tensor:
        must_fit("hw4-resnet", self.sizes, *x.shape[-2:])
        x = self.layer1(self.dropout(self.bn1(self.act1(self.conv1(x)))))
        x = self.layer2(self.widen2(x))
        x = self.layer3(self.widen3(x))
        x = self.layer4(self.widen4(x))
        return self.fc(torch.flatten(self.maxpool(x), 1))
