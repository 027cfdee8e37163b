"""Recipes to begin with, each a name, a reason and a whole config."""

from ..problems import one_of
from . import presets_of_courses as courses
from . import presets_of_lessons as lessons
from . import presets_of_papers as papers
from .config import Config
from .preset import Preset

_OWN = (
    Preset(
        "quick-shapes",
        "Quick: shapes in a minute",
        "A small network on pictures made here; the loss falls while you watch.",
        Config(network="resnet8", data="shapes", epochs=4, batch_size=64, lr=0.1, crop_padding=2),
    ),
    Preset(
        "shapes-resnet20",
        "ResNet-20 on shapes",
        "The whole data set, five epochs.",
        Config(network="resnet20", data="shapes", epochs=5, lr=0.2, crop_padding=2),
    ),
    Preset(
        "shapes-plain20",
        "Plain twin of ResNet-20",
        "The same network without its shortcuts, same seed, same batches.",
        Config(network="plain20", data="shapes", epochs=5, lr=0.2, crop_padding=2),
    ),
    Preset(
        "shapes-stem7",
        "Large first kernels",
        "64 first kernels of 7x7, as in the ImageNet networks, in front of ResNet-20.",
        # The strong decay wipes out the random start: what is left in the kernels is what the pictures put there.
        Config(
            network="resnet20",
            arguments={"stem": "imagenet", "stem_width": 64, "shortcut": "B"},
            data="shapes",
            size=64,
            epochs=16,
            batch_size=64,
            lr=0.1,
            weight_decay=0.01,
            crop_padding=4,
            val_fraction=0.05,
            precision="bf16",
            seed=1,
        ),
    ),
    Preset(
        "shapes-simple-cnn",
        "The lab's SimpleCNN on shapes",
        "Two convolutions and a linear layer with Adam.",
        Config(network="simple-cnn", data="shapes", epochs=5, optimizer="adam", lr=0.001, schedule="cosine"),
    ),
    Preset(
        "digits-resnet8",
        "Real digits",
        "1,797 handwritten digits of 8x8 pixels; done in seconds.",
        Config(network="resnet8", data="digits", epochs=10, lr=0.1, flip=0.0, crop_padding=1),
    ),
    Preset(
        "cifar10-resnet20",
        "ResNet-20 on CIFAR-10",
        "Forty-eight epochs; needs the CIFAR-10 download and about an hour on two cores.",
        Config(
            network="resnet20", data="cifar10", epochs=48, lr=0.2, crop_padding=4, val_fraction=0.02, precision="bf16"
        ),
    ),
    Preset(
        "sprint",
        "Sprint",
        "A good accuracy on CIFAR-10 soon: a short one-cycle of large batches; made for a GPU.",
        Config(
            network="resnet18-cifar",
            data="cifar10",
            epochs=16,
            batch_size=512,
            lr=0.4,
            peak_at=0.25,
            label_smoothing=0.1,
            crop_padding=4,
            cutout=8,
            precision="bf16",
            val_fraction=0.02,
            keep_weights=False,
        ),
    ),
)


PRESETS = {preset.name: preset for preset in (*_OWN, *lessons.PRESETS, *papers.PRESETS, *courses.PRESETS)}


def find(name: str) -> Preset:
    return PRESETS[one_of("preset", name, PRESETS)]
