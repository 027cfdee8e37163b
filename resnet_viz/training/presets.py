"""Recipes to begin with, each a name, a reason and a whole config."""

from dataclasses import dataclass

from ..problems import one_of
from .config import Config


@dataclass(frozen=True)
class Preset:
    name: str
    title: str
    description: str
    config: Config


_ALL = (
    Preset("quick-shapes", "Quick: shapes in a minute", "A small network on pictures made here; the loss falls while you watch.",
           Config(network="resnet8", data="shapes", epochs=4, batch_size=64, lr=0.1, crop_padding=2)),
    Preset("shapes-resnet20", "ResNet-20 on shapes", "The whole data set, five epochs.",
           Config(network="resnet20", data="shapes", epochs=5, lr=0.2, crop_padding=2)),
    Preset("shapes-plain20", "Plain twin of ResNet-20", "The same network without its shortcuts, same seed, same batches.",
           Config(network="plain20", data="shapes", epochs=5, lr=0.2, crop_padding=2)),
    Preset("shapes-stem7", "Large first kernels", "64 first kernels of 7x7, as in the ImageNet networks, in front of ResNet-20.",
           # The strong decay wipes out the random start: what is left in the kernels is what the pictures put there.
           Config(network="resnet20", arguments={"stem": "imagenet", "stem_width": 64, "shortcut": "B"}, data="shapes", size=64,
                  epochs=16, batch_size=64, lr=0.1, weight_decay=0.01, crop_padding=4, val_fraction=0.05, precision="bf16", seed=1)),
    Preset("shapes-simple-cnn", "The lab's SimpleCNN", "Two convolutions and a linear layer with Adam.",
           Config(network="simple-cnn", data="shapes", epochs=5, optimizer="adam", lr=0.001, schedule="cosine")),
    Preset("digits-resnet8", "Real digits", "1,797 handwritten digits of 8x8 pixels; done in seconds.",
           Config(network="resnet8", data="digits", epochs=10, lr=0.1, flip=0.0, crop_padding=1)),
    Preset("cifar10-resnet20", "ResNet-20 on CIFAR-10", "Forty-eight epochs; needs the CIFAR-10 download and about an hour on two cores.",
           Config(network="resnet20", data="cifar10", epochs=48, lr=0.2, crop_padding=4, val_fraction=0.02, precision="bf16")),
)

PRESETS = {preset.name: preset for preset in _ALL}


def find(name: str) -> Preset:
    return PRESETS[one_of("preset", name, PRESETS)]
