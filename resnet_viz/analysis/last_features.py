"""A map of what the last layer is given: pictures that look alike to the network lie beside each other."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

MOST = 1_000  # pictures on the map: t-SNE takes seconds for so many, and the browser draws them at once
BEFORE_TSNE = 50  # principal components that t-SNE starts from
PERPLEXITY = 30  # about so many neighbours count


def components(features: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal components: (places float64 [n, count], share of the variance that each holds float64 [count]).

    features [n, D]; where there are fewer than `count` directions the rest is 0. The sign is chosen so that the largest
    place of each component is positive.
    """
    centred = torch.from_numpy(np.asarray(features, dtype=np.float64))
    centred = centred - centred.mean(dim=0)
    narrow = centred.shape[1] <= len(centred)
    values, vectors = torch.linalg.eigh(centred.T @ centred if narrow else centred @ centred.T)
    values, vectors = values.flip(0).clamp(min=0), vectors.flip(1)
    found = min(count, len(values))
    places = torch.zeros(len(centred), count, dtype=torch.float64)
    if narrow:
        places[:, :found] = centred @ vectors[:, :found]
    else:
        places[:, :found] = vectors[:, :found] * values[:found].sqrt()
    rows = places.abs().argmax(dim=0)
    places = places * torch.where(places[rows, torch.arange(count)] < 0, -1.0, 1.0)
    total = float((centred**2).sum())
    shares = np.zeros(count)
    if total > 0:
        shares[:found] = (values[:found] / total).numpy()
    return places.numpy(), shares


def pca(features: np.ndarray) -> np.ndarray:
    """The two directions in which the features differ most: float64 [n, 2]."""
    return components(features, 2)[0]


def tsne(features: np.ndarray) -> np.ndarray:
    """A map that keeps neighbours together: float64 [n, 2], the same every time. Distances between groups mean nothing.

    van der Maaten, Hinton 2008, by scikit-learn.
    """
    from sklearn.manifold import TSNE

    few = len(features)
    if few < 4:
        return pca(features)  # too few to have neighbours
    start = components(features, min(BEFORE_TSNE, few, features.shape[1]))[0].astype(np.float32)
    if not start.any():
        return np.zeros((few, 2))  # all alike
    layout = TSNE(perplexity=min(PERPLEXITY, (few - 1) / 3), init="pca", random_state=0)
    return layout.fit_transform(start).astype(float)


MAPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"PCA": pca, "t-SNE": tsne}


def middles(places: np.ndarray, true: np.ndarray, classes: int) -> np.ndarray:
    """Where the middle of each class lies: medians, float64 [classes, 2], nan for a class without pictures."""
    found = np.full((classes, 2), np.nan)
    for i in np.unique(true):
        found[i] = np.median(places[true == i], axis=0)
    return found


def thumbnails(images: Tensor, side: int) -> np.ndarray:
    """Pictures uint8 [n, C, H, H] at most `side` pixels a side, in colour: uint8 [n, h, h, 3]."""
    if images.shape[2] > side:
        parts = [F.interpolate(part.float(), (side, side), mode="area") for part in images.split(64)]
        images = torch.cat(parts).round().to(torch.uint8)
    return np.ascontiguousarray(images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy())
