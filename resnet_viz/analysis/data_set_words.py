"""What the lesson on data says of a data set: its finding, the sums behind mean and standard deviation, the code."""

import numpy as np

from .data_sets import Summary

COLOURS = ("red", "green", "blue")


def finding(found: Summary) -> str:
    """How many pictures of what, and what standardises them."""
    _, height, width = found.shape
    least, most = min(found.counts), max(found.counts)
    each = f"{most:,} of each" if least == most else f"{least:,} to {most:,} of each"
    mean, std = (" ".join(f"{value:.4f}" for value in values) for values in (found.mean, found.std))
    return (f"{found.pictures:,} pictures of {width} × {height} pixels in {len(found.classes):,} classes, {each}. "
            f"Mean {mean}, standard deviation {std} (of values of 0 to 1).")


def sharp(means: np.ndarray) -> str:
    """Whether the mean pictures still show something: uint8 [classes, H, W, 3]."""
    contrast = means.astype(np.float64).std(axis=(1, 2, 3)).mean()
    return f"each is {'nearly flat' if contrast < 12 else 'faint' if contrast < 32 else 'clear'} (its values differ by {contrast:.0f} of 255)"


def story(found: Summary, notes: tuple[str, ...]) -> list[str]:
    lines = [
        "A mean picture is sharp where all pictures of a class agree: a digit stands in the middle and is recognised. Things that "
        "may be anywhere and of any colour average to grey fog: what they have in common is not in any one pixel, and that is why a "
        "network needs more than pixels.",
        "Move **Averaged** from 1 to all: what is common stays, what is not goes.",
        "What is grey at the rim and bright in the middle tells how the pictures were made. A network learns that, too: it will "
        "meet other pictures where it is used.",
        f"Mean and standard deviation over all training pictures are what Normalize is given: for {found.name} "
        f"{', '.join(f'{value:.4f}' for value in found.mean)} and {', '.join(f'{value:.4f}' for value in found.std)}. A sample gives "
        "nearly the same; see Numbers.",
    ]
    return lines + [note + "." for note in notes]


def formulas(found: Summary) -> list[str]:
    channels, height, width = found.shape
    count = found.pictures * height * width
    name = r"\text{red}" if channels == 3 else r"\text{grey}"
    return [rf"\mu_{{{name}}} = \frac{{1}}{{{found.pictures:,} \cdot {height} \cdot {width}}} \sum x = \frac{{{found.mean[0] * count:,.0f}}}"
            rf"{{{count:,}}} = {found.mean[0]:.4f}".replace(",", r"{,}"),
            rf"\sigma_{{{name}}} = \sqrt{{\frac{{1}}{{{count:,}}} \sum (x - \mu)^2}} = {found.std[0]:.4f}".replace(",", r"{,}")]


def code(which: str, split: str) -> str:
    """The lines that give the two numbers."""
    return ("from resnet_viz.data import sources\n\n" f"pictures = sources.load({which!r}, {split!r})\n"
            "x = pictures.images.float() / 255  # [pictures, channels, height, width]\n"
            "mean = x.mean(dim=(0, 2, 3))\nstd = x.std(dim=(0, 2, 3), correction=0)\n"
            "of_a_class = x[pictures.labels[:, 0] == 0].mean(dim=0)  # its mean picture\n")
