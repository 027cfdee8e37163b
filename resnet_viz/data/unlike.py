"""Pictures of nothing that a network could know: noise, one flat colour, pages of text. They try what warns of them."""

from collections.abc import Callable

import torch
from torch import Tensor

from .sources import Pictures, fit

WORDS = ("a page of text has no class of its own yet the network must name one and it does so as surely as ever "
         "because a share of a hundred percent goes to somebody whatever the picture shows").split()
PAGE = 256  # pixels a side on which text is set, before it is brought to the network's size
LETTERS = (14, 56)  # pixels of the letters on it, from .. to


def noise(count: int, channels: int, size: int, draws: torch.Generator) -> Tensor:
    """Every pixel for itself: one half evenly from all bytes, the other around a colour with some spread (20 to 80)."""
    shape = (count, channels, size, size)
    middle = 255 * torch.rand(count, channels, 1, 1, generator=draws)
    spread = 20 + 60 * torch.rand(count, 1, 1, 1, generator=draws)
    pixels = (middle + spread * torch.randn(shape, generator=draws)).clamp(0, 255)
    pixels[::2] = 256 * torch.rand(shape, generator=draws)[::2]
    return pixels.to(torch.uint8)


def flat(count: int, channels: int, size: int, draws: torch.Generator) -> Tensor:
    """One colour from edge to edge, any."""
    colours = 256 * torch.rand(count, channels, 1, 1, generator=draws)
    return colours.to(torch.uint8).repeat(1, 1, size, size)


def text(count: int, channels: int, size: int, draws: torch.Generator) -> Tensor:
    """Pages of words, dark on white or light on black, in letters of any size."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    pages = []
    for _ in range(count):
        order = torch.randperm(len(WORDS), generator=draws).tolist()
        height = int(torch.randint(*LETTERS, (), generator=draws))
        paper, ink = ((20, 20, 20), (240, 240, 240)) if len(pages) % 3 == 2 else ((255, 255, 255), (0, 0, 0))
        page = Image.new("RGB", (PAGE, PAGE), paper)
        pen, font = ImageDraw.Draw(page), ImageFont.load_default(height)
        for line, top in enumerate(range(height // 3, PAGE, round(1.3 * height))):
            first = line * 3 % len(WORDS)
            pen.text((8, top), " ".join(WORDS[i] for i in order[first:] + order[:first]), fill=ink, font=font)
        pages.append(torch.from_numpy(np.array(page)).permute(2, 0, 1))
    labels = torch.zeros(count, 1, dtype=torch.long)
    return fit(Pictures(torch.stack(pages), labels, ("text",), (1,), "text"), channels, size).images


# name -> function (count, channels, size, draws) -> uint8 [count, channels, size, size]
KINDS: dict[str, Callable[[int, int, int, torch.Generator], Tensor]] = {"noise": noise, "flat colour": flat, "text": text}
