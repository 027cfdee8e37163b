"""The article's network for Bengali graphemes: one grey channel in, three answers out, 11,612,858 parameters.

Its author calls it ResNet-34; it has eight basic blocks, a 2x2 stem, and halves the picture at the end of each stage.
"""

import torch
from torch import Tensor, nn

from .picture_sizes import must_fit
from .resnet import BasicBlock, ResNetSpec

WIDTHS = (64, 128, 256, 512)


class GraphemeResNet(nn.Module):
    """Stem, four stages of one block and one block with stride 2, average pool, one linear layer.

    Pictures [N, in_channels, 64, 64] -> logits [N, sum(heads)], side by side: 168 grapheme roots, 11 vowel diacritics,
    7 consonant diacritics.
    """

    sizes = 28, 91  # pixels a side that leave 2 or 3 after the stages, i.e. one window of the last pool

    def __init__(self, heads: tuple[int, ...] = (168, 11, 7), in_channels: int = 1):
        super().__init__()
        channels = WIDTHS[0]
        self.conv1 = nn.Conv2d(in_channels, channels, 2, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU()
        self.maxpool = nn.MaxPool2d(1)  # windows of one pixel: it changes nothing, but the article has it
        spec = ResNetSpec("basic", (2, 2, 2, 2), WIDTHS, heads, "cifar", channels, shortcut="B")  # the blocks' kind
        for number, width in enumerate(WIDTHS, start=1):
            blocks = BasicBlock(spec, channels, width, stride=1), BasicBlock(spec, width, width, stride=2)
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            channels = width
        self.avgpool = nn.AvgPool2d(2)
        self.fc = nn.Linear(channels, sum(heads))

    def forward(self, x: Tensor) -> Tensor:
        must_fit("grapheme-resnet", self.sizes, *x.shape[-2:])
        x = self.maxpool(self.act1(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))
