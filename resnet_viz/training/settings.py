"""The settings of a run as a flat table: what its recipe says, what it leaves to the program, what does nothing in it."""

import os
from pathlib import Path

from . import ranges
from .config import Config

NOT_IN_THE_RESULT = ("device", "threads", "keep_weights", "tensorboard", "compile", "sync_batch_norm", "version")
SHORT = {  # where the name on the command line is no word
    "lr": "learning rate",
    "val_fraction": "held out",
    "train_limit": "pictures",
    "l1": "L1 penalty",
    "ema_decay": "averaging",
    "min_lr": "lowest rate",
    "head_lr_factor": "head's rate",
    "decay_all": "decay of all",
}
NONE = {"train_limit": "all", "size": "as they are"}  # where nothing is said, in fewer words than the form has
ARGUMENT = "arguments."


def settings_of(config: dict) -> dict:
    """setting -> value as config.json has it, or the program's own; network arguments as "arguments.<name>".

    A setting that does nothing beside the others (momentum with Adam) is not among them.
    """
    known = {**Config().to_dict(), **config}
    values = {name: known[name] for name in ranges.SETTINGS if name != "arguments" and ranges.used(name, known)}
    arguments = known["arguments"] if isinstance(known["arguments"], dict) else {}
    return values | {f"{ARGUMENT}{name}": value for name, value in arguments.items()}


def decides(name: str) -> bool:
    """Whether a setting belongs to the recipe; the others say on what it was trained, and what was kept."""
    return name not in NOT_IN_THE_RESULT


def title(name: str) -> str:
    """A setting as the form calls it."""
    return ranges.SETTINGS[name].title if name in ranges.SETTINGS else in_short(name)


def in_short(name: str) -> str:
    """A setting in a legend: learning rate, batch size, shortcut."""
    return SHORT.get(name) or name.removeprefix(ARGUMENT).replace("_", " ")


def value_text(name: str, value) -> str:
    """A value as people read it: 0.1, yes, 15,000, the pictures' own."""
    if value is None:
        return NONE.get(name) or (ranges.SETTINGS[name].without if name in ranges.SETTINGS else "none")
    if name == "data":
        return data_name(str(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value) if name == "seed" else f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(value_text(name, part) for part in value) or "none"
    return str(value)


def data_name(data: str) -> str:
    """What the pictures are called: a path of this machine is nobody else's business."""
    return {"cifar10-jpeg": "CIFAR-10 (JPEG)"}.get(Path(data).stem, data if os.sep not in data else Path(data).stem)
