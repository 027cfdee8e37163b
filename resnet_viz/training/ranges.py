"""Every setting of a recipe: of what kind it is, within what bounds, and what it does in one line.

One table for whoever checks a config, and for whoever shows a form of it.
"""

import math
from dataclasses import dataclass

from ..problems import Problem, one_of

OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("constant", "step", "multi-step", "exponential", "cosine", "one-cycle", "cyclical")
PRECISIONS = ("fp32", "bf16", "fp16")
TRAIN_PARTS = ("all", "head")
DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Setting:
    """One field of the config.

    kind       a key of KINDS; "one of" takes one of `choices`
    title, explained   what it is called, and what it does in one line
    low, high  bounds of a number, or of every number in a list: what lies outside is a slip, not a recipe
    optional   whether None is allowed, and `without` what that means
    needs      (another setting, those of its values with which this one does anything); () if it always does
    """

    kind: str
    title: str
    explained: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    optional: bool = False
    without: str = ""
    needs: tuple = ()


def used(name: str, values: dict) -> bool:
    """Whether the setting does anything beside these values of the others."""
    needs = SETTINGS[name].needs
    return not needs or (values[needs[0]] in needs[1] if needs[1] else bool(values[needs[0]]))


def _whole(value) -> bool:
    return type(value) is int


def _number(value) -> bool:
    return type(value) in (int, float)


KINDS = {  # kind -> (whether a value is of it, how a sentence calls it)
    "text": (lambda value: type(value) is str, "a text"),
    "one of": (lambda value: type(value) is str, "a text"),
    "arguments": (lambda value: isinstance(value, dict), "a set of names and values"),
    "yes or no": (lambda value: type(value) is bool, "true or false"),
    "whole": (_whole, "a whole number"),
    "number": (_number, "a number"),
    "numbers": (lambda value: isinstance(value, list | tuple) and all(map(_number, value)), "a list of numbers"),
}

GROUPS: dict[str, dict[str, Setting]] = {
    "Pictures": {
        "network": Setting("text", "Network", "A name of the zoo"),
        "arguments": Setting("arguments", "Network arguments", "What differs from the network of that name"),
        "data": Setting("text", "Pictures", "A data set, or a folder or zip of pictures"),
        "size": Setting(
            "whole",
            "Size, pixels a side",
            "What the pictures are brought to",
            4,
            1024,
            optional=True,
            without="the pictures' own",
        ),
        "train_limit": Setting(
            "whole",
            "Learn from the first pictures only",
            "Of a shuffle that gives every class its share",
            1,
            10**9,
            optional=True,
            without="from all",
        ),
        "val_fraction": Setting(
            "number", "Held out for validation", "Share of the training pictures that are never learned from", 0, 0.9
        ),
        "normalisation": Setting(
            "text", "Pixel values", "How pixels become numbers: a name, or means and standard deviations"
        ),
        "epochs": Setting("whole", "Epochs", "How often every picture is seen", 0, 100_000),
        "batch_size": Setting("whole", "Batch size", "Pictures for each step of the weights", 1, 65_536),
        "seed": Setting("whole", "Seed", "The same seed and recipe give the same run", 0, 2**31 - 1),
    },
    "Optimiser": {
        "optimizer": Setting("one of", "Optimiser", "How a gradient becomes a step", choices=OPTIMIZERS),
        "lr": Setting("number", "Learning rate, at its highest", "The length of a step", 1e-9, 1000),
        "momentum": Setting(
            "number", "Momentum", "Share of the last step that is kept", 0, 0.9999, needs=("optimizer", ("sgd",))
        ),
        "nesterov": Setting(
            "yes or no", "Nesterov", "Look ahead along the momentum first", needs=("optimizer", ("sgd",))
        ),
    },
    "Learning rate": {
        "schedule": Setting("one of", "Schedule", "How the rate changes over the run", choices=SCHEDULES),
        "warmup_epochs": Setting(
            "number",
            "Warm-up, epochs",
            "A straight rise at the start",
            0,
            100_000,
            needs=("schedule", ("constant", "step", "multi-step", "exponential", "cosine")),
        ),
        "gamma": Setting(
            "number",
            "Factor",
            "What the rate is multiplied by at each fall",
            1e-6,
            1,
            needs=("schedule", ("step", "multi-step", "exponential")),
        ),
        "step_epochs": Setting(
            "whole", "Step, epochs", "From one fall to the next", 1, 100_000, needs=("schedule", ("step",))
        ),
        "milestones": Setting(
            "numbers",
            "Milestones",
            "Epochs after which the rate falls; below 1: shares of the run",
            1e-6,
            100_000,
            needs=("schedule", ("multi-step",)),
        ),
        "cycle_epochs": Setting(
            "number",
            "Cycle, epochs",
            "From the lowest rate to the highest and back",
            1e-3,
            100_000,
            needs=("schedule", ("cyclical",)),
        ),
        "peak_at": Setting(
            "number",
            "Peak at",
            "Share of the run after which the rate is highest",
            0.01,
            0.99,
            needs=("schedule", ("one-cycle",)),
        ),
        "min_lr": Setting(
            "number",
            "Lowest rate",
            "Where a cosine ends and a cycle turns",
            0,
            1000,
            needs=("schedule", ("cosine", "cyclical")),
        ),
    },
    "Augmentation": {
        "flip": Setting(
            "number", "Mirrored pictures", "The chance that a training picture is flipped left to right", 0, 1
        ),
        "flip_vertical": Setting("number", "Upside down", "The chance that it is flipped top to bottom", 0, 1),
        "crop_padding": Setting(
            "whole", "Border before a random crop, pixels", "The picture is moved by up to that much", 0, 64
        ),
        "crop_area": Setting(
            "number", "Random window, least area", "A random part of the picture fills it; 1: always the whole", 0.01, 1
        ),
        "rotation": Setting("number", "Rotation, degrees", "Turned by up to that much, either way", 0, 180),
        "brightness": Setting("number", "Brightness", "Times a factor of up to that much more or less than 1", 0, 1),
        "contrast": Setting("number", "Contrast", "The same, about the mean grey", 0, 1),
        "saturation": Setting("number", "Colour", "The same, about each pixel's own grey", 0, 1),
        "noise": Setting(
            "number", "Noise", "Standard deviation of what is added to every pixel, pixels being 0 to 1", 0, 1
        ),
        "cutout": Setting("whole", "Cut-out, pixels a side", "A square of the mean colour covers a part", 0, 1024),
        "mixup": Setting(
            "number", "Mixup", "Blends each picture and its answer with another; 0: off, 0.2 is usual", 0, 10
        ),
    },
    "Overfitting": {
        "weight_decay": Setting("number", "Weight decay (L2)", "Pulls every weight towards 0, large ones most", 0, 10),
        "decay_all": Setting(
            "yes or no",
            "Decay everything",
            "Also biases and batch norm, as in He et al. 2016; else only weights of convolutions and linear layers",
            needs=("weight_decay", ()),
        ),
        "l1": Setting(
            "number", "L1 penalty", "Pulls every weight towards 0 with the same force, small ones to 0", 0, 1
        ),
        "label_smoothing": Setting(
            "number", "Label smoothing", "Share of the right answer that is spread over all classes", 0, 0.9
        ),
        "clip_norm": Setting(
            "number",
            "Gradient clipping",
            "A longer gradient is shortened to this norm",
            1e-6,
            1e6,
            optional=True,
            without="never shortened",
        ),
        "ema_decay": Setting(
            "number",
            "Averaged weights",
            "Share of the running mean kept at each step, e.g. 0.999; 0: off. "
            "Validation, best, last and test are then of the mean",
            0,
            0.99999,
        ),
    },
    "Fine-tuning": {
        "start_from": Setting(
            "text",
            "Begin from the weights",
            "A file, a run, a bundled checkpoint or published weights",
            optional=True,
            without="random ones",
        ),
        "train_part": Setting(
            "one of", "What learns", "All layers, or only the last one", choices=TRAIN_PARTS, needs=("start_from", ())
        ),
        "head_lr_factor": Setting(
            "number", "Rate of the last layer", "Times the learning rate of the others", 1e-6, 1e6
        ),
    },
    "Machine": {
        "device": Setting("one of", "Device", "Where the numbers are", choices=DEVICES),
        "threads": Setting("whole", "Threads", "Of the CPU", 1, 1024, optional=True, without="all"),
        "precision": Setting(
            "one of",
            "Precision",
            "bf16, fp16: the forward pass in 16 bits; weights stay in 32. fp16 is for CUDA",
            choices=PRECISIONS,
        ),
        "sync_batch_norm": Setting(
            "yes or no",
            "Batch norm over all processes",
            "Where several processes share a batch (torchrun): "
            "statistics of the whole batch, or of each process's part",
        ),
        "keep_weights": Setting(
            "yes or no",
            "Keep the weights of every epoch",
            "For looking at how they came about",
            optional=True,
            without="for networks under 2 M parameters",
        ),
        "compile": Setting(
            "yes or no", "Compile the network", "On CUDA only: a minute at the start, faster steps after it"
        ),
        "tensorboard": Setting(
            "yes or no", "TensorBoard event files", "The curves once more, in the run's folder tensorboard"
        ),
    },
}
SETTINGS = {name: setting for group in GROUPS.values() for name, setting in group.items()}


def check(name: str, value) -> None:
    """A Problem unless the setting may have this value."""
    setting = SETTINGS[name]
    if value is None and setting.optional:
        return
    fits, called = KINDS[setting.kind]
    if not fits(value):
        raise Problem(f"{name} cannot be {value!r:.60}; {called}{' or null' if setting.optional else ''} is needed.")
    if setting.kind == "one of":
        one_of(name, value, setting.choices)
    if setting.kind in ("whole", "number", "numbers"):
        for number in value if setting.kind == "numbers" else [value]:
            if not setting.low <= number <= setting.high:
                raise Problem(f"{name} must lie between {setting.low:g} and {setting.high:g}, not {number}.")
