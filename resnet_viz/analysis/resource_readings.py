"""What a course printed and measured for ResNet-152 on a 48 GB card, beside what is worked out here.

The slides "Training ResNet-152 on ImageNet" estimate weights, gradients and copies, and the stored inputs of all layers
for one picture; then they read nvidia-smi while they train (RTX A6000, pictures of 224 x 224, biases in the
convolutions). The figures are theirs; `estimate` and `findings` are worked out.
"""

from dataclasses import dataclass

from . import resources
from .resources import MIB

NETWORK, ARGUMENTS, SIZE, OPTIMIZER = "resnet152", {"conv_bias": True}, 224, "momentum"
STORED_MIB = 173.47  # their list of stored inputs for one picture
PRINTED_GIB = 0.862
CARD_MIB = 49_140  # what nvidia-smi says such a card has
NVIDIA_SMI_MIB = {1: 2_460, 2: 2_638, 36: 8_576, 48: 10_930, 64: 13_854, 80: 18_166, 96: 20_558, 120: 23_884,
                  128: 25_118, 256: 49_140}
EPOCH_MINUTES = {36: 136, 48: 132, 64: 126, 80: 121, 96: 122, 120: 118, 128: 108, 256: 108}


@dataclass(frozen=True)
class Readings:
    """Batches, what the course measured, and the estimate of this program, with and without its allowances, in MiB."""

    batches: tuple[int, ...]
    measured_mib: tuple[int, ...]
    estimated_mib: tuple[float, ...]
    reserved_mib: float  # weights, gradients and one copy: the course's first sum
    slope_mib: float  # measured, for each further picture, between batches 2 and 128
    estimated_slope_mib: float


def readings() -> Readings:
    """The course's table beside the estimate for the same network, optimiser and kind of device."""
    found = resources.demand(NETWORK, ARGUMENTS, SIZE, "fp32", "cuda")
    totals = [sum(resources.parts(found, batch, OPTIMIZER).values()) / MIB for batch in NVIDIA_SMI_MIB]
    reserved = resources.FLOAT_BYTES * (2 * found.trainable + found.params) / MIB
    slope = (NVIDIA_SMI_MIB[128] - NVIDIA_SMI_MIB[2]) / 126
    return Readings(tuple(NVIDIA_SMI_MIB), tuple(NVIDIA_SMI_MIB.values()), tuple(totals), reserved, slope,
                    found.stored_per_picture / MIB)


def findings(seen: Readings) -> list[str]:
    """Why the printed estimate, the measurement and the estimate here differ."""
    printed = seen.reserved_mib + STORED_MIB
    rule = ((STORED_MIB + printed) * 256) / 1024
    low, high = (seen.measured_mib[seen.batches.index(b)] / seen.estimated_mib[seen.batches.index(b)] - 1
                 for b in (128, 1))
    return [
        f"**The printed estimate** for one picture: {seen.reserved_mib:,.2f} MiB for weights, gradients and one copy, "
        f"and {STORED_MIB} MiB of stored inputs, together {printed:,.1f} MiB = {printed / 1024:.3f} GiB (the slides "
        f"print {PRINTED_GIB} GiB: they divide by 1,000).",
        f"Autograd keeps {seen.estimated_slope_mib:,.2f} MiB a picture, and the measurement grows by "
        f"{seen.slope_mib:,.0f} MiB a picture: the stored activations explain nearly all of it. The rest is scratch "
        "and pieces of memory that PyTorch's allocator holds in its cache.",
        f"**The measurement is {low:.0%} above the line at batch 128 and {high:.0%} at batch 1**: nvidia-smi also "
        "counts the CUDA context, the code and scratch of cuDNN, the allocator's cache and every other program on the "
        "card. And how many copies of the weights there are depends on the optimiser: none for SGD, one with "
        "momentum, two for Adam.",
        f"The slides' rule multiplies the {printed:,.0f} MiB that do not grow by the batch as well. At 256 it gives "
        f"about {rule:,.0f} GiB; measured were {NVIDIA_SMI_MIB[256] / 1024:,.0f}.",
        f"That last figure is the card itself: {CARD_MIB:,} MiB is all that an RTX A6000 has. The allocator had filled "
        f"it; the batch needs about {seen.estimated_mib[-1] / 1024:,.0f} GiB.",
        f"**Time**: an epoch of ImageNet took {EPOCH_MINUTES[36]} minutes at batch 36 and {EPOCH_MINUTES[128]} at "
        f"batch 128, and {EPOCH_MINUTES[256]} at 256: once the card is busy, a larger batch buys no more speed.",
    ]


def describe(seen: Readings) -> str:
    """The finding of the chart for who cannot see it."""
    return (f"Memory of ResNet-152 by batch size: measured from {seen.measured_mib[0]:,} MiB at batch 1 to "
            f"{seen.measured_mib[-1]:,} MiB at batch 256; estimated from {seen.estimated_mib[0]:,.0f} to "
            f"{seen.estimated_mib[-1]:,.0f} MiB, a parallel line below it.")
