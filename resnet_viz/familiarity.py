"""How strange a picture looks to a network, and from where on that is worth a caution.

A softmax divides 100 % among the classes whatever it is shown, so its probabilities cannot tell that a picture is of
nothing the network knows. What its convolutions make of the picture can: at eight of them, evenly through the network,
the mean and the (log) standard deviation over the positions of up to sixteen channels are compared with those of
training pictures by the squared Mahalanobis distance. Its log is brought to mean 0 and standard deviation 1 on the
training pictures; the largest of the eight is the picture's strangeness.

The caution begins where 5 % of the run's own validation pictures end, which the network did not learn from; what that
costs in false alarms is then counted on test pictures, and what it catches on noise, flat colours and text.

Source: Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples", 2018, section 2 (distances
at several layers; there of class-wise means, and joined by a fit to strange pictures, which is not done here).
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import runs
from .as_found import in_evaluation_mode
from .data import unlike
from .data.preprocessing import Preprocessing, enlarge, normalise
from .problems import Problem

FILE = "familiarity.safetensors"
ARRAYS = ("centre", "inverse", "usual", "validation")
TAIL = 0.05  # of the validation pictures lies beyond the threshold
FEWEST = 20  # validation pictures: of fewer, there is no 5 % tail
REFERENCE, VALIDATION, TEST, UNLIKE = 1_000, 1_000, 500, 60  # pictures asked, at most; UNLIKE of each kind
LAYERS, CHANNELS = 8, 16  # that are listened to, at most
BATCH_PIXELS = 2_000_000  # about 40 pictures of 224 x 224
SMALLEST = 1e-3  # standard deviation of a channel: below, it counts as flat
RIDGE = 1e-2  # added to the variances of standardised readings: what never varied must not decide alone


@dataclass(frozen=True)
class Familiarity:
    """What pictures of its classes do inside one network.

    layers          convolution -> how many readings are taken there, in the order of all arrays
    centre          float32 [readings]: the mean of every reading over training pictures
    inverse         float32 [sum of readings^2]: each layer's inverse covariance, row by row, one layer after the other
    usual           float32 [layers, 2]: mean and standard deviation of the log distances over training pictures
    validation      float32 [n]: strangeness of validation pictures, ascending
    threshold       strangeness from which on a picture is cautioned
    false_alarms    share of `test_images` test pictures that are cautioned, 0..1; None without any
    caught          kind of data.unlike.KINDS -> share of its pictures that are cautioned, 0..1
    fingerprint     of the weights, which all this holds for and no others
    """

    layers: dict[str, int]
    centre: np.ndarray
    inverse: np.ndarray
    usual: np.ndarray
    validation: np.ndarray
    threshold: float
    false_alarms: float | None
    test_images: int
    caught: dict[str, float]
    fingerprint: str


@dataclass(frozen=True)
class Caution:
    """One picture's strangeness, the share of validation pictures at least as strange (0..1), and whether to warn."""

    strangeness: float
    share: float
    unlike: bool


def caution(familiar: Familiarity, strangeness: float) -> Caution:
    beyond = len(familiar.validation) - int(np.searchsorted(familiar.validation, strangeness))
    return Caution(strangeness, beyond / len(familiar.validation), strangeness > familiar.threshold)


# What a picture does inside the network


def strangeness(model: nn.Module, inputs: Tensor, familiar: Familiarity) -> np.ndarray:
    """float64 [N] of normalised inputs [N, C, H, W]: about 0 to 2 for what it knows, more the stranger."""
    return asked(model, inputs, familiar)[0]


def asked(model: nn.Module, inputs: Tensor, familiar: Familiarity) -> tuple[np.ndarray, Tensor]:
    """The same, and what the network answers (logits on its device): both of one pass."""
    heard, logits = _heard(model, inputs, familiar.layers)
    return _strangest(_distances(heard, familiar.centre, familiar.inverse), familiar.usual), logits


def _heard(model: nn.Module, inputs: Tensor, layers: dict[str, int]) -> tuple[list[np.ndarray], Tensor]:
    """Of each layer float64 [N, readings], and the logits; the model is asked as it is, and left so."""
    modules = dict(model.named_modules())
    if not all(isinstance(modules.get(name), nn.Conv2d) and _readings_of(modules[name]) == count
               for name, count in layers.items()):
        raise Problem(f"{FILE} of this run belongs to another network; delete it, and no picture is cautioned.")
    with torch.inference_mode(), _listening({name: modules[name] for name in layers}) as found:
        logits = model(inputs)
    return [found[name].double().cpu().numpy() for name in layers], logits


def _readings_of(convolution: nn.Conv2d) -> int:
    return 2 * min(CHANNELS, convolution.out_channels)


@contextmanager
def _listening(convolutions: dict[str, nn.Module]):
    """A dict that gets float32 [N, 2 x channels] from every convolution: means, then log standard deviations."""
    found: dict[str, Tensor] = {}

    def hear(name: str, module, inputs, output) -> None:
        channels = torch.linspace(0, output.shape[1] - 1, min(CHANNELS, output.shape[1])).long()
        over = output[:, channels.to(output.device)].float().flatten(2)
        deviation = over.std(2, correction=0).clamp_min(SMALLEST)
        found[name] = torch.cat([over.mean(2), deviation.log()], dim=1)

    handles = [module.register_forward_hook(partial(hear, name)) for name, module in convolutions.items()]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _distances(heard: list[np.ndarray], centre: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Log of the squared Mahalanobis distance a reading, float64 [N, layers]."""
    found, first, at = [], 0, 0
    for readings in heard:
        count = readings.shape[1]
        away = readings - centre[first : first + count]
        matrix = inverse[at : at + count**2].reshape(count, count).astype(np.float64)
        found.append(np.log(np.einsum("ni,ij,nj->n", away, matrix, away) / count + 1e-12))
        first, at = first + count, at + count**2
    return np.stack(found, axis=1)


def _strangest(distances: np.ndarray, usual: np.ndarray) -> np.ndarray:
    return ((distances - usual[:, 0]) / usual[:, 1]).max(axis=1)


# Fitting, at the end of a run


def fit(model: nn.Module, preprocessing: Preprocessing, train, val, test) -> Familiarity | None:
    """From pictures uint8 [N, C, H, W] that can be indexed, on the model's device; the model's mode is put back.

    None where there are too few validation pictures to have a tail, or no convolution to listen to.
    """
    layers = _layers(model)
    if len(val) < FEWEST or len(train) < FEWEST or not layers:
        return None
    with in_evaluation_mode(model):
        return _fitted(model, preprocessing, layers, train, val, test)


def _layers(model: nn.Module) -> dict[str, int]:
    all_of_them = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    chosen = np.unique(np.linspace(0, len(all_of_them) - 1, LAYERS).astype(int)) if all_of_them else []
    return {name: _readings_of(module) for name, module in (all_of_them[i] for i in chosen)}


def _fitted(model: nn.Module, preprocessing: Preprocessing, layers: dict[str, int], train, val, test) -> Familiarity:
    heard = _asked(model, preprocessing, layers, _evenly(train, REFERENCE))
    centre = np.concatenate([readings.mean(axis=0) for readings in heard]).astype(np.float32)
    inverse = np.concatenate([_inverse_covariance(readings).ravel() for readings in heard]).astype(np.float32)
    distances = _distances(heard, centre, inverse)
    usual = np.stack([distances.mean(axis=0), np.maximum(distances.std(axis=0), 1e-6)], axis=1)

    def strange(pictures) -> np.ndarray:
        return _strangest(_distances(_asked(model, preprocessing, layers, pictures), centre, inverse), usual)

    validation = np.sort(strange(_evenly(val, VALIDATION)))
    threshold = float(np.quantile(validation, 1 - TAIL))
    few, draws = _evenly(test, TEST), torch.Generator().manual_seed(0)
    caught = {kind: float((strange(draw(UNLIKE, preprocessing.channels, preprocessing.size, draws)) > threshold).mean())
              for kind, draw in unlike.KINDS.items()}
    return Familiarity(layers, centre, inverse, usual, validation, threshold,
                       float((strange(few) > threshold).mean()) if len(few) else None, len(few), caught,
                       fingerprint(model.state_dict()))


def _inverse_covariance(readings: np.ndarray) -> np.ndarray:
    """float64 [k, k], of readings [N, k], with a ridge."""
    scale = np.maximum(readings.std(axis=0), 1e-4)
    standardised = (readings - readings.mean(axis=0)) / scale
    covariance = standardised.T @ standardised / len(readings)
    return np.linalg.inv(covariance + RIDGE * np.eye(len(scale))) / np.outer(scale, scale)


def _evenly(pictures, count: int):
    """At most `count`, evenly through a split that is sorted by class where the files are."""
    if not len(pictures):
        return pictures
    return pictures[torch.linspace(0, len(pictures) - 1, min(count, len(pictures))).long()]


def _asked(model: nn.Module, preprocessing: Preprocessing, layers: dict[str, int], pictures: Tensor) -> list[np.ndarray]:
    """What _heard gives for any number of pictures."""
    device, batch = next(model.parameters()).device, max(1, min(250, BATCH_PIXELS // preprocessing.size**2))
    found = [_heard(model, normalise(enlarge(part.to(device), preprocessing.size), preprocessing), layers)[0]
             for part in pictures.split(batch)]
    return [np.concatenate(parts) for parts in zip(*found)]


# The file


def write(run: Path, familiar: Familiarity) -> None:
    from safetensors.numpy import save

    told = asdict(familiar)
    tensors = {name: told.pop(name).astype(np.float32) for name in ARRAYS}
    runs.write_atomic(run / FILE, save(tensors, metadata={"familiarity": json.dumps(told)}))


def read(run: Path) -> Familiarity | None:
    """What the run left, None where it left nothing; Problem where the file cannot be used."""
    from safetensors import SafetensorError, safe_open

    path = run / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in ARRAYS}
            told = json.loads((file.metadata() or {})["familiarity"])
        return _checked(Familiarity(**tensors, **told))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise Problem(f"{FILE} of this run cannot be read; delete it, and no picture is cautioned.") from error


def _checked(familiar: Familiarity) -> Familiarity:
    """ValueError where the parts of a file do not fit one another."""
    counts = list(familiar.layers.values())
    shapes = ((sum(counts),), (sum(count**2 for count in counts),), (len(counts), 2))
    if not counts or (familiar.centre.shape, familiar.inverse.shape, familiar.usual.shape) != shapes:
        raise ValueError("arrays of other sizes than its layers have")
    return familiar


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """Of two weights at half precision, so that a run that was made smaller to travel keeps its own."""
    names = sorted(name for name, tensor in state.items() if name.endswith("weight") and tensor.ndim > 1)
    weights = [state[names[0]], state[names[-1]]]  # a file keeps its tensors in another order than the network
    parts = [tensor.detach().half().contiguous().cpu().numpy().tobytes() for tensor in weights]
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def of(checkpoint) -> Familiarity | None:
    """The familiarity that the checkpoint's run left for these very weights; None for any others."""
    familiar = read(checkpoint.run) if checkpoint.run else None
    return familiar if familiar and familiar.fingerprint == fingerprint(checkpoint.state) else None
