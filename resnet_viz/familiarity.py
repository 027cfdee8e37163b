"""How strange a picture looks to a network, and from where on that is worth a caution.

A softmax divides 100 % among the classes whatever it is shown, so its probabilities cannot tell that a picture is of
nothing the network knows. Two things inside the network can, compared with what pictures of the classes do there:

    the channels   the mean and the (log) standard deviation over the positions of every channel of every convolution;
                   z of each against the training pictures; the log of the mean z^2
    the evidence   minus the log of the sum of exp(logits): Liu et al., "Energy-based Out-of-distribution Detection", 2020

Each is brought to mean 0 and standard deviation 1 on the training pictures; their sum is the picture's strangeness, but
for evidence above the average, which makes up for nothing: networks are very sure of some pages of text. The caution begins where 5 % of the run's own validation pictures end, which the network did not learn from; what that costs
in false alarms is then counted on test pictures, and what it catches on noise, flat colours and text.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import runs
from .data import unlike
from .data.preprocessing import Preprocessing, enlarge, normalise
from .problems import Problem

FILE = "familiarity.safetensors"
TAIL = 0.05  # of the validation pictures lies beyond the threshold
FEWEST = 20  # validation pictures: of fewer, there is no 5 % tail
REFERENCE, VALIDATION, TEST, UNLIKE = 1_000, 1_000, 500, 60  # pictures asked, at most; UNLIKE of each kind
BATCH_PIXELS = 2_000_000  # about 40 pictures of 224 x 224
SMALLEST = 1e-3  # standard deviation of a channel: below, it counts as flat


@dataclass(frozen=True)
class Familiarity:
    """What pictures of its classes do inside one network.

    centre, spread  float32 [readings]: mean and standard deviation of every reading over training pictures
    parts           ((mean, std) of the channels' part, (mean, std) of the evidence's) over the same pictures
    validation      float32 [n]: strangeness of validation pictures, ascending
    threshold       strangeness from which on a picture is cautioned
    false_alarms    share of `test_images` test pictures that are cautioned, 0..1; None without any
    caught          kind of data.unlike.KINDS -> share of its pictures that are cautioned, 0..1
    fingerprint     of the weights, which all this holds for and no others
    """

    centre: np.ndarray
    spread: np.ndarray
    parts: tuple[tuple[float, float], tuple[float, float]]
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


def strangeness(model: nn.Module, inputs: Tensor, heads: tuple[int, ...], familiar: Familiarity) -> np.ndarray:
    """float64 [N] of normalised inputs [N, C, H, W]: about 0 for what it knows, more the stranger."""
    readings, evidence = _readings(model, inputs, heads)
    if readings.shape[1] != len(familiar.centre):
        raise Problem(f"{FILE} of this run belongs to another network; delete it, and no picture is cautioned.")
    return _together(_channels(readings, familiar.centre, familiar.spread), -evidence, familiar.parts)


def _together(channels: np.ndarray, lack: np.ndarray, parts) -> np.ndarray:
    (mean, std), (mean_lack, std_lack) = parts
    return (channels - mean) / std + np.maximum(0, (lack - mean_lack) / std_lack)


def _readings(model: nn.Module, inputs: Tensor, heads: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(float32 [N, readings] of all channels, float64 [N] evidence); the model is asked in evaluation mode, as it is."""
    with torch.inference_mode(), _listening(model) as heard:
        logits = model(inputs).float()
    evidence = sum(part.double().cpu().logsumexp(1) for part in logits.split(list(heads), dim=1))
    return torch.cat(heard, dim=1).cpu().numpy(), evidence.numpy()


@contextmanager
def _listening(model: nn.Module):
    """A list that gets [N, 2 x channels] from every convolution on the way: means, then log standard deviations."""
    heard: list[Tensor] = []

    def hear(module, inputs, output) -> None:
        over = output.float().flatten(2)
        deviation = over.std(2, correction=0).clamp_min(SMALLEST)
        heard.append(torch.cat([over.mean(2), deviation.log()], dim=1))

    handles = [m.register_forward_hook(hear) for m in model.modules() if isinstance(m, nn.Conv2d)]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def _channels(readings: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return np.log((((readings - centre) / spread) ** 2).mean(axis=1, dtype=np.float64) + 1e-12)


# Fitting, at the end of a run


def fit(model: nn.Module, heads: tuple[int, ...], preprocessing: Preprocessing, train, val, test) -> Familiarity | None:
    """From pictures uint8 [N, C, H, W] that can be indexed, on the model's device; the model's mode is put back.

    None where there are too few validation pictures to have a tail.
    """
    if len(val) < FEWEST or len(train) < FEWEST:
        return None
    was_training = model.training
    model.eval()
    try:
        return _fitted(lambda pictures: _asked(model, heads, preprocessing, pictures), model, preprocessing, train, val, test)
    finally:
        model.train(was_training)


def _fitted(ask, model: nn.Module, preprocessing: Preprocessing, train, val, test) -> Familiarity:
    readings, evidence = ask(_evenly(train, REFERENCE))
    centre, spread = readings.mean(axis=0), np.maximum(readings.std(axis=0), 1e-4)
    parts = tuple((float(part.mean()), float(max(part.std(), 1e-6)))
                  for part in (_channels(readings, centre, spread), -evidence))

    def strange(pictures) -> np.ndarray:
        readings, evidence = ask(pictures)
        return _together(_channels(readings, centre, spread), -evidence, parts)

    validation = np.sort(strange(_evenly(val, VALIDATION)))
    threshold = float(np.quantile(validation, 1 - TAIL))
    few, draws = _evenly(test, TEST), torch.Generator().manual_seed(0)
    caught = {kind: float((strange(draw(UNLIKE, preprocessing.channels, preprocessing.size, draws)) > threshold).mean())
              for kind, draw in unlike.KINDS.items()}
    return Familiarity(centre, spread, parts, validation.astype(np.float32), threshold,
                       float((strange(few) > threshold).mean()) if len(few) else None, len(few), caught,
                       fingerprint(model.state_dict()))


def _evenly(pictures, count: int):
    """At most `count`, evenly through a split that is sorted by class where the files are."""
    if not len(pictures):
        return pictures
    return pictures[torch.linspace(0, len(pictures) - 1, min(count, len(pictures))).long()]


def _asked(model: nn.Module, heads: tuple[int, ...], preprocessing: Preprocessing, pictures: Tensor):
    device, batch = next(model.parameters()).device, max(1, BATCH_PIXELS // preprocessing.size**2)
    found = [_readings(model, normalise(enlarge(part.to(device), preprocessing.size), preprocessing), heads)
             for part in pictures.split(min(batch, 250))]
    readings, evidence = zip(*found)
    return np.concatenate(readings), np.concatenate(evidence)


# The file


def write(run: Path, familiar: Familiarity) -> None:
    from safetensors.numpy import save

    told = asdict(familiar)
    tensors = {name: told.pop(name).astype(np.float32) for name in ("centre", "spread", "validation")}
    runs.write_atomic(run / FILE, save(tensors, metadata={"familiarity": json.dumps(told)}))


def read(run: Path) -> Familiarity | None:
    """What the run left, None where it left nothing; Problem where the file cannot be used."""
    from safetensors import SafetensorError, safe_open

    path = run / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in ("centre", "spread", "validation")}
            told = json.loads((file.metadata() or {})["familiarity"])
        familiar = Familiarity(**tensors, **told)
        return replace(familiar, parts=tuple((float(mean), float(std)) for mean, std in familiar.parts))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise Problem(f"{FILE} of this run cannot be read; delete it, and no picture is cautioned.") from error


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
