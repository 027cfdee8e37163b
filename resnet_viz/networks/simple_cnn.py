"""The lab's warm-up network: two convolutions and one linear layer, 60,554 parameters for ten classes."""

import torch
from torch import Tensor, nn

from .picture_sizes import must_fit


class SimpleCNN(nn.Module):
    """Two rounds of 3x3 convolution, batch norm, ReLU and 2x2 max pool, then dropout and a linear layer.

    Pictures [N, in_channels, 32, 32] -> logits [N, sum(heads)]. The linear layer fixes the picture size: 64 maps of
    8x8 are its 4,096 inputs.
    """

    sizes = 32, 35  # pixels a side that leave 8x8 after two halvings

    def __init__(self, heads: tuple[int, ...] = (10,), in_channels: int = 3, dropout: float = 0.5):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 32, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(32)
        self.act1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(64)
        self.act2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(64 * 8 * 8, sum(heads))

    def forward(self, x: Tensor) -> Tensor:
        must_fit("simple-cnn", self.sizes, *x.shape[-2:])
        x = self.pool1(self.act1(self.bn1(self.conv1(x))))
        x = self.pool2(self.act2(self.bn2(self.conv2(x))))
        return self.fc(self.dropout(torch.flatten(x, 1)))
