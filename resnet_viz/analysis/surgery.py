"""Blocks switched off or scaled, x + a F(x), and what the network still answers.

Veit, Wilber, Belongie: Residual Networks Behave Like Ensembles of Relatively Shallow Networks (NeurIPS 2016), section
4.1 and figure 3: a residual network from which one block is taken still answers, a plain one does not.
"""

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields

import numpy as np
import torch
from torch import Tensor, nn

from ..as_found import evaluating
from ..data.preprocessing import Preprocessing, normalise
from ..evaluation import probabilities
from ..networks.resnet import PadShortcut
from ..problems import Problem, one_of

NO_BLOCKS = "This network has no blocks that could be switched off; choose a residual network or its plain twin."
BATCH_PIXELS = 250_000  # 5 pictures of 224 x 224: what all blocks put out is kept meanwhile, 0.3 GB in ResNet-152
BATCH = 125


@dataclass(frozen=True)
class Answers:
    """What a network says of n pictures.

    predicted  int64 [n, heads], each counted within its head
    sure       float32 [n]: the probability of the first head's answer
    """

    predicted: np.ndarray = field(repr=False)
    sure: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.predicted)


def joined(parts: Sequence[Answers]) -> Answers:
    """Batches one after another; at least one."""
    return Answers(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Answers)))


def share_right(answers: Answers, labels: np.ndarray) -> float:
    """Share of the labels int64 [n, heads] that are answered right, 0..1."""
    return float((answers.predicted == labels).mean())


def share_kept(answers: Answers, whole: Answers) -> float:
    """Share of the answers that are still those of the whole network, 0..1."""
    return float((answers.predicted == whole.predicted).mean())


# The operation


def blocks(model: nn.Module) -> list[str]:
    """Names of the blocks in forward order, of residual and of plain networks; a Problem for a network without."""
    found = [name for name, module in model.named_modules() if hasattr(module, "add")]
    if not found:
        raise Problem(NO_BLOCKS)
    return found


def way_around(model: nn.Module, block: str) -> str:
    """What is left of a block that is switched off: identity, padding, projection; or none, in a plain network."""
    module = model.get_submodule(block)
    if module.add is None:
        return "none"
    if module.downsample is None:
        return "identity"
    return "padding" if isinstance(module.downsample, PadShortcut) else "projection"


@contextmanager
def operated(model: nn.Module, scales: Mapping[str, float]):
    """The model in evaluation mode with a block's F(x) multiplied by its scale a; left as found, also after an exception.

    A residual block puts out act(shortcut(x) + a F(x)). A plain one has no way around itself, so x takes its place as far
    as it is gone, a H(x) + (1 - a) x; where the shape changes, x is thinned and padded with zeros as shortcut A does.
    """
    known = blocks(model)
    with evaluating(model):
        for name, scale in scales.items():
            block = model.get_submodule(one_of("block", name, known))
            if block.add is not None:
                block.add.register_forward_pre_hook(lambda add, parts, a=scale: (_times(a, parts[0]), parts[1]))
            else:
                block.register_forward_hook(lambda block, inputs, out, a=scale: _mixed(a, out, inputs[0]))
        yield model


def _times(scale: float, residual: Tensor) -> Tensor:
    return residual * scale if scale else torch.zeros_like(residual)  # 0 switches infinity off too


def _mixed(scale: float, out: Tensor, x: Tensor) -> Tensor:
    stride = -(-x.shape[2] // out.shape[2])
    around = PadShortcut(x.shape[1], out.shape[1], stride)(x)
    return _times(scale, out) + (1 - scale) * around


# What it answers then


def batch_of(recipe: Preprocessing) -> int:
    """How many pictures go through the network at a time."""
    return max(1, min(BATCH, BATCH_PIXELS // recipe.size**2))


def answers(model: nn.Module, images: Tensor, recipe: Preprocessing, heads: tuple[int, ...],
            scales: Mapping[str, float]) -> Answers:
    """One batch, uint8 [n, C, size, size], through the operated network. The model is left as it was found."""
    with operated(model, scales), torch.no_grad():
        return _answered(model(_prepared(images, recipe)), heads)


def each_alone(model: nn.Module, images: Tensor, recipe: Preprocessing, heads: tuple[int, ...]) -> dict[str, Answers]:
    """One batch through the network without each of its blocks in turn; under "" what the whole one answers.

    What stands before a block answers as it did for the whole network, so it is not computed again: about half the work.
    """
    names, batch, seen = blocks(model), _prepared(images, recipe), {}
    with evaluating(model), torch.no_grad():
        for name in names:
            model.get_submodule(name).register_forward_hook(lambda block, inputs, out, name=name: seen.update({name: out}))
        found = {"": _answered(model(batch), heads)}
    for place, name in enumerate(names):
        with operated(model, {name: 0.0}), torch.no_grad():
            for earlier in names[:place]:  # an attribute that hides the method; `evaluating` takes it away again
                model.get_submodule(earlier).forward = lambda x, out=seen[earlier]: out
            found[name] = _answered(model(batch), heads)
    return found


def _prepared(images: Tensor, recipe: Preprocessing) -> Tensor:
    return normalise(images, recipe).contiguous(memory_format=torch.channels_last)


def _answered(logits: Tensor, heads: tuple[int, ...]) -> Answers:
    parts = logits.float().split(list(heads), dim=1)
    predicted = torch.stack([part.argmax(1) for part in parts], dim=1)
    return Answers(predicted.numpy(), probabilities(logits, heads)[:, :heads[0]].max(1).values.numpy())
