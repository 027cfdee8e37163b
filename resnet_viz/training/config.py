"""The recipe of a run: one frozen record that says all that decides the result, and refuses what makes no sense."""

import json
import os
from dataclasses import asdict, dataclass, field, fields, replace

from ..problems import Problem, one_of

OPTIMIZERS = ("sgd", "adam")
SCHEDULES = ("constant", "cosine", "one-cycle")
PRECISIONS = ("fp32", "bf16")
DEVICES = ("auto", "cpu", "cuda", "mps")
CONFIG_VERSION = 1
KEEP_WEIGHTS_BELOW = 2_000_000  # parameters: above that, weights after every epoch would fill the disk


@dataclass(frozen=True)
class Config:
    """Everything that decides a run.

    network, arguments  a name of the zoo, and what differs from it (heads follow from the data)
    data                a name of data.sources.SOURCES, or a folder or zip
    size                pixels a side that pictures are brought to; None: the data's own
    lr                  the highest learning rate of the schedule
    weight_decay        L2 on convolution and linear weights; biases and normalisation layers are left free
    flip                probability of mirroring; crop_padding: pixels of border before a random crop
    normalisation       "data" (the training pictures' own mean and std), or a name or list as data.preprocessing takes
    val_fraction        share of the training pictures held out, seeded and stratified; 0 for none (then no best)
    train_limit         learn from the first N of a seeded stratified shuffle; None: from all
    precision           "fp32", or "bf16": bfloat16 autocast of the forward pass, weights stay float32
    threads             of the CPU; None until the run is made, then a number
    keep_weights        weights after each epoch; None: only for networks under 2 M parameters
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
    schedule: str = "one-cycle"
    label_smoothing: float = 0.0
    flip: float = 0.5
    crop_padding: int = 0
    normalisation: str = "data"
    seed: int = 0
    val_fraction: float = 0.1
    train_limit: int | None = None
    device: str = "auto"
    threads: int | None = None
    precision: str = "fp32"
    keep_weights: bool | None = None
    version: int = CONFIG_VERSION

    def __post_init__(self):
        if self.version != CONFIG_VERSION:
            raise Problem(f"This run's config is of version {self.version}, this program knows {CONFIG_VERSION}; update ResNet Viz.")
        for key, kind in _KINDS.items():
            value = getattr(self, key)
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not _BOOL and kind is not _MAYBE_BOOL):
                raise Problem(f"{key} cannot be {value!r}; {_wanted(kind)} is needed.")
        one_of("optimizer", self.optimizer, OPTIMIZERS)
        one_of("schedule", self.schedule, SCHEDULES)
        one_of("precision", self.precision, PRECISIONS)
        one_of("device", self.device, DEVICES)
        for key, (low, high) in _RANGES.items():
            value = getattr(self, key)
            if value is not None and not low <= value <= high:
                raise Problem(f"{key} must lie between {low:g} and {high:g}, not {value}.")

    def to_dict(self) -> dict:
        return asdict(self)


_BOOL, _MAYBE_BOOL = bool, (bool, type(None))
_INT, _MAYBE_INT, _NUMBER = int, (int, type(None)), (int, float)
_KINDS = {
    "network": str, "arguments": dict, "data": str, "size": _MAYBE_INT, "epochs": _INT, "batch_size": _INT, "optimizer": str,
    "lr": _NUMBER, "momentum": _NUMBER, "nesterov": _BOOL, "weight_decay": _NUMBER, "schedule": str, "label_smoothing": _NUMBER,
    "flip": _NUMBER, "crop_padding": _INT, "normalisation": str, "seed": _INT, "val_fraction": _NUMBER, "train_limit": _MAYBE_INT,
    "device": str, "threads": _MAYBE_INT, "precision": str, "keep_weights": _MAYBE_BOOL,
}
_RANGES = {  # what lies outside is a slip, not a recipe
    "size": (4, 1024), "epochs": (0, 100_000), "batch_size": (1, 65_536), "lr": (1e-9, 1000), "momentum": (0, 0.9999),
    "weight_decay": (0, 10), "label_smoothing": (0, 0.9), "flip": (0, 1), "crop_padding": (0, 64), "seed": (0, 2**31 - 1),
    "val_fraction": (0, 0.9), "train_limit": (1, 10**9), "threads": (1, 1024),
}


def _wanted(kind) -> str:
    return {str: "a text", dict: "a set of names and values", _BOOL: "true or false", _MAYBE_BOOL: "true, false or null", _INT: "a whole number",
            _MAYBE_INT: "a whole number or null", _NUMBER: "a number"}[kind]


def from_dict(values: dict) -> Config:
    """The config in a config.json; Problem for a key or a value that no recipe has."""
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
    return config if config.threads else replace(config, threads=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
