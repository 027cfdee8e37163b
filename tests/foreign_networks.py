"""ResNets as other people write them, with other names for the same tensors: for tests that read their weights."""

import torch
from torch import nn
from torch.nn import functional as F


class CifarBlock(nn.Module):
    """The basic block of the CIFAR repositories; `option` "A" pads, "B" projects, both under the name `shortcut`."""

    def __init__(self, channels: int, width: int, stride: int, option: str):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.missing = stride, width - channels
        self.shortcut = nn.Sequential()
        if option == "B" and (stride != 1 or channels != width):
            self.shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if len(self.shortcut) or (self.stride == 1 and self.missing == 0):
            return F.relu(out + self.shortcut(x))
        before = self.missing // 2
        return F.relu(out + F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, before, self.missing - before)))


class CifarResNet(nn.Module):
    """The network of the CIFAR repositories: 3x3 stem, stages layer1, layer2, ..., average pool, `linear`."""

    def __init__(self, depths, widths, option="A", classes=10, channels=3, stem_width=None):
        super().__init__()
        before = stem_width or widths[0]
        self.conv1 = nn.Conv2d(channels, before, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(before)
        self.depths = depths
        for number, (depth, width) in enumerate(zip(depths, widths), start=1):
            blocks = []
            for index in range(depth):
                blocks.append(CifarBlock(before, width, 2 if number > 1 and index == 0 else 1, option))
                before = width
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
        self.linear = nn.Linear(before, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        for number in range(1, len(self.depths) + 1):
            x = getattr(self, f"layer{number}")(x)
        return self.linear(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class ListBlock(nn.Module):
    """A block whose way is one list, `residual_function`, as the CIFAR-100 repositories write it."""

    def __init__(self, channels: int, width: int, stride: int, expansion: int):
        super().__init__()
        outputs = width * expansion
        sizes = [(channels, width, 3, stride), (width, outputs, 3, 1)] if expansion == 1 else \
            [(channels, width, 1, 1), (width, width, 3, stride), (width, outputs, 1, 1)]
        layers = []
        for before, after, kernel, step in sizes:
            layers += [nn.Conv2d(before, after, kernel, step, kernel // 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.residual_function = nn.Sequential(*layers[:-1])
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.residual_function(x) + self.shortcut(x))


class ListResNet(nn.Module):
    """The network of the CIFAR-100 repositories: conv1 as a list, stages conv2_x, conv3_x, ..., `fc`."""

    def __init__(self, depths, widths, expansion=1, classes=100, channels=3):
        super().__init__()
        before = widths[0]
        self.conv1 = nn.Sequential(nn.Conv2d(channels, before, 3, padding=1, bias=False), nn.BatchNorm2d(before), nn.ReLU())
        self.depths = depths
        for number, (depth, width) in enumerate(zip(depths, widths), start=2):
            blocks = []
            for index in range(depth):
                blocks.append(ListBlock(before, width, 2 if number > 2 and index == 0 else 1, expansion))
                before = width * expansion
            self.add_module(f"conv{number}_x", nn.Sequential(*blocks))
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = self.conv1(x)
        for number in range(2, len(self.depths) + 2):
            x = getattr(self, f"conv{number}_x")(x)
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


def randomised(model: nn.Module, seed: int = 1) -> nn.Module:
    """The model in evaluation mode with random batch-norm statistics, as training would leave them."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in ((module.weight, 0.5, 1.5), (module.bias, -0.5, 0.5),
                                      (module.running_mean, -0.5, 0.5), (module.running_var, 0.5, 2.0)):
                tensor.data.uniform_(low, high, generator=generator)
    return model.eval()


def shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
