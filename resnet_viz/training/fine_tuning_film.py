"""A small real fine-tuning, watched step by step: which layers move, and what that brings, in three ways side by side.

A trained network gets a new last layer and learns the handwritten digits of scikit-learn at their own 8 x 8 pixels: small
enough that forty steps take a second or two.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..checkpoints import Checkpoint
from ..data import sources
from ..data.preprocessing import Preprocessing, normalise
from ..networks import zoo
from . import fine_tuning

WAYS = ("all layers", "only the last", "from scratch")  # what learns
STEPS, EVERY, BATCH = 40, 4, 32
RATE, MOMENTUM = 0.05, 0.9
DATA = "digits"
LOCK = threading.Lock()  # two sessions would draw from the process's one stream of random numbers in turns


@dataclass(frozen=True)
class Tuned:
    """One way.

    layers    names of the convolutions and linear weights, in the network's order
    moved     a frame: how far each has moved, |now - begun| / |begun|
    losses    of every step's batch; accuracy: on the test pictures, a frame
    new       parameters of the new last layer; params: of the whole network
    """

    way: str
    layers: tuple[str, ...]
    moved: tuple[tuple[float, ...], ...]
    losses: tuple[float, ...]
    accuracy: tuple[float, ...]
    new: int
    params: int


def frames() -> list[int]:
    """The steps at which is looked."""
    return list(range(0, STEPS + 1, EVERY))


def tune(checkpoint: Checkpoint, way: str, seed: int) -> Tuned:
    """Forty steps of one way. The process's random numbers and threads are left as they were."""
    threads = torch.get_num_threads()
    with LOCK, torch.random.fork_rng(devices=[]):
        torch.set_num_threads(1)  # pictures so small are no work for two: on a busy machine they would wait for each other
        try:
            torch.manual_seed(seed)
            model = _begun(checkpoint, way)
            (images, labels), (seen, truth) = (_pictures(split, checkpoint.preprocessing) for split in ("train", "test"))
            order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed)).repeat(2)
            return _learn(model, way, images, labels, seen, truth, order)
        finally:
            torch.set_num_threads(threads)


def _begun(checkpoint: Checkpoint, way: str) -> nn.Module:
    heads = list(sources.SOURCES[DATA].heads)
    model = zoo.build(checkpoint.network, {**checkpoint.arguments, "heads": heads})
    if way != "from scratch":
        taken = {name: tensor for name, tensor in checkpoint.state.items() if not name.startswith(f"{fine_tuning.HEAD}.")}
        model.load_state_dict({**model.state_dict(), **taken})
    fine_tuning.freeze(model, _part(way))
    return model


def _part(way: str) -> str:
    return "head" if way == WAYS[1] else "all"


def _pictures(split: str, recipe: Preprocessing) -> tuple[Tensor, Tensor]:
    """The digits as the checkpoint's network reads them: its channels, its normalisation, their own size."""
    pictures = sources.load(DATA, split)
    images = sources.fit(pictures, recipe.channels, pictures.images.shape[-1]).images
    return normalise(images, recipe), pictures.labels[:, 0]


def _learn(model: nn.Module, way: str, images: Tensor, labels: Tensor, seen: Tensor, truth: Tensor, order: Tensor) -> Tuned:
    begun = {name: weight.detach().clone() for name, weight in _weights(model).items()}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=RATE, momentum=MOMENTUM)
    moved, losses, accuracy = [], [], []
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            moved.append(tuple(_relative(weight, begun[name]) for name, weight in _weights(model).items()))
            accuracy.append(_accuracy(model, seen, truth))
        if step == STEPS:
            break
        fine_tuning.set_mode(model, _part(way))
        batch = order[step * BATCH:(step + 1) * BATCH]
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    head = model.get_submodule(fine_tuning.HEAD)
    return Tuned(way, tuple(begun), tuple(moved), tuple(losses), tuple(accuracy), sum(p.numel() for p in head.parameters()),
                 sum(p.numel() for p in model.parameters()))


def _weights(model: nn.Module) -> Mapping[str, Tensor]:
    return {name: module.weight for name, module in model.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}


def _relative(now: Tensor, begun: Tensor) -> float:
    return float(torch.linalg.vector_norm(now.detach() - begun) / torch.linalg.vector_norm(begun))


def _accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    model.eval()
    with torch.inference_mode():
        return float((model(images).argmax(1) == labels).float().mean())
