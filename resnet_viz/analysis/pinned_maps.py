"""Feature maps of one picture through a run: of the first convolution from its kernels, of others from weights."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .. import checkpoints, runs
from ..checkpoints import Checkpoint
from ..networks import zoo
from . import feature_maps

MOST_MAPS = 16
MOST_PIXELS = 32  # a side of a map as it is sent; larger ones become means of blocks
MAP_BYTES = MOST_MAPS * MOST_PIXELS**2  # of one moment, at one byte a pixel


@dataclass(frozen=True)
class Maps:
    """The same channels of one layer at several moments.

    maps      float32 [moments, channels, h, w], h and w at most MOST_PIXELS or a little more
    moments   int64 [moments]: steps (first convolution) or epochs (others), ascending
    channels  int64 [channels]: their numbers in the layer, in the order of show
    of        channels that the layer has
    shrunk    pixels a side that became one by their mean; 1 where every pixel is there
    """

    maps: np.ndarray
    moments: np.ndarray
    channels: np.ndarray
    of: int
    shrunk: int


def first_convolution(network: str, arguments: dict) -> tuple[str, nn.Conv2d]:
    """Name and module (without weights) of the convolution that reads the picture."""
    model = zoo.build(network, arguments, device="meta")
    return next((name, module) for name, module in model.named_modules() if isinstance(module, nn.Conv2d))


def from_kernels(
    weights: np.ndarray, module: nn.Conv2d, tensor: Tensor, steps: np.ndarray, channels: np.ndarray
) -> Maps:
    """What the first convolution makes of the picture in every frame.

    weights   float32 [frames, filters, inputs, k, k] as the snapshots have them (float16 there; a bias is not kept)
    tensor    float32 [1, C, H, W], normalised as the network expects; channels: which filters, in the order of show
    """
    channels = channels[:MOST_MAPS]
    found = []
    with torch.no_grad():
        for frame in weights:
            kernels = torch.from_numpy(np.ascontiguousarray(frame[channels]))
            found.append(F.conv2d(tensor, kernels, None, module.stride, module.padding, module.dilation)[0].numpy())
    return _shrunk(np.stack(found), np.asarray(steps), channels, weights.shape[1])


def from_weights(
    run: Path, layer: str, read: Callable[[Path], Checkpoint], tensor: Tensor, progress=None
) -> Maps | None:
    """What any layer makes of the picture after each epoch whose weights were kept; None where none were.

    read                   opens a weights file, e.g. checkpoints.read
    progress(done, total)  is called before each epoch
    The channels are those that vary most over the picture in the last epoch.
    """
    files, seen = runs.epoch_weights(run), []
    if initial := runs.weights_file(run, "initial"):
        files = [(0, initial), *files]
    if len(files) < 2:
        return None
    for done, (_, path) in enumerate(files):
        if progress:
            progress(done, len(files))
        seen.append(feature_maps.feature_maps(checkpoints.model(read(path)), tensor, layer))
    channels = feature_maps.order(seen[-1], "variance")[:MOST_MAPS]
    maps = np.stack([one.maps[channels] for one in seen])
    return _shrunk(maps, np.array([epoch for epoch, _ in files]), channels, len(seen[-1].maps))


def _shrunk(maps: np.ndarray, moments: np.ndarray, channels: np.ndarray, of: int) -> Maps:
    factor = -(-max(maps.shape[2:]) // MOST_PIXELS)
    if factor > 1:
        height, width = (length // factor for length in maps.shape[2:])
        cut = maps[:, :, : height * factor, : width * factor]
        maps = cut.reshape(*maps.shape[:2], height, factor, width, factor).mean(axis=(3, 5))
    return Maps(
        maps.astype(np.float32), np.asarray(moments, dtype=np.int64), np.asarray(channels, dtype=np.int64), of, factor
    )


def moment_of_frames(maps: Maps, moments: np.ndarray) -> np.ndarray:
    """For each frame the index of the newest moment that is not later: int64 [frames]; moments as in `maps.moments`."""
    return np.maximum(np.searchsorted(maps.moments, moments, side="right") - 1, 0)
