"""The recipe of a run: one frozen record that says all that decides the result, and refuses what makes no sense."""

import json
import os
from dataclasses import asdict, dataclass, field, fields, replace

from ..problems import Problem, one_of
from . import ranges

CONFIG_VERSION = 2
READ_VERSIONS = (1, 2)  # what version 1 did not know had, in effect, the value that is the default now
KEEP_WEIGHTS_BELOW = 2_000_000  # parameters: above that, weights after every epoch would fill the disk


@dataclass(frozen=True)
class Config:
    """Everything that decides a run. `ranges.SETTINGS` says of each field what it does and what it may be.

    Only weights of convolutions and linear layers are penalised; biases and normalisation layers are left free, unless
    `decay_all` puts them under the weight decay too.
    """

    network: str = "resnet20"
    arguments: dict = field(default_factory=dict)
    data: str = "shapes"
    size: int | None = None
    epochs: int = 5
    batch_size: int = 128
    optimizer: str = "sgd"
    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    decay_all: bool = False
    schedule: str = "one-cycle"
    warmup_epochs: float = 0.0
    gamma: float = 0.1
    step_epochs: int = 10
    milestones: tuple[float, ...] = ()
    cycle_epochs: float = 2.0
    peak_at: float = 0.25
    min_lr: float = 0.0
    l1: float = 0.0
    label_smoothing: float = 0.0
    clip_norm: float | None = None
    ema_decay: float = 0.0
    flip: float = 0.5
    flip_vertical: float = 0.0
    crop_padding: int = 0
    crop_area: float = 1.0
    rotation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    noise: float = 0.0
    cutout: int = 0
    mixup: float = 0.0
    normalisation: str = "data"
    seed: int = 0
    val_fraction: float = 0.1
    train_limit: int | None = None
    start_from: str | None = None
    train_part: str = "all"
    head_lr_factor: float = 1.0
    device: str = "auto"
    threads: int | None = None
    precision: str = "fp32"
    sync_batch_norm: bool = True
    keep_weights: bool | None = None
    compile: bool = False
    tensorboard: bool = False
    version: int = CONFIG_VERSION

    def __post_init__(self):
        _check_version(self.version)
        object.__setattr__(self, "version", CONFIG_VERSION)
        for name in ranges.SETTINGS:
            ranges.check(name, getattr(self, name))
        object.__setattr__(self, "milestones", tuple(self.milestones))
        if self.normalisation != "data":
            from ..data.preprocessing import NORMALISATIONS, normalisation

            try:
                normalisation(self.normalisation, 1)
            except Problem as problem:
                raise Problem(f"Unknown normalisation {self.normalisation!r:.60}; choose data (the pictures' own), "
                              f"{', '.join(NORMALISATIONS)}, "
                              "or give means and as many standard deviations parted by commas.") from problem
        for fits, sentence in _TOGETHER:
            if not fits(self):
                raise Problem(sentence)

    def to_dict(self) -> dict:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


_TOGETHER = (  # what each setting alone does not show: (whether it fits, what to do where it does not)
    (lambda c: c.schedule != "multi-step" or c.milestones,
     "The multi-step schedule needs milestones; give epochs, or shares of the run below 1, e.g. milestones=[0.5, 0.75]."),
    (lambda c: c.schedule not in ("one-cycle", "cyclical") or not c.warmup_epochs,
     "The one-cycle and cyclical schedules begin with a rise of their own; set warmup_epochs to 0."),
    (lambda c: c.train_part == "all" or c.start_from,
     "train_part=head needs start_from: layers that never learned anything would never learn anything; name the weights."),
    (lambda c: c.min_lr <= c.lr, "min_lr lies above lr, the highest rate; make it smaller."),
    (lambda c: c.warmup_epochs <= c.epochs or not c.epochs,
     "warmup_epochs is longer than the run; make it shorter than epochs."),
)


def _check_version(version) -> None:
    if version not in READ_VERSIONS:
        raise Problem(f"This run's config is of version {version}, this program knows {CONFIG_VERSION}; update ResNet Viz.")


def from_dict(values: dict) -> Config:
    """The config in a config.json; Problem for a key or a value that no recipe has."""
    _check_version(values.get("version", CONFIG_VERSION))  # first: a newer one has keys that are unknown here
    known = [f.name for f in fields(Config)]
    for key in values:
        one_of("setting", key, known)
    return Config(**values)


def with_settings(config: Config, settings: list[str]) -> Config:
    """The config after KEY=VALUE texts of the command line; a value is JSON where it reads as JSON, else text.

    arguments.KEY=VALUE sets one argument of the network, e.g. arguments.activation=tanh.
    """
    values = config.to_dict()
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise Problem(f"A setting is written KEY=VALUE, not {setting!r}.")
        whole, dot, argument = key.partition(".")
        if dot and whole == "arguments" and isinstance(values[whole], dict):
            values[whole] = {**values[whole], argument: _value(text)}
        else:
            values[key] = text if isinstance(values.get(key), str) else _value(text)  # e.g. data=2024, a folder's name
    return from_dict(values)


def _value(text: str):
    try:
        return json.loads(text)
    except ValueError:
        return text


def resolve(config: Config) -> Config:
    """Fill in what this machine decides, device and threads, so that config.json says it."""
    import torch

    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if config.device == "auto":
        config = replace(config, device=next(name for name, there in found.items() if there))
    elif not found[config.device]:
        raise Problem(f"This machine has no {config.device} device; choose {' or '.join(n for n, there in found.items() if there)}.")
    if config.precision == "fp16" and config.device != "cuda":
        raise Problem(f"fp16 needs a CUDA device, not {config.device}: choose bf16 or fp32 here.")
    return config if config.threads else replace(config, threads=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
