"""What the lesson on data says of a picture's way into a network: sentences, formulas with the numbers of now, code."""

import numpy as np

from . import data_pipeline as pipeline
from .data_pipeline import RESIZE, SIZE, Way


def said(size: tuple[int, int], way: Way, recipe: str) -> str:
    """One sentence on what happened to a picture of that size (width, height)."""
    _, _, wide, high = way.window
    share = wide * high / (size[0] * size[1])
    if recipe == "evaluation":
        return (f"Always the same: the shorter side becomes {RESIZE} pixels, and of that the middle {SIZE} × {SIZE} is kept, "
                f"{whole_percent(share)} of the picture.")
    mirrored = "and mirrored" if way.draw.mirrored else "and not mirrored"
    return f"A window of {whole_percent(share)} of the picture ({wide:,} × {high:,} pixels), brought to {SIZE} × {SIZE}, {mirrored}."


def story(recipe: str, size: tuple[int, int]) -> list[str]:
    """What to see in the cards."""
    lines = {
        "training": [
            "**RandomResizedCrop** cuts a window of 8 to 100 % of the area out of the picture, of a shape from 3:4 to 4:3, and "
            f"brings it to {SIZE} × {SIZE}: things come near and far, whole and in part. **RandomHorizontalFlip** mirrors every "
            "second one.",
            "Both draw anew each time the picture is seen. In 90 epochs a network sees 90 pictures of this one, and can learn "
            "none by heart. The dice's number stands in the link: the same number draws the same windows everywhere.",
            "A flip moves values, and changes none: the spread of values under it stays as it was.",
        ],
        "evaluation": [
            f"**Resize** brings the shorter side to {RESIZE}, **CenterCrop** keeps the middle {SIZE} × {SIZE}. Nothing is drawn "
            "by chance: the same picture must get the same answer today and tomorrow.",
            f"What lies outside of the middle the network never sees: of this picture of {size[0]:,} × {size[1]:,} pixels the "
            "part that is dark in the first card.",
        ],
    }[recipe]
    return lines + [
        "**ToTensor** turns height × width × colour into colour × height × width, and bytes of 0 to 255 into numbers of 0 to 1. "
        "**Normalize** takes the mean of each colour away and divides by its spread: with those of the training pictures the values "
        "come to lie around 0, about as far to both sides. Red is above 0 there, blue below.",
        "A network must get its pictures with the same mean and spread as in training. With others it still answers, only worse, "
        "and nothing warns of it.",
    ]


def formulas(size: tuple[int, int], way: Way, recipe: str, normaliser: str) -> list[str]:
    """The steps with the numbers of this picture; the pixel is the one in the middle, in red."""
    width, height = size
    if recipe == "evaluation":
        wide, high = pipeline.resized(width, height)
        first = (rf"\text{{Resize: }} {width} \times {height} \to {wide} \times {high} \qquad \text{{because }} "
                 rf"{max(width, height)} \cdot \frac{{{RESIZE}}}{{{min(width, height)}}} = "
                 rf"{max(width, height) * RESIZE / min(width, height):.1f} \text{{, its fraction cut off}}")
    else:
        _, _, wide, high = way.window
        first = (rf"\text{{window: }} \frac{{{wide} \cdot {high}}}{{{width} \cdot {height}}} = "
                 rf"{wide * high / (width * height):.3f} \text{{ of the area, sides }} {wide} : {high} = {wide / high:.2f}")
    byte = int(way.pixels[SIZE // 2, SIZE // 2, 0])
    mean, std = (values[0] for values in pipeline.constants(normaliser))
    value = float(pipeline.normalised(way.pixels, normaliser)[0, SIZE // 2, SIZE // 2])
    return [first, rf"\text{{ToTensor: }} \frac{{{byte}}}{{255}} = {byte / 255:.4f} \qquad \text{{(red, row 112, column 112)}}",
            rf"\text{{Normalize: }} \frac{{x - \mu}}{{\sigma}} = \frac{{{byte / 255:.4f} - {mean:g}}}{{{std:g}}} = {value:.4f}"]


def code(recipe: str, normaliser: str, seed: int) -> str:
    """The torchvision lines that give exactly this tensor; `picture` is a PIL picture."""
    mean, std = (", ".join(f"{value:g}" for value in values) for values in pipeline.constants(normaliser))
    steps = pipeline.names(recipe)[1:4] + [f"Normalize([{mean}], [{std}])"]
    seeded = f"torch.manual_seed({seed})  # this draw; in training every picture draws anew\n" if recipe == "training" else ""
    lines = "".join(f"    transforms.{step},\n" for step in steps)
    return ("import torch\nfrom torchvision import transforms\n\n" f"{recipe} = transforms.Compose([\n{lines}])\n"
            f"{seeded}x = {recipe}(picture)  # float32 [3, {SIZE}, {SIZE}]\n")


# Normalisations


def normalisation_rows(pixels: np.ndarray) -> list[dict]:
    """What each normalisation makes of these pixels uint8 [H, W, 3]: from where to where, mean and std of each colour."""
    found = []
    for name in pipeline.NORMALISERS:
        values = pipeline.normalised(pixels, name).reshape(3, -1).astype(np.float64)
        row = {"normalisation": name, "from": values.min(), "to": values.max()}
        for colour, channel in zip(("red", "green", "blue"), values):
            row |= {f"mean of {colour}": channel.mean(), f"std of {colour}": channel.std()}
        found.append(row)
    return found


def normalisation_story() -> list[str]:
    return [
        "All four are the same sum, (x − a) / b: none loses anything, and each can be undone. They shift the spread of values and "
        "stretch it, and never change its shape.",
        "**Min–max** brings what can occur, 0 to 255, to 0 to 1 or −1 to 1. **Standardisation** brings the training pictures' mean "
        "to 0 and their standard deviation to 1, each colour for itself. Its numbers come from the training pictures, or a sample "
        "of them, and never from the test pictures.",
        "One picture alone need not come to mean 0 and std 1: a dark one stays below 0. That it is dark is news to the network.",
        "Which of them is best matters less than that training and use have the same.",
    ]


def normalisation_formulas(byte: int) -> list[str]:
    """One byte in red under all four."""
    found = []
    for name in pipeline.NORMALISERS:
        mean, std = (values[0] for values in pipeline.constants(name))
        value = (byte / 255 - mean) / std
        found.append(rf"\text{{{name.replace('−', '-')}: }} \frac{{{byte}/255 - {mean:g}}}{{{std:g}}} = {value:.4f}")
    return found


def normalisation_code() -> str:
    parts = []
    for name in pipeline.NORMALISERS:
        mean, std = (", ".join(f"{value:g}" for value in values) for values in pipeline.constants(name))
        parts.append(f"transforms.Normalize([{mean}], [{std}])(x)  # {name}")
    return "from torchvision import transforms\n\n# x: float32 [3, height, width], 0 to 1, from ToTensor\n" + "\n".join(parts)


def whole_percent(share: float) -> str:
    """"54 %", without a line break in it."""
    return f"{100 * share:.0f}\u00a0%"
