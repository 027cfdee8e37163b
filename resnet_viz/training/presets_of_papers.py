"""The CIFAR experiments of He et al. (2016), section 4.2, and the pair that shows degradation."""

from dataclasses import replace

from .config import Config
from .preset import Preset, Reported

# 64,000 updates of 128 pictures, a tenth of the rate after 32,000 and 48,000; 45,000 pictures, 5,000 held out.
_PAPER = Config(
    data="cifar10",
    epochs=182,
    batch_size=128,
    lr=0.1,
    nesterov=False,
    weight_decay=1e-4,
    decay_all=True,  # section 3.4 names no exception
    schedule="multi-step",
    milestones=(91, 137),
    crop_padding=4,
    val_fraction=0.1,
)
_ERROR = {20: 0.0875, 32: 0.0751, 44: 0.0717, 56: 0.0697, 110: 0.0643}  # table 6, on the original CIFAR-10


def _paper(depth: int) -> Preset:
    # section 4.2: at 110 layers a rate of 0.1 is too high to begin with, so it is reached within about 400 updates
    config = replace(_PAPER, network=f"resnet{depth}", warmup_epochs=1.0 if depth == 110 else 0.0)
    return Preset(
        f"he-resnet{depth}",
        f"ResNet-{depth} as the paper trained it",
        "He et al., section 4.2: 182 epochs of CIFAR-10, for a GPU or a night.",
        config,
        Reported("He et al., table 6", round(1 - _ERROR[depth], 4)),
    )


_SHORT = Config(
    data="cifar10",
    epochs=12,
    train_limit=15_000,
    lr=0.1,
    nesterov=False,
    weight_decay=1e-4,
    schedule="one-cycle",
    crop_padding=4,
    precision="bf16",
)


def _degradation(network: str) -> Preset:
    kind, depth = ("ResNet", network[6:]) if network.startswith("resnet") else ("Plain", network[5:])
    return Preset(
        f"degradation-{network}",
        f"Degradation: {kind} {depth}",
        "12 epochs of 15,000 pictures of CIFAR-10, the same for 20 and 56 layers with and without shortcuts.",
        replace(_SHORT, network=network),
    )


PRESETS = (
    *(_degradation(network) for network in ("plain20", "resnet20", "plain56", "resnet56")),
    *(_paper(depth) for depth in _ERROR),
)
