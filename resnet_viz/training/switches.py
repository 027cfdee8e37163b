"""What two recipes can differ in: the switches of a twin race, and what differs between any two recipes, in words."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace

from ..networks import zoo
from ..networks.resnet import ResNetSpec
from ..problems import Problem
from .config import Config
from .ranges import GROUPS, SETTINGS, used
from .settings import data_name, decides, value_text

BATCHES = (16, 32, 64, 128, 256, 512)
RATES = (0.01, 0.1, 0.3, 3.0, 10.0)  # times the recipe's own
PIXELS = {"data": "standardised pixels", "unit": "pixels 0 to 1", "half": "pixels −1 to 1", "none": "pixels 0 to 255"}
OFF = {name: 1.0 if name == "crop_area" else 0 for name in GROUPS["Augmentation"]}  # pictures as they are
LIGHT = {**OFF, "flip": 0.5, "crop_padding": 4}
CHANGES = {
    "flip": "flips",
    "flip_vertical": "upside down",
    "crop_padding": "crops",
    "crop_area": "windows",
    "rotation": "turns",
    "brightness": "light",
    "contrast": "contrast",
    "saturation": "colour",
    "noise": "noise",
    "cutout": "cut-outs",
    "mixup": "mixup",
}
SHORT = {"lr": "rate {:g}", "batch_size": "batches of {:,}", "seed": "seed {}", "epochs": "{:,} epochs"}
APART = (*GROUPS["Augmentation"], "network", "arguments", "normalisation")  # said in another way than the other settings


# The switches: each is a function of a recipe -> {what the other twin has: the other twin's recipe}


def _shortcuts(config: Config) -> dict[str, Config]:
    spec = _spec(config)
    if spec is None:
        return {}
    others = {key: value for key, value in config.arguments.items() if key != "shortcut"}
    plain, residual = config.network.replace("resnet", "plain"), config.network.replace("plain", "resnet")
    if spec.shortcut is None:
        return {"residual": replace(config, network=residual, arguments=others)}
    if plain in zoo.NETWORKS:
        return {"plain": replace(config, network=plain, arguments=others)}
    return {"plain": replace(config, arguments={**others, "shortcut": None})}


def _batch_norm(config: Config) -> dict[str, Config]:
    spec = _spec(config)
    if spec is None:
        return {}
    norm = "none" if spec.norm == "batch" else "batch"
    return {_norm_text(norm): replace(config, arguments={**config.arguments, "norm": norm})}


def _depth(config: Config) -> dict[str, Config]:
    spec = _spec(config)
    if spec is None or {"depths", "block"} & set(config.arguments):
        return {}
    family = [entry for entry in zoo.NETWORKS.values() if entry.family == zoo.find(config.network).family]
    kin = [entry for entry in family if _rest(entry.spec) == _rest(zoo.find(config.network).spec)]
    return {_layers(entry.spec): replace(config, network=entry.name) for entry in kin if entry.name != config.network}


def _learning_rate(config: Config) -> dict[str, Config]:
    rates = [float(f"{config.lr * factor:.6g}") for factor in RATES]
    high = SETTINGS["lr"].high
    return {_short("lr", lr): replace(config, lr=lr) for lr in rates if config.min_lr <= lr <= high}


def _batch_size(config: Config) -> dict[str, Config]:
    sizes = [size for size in BATCHES if size != config.batch_size]
    return {_short("batch_size", size): replace(config, batch_size=size) for size in sizes}


def _augmentation(config: Config) -> dict[str, Config]:
    choices = [replace(config, **OFF), replace(config, **LIGHT)]
    return {_changes_text(other): other for other in choices if _changes_text(other) != _changes_text(config)}


def _pixel_values(config: Config) -> dict[str, Config]:
    return {text: replace(config, normalisation=name) for name, text in PIXELS.items() if name != config.normalisation}


SWITCHES: dict[str, Callable[[Config], dict[str, Config]]] = {
    "shortcuts": _shortcuts,
    "batch norm": _batch_norm,
    "depth": _depth,
    "learning rate": _learning_rate,
    "batch size": _batch_size,
    "augmentation": _augmentation,
    "pixel values": _pixel_values,
}


def possible(config: Config) -> dict[str, dict[str, Config]]:
    """Switch -> what the other twin of this recipe could have -> its recipe; only switches that there are in it."""
    found = {name: choices(config) for name, choices in SWITCHES.items()}
    return {name: others for name, others in found.items() if others}


# What differs


def differences(first: Config, second: Config) -> dict[str, tuple[str, str]]:
    """Title -> what each has, in words, of all that decides a run and is not the same in both."""
    ours, theirs, found = _features(first), _features(second), {}
    for title in ours:
        if title in theirs and ours[title][0] != theirs[title][0]:
            (value, text), (other_value, other_text) = ours[title], theirs[title]
            same = text == other_text
            found[title] = (f"{text} ({value})", f"{other_text} ({other_value})") if same else (text, other_text)
    return found


def names(first: Config, second: Config) -> tuple[str, str] | None:
    """What to call two runs by the one or two things that they differ in; None where it is nothing, or more."""
    found = list(differences(first, second).values())
    if not 1 <= len(found) <= 2:
        return None
    return ", ".join(text for text, _ in found), ", ".join(text for _, text in found)


def _features(config: Config) -> dict[str, tuple[str, str]]:
    """Title -> (the value as a text that says it exactly, in words)."""
    arguments = f" {json.dumps(config.arguments)}" if config.arguments else ""
    spec, found = _spec(config), {}
    if spec is None:
        found["network"] = (config.network + arguments, config.network + arguments)
    else:
        found["shortcuts"] = (str(spec.shortcut), "plain" if spec.shortcut is None else "residual")
        found["depth"] = (f"{spec.block} {list(spec.depths)}", _layers(spec))
        found["batch norm"] = (spec.norm, _norm_text(spec.norm))
        found["network"] = (_rest(spec), config.network + arguments)
    found["augmentation"] = (", ".join(f"{k} {v:g}" for k, v in _changes(config).items()), _changes_text(config))
    found["pixel values"] = (config.normalisation, PIXELS.get(config.normalisation, config.normalisation))
    values = config.to_dict()
    for name in SETTINGS:
        # used in one of them only: what it needs differs, and is said
        if name not in APART and decides(name) and used(name, values):
            title = {"lr": "learning rate"}.get(name, SETTINGS[name].title.lower())
            value = data_name(config.data) if name == "data" else values[name]
            found[title] = (json.dumps(value), _short(name, value))
    return found


def _spec(config: Config) -> ResNetSpec | None:
    """What the recipe builds, where it is one of the ResNets, plain ones among them."""
    try:
        own = zoo.find(config.network).spec
        return replace(own, **config.arguments) if own else None
    except (Problem, TypeError):
        return None  # a network of somebody else, or arguments of another version: a name at most


def _rest(spec: ResNetSpec) -> str:
    apart = ("block", "depths", "shortcut", "norm", "heads")
    return json.dumps({key: value for key, value in asdict(spec).items() if key not in apart})


def _layers(spec: ResNetSpec) -> str:
    return f"{(3 if spec.block == 'bottleneck' else 2) * sum(spec.depths) + 2} layers"


def _norm_text(norm: str) -> str:
    return "with batch norm" if norm == "batch" else "without batch norm"


def _short(name: str, value) -> str:
    return SHORT[name].format(value) if name in SHORT else f"{SETTINGS[name].title.lower()}: {value_text(name, value)}"


def _changes(config: Config) -> dict[str, float]:
    return {name: getattr(config, name) for name in OFF if getattr(config, name) != OFF[name]}


def _changes_text(config: Config) -> str:
    return ", ".join(CHANGES[name] for name in _changes(config)) or "no augmentation"
