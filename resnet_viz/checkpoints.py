"""Trained weights with all that is needed to use them: the network, its classes, and how pictures are prepared."""

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from . import doctor, runs, tensor_files
from .data.preprocessing import NORMALISATIONS, Preprocessing, normalisation, spread
from .networks import zoo
from .problems import Problem

BUNDLED = runs.PROJECT / "checkpoints"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """Weights and their story; what a foreign file does not tell is None, and `notes` say what was assumed.

    state    tensors by torchvision's names, float32 (counters int64)
    metrics  what the trainer measured, e.g. {"val_accuracy": 0.87, "test_accuracy": 0.86}; fractions 0..1
    data     the data set it learned from
    run      the run directory it came from, or None for a single file
    """

    name: str
    network: str
    arguments: dict
    state: dict[str, Tensor] = field(repr=False)
    classes: tuple[str, ...] | None
    heads: tuple[int, ...]
    preprocessing: Preprocessing
    epoch: int | None = None
    metrics: dict = field(default_factory=dict)
    data: str | None = None
    seed: int | None = None
    run: Path | None = None
    format: str = "safetensors"
    notes: tuple[str, ...] = ()


def write(path: Path, state: dict[str, Tensor], header: dict, half: bool = False) -> None:
    """Write weights as safetensors with this project's header, replacing the file as a whole.

    header  keys of Checkpoint as JSON values: network, arguments, classes, preprocessing, epoch, step, metrics, data, seed
    half    store floats as float16 (half the bytes, about three decimal digits)
    """
    from safetensors.torch import save

    tensors = {name: (t.half() if half and t.is_floating_point() else t).detach().cpu().contiguous() for name, t in state.items()}
    text = json.dumps({"format_version": FORMAT_VERSION, **header})
    runs.write_atomic(Path(path), save(tensors, metadata={"resnet_viz": text}))


def examine(path: Path) -> tuple[doctor.Diagnosis, tensor_files.TensorFile]:
    """What is in a weights file; raises Problem only where the file cannot be opened at all."""
    file = tensor_files.read(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in file.tensors.items()}
    diagnosis = doctor.diagnose(shapes, tensor_files.header_of(file.metadata), file.format)
    broken = next((name for name, tensor in file.tensors.items()
                   if tensor.is_floating_point() and not torch.isfinite(tensor.float()).all()), None)
    if broken and diagnosis.recognised:
        note = f"{broken:.80} holds numbers that are not finite (NaN or infinity); answers will not make sense."
        diagnosis = replace(diagnosis, notes=(note, *diagnosis.notes))
    return diagnosis, file


def read(path: Path, name: str | None = None) -> Checkpoint:
    """The checkpoint in a file (this project's or a stranger's); Problem with one sentence where it is none.

    name  what to call it on screen; else the run's or the file's name
    """
    path = Path(path)
    diagnosis, file = examine(path)
    if not diagnosis.recognised:
        raise Problem(f"{name or path.name} cannot be used: {diagnosis.notes[0] if diagnosis.notes else 'it is not a ResNet.'}")
    header = tensor_files.header_of(file.metadata) or {}
    state = {ours: _plain(ours, file.tensors[theirs]) for ours, theirs in diagnosis.renamed.items()
             if ours not in diagnosis.unexpected}
    heads = zoo.heads_of(diagnosis.network, diagnosis.arguments)
    notes = list(diagnosis.notes)
    if "preprocessing" in header:
        preprocessing = _preprocessing(header["preprocessing"], diagnosis.in_channels)
        classes = _known(header, "classes", list)
    else:
        preprocessing, classes = _assume(diagnosis, notes)
    if classes is not None and len(classes) != sum(heads):
        raise Problem(f"{path.name} names {len(classes)} classes for {sum(heads)} outputs; write it again.")
    run = path.parent if runs.is_run(path.parent) and path.stem in runs.WEIGHTS else None
    return Checkpoint(
        name=name or (run.name if run else path.stem), network=diagnosis.network, arguments=diagnosis.arguments, state=state,
        classes=tuple(map(str, classes)) if classes is not None else None, heads=heads, preprocessing=preprocessing,
        epoch=_known(header, "epoch", int), metrics=_known(header, "metrics", dict) or {},
        data=_known(header, "data", str), seed=_known(header, "seed", int),
        run=run, format=file.format, notes=tuple(notes))


def _plain(name: str, tensor: Tensor) -> Tensor:
    return tensor.detach() if name.endswith(doctor.COUNTER) else tensor.detach().float()


def _known(header: dict, key: str, kind: type):
    """The header's value, None where it has none; a Problem where it is of another kind, e.g. after editing by hand."""
    value = header.get(key)
    if value is not None and not isinstance(value, kind):
        raise Problem(f"The file's header gives {key} as {value!r:.60}; write it again with this version.")
    return value


def _preprocessing(values, channels: int) -> Preprocessing:
    try:
        preprocessing = Preprocessing(**values)
    except (TypeError, ValueError) as error:
        raise Problem("The file's header does not say how pictures are prepared; write it again with this version.") from error
    if preprocessing.channels != channels:
        raise Problem(f"The file's header prepares {preprocessing.channels} channels for a network of {channels}; "
                      "write it again with this version.")
    return preprocessing


def _assume(diagnosis: doctor.Diagnosis, notes: list[str]) -> tuple[Preprocessing, list[str] | None]:
    """Preprocessing and class names for a file that tells neither; what was assumed goes into notes."""
    imagenet = diagnosis.num_classes == 1000
    size = zoo.find(diagnosis.network).input_size if diagnosis.network in zoo.NETWORKS else \
        (224 if diagnosis.arguments.get("stem") == "imagenet" else 32)
    name = "half" if diagnosis.in_channels not in (1, 3) else "mnist" if diagnosis.in_channels == 1 else \
        "imagenet" if size == 224 else "cifar10"
    notes.append(f"The file does not say how pictures are prepared: {size}x{size} pixels and the {name} normalisation are assumed.")
    mean, std = (spread(values, diagnosis.in_channels) for values in NORMALISATIONS[name])
    preprocessing = Preprocessing(size, 256 if size == 224 else size, mean, std)
    if not imagenet:
        notes.append("The file names no classes: they are shown by number.")
        return preprocessing, None
    notes.append("1,000 classes: ImageNet's names are assumed.")
    from torchvision.models._meta import _IMAGENET_CATEGORIES  # torchvision keeps its list there, also behind its weights

    return preprocessing, list(_IMAGENET_CATEGORIES)


def model(checkpoint: Checkpoint) -> nn.Module:
    """The checkpoint's network with its weights, in evaluation mode, its parameters without gradients."""
    network = zoo.build(checkpoint.network, checkpoint.arguments, device="meta").to_empty(device="cpu")
    state = dict(checkpoint.state)
    for name in network.state_dict():
        if name.endswith(doctor.COUNTER):
            state.setdefault(name, torch.zeros((), dtype=torch.long))
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def with_normalisation(checkpoint: Checkpoint, text: str | None) -> Checkpoint:
    """The checkpoint with another normalisation (a name or a list, as data.preprocessing takes it); None changes nothing."""
    if text is None:
        return checkpoint
    mean, std = normalisation(text, checkpoint.preprocessing.channels)
    return replace(checkpoint, preprocessing=replace(checkpoint.preprocessing, mean=mean, std=std))


def label(checkpoint: Checkpoint, index: int) -> str:
    """The class's name, or its number as text where the names are unknown."""
    return checkpoint.classes[index] if checkpoint.classes else str(index)


def bundled() -> list[str]:
    """Names of the finished runs that come with the project."""
    if not BUNDLED.is_dir():
        return []
    return sorted(p.name for p in BUNDLED.iterdir() if runs.is_run(p) and best_or_last(p))


def best_or_last(run: Path) -> Path | None:
    """The weights a run is judged by: best, else last, else None."""
    return runs.weights_file(run, "best") or runs.weights_file(run, "last")


def find(reference: str) -> Path:
    """The weights file behind a reference: a file, a run directory (best, else last), or the name of a bundled run."""
    if reference in bundled() and not os.path.exists(reference):
        reference = str(BUNDLED / reference)
    if os.path.isfile(reference):  # os.path: a name that is too long for the system simply does not exist
        return Path(reference)
    if os.path.isdir(reference):
        if weights := best_or_last(Path(reference)):
            return weights
        raise Problem(f"{reference} has no weights yet: a run writes them after its first epoch.")
    known = ", ".join(bundled()) or "none are installed"
    raise Problem(f"There is no checkpoint {reference!r:.100}: give a file, a run directory, or a bundled name "
                  f"({known}).")
