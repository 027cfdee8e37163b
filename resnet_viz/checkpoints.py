"""Trained weights with all that is needed to use them: the network, its classes, and how pictures are prepared."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import NoneType

import torch
from torch import Tensor, nn

from . import corrections, doctor, pretrained, runs, tensor_files
from .corrections import Correction
from .data.preprocessing import NORMALISATIONS, Preprocessing, normalisation, spread
from .doctor import Diagnosis
from .networks import zoo
from .problems import Problem, printable

BUNDLED = runs.PROJECT / "checkpoints"
FORMAT_VERSION = 1
LONGEST_CLASS = 200  # characters of a class's name


class NotRecognised(Problem):
    """The file opens, but is no network that we know; `diagnosis` says how far it was understood."""

    def __init__(self, sentence: str, diagnosis: Diagnosis):
        super().__init__(sentence)
        self.diagnosis = diagnosis


@dataclass(frozen=True)
class Checkpoint:
    """Weights and their story; what a foreign file does not tell is None, and `assumed` says what stands in for it.

    state       tensors by torchvision's names, float32 (counters int64); shared with the networks built from it
    metrics     what the trainer measured, e.g. {"val_accuracy": 0.87, "test_accuracy": 0.86}; fractions 0..1
    data        the data set it learned from
    run         the run directory it came from, or None for a single file
    diagnosis   what the doctor found: see its `found`, `missing`, `unexpected`, `undecided`
    assumed     sentences: what the file does not tell and nobody has set by hand
    warnings    sentences: what is wrong with it
    digest      SHA-256 of a foreign file, the key of what is set by hand; None for this project's own
    source      where known weights come from, e.g. "ResNet50_Weights.IMAGENET1K_V2 of torchvision"
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
    diagnosis: Diagnosis | None = field(default=None, repr=False)
    assumed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    digest: str | None = None
    source: str | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        return self.warnings + self.assumed

    @property
    def found(self) -> tuple[str, ...]:
        return self.diagnosis.found if self.diagnosis else ()

    @property
    def missing(self) -> tuple[str, ...]:
        return self.diagnosis.missing if self.diagnosis else ()

    @property
    def unexpected(self) -> tuple[str, ...]:
        return self.diagnosis.unexpected if self.diagnosis else ()

    @property
    def undecided(self) -> dict[str, tuple]:
        return self.diagnosis.undecided if self.diagnosis else {}


def write(path: Path, state: dict[str, Tensor], header: dict, half: bool = False) -> None:
    """Write weights as safetensors with this project's header, replacing the file as a whole.

    header  keys of Checkpoint as JSON values: network, arguments, classes, preprocessing, epoch, step, metrics, data, seed
    half    store floats as float16 (half the bytes, about three decimal digits)
    """
    from safetensors.torch import save

    tensors = {name: (t.half() if half and t.is_floating_point() else t).detach().cpu().contiguous() for name, t in state.items()}
    text = json.dumps({"format_version": FORMAT_VERSION, **header})
    runs.write_atomic(Path(path), save(tensors, metadata={"resnet_viz": text}))


def examine(path: Path) -> tuple[Diagnosis, tensor_files.TensorFile]:
    """What is in a weights file; raises Problem only where the file cannot be opened at all."""
    file = tensor_files.read(path)
    shapes = {name: tuple(tensor.shape) for name, tensor in file.tensors.items()}
    diagnosis = doctor.diagnose(shapes, tensor_files.header_of(file.metadata), file.format)
    if not diagnosis.recognised:
        return diagnosis, file
    warnings = list(diagnosis.warnings)
    if broken := [name for name, tensor in file.tensors.items() if not _finite(tensor)]:
        others = len(broken) - 1
        more = f" and {others:,} other tensor{'s' * (others > 1)} hold" if others else " holds"
        warnings.insert(0, f"{broken[0]:.80}{more} numbers that are not finite (NaN or infinity); answers will not make sense.")
    if file.others:
        warnings.append(f"The file also holds weights under {file.others[0]!r:.60}; those of the {file.format} are shown.")
    return replace(diagnosis, warnings=tuple(warnings)), file


def _finite(tensor: Tensor) -> bool:
    """Whether all numbers are finite, without a second tensor of that size: NaN shows in the smallest and the largest."""
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    small = tensor.element_size() == 1  # torch has no order for floats of 8 bits
    return all(torch.isfinite(end) for end in torch.aminmax(tensor.float() if small else tensor.detach()))


def read(path: Path, name: str | None = None) -> Checkpoint:
    """The checkpoint in a file (this project's or a stranger's); Problem with one sentence where it is none.

    name  what to call it on screen; else the run's or the file's name
    What was set by hand for a foreign file (corrections.remember) is applied.
    """
    path = Path(path)
    known = pretrained.of_file(path)
    diagnosis, file = examine(path)
    if not diagnosis.recognised:
        raise NotRecognised(f"{name or path.name} cannot be used: {diagnosis.warnings[0]}", diagnosis)
    header = tensor_files.header_of(file.metadata) or {}
    foreign = "preprocessing" not in header and known is None
    run = path.parent if runs.is_run(path.parent) and path.stem in runs.WEIGHTS else None
    classes = _known(header, "classes", list)
    checkpoint = Checkpoint(
        name=name or (run.name if run else path.stem), network=diagnosis.network, arguments=diagnosis.arguments,
        state={ours: _plain(ours, file.tensors[theirs]) for ours, theirs in diagnosis.renamed.items()
               if ours not in diagnosis.unexpected},
        classes=tuple(printable(str(name))[:LONGEST_CLASS] for name in classes) if classes is not None else None,
        heads=zoo.heads_of(diagnosis.network, diagnosis.arguments),
        preprocessing=_assumed_preprocessing(diagnosis) if "preprocessing" not in header else
        _preprocessing(header["preprocessing"], diagnosis.in_channels),
        epoch=_known(header, "epoch", int), metrics=_metrics(header),
        data=printable(_known(header, "data", str) or "")[:LONGEST_CLASS] or None, seed=_known(header, "seed", int),
        run=run, format=file.format, diagnosis=diagnosis, assumed=diagnosis.assumed, warnings=diagnosis.warnings,
        digest=_digest(path) if foreign else None)
    if known is not None:
        return _published(checkpoint, known)
    if foreign:
        checkpoint = _remembered(checkpoint)
    if checkpoint.classes is not None and len(checkpoint.classes) != sum(checkpoint.heads):
        raise Problem(f"{path.name} names {len(checkpoint.classes)} classes for {sum(checkpoint.heads)} outputs; write it again.")
    return checkpoint


def _remembered(checkpoint: Checkpoint) -> Checkpoint:
    """With what was set by hand for these bytes before; if that does not fit any more, without, and saying so.

    Class names that the file itself gives, without saying how pictures are prepared, stand until others are set.
    """
    own, known = Correction(classes=checkpoint.classes), corrections.recall(checkpoint.digest)
    try:
        return corrected(checkpoint, replace(known, classes=known.classes or own.classes) if known else own)
    except Problem as problem:
        if known is None:
            raise
        plain = corrected(checkpoint, own)
        return replace(plain, warnings=(f"What was set by hand is not used: {problem}", *plain.warnings))


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _published(checkpoint: Checkpoint, known: pretrained.Pretrained) -> Checkpoint:
    """torchvision's own weights: their classes, transforms and accuracy are published with them."""
    classes, preprocessing = pretrained.classes_and_preprocessing(known)
    return replace(checkpoint, name=known.reference, classes=classes, preprocessing=preprocessing, data="ImageNet-1K",
                   metrics={"val_accuracy": known.accuracy}, assumed=(), source=f"{known.reference} of torchvision")


def _plain(name: str, tensor: Tensor) -> Tensor:
    return tensor.detach() if name.endswith(doctor.COUNTER) else tensor.detach().float()


def _known(header: dict, key: str, kind: type):
    """The header's value, None where it has none; a Problem where it is of another kind, e.g. after editing by hand."""
    value = header.get(key)
    if value is not None and not isinstance(value, kind):
        raise Problem(f"The file's header gives {key} as {value!r:.60}; write it again with this version.")
    return value


def _metrics(header: dict) -> dict:
    """Name -> number, as the trainer writes them; a Problem for anything else."""
    metrics = _known(header, "metrics", dict) or {}
    if odd := [name for name, value in metrics.items() if type(value) not in (int, float, NoneType) or value is not None and not abs(value) < 1e15]:
        raise Problem(f"The file's header gives {odd[0]!r:.40} as {metrics[odd[0]]!r:.40}, which is no number; write it again with this version.")
    return {name: value for name, value in metrics.items() if value is not None}


def _preprocessing(values, channels: int) -> Preprocessing:
    try:
        preprocessing = Preprocessing(**values)
    except (TypeError, ValueError, OverflowError) as error:
        raise Problem("The file's header does not say how pictures are prepared; write it again with this version.") from error
    if preprocessing.channels != channels:
        raise Problem(f"The file's header prepares {preprocessing.channels} channels for a network of {channels}; "
                      "write it again with this version.")
    return preprocessing


# What a foreign file does not tell

def _assumed_preprocessing(diagnosis: Diagnosis) -> Preprocessing:
    """The published recipe for networks of that stem and that many channels."""
    known = zoo.NETWORKS.get(diagnosis.network)
    size = known.input_size if known else 224 if diagnosis.arguments.get("stem") == "imagenet" else 32
    mean, std = (spread(values, diagnosis.in_channels) for values in NORMALISATIONS[_usual(diagnosis.in_channels, size)])
    return Preprocessing(size, _resize(size), mean, std)


def _usual(channels: int, size: int) -> str:
    """The normalisation that networks of that many channels and that size usually have."""
    return {1: "mnist", 3: "imagenet" if size == 224 else "cifar10"}.get(channels, "half")


def _resize(size: int) -> int:
    return round(size * 256 / 224) if size >= 224 else size


def corrected(checkpoint: Checkpoint, correction: Correction) -> Checkpoint:
    """The same foreign weights with what a person knows of them; Problem where it does not fit.

    What the correction leaves open is assumed, and `assumed` says so.
    """
    diagnosis = doctor.with_arguments(checkpoint.diagnosis, correction.arguments)
    assumed, preprocessing = list(diagnosis.assumed), _assumed_preprocessing(diagnosis)
    usual = _usual(diagnosis.in_channels, preprocessing.size)
    if correction.size is None:
        assumed.append(f"Pictures of {preprocessing.size}x{preprocessing.size} pixels.")
    else:
        preprocessing = replace(preprocessing, size=correction.size, resize=_resize(correction.size))
        if diagnosis.network != zoo.CUSTOM:
            zoo.check(diagnosis.network, diagnosis.arguments, correction.size)
    if correction.normalisation is None:
        assumed.append(f"The {usual} normalisation of the pixels.")
    else:
        mean, std = normalisation(correction.normalisation, diagnosis.in_channels)
        preprocessing = replace(preprocessing, mean=mean, std=std)
    classes, outputs = correction.classes, sum(checkpoint.heads)
    if classes is None and outputs == 1000:
        from torchvision.models._meta import _IMAGENET_CATEGORIES  # torchvision keeps its list there, behind its weights

        classes = tuple(_IMAGENET_CATEGORIES)
        assumed.append("ImageNet's names for the 1,000 classes.")
    elif classes is None:
        assumed.append("No names for the classes: they are shown by number.")
    elif len(classes) != outputs:
        raise Problem(f"{len(classes):,} class names do not fit {outputs:,} outputs; give one a class.")
    return replace(checkpoint, network=diagnosis.network, arguments=diagnosis.arguments, diagnosis=diagnosis,
                   classes=classes, preprocessing=preprocessing, assumed=tuple(assumed))


def model(checkpoint: Checkpoint) -> nn.Module:
    """The checkpoint's network in evaluation mode, its parameters without gradients.

    Its tensors are the checkpoint's own, not copies: whoever changes them works on `copy.deepcopy` of it.
    """
    network = zoo.build(checkpoint.network, checkpoint.arguments, device="meta")
    state = dict(checkpoint.state)
    for name in network.state_dict():
        if name.endswith(doctor.COUNTER):
            state.setdefault(name, torch.zeros((), dtype=torch.long))
    network.load_state_dict(state, assign=True)
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


def find(reference: str, progress: Callable | None = None) -> Path:
    """The weights file behind a reference: a file, a run directory (best, else last), the name of a bundled run, or
    of published weights such as ResNet50_Weights.IMAGENET1K_V2, which are downloaded where they are not here yet.
    """
    if reference in bundled() and not os.path.exists(reference):
        reference = str(BUNDLED / reference)
    if os.path.isfile(reference):  # os.path: a name that is too long for the system simply does not exist
        return Path(reference)
    if os.path.isdir(reference):
        if weights := best_or_last(Path(reference)):
            return weights
        raise Problem(f"{reference} has no weights yet: wait for the end of its first epoch.")
    if "_Weights." in reference:
        return pretrained.fetch(reference, progress)
    known = ", ".join(bundled()) or "none are installed"
    raise Problem(f"There is no checkpoint {reference!r:.100}: give a file, a run directory, or a bundled name "
                  f"({known}).")
