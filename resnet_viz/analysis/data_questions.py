"""Questions of the lesson on data, from the numbers on the screen; wrong options are mistakes that people make."""

import math
from functools import partial
from random import Random

from ..number_text import plain
from . import data_pipeline as pipeline
from .data_pipeline import RESIZE, SIZE, Way
from .data_sets import Summary
from .questions import Maker, Question, ask, few

COLOURS = ("red", "green", "blue")
ARCHIVE_BYTES = 167_620_000_000
TRAIN_PICTURES, VAL_PICTURES, CLASSES = 1_281_167, 50_000, 1_000  # ILSVRC 2012


# One picture


def of_a_picture(size: tuple[int, int], way: Way, normaliser: str) -> list[Maker]:
    return [partial(normalised_value, way, normaliser), partial(resized_size, size), partial(after_to_tensor, size),
            partial(kept_share, size), chance]


def normalised_value(way: Way, normaliser: str, random: Random) -> Question:
    row, column, channel = random.randrange(SIZE), random.randrange(SIZE), random.randrange(3)
    byte = int(way.pixels[row, column, channel])
    mean, std = (values[channel] for values in pipeline.constants(normaliser))
    right = f"{(byte / 255 - mean) / std:.3f}"
    return ask(f"A pixel has {byte} in {COLOURS[channel]}. {normaliser}: mean {mean:g}, standard deviation {std:g}. What does the "
               "network read?", right,
               few({f"{(byte - mean) / std:.3f}": "That forgets ToTensor, which divides by 255 first.",
                    f"{byte / 255:.3f}": "That is the value after ToTensor, before Normalize.",
                    f"{byte / 255 - mean:.3f}": "That does not divide by the standard deviation.",
                    f"{(byte / 255 - std) / mean if mean else byte:.3f}": "That swaps mean and standard deviation.",
                    f"{byte:.3f}": "That is the byte itself."}, right),
               f"({byte} / 255 − {mean:g}) / {std:g} = {right}.".replace("-", "−"), random)


def resized_size(size: tuple[int, int], random: Random) -> Question:
    wide, high = random.choice([size, (random.randrange(300, 1200), random.randrange(300, 1200)), (640, 480), (500, 375)])
    name = "{} × {}".format
    right = name(*pipeline.resized(wide, high))
    swapped = (int(RESIZE * wide / max(wide, high)), int(RESIZE * high / max(wide, high)))
    return ask(f"A picture is {wide:,} pixels wide and {high:,} high. What does Resize({RESIZE}) make of it (wide × high)?", right,
               few({name(RESIZE, RESIZE): "That would squeeze it: a single number keeps the proportions.",
                    name(*swapped): "That brings the longer side to 256; it is the shorter one.",
                    name(SIZE, SIZE): "That is what CenterCrop makes of it afterwards.",
                    name(*reversed(pipeline.resized(wide, high))): "That swaps width and height.",
                    name(RESIZE, RESIZE // 2): "Nothing halves it."}, right),
               f"The shorter side becomes {RESIZE}, the longer {max(wide, high):,} · {RESIZE} / {min(wide, high):,} = "
               f"{max(wide, high) * RESIZE / min(wide, high):,.1f}, without its fraction.", random)


def after_to_tensor(size: tuple[int, int], random: Random) -> Question:
    batch = random.choice((1, 32, 64, 128, 256))
    right = f"[{batch}, 3, {SIZE}, {SIZE}]"
    return ask(f"What shape has a batch of {batch} colour picture{'s' * (batch > 1)} when it enters the network?", right,
               {f"[{batch}, {SIZE}, {SIZE}, 3]": "That is the order of picture files: ToTensor puts the colour first.",
                f"[{batch}, 1, {SIZE}, {SIZE}]": "That is a grey picture.",
                f"[{batch}, 3, {RESIZE}, {RESIZE}]": "The crop makes 224 × 224 of it, in both pipelines."},
               "PyTorch orders picture, colour, row, column.", random)


def kept_share(size: tuple[int, int], random: Random) -> Question:
    """How much of a picture an evaluation sees."""
    wide, high = random.choice([size, (400, 300), (1920, 1080), (600, 200), (300, 300)])
    inner = pipeline.resized(wide, high)
    share = SIZE * SIZE / (inner[0] * inner[1])
    right = f"{share:.0%}"
    return ask(f"In evaluation, how much of a picture of {wide:,} × {high:,} pixels does the network get to see?", right,
               few({"100%": "The centre crop cuts off what lies outside.",
                    f"{(SIZE / RESIZE) ** 2:.0%}": "That is so of a square picture only.",
                    f"{SIZE / RESIZE:.0%}": "That is the side, not the area.",
                    f"{SIZE * SIZE / (wide * high):.0%}": "It is resized before it is cropped.", "50%": ""}, right),
               f"{SIZE} · {SIZE} of {inner[0]} · {inner[1]} pixels.", random)


CHANCE = (  # step, whether it draws, why
    ("RandomResizedCrop", True, "Each time the picture is seen it is another window."),
    ("RandomHorizontalFlip", True, "Each time the picture is seen, a coin is tossed."),
    ("CenterCrop", False, "The middle is the middle: an evaluation must give the same answer twice."),
    ("Resize", False, "The size is given, so nothing is left to chance."),
    ("Normalize", False, "Mean and standard deviation are fixed numbers, measured once on the training pictures."),
)


def chance(random: Random) -> Question:
    """Which steps draw."""
    step, draws, why = random.choice(CHANCE)
    answers = {True: "No, chance decides", False: "Yes, always the same"}
    return ask(f"{step}: does the same picture come out in the same way in every epoch?", answers[draws],
               {answers[not draws]: ""}, why, random)


# Normalisations


def of_normalisations(way: Way) -> list[Maker]:
    return [*(partial(normalised_value, way, name) for name in pipeline.NORMALISERS), undone, whose_numbers]


def undone(random: Random) -> Question:
    name = random.choice(["0 to 1", "−1 to 1"])
    byte = random.randrange(1, 255)
    mean, std = (values[0] for values in pipeline.constants(name))
    value = (byte / 255 - mean) / std
    return ask(f"The network was given {value:.3f}, normalised to {name}. Which byte did the picture hold?", f"{byte}",
               few({f"{round(value * 255)}": "That only multiplies by 255.", f"{round(abs(byte - 128))}": "That forgets the shift.",
                    f"{255 - byte}": "That is the negative.", f"{byte // 2}": "That is half of it.", f"{(byte + 64) % 256}": ""},
                   f"{byte}"),
               f"({value:.3f} · {std:g} + {mean:g}) · 255 = {byte}.", random)


WHOSE = {
    "the training pictures": "",
    "the test pictures": "Then the network would know something of the test before it.",
    "training and test pictures together": "Then the network would know something of the test before it.",
    "each picture by itself": "Then a dark picture could not be told from a bright one.",
}


def whose_numbers(random: Random) -> Question:
    data = random.choice(("CIFAR-10", "your own photographs", "ImageNet"))
    return ask(f"You train on {data} and standardise. Of which pictures are mean and standard deviation measured?",
               "the training pictures", {text: why for text, why in WHOSE.items() if why},
               "They belong to what was learned, and travel with the weights.", random)


# Data sets


def of_data(found: Summary) -> list[Maker]:
    return [partial(guessing, found), partial(how_many, found), partial(mean_of_two, found)]


def guessing(found: Summary, random: Random) -> Question:
    classes = random.choice((len(found.classes), 10, 100, 1000))
    right = f"{1 / classes:.2%}"
    return ask(f"{classes:,} classes, equally many pictures of each. How often is a guess by dice right?", right,
               few({"50.00%": "That is so of two classes.", f"{1 - 1 / classes:.2%}": "So often it is wrong.", "0.00%": "Now and then it is.",
                    "5.00%": ""}, right), f"1 / {classes:,} = {right}.", random)


def how_many(found: Summary, random: Random) -> Question:
    channels, height, width = found.shape
    right = f"{channels * height * width:,}"
    return ask(f"A picture of {found.name} has {width} × {height} pixels, {'in colour' if channels == 3 else 'grey'}. How many numbers "
               "does a network read of one?", right,
               few({f"{height * width:,}": "The three colours are three numbers a pixel.", f"{3 * height * width:,}": "Grey has one number a pixel.",
                    f"{channels * (height + width):,}": "Width and height multiply.", f"{256 * height * width:,}": "256 is how many values a byte can have."},
                   right), f"{channels} · {height} · {width} = {right}.", random)


def mean_of_two(found: Summary, random: Random) -> Question:
    """The mean and standard deviation of a few numbers, by hand."""
    values = [random.randrange(0, 6) * 51 for _ in range(2)]
    values[1] = values[1] if values[1] != values[0] else (values[0] + 102) % 306
    values[1] = values[1] if values[1] <= 255 else 0
    unit = [value / 255 for value in values]
    mean, std = sum(unit) / 2, abs(unit[0] - unit[1]) / 2
    name = "mean {:.1f}, std {:.1f}".format
    right = name(mean, std)
    return ask(f"Two pixels, {values[0]} and {values[1]}, as numbers of 0 to 1. Their mean and standard deviation (over both)?", right,
               few({name(mean, 2 * std): "The standard deviation is the root of the mean square from the mean: half their distance.",
                    name(sum(unit), std): "A mean divides by the count.", name(std, mean): "They are swapped.",
                    name(mean, std * std): "That is the variance.", name(mean + 0.1, std): ""}, right),
               f"{unit[0]:.1f} and {unit[1]:.1f}: mean {mean:.1f}, each {std:.1f} away from it.", random)


# ImageNet


def of_imagenet(rate: float) -> list[Maker]:
    return [partial(hours, rate), unsorted, steps_of_an_epoch]


def hours(rate: float, random: Random) -> Question:
    rate = random.choice((rate, 10.0, 50.0, 100.0, 250.0, 1000.0))
    seconds = download_seconds(rate)
    right = duration(seconds)
    return ask(f"{ARCHIVE_BYTES / 1e9:.2f} GB over a line of {plain(rate)} Mbit/s: how long at best?", right,
               few({duration(seconds / 8): "A byte has 8 bits.", duration(seconds * 8): "That multiplies by 8 twice.",
                    duration(seconds / 60): "", duration(seconds * 2): ""}, right),
               f"{ARCHIVE_BYTES / 1e9:.2f} · 10⁹ · 8 bits / ({plain(rate)} · 10⁶ bits a second) = {seconds:,.0f} s.", random)


def download_seconds(rate: float) -> float:
    """Seconds for the archive over a line of so many megabits a second."""
    return ARCHIVE_BYTES * 8 / (rate * 1e6)


def duration(seconds: float) -> str:
    """"37 h", "22 min", "3 d 2 h": as one says it."""
    minutes = seconds / 60
    if minutes < 90:
        return f"{max(1, round(minutes))} min"
    hours_ = round(minutes / 60)
    return f"{hours_} h" if hours_ < 48 else f"{hours_ // 24} d {hours_ % 24} h"


def unsorted(random: Random) -> Question:
    classes = random.choice((CLASSES, 100, 10))
    return ask(f"ImageFolder takes a picture's class from its folder. What does it make of val/ as the archive has it, with its "
               f"pictures of {classes:,} classes in one folder?", "It finds no class, and refuses",
               {f"It finds {classes:,} classes": "The names of val's pictures do not tell their classes; the table does.",
                "It takes the classes from the pictures": "A class is nothing that a reader can see; it must be told.",
                "It reads the table": "It knows no table; the pictures have to be sorted by it first."},
               "So sort-val first moves each picture into its class's folder.", random)


def steps_of_an_epoch(random: Random) -> Question:
    batch = random.choice((32, 64, 128, 256))
    right = f"{math.ceil(TRAIN_PICTURES / batch):,}"
    return ask(f"ImageNet has {TRAIN_PICTURES:,} training pictures. How many steps has an epoch in batches of {batch}?", right,
               few({f"{TRAIN_PICTURES // batch:,}": "That leaves out the last, smaller batch.", f"{TRAIN_PICTURES:,}": "That is a step a picture.",
                    f"{math.ceil(VAL_PICTURES / batch):,}": "That is the validation set.", f"{batch * CLASSES:,}": ""}, right),
               f"{TRAIN_PICTURES:,} / {batch} = {TRAIN_PICTURES / batch:,.1f}, and the rest makes one more.", random)


# Fine-tuning


def of_fine_tuning(features: int, classes: int, params: int) -> list[Maker]:
    """features: inputs of the last layer; params: of the whole network with its new last layer."""
    return [partial(new_head, features), partial(share_frozen, features, classes, params), what_head_only_changes]


def new_head(features: int, random: Random) -> Question:
    classes = random.choice((2, 5, 10, 37, 100))
    right = f"{(features + 1) * classes:,}"
    return ask(f"The last layer reads {features:,} numbers. It is replaced by one for {classes} classes, with a bias. How many new "
               "weights is that?", right,
               few({f"{features * classes:,}": "That forgets the biases.", f"{features + classes:,}": "Each class weighs every number: they multiply.",
                    f"{(features + 1) * 1000:,}": "That would be 1,000 classes.", f"{features * (classes + 1):,}": "The bias is one a class, not one a number."},
                   right), f"{features:,} · {classes} + {classes} = {right}.", random)


def share_frozen(features: int, classes: int, params: int, random: Random) -> Question:
    classes = random.choice((classes, 2, 20, 50))
    whole = params + (features + 1) * classes  # params without a last layer
    share = (features + 1) * classes / whole
    right = f"{share:.2%}"
    return ask(f"Of {whole:,} weights only the last layer's {(features + 1) * classes:,} may learn. Which share is that?", right,
               few({f"{1 - share:.2%}": "That is what is frozen.", f"{share / 10:.2%}": "", f"{min(1, share * 10):.2%}": "",
                    "100.00%": "Then nothing would be frozen."}, right), f"{(features + 1) * classes:,} / {whole:,} = {right}.", random)


def what_head_only_changes(random: Random) -> Question:
    layer, right, why = random.choice((
        ("the first convolution", "Not at all", "It is frozen: no gradient reaches it, and the optimiser does not know it."),
        ("the last layer", "It does", "It is the only one that may."),
        ("batch norm's running mean in the frozen part", "Not at all", "Frozen layers stay in evaluation mode; in training mode the "
         "statistics would drift although nothing learns."),
    ))
    return ask(f"Only the last layer is fine-tuned. Does {layer} change?", right,
               {other: "" for other in ("Not at all", "It does") if other != right}, why, random)
