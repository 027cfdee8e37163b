"""What is said of batch norm on a small batch, number by number."""

import numpy as np

from .batch_norm import EPS, Worked
from .batch_norm_words import GENERAL, NOT_OFF
from .learning_words import short, tex

STAGES = ("mean", "variance", "normalise", "scale and shift")


def stage(frame: int) -> tuple[int, int]:
    """(channel, which of STAGES) of a frame."""
    return divmod(frame, len(STAGES))


def number_said(found: Worked, mode: str, scale: float, shift: float, frame: int) -> str:
    c, which = stage(frame)
    numbers = found.x[:, c]
    count, mean, variance = numbers.size, found.mean[c], found.variance[c]
    x, middle, y = (float(part[0, c, 0, 0]) for part in (found.x, found.normal, found.output))
    total = int(numbers.sum())
    batch = f"the {count} numbers of channel {c} add up to {total}: {total} / {count} = {short(found.batch_mean[c])}"
    said = {
        ("train", 0): f"Mean: {batch}.",
        ("train", 1): f"Variance: the mean of the {count} squared distances from {short(mean)} is {short(variance)}.",
        ("evaluation", 0): f"Running mean: {batch}, and one step from 0 gives 0.9 · 0 + 0.1 · "
        f"{short(found.batch_mean[c])} = {short(mean)}.",
        ("evaluation", 1): f"Running variance: one step from 1 gives 0.9 · 1 + 0.1 · {short(found.unbiased[c])} "
        f"(divided by n − 1 = {count - 1}) = {short(variance)}.",
    }
    return said.get((mode, which)) or (
        f"Normalise: ({short(x)} − {short(mean)}) / √({short(variance)} + 0.00001) = {short(middle)} for the first "
        f"number, and so for all {count}."
        if which == 2
        else f"Scale and shift: {short(scale)} · {_signed(middle)} + {_signed(shift)} = {short(y)} for the first "
        f"number; γ "
        f"and β are learned."
    )


def _signed(value: float) -> str:
    text = short(value)
    return f"({text})" if text.startswith("−") else text


def number_formula(found: Worked, scale: float, shift: float, frame: int) -> list[str]:
    c, _ = stage(frame)
    x, y = float(found.x[0, c, 0, 0]), float(found.output[0, c, 0, 0])
    return [
        GENERAL + r" \qquad \varepsilon = 0.00001",
        rf"\mu_{{{c}}} = {tex(found.mean[c])} \qquad \sigma^2_{{{c}}} = {tex(found.variance[c])}",
        rf"{tex(scale)} \cdot \frac{{{tex(x)} - {tex(found.mean[c])}}}{{\sqrt{{{tex(found.variance[c])} + "
        rf"{EPS:.5f}}}}} + {tex(shift)} = {tex(y).strip('()')}",
    ]


def number_story(found: Worked, mode: str) -> list[str]:
    pictures, channels, height, width = found.x.shape
    told = [
        f"The slides' layout: {pictures} pictures, {channels} channels of {height} × {width}, whole numbers from 1 "
        f"to 8 (the numbers "
        "themselves are drawn here; another draw, other numbers).",
        f"Each **channel** is normalised on its own, over all pictures and all places: {found.x[:, 0].size} "
        f"numbers a channel, not the "
        f"{height * width} of one picture and not the {found.x.size} of the whole batch.",
        f"There are {channels} means, {channels} variances, {channels} scales γ (at first 1) and {channels} shifts "
        f"β (at first 0). Only γ and β "
        f"are learned by the gradient: {2 * channels} parameters.",
    ]
    return told + (
        [
            NOT_OFF + " Here they are those of a fresh layer after this one batch, at PyTorch's momentum of "
            "0.1: still near 0 "
            "and 1, so the numbers hardly move towards them. Only many batches bring them to the data's."
        ]
        if mode == "evaluation"
        else [
            "After it every channel has mean 0 and variance 1 (but for ε), whatever arrived; then γ and β give "
            "it any other that helps."
        ]
    )


def number_code(mode: str, scale: float, shift: float, seed: int) -> str:
    after = "\ny = layer.eval()(x)      # the running statistics after this one batch" if mode == "evaluation" else ""
    return (
        f"import numpy as np, torch\nfrom torch import nn\n\nnumbers = np.random.default_rng({seed}).integers(1, "
        f"9, (4, 3, 2, 2))\n"
        "x = torch.from_numpy(numbers).float()\nlayer = nn.BatchNorm2d(3)\n"
        f"nn.init.constant_(layer.weight, {scale:g})\nnn.init.constant_(layer.bias, {shift:g})\ny = "
        f"layer(x){after}"
    )


def number_rows(found: Worked) -> list[dict]:
    return [
        {
            "picture": n,
            "channel": c,
            "row": r,
            "column": k,
            "x": int(found.x[n, c, r, k]),
            "mean": float(found.mean[c]),
            "variance": float(found.variance[c]),
            "normalised": float(found.normal[n, c, r, k]),
            "y": float(found.output[n, c, r, k]),
        }
        for n, c, r, k in np.ndindex(found.x.shape)
    ]
