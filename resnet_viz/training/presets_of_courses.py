"""The experiments of the five course documents, with what each printed. Where a document leaves a setting open, the
plainest choice is taken: no momentum or decay that it does not name, no augmentation that it does not name."""

from dataclasses import replace

from .config import Config
from .preset import Preset, Reported

_LECTURE = Config(
    network="resnet18",
    data="cifar10",
    size=224,
    epochs=10,
    batch_size=128,
    optimizer="adam",
    lr=0.001,
    weight_decay=0.0,
    schedule="constant",
    flip=0.0,
)
_HOMEWORK = Config(
    network="hw4-resnet",
    data="cifar100",
    epochs=50,
    batch_size=100,
    optimizer="adam",
    lr=0.001,
    weight_decay=0.0,
    schedule="multi-step",
    milestones=(30,),
    flip=0.2,
    flip_vertical=0.2,
)
_LAB = Config(
    network="resnet18-cifar",
    data="cifar10",
    epochs=3,
    batch_size=128,
    lr=0.03,
    weight_decay=0.0,
    nesterov=False,
    schedule="constant",
    flip=0.0,
    normalisation="unit",
)

_VARIANTS = {  # name -> (title, what differs from the baseline)
    "normalise-none": ("bytes as they are", {"normalisation": "none"}),
    "normalise-half": ("pixels from -1 to 1", {"normalisation": "half"}),
    "normalise-data": ("standardised by the data's mean and std", {"normalisation": "data"}),
    "augment-flip": ("mirrored half of the time", {"flip": 0.5}),
    "augment-all": (
        "mirrored, cropped, turned, other light and colour, noise",
        {"flip": 0.5, "crop_padding": 4, "rotation": 10.0, "brightness": 0.2, "saturation": 0.2, "noise": 0.02},
    ),
    "lr-0.003": ("a tenth of the rate", {"lr": 0.003}),
    "lr-0.3": ("ten times the rate", {"lr": 0.3}),
    "schedule-decay": ("the rate decays after every epoch", {"schedule": "exponential", "gamma": 0.5}),
    "schedule-cyclical": ("the rate goes up and down", {"schedule": "cyclical", "cycle_epochs": 1.0, "min_lr": 0.003}),
    "schedule-one-cycle": ("the rate goes up once and down once", {"schedule": "one-cycle"}),
    "batch-32": ("batches of 32", {"batch_size": 32}),
    "batch-512": ("batches of 512", {"batch_size": 512}),
}


def _lab(name: str) -> Preset:
    title, changes = _VARIANTS[name]
    return Preset(
        f"lab-{name}", f"Lab: {title}", "The lab's baseline with one thing changed.", replace(_LAB, **changes)
    )


PRESETS = (
    Preset(
        "lecture-resnet18",
        "Lecture: ResNet-18 on CIFAR-10",
        "Pictures enlarged to 224x224, Adam, ten epochs; for a GPU. With size=64 and 5,000 pictures it takes minutes on a CPU.",
        _LECTURE,
        Reported("lecture, 10 epochs", 0.7346),
    ),
    Preset(
        "hw4-scratch",
        "Homework: own ResNet on CIFAR-100",
        "Fifty epochs with Adam; overfits, as the homework's did.",
        _HOMEWORK,
        Reported("homework, 50 epochs", 0.6013),
    ),
    Preset(
        "hw4-finetune",
        "Homework: fine-tuning ResNet-18",
        "ImageNet weights, a new last layer, pictures enlarged to 224x224.",
        Config(
            network="resnet18",
            data="cifar100",
            size=224,
            epochs=5,
            batch_size=100,
            lr=0.01,
            momentum=0.0,
            nesterov=False,
            weight_decay=0.0,
            schedule="constant",
            flip=0.0,
            normalisation="imagenet",
            start_from="ResNet18_Weights.IMAGENET1K_V1",
        ),
        Reported("homework, 5 epochs", 0.7537),
    ),
    Preset(
        "grapheme",
        "Article: three answers a picture",
        "Root, vowel sign and consonant sign of invented letters.",
        Config(
            network="grapheme-resnet",
            data="glyphs",
            epochs=5,
            batch_size=64,
            optimizer="adam",
            lr=0.001,
            weight_decay=0.0,
            schedule="cosine",
            flip=0.0,
        ),
    ),
    Preset(
        "lab-simple-cnn",
        "Lab: SimpleCNN on CIFAR-10",
        "The lab's warm-up network.",
        Config(
            network="simple-cnn",
            data="cifar10",
            epochs=10,
            optimizer="adam",
            lr=0.001,
            weight_decay=0.0,
            schedule="constant",
            flip=0.0,
        ),
    ),
    Preset(
        "lab-baseline",
        "Lab: baseline",
        "ResNet-18 with a 3x3 stem, three epochs at a rate of 0.03; the others differ in one thing.",
        _LAB,
        Reported("lab, 3 epochs", 0.7130),
    ),
    *map(_lab, _VARIANTS),
    Preset(
        "imagenet-resnet152",
        "Slides: ResNet-152 on ImageNet",
        "Batches of 128; needs ImageNet in class folders (train/ and val/) and a GPU. Continues from a file with start_from.",
        Config(
            network="resnet152",
            arguments={"conv_bias": True},
            data="data/imagenet",
            size=224,
            epochs=90,
            batch_size=128,
            lr=0.1,
            nesterov=False,
            weight_decay=1e-4,
            decay_all=True,
            schedule="multi-step",
            milestones=(30, 60),
            crop_area=0.08,
            normalisation="imagenet",
            precision="bf16",
            val_fraction=0.0,
            keep_weights=False,
        ),
    ),
)
