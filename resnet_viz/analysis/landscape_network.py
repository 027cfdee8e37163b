"""A network whose weights can be moved over a plane quickly: its batch norm is folded into the convolutions once.

In evaluation mode batch norm is y = (z - mean) x s + shift with s = scale / sqrt(var + eps), and z is linear in the
convolution's weights. So s goes into the weights and into both directions, and the rest into a bias: at every point
only
w + x d1 + y d2 is left to be computed, and batch norm costs nothing any more.
"""

import copy

import torch
from torch import Tensor, nn

from .. import checkpoints
from ..checkpoints import Checkpoint
from ..data.preprocessing import Preprocessing
from ..evaluation import logits_in_batches, loss_of, right_answers
from ..networks.resnet import Add
from .landscape_directions import Weights

BATCH_PIXELS = 100_000  # about 100 pictures of 32 x 32: what a core's cache can hold is fastest
EXACT = 1e-4  # of the largest answer: what rounding may change when batch norm is folded


class Stopped(Exception):
    """Somebody asked for an end in the middle of a point."""


class Movable:
    """A network of its own, with its folded weights and two folded directions; `twin` shares those numbers.

    directions   two, by the names of the moved weights
    """

    def __init__(self, checkpoint: Checkpoint, directions: tuple[Weights, Weights]):
        self.preprocessing, self.heads = checkpoint.preprocessing, checkpoint.heads
        self.network, scales = folded(checkpoints.model(checkpoint), checkpoint.preprocessing)
        self.network.to(memory_format=torch.channels_last)
        places = [(name, self.network.get_parameter(name)) for name in directions[0]]
        self.numbers = [
            (name, weight.detach().clone(), *(_scaled(d[name], scales.get(name)) for d in directions))
            for name, weight in places
        ]

    def twin(self) -> "Movable":
        """The same for another thread."""
        other = copy.copy(self)
        other.network = copy.deepcopy(self.network)
        return other

    def move(self, x: float, y: float) -> None:
        for name, weight, first, second in self.numbers:
            self.network.get_parameter(name).copy_(torch.add(torch.add(weight, first, alpha=x), second, alpha=y))

    def loss(self, x: float, y: float, images: Tensor, labels: Tensor, stopped=lambda: False) -> tuple[float, float]:
        """(mean cross entropy, accuracy 0..1) at a point, over uint8 pictures at the network's size and int64 labels
        [N, heads]; Stopped where `stopped()` says so between two batches. NaN and infinity are answers, too."""
        batch = max(1, BATCH_PIXELS // self.preprocessing.size**2)
        total, right = 0.0, 0.0
        with torch.no_grad():
            self.move(x, y)
            for part, logits in logits_in_batches(self.network, images, self.preprocessing, batch):
                if stopped():
                    raise Stopped
                total += loss_of(logits, labels[part], self.heads).double().item() * len(logits)
                right += right_answers(logits, labels[part], self.heads).item()
        return total / len(images), right / len(images)


def folded(model: nn.Module, preprocessing: Preprocessing) -> tuple[nn.Module, dict[str, Tensor]]:
    """(a copy with every batch norm that follows a convolution directly put into it; weight's name -> factor of each
    filter).

    One that stands elsewhere (behind an activation) stays. Activations then overwrite what they read. What follows what
    is seen in one forward pass; the copy must then answer as the model does, else it is left as it is.
    """
    shape = (2, preprocessing.channels, preprocessing.size, preprocessing.size)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        copied = copy.deepcopy(model).eval()
        wanted, scales = copied(x), {}
        pairs, overwriting = _followers(copied, x)
        for conv, norm in pairs:
            scales[f"{conv}.weight"] = _absorb(copied.get_submodule(conv), copied.get_submodule(norm))
            copied.set_submodule(norm, nn.Identity())
        for activation in overwriting:
            activation.inplace = True
        scale = float(wanted.nan_to_num(0, 0, 0).abs().max())
        same = torch.allclose(copied(x), wanted, rtol=0, atol=EXACT * scale, equal_nan=True)
    return (copied, scales) if same else (copy.deepcopy(model).eval(), {})


def _followers(model: nn.Module, x: Tensor) -> tuple[list[tuple[str, str]], list[nn.Module]]:
    """(pairs of names of a convolution and the batch norm that reads its output, ReLUs that read a norm or a sum)."""
    made, pairs, overwriting, hooks = {}, [], [], []

    def look(name: str, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        before = made.get(id(inputs[0]))
        if isinstance(module, nn.BatchNorm2d) and before and isinstance(before[1], nn.Conv2d):
            pairs.append((before[0], name))
        if isinstance(module, nn.ReLU) and before and isinstance(before[1], nn.BatchNorm2d | Add):
            overwriting.append(module)
        made[id(output)] = (name, module, output)  # held, so that no other tensor gets its id

    try:
        for name, module in model.named_modules():
            if not list(module.children()):
                hooks.append(module.register_forward_hook(lambda m, i, o, name=name: look(name, m, i, o)))
        model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return pairs, overwriting


def _absorb(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> Tensor:
    """Give the convolution the batch norm's work; returns the factor of each filter, float32 [filters]."""

    def wide(tensor: Tensor | None, default: float) -> Tensor:
        return torch.full((norm.num_features,), default, dtype=torch.float64) if tensor is None else tensor.double()

    scale = wide(norm.weight, 1.0) / (norm.running_var.double() + norm.eps).sqrt()
    shift = wide(norm.bias, 0.0) + (wide(conv.bias, 0.0) - norm.running_mean.double()) * scale
    conv.weight = nn.Parameter((conv.weight.double() * scale.view(-1, 1, 1, 1)).float(), requires_grad=False)
    conv.bias = nn.Parameter(shift.float(), requires_grad=False)
    return scale.float()


def _scaled(direction: Tensor, scale: Tensor | None) -> Tensor:
    scaled = direction if scale is None else direction * scale.view(-1, 1, 1, 1)
    return scaled.contiguous(memory_format=torch.channels_last) if scaled.ndim == 4 else scaled.contiguous()
