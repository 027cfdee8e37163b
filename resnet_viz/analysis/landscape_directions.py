"""Directions in which a network's weights are moved, so that its loss can be seen as a surface over two of them.

Li, Xu, Taylor, Studer, Goldstein: Visualizing the Loss Landscape of Neural Nets (NeurIPS 2018): filter-normalised
random directions (section 4), the plane of a training path (section 7.2). Only what has two dimensions or more is
moved:
the filters of convolutions and the rows of linear layers. Biases and batch norm's scales, shifts and running statistics
stay, as in the authors' published code.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..problems import Problem

Weights = Mapping[str, Tensor]
TINY = 1e-10  # beside the length of a direction: a filter of nothing but zeros must not give 0 / 0


@dataclass(frozen=True)
class Example:
    """The first filter of a layer, for the formula: the lengths (L2 norms) of its weights and of what was drawn."""

    layer: str
    weights: float
    drawn: float


def moved(state: Weights) -> dict[str, Tensor]:
    """The tensors of a state_dict that are moved, by name: files keep them in orders of their own, a seed must not
    care."""
    return {name: state[name] for name in sorted(state) if state[name].ndim > 1}


def lengths(tensor: Tensor) -> Tensor:
    """The L2 norm of each filter: [filters, ...] -> [filters]."""
    return tensor.flatten(1).norm(dim=1)


def filter_normalised(direction: Weights, weights: Weights) -> dict[str, Tensor]:
    """Every filter of the direction as long as the network's own: d <- d / |d| x |w| (Li et al. 2018, section 4)."""
    found = {}
    for name, d in direction.items():
        factor = lengths(weights[name]) / (lengths(d) + TINY)
        found[name] = d * factor.view(-1, *[1] * (d.ndim - 1))
    return found


def drawn(weights: Weights, seed: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Two directions of normal numbers in the shapes of `weights`, from a generator of their own.

    Networks of the same shapes get the same draw from the same seed, e.g. plain and residual ones of one depth.
    """
    generator = torch.Generator().manual_seed(seed)
    first, second = ({name: torch.randn(w.shape, generator=generator) for name, w in weights.items()} for _ in range(2))
    return first, second


def random_plane(state: Weights, seed: int) -> tuple[tuple[dict[str, Tensor], dict[str, Tensor]], Example]:
    """Two filter-normalised random directions, and one filter as an example."""
    weights = moved(state)
    raw = drawn(weights, seed)
    layer = next(iter(weights))
    example = Example(layer, float(lengths(weights[layer])[0]), float(lengths(raw[0][layer])[0]))
    first, second = (filter_normalised(direction, weights) for direction in raw)
    return (first, second), example


@dataclass(frozen=True)
class PathPlane:
    """The plane that holds most of a training path.

    directions  two, of length 1 over all moved weights together
    points      float64 [moments, 2]: where each moment of the run lies in it; the network itself is (0, 0)
    explained   share of the path's variance along each of the two, 0..1
    left        float64 [moments]: how far each moment lies outside the plane, in the same unit (length of weights)
    """

    directions: tuple[dict[str, Tensor], dict[str, Tensor]]
    points: np.ndarray
    explained: tuple[float, float]
    left: np.ndarray


def path_plane(state: Weights, moments: list[Weights]) -> PathPlane:
    """The first two principal components of moments - network (Li et al. 2018, section 7.2), at least three moments.

    The components come from the centred matrix, the points are plain projections of the differences, both as in the
    authors' code. Signs: the path begins at the left, and its largest height is upwards.
    """
    if len(moments) < 3:
        raise Problem("A path needs the weights of three moments or more: train with keep_weights for some epochs.")
    end = moved(state)
    try:
        flat = torch.stack(
            [torch.cat([(moment[name].float() - w).flatten() for name, w in end.items()]) for moment in moments]
        )
    except (KeyError, RuntimeError) as error:
        raise Problem(
            "The weights that the run kept are not of the network it ended with; choose another run."
        ) from error
    differences = flat.double()
    centred = differences - differences.mean(0)
    values, vectors = torch.linalg.eigh(centred @ centred.T)  # few moments, many weights: the small product has it all
    order = values.argsort(descending=True)[:2]
    if values[order[1]] <= 1e-12 * values.sum():
        raise Problem(
            "The weights that the run kept hardly differ: there is no path to see; choose another run, or random "
            "directions."
        )
    both = torch.stack([centred.T @ vectors[:, i] for i in order])
    both = both / both.norm(dim=1, keepdim=True)
    points = differences @ both.T
    signs = torch.stack([-points[0, 0].sign(), points[points[:, 1].abs().argmax(), 1].sign()])
    signs[signs == 0] = 1
    both, points = both * signs[:, None], points * signs
    left = (differences.square().sum(1) - points.square().sum(1)).clamp(min=0).sqrt()
    share = (values[order] / values.sum()).tolist()
    first, second = (_as_weights(row.float(), end) for row in both)
    return PathPlane((first, second), points.numpy(), (share[0], share[1]), left.numpy())


def _as_weights(flat: Tensor, like: Weights) -> dict[str, Tensor]:
    parts = flat.split([w.numel() for w in like.values()])
    return {name: part.view(w.shape) for part, (name, w) in zip(parts, like.items())}
