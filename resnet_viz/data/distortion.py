"""Pictures turned, zoomed, recoloured, speckled and partly covered: batched tensor work on the device.

As in data.augmentation, what happens to a sample depends on (seed, epoch, sample index) alone.
"""

import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from .augmentation import COLOUR, HOLE, NOISE, TURN, WINDOW, generator

RATIO = 4 / 3  # of a random window's sides, at most, either way (torchvision's RandomResizedCrop)
LUMA = (0.2989, 0.587, 0.114)  # ITU-R 601, as torchvision rounds it
NOISE_BANK = (
    2**20
)  # normal numbers of an epoch, of which each picture takes a stretch; drawing all would fill the memory


@dataclass(frozen=True)
class Strengths:
    """How far pictures may be changed; every default changes nothing.

    crop_area   least share of the area that a random window keeps before it is enlarged to the whole; 1: no window
    rotation    degrees, at most, either way; what comes from outside is black
    brightness, contrast, saturation   a factor between 1 - x and 1 + x
    noise       standard deviation of normal noise, pixels being 0..1
    cutout      pixels a side of a square that is covered with the mean colour (DeVries and Taylor 2017)
    """

    crop_area: float = 1.0
    rotation: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    noise: float = 0.0
    cutout: int = 0


@dataclass(frozen=True)
class Distortions:
    """What happens to each of N samples in one epoch; None where nothing of that kind does.

    window      float [N, 4]: left, top, width, height as shares of the picture
    turn        float [N], radians, anticlockwise
    colour      float [N, 3]: factors of brightness, contrast, saturation
    noise_at    int64 [N]: where in `bank`, normal numbers, the picture's stretch begins
    hole        float [N, 2]: row and column of the covered square's centre, as shares of the picture
    """

    strengths: Strengths
    window: Tensor | None = None
    turn: Tensor | None = None
    colour: Tensor | None = None
    noise_at: Tensor | None = None
    hole: Tensor | None = None
    bank: Tensor | None = None

    def to(self, device: torch.device) -> "Distortions":
        return self._each(lambda table: table.to(device), ("bank",))

    def of(self, samples: Tensor) -> "Distortions":
        """Those of these samples: int64 [B], on the tables' device."""
        return self._each(lambda table: table[samples])

    def _each(self, change, more: tuple[str, ...] = ()) -> "Distortions":
        tables = [field.name for field in fields(self) if field.name not in ("strengths", "bank")] + [*more]
        return replace(
            self, **{name: change(getattr(self, name)) for name in tables if getattr(self, name) is not None}
        )


def draw(seed: int, epoch: int, count: int, strengths: Strengths, numbers: int) -> Distortions | None:
    """The distortions of one epoch for `count` samples of `numbers` values each (C x H x W); None for no strength."""

    def uniform(stream: int, columns: int) -> Tensor:
        return torch.rand(count, columns, generator=generator(seed, epoch, stream))

    if strengths == Strengths():
        return None
    found = {}
    if strengths.crop_area < 1:
        found["window"] = _window(uniform(WINDOW, 4), strengths.crop_area)
    if strengths.rotation:
        found["turn"] = (2 * uniform(TURN, 1)[:, 0] - 1) * math.radians(strengths.rotation)
    if strengths.brightness or strengths.contrast or strengths.saturation:
        reach = torch.tensor([strengths.brightness, strengths.contrast, strengths.saturation])
        found["colour"] = 1 + (2 * uniform(COLOUR, 3) - 1) * reach
    if strengths.noise:
        source = generator(seed, epoch, NOISE)
        found["noise_at"] = torch.randint(0, NOISE_BANK, (count,), generator=source)
        found["bank"] = torch.randn(NOISE_BANK + numbers, generator=source)
    if strengths.cutout:
        found["hole"] = uniform(HOLE, 2)
    return Distortions(strengths, **found)


def _window(uniform: Tensor, least: float) -> Tensor:
    """Area uniform from `least` to 1, ratio of the sides uniform in its logarithm, anywhere inside the picture."""
    area = least + (1 - least) * uniform[:, 0]
    ratio = torch.exp((2 * uniform[:, 1] - 1) * math.log(RATIO))
    width, height = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    return torch.stack([uniform[:, 2] * (1 - width), uniform[:, 3] * (1 - height), width, height], dim=1)


def distort(pictures: Tensor, distortions: Distortions, fill: Tensor) -> Tensor:
    """Square pictures [B, C, H, H], values 0..255, with the distortions of these samples -> float32 of the same shape.

    fill    float [C], 0..255: the colour that covers
    """
    pictures = pictures.float()
    if distortions.window is not None or distortions.turn is not None:
        pictures = _moved(pictures, distortions)
    if distortions.colour is not None:
        pictures = _recoloured(pictures, distortions.colour)
    if distortions.noise_at is not None:
        stretches = distortions.bank.unfold(0, pictures[0].numel(), 1)[distortions.noise_at]
        pictures = (pictures + 255 * distortions.strengths.noise * stretches.view(pictures.shape)).clamp(0, 255)
    if distortions.hole is not None:
        pictures = _covered(pictures, distortions.hole, distortions.strengths.cutout, fill)
    return pictures


def _moved(pictures: Tensor, distortions: Distortions) -> Tensor:
    """One bilinear look-up for window and turn: where in the picture, -1..1, each pixel of the result comes from."""
    zeros = torch.zeros(len(pictures), device=pictures.device)
    turn = zeros if distortions.turn is None else distortions.turn
    cosine, sine = turn.cos(), turn.sin()
    if distortions.window is None:
        wide, high, across, down = zeros + 1, zeros + 1, zeros, zeros
    else:
        left, top, wide, high = distortions.window.unbind(1)
        across, down = 2 * left + wide - 1, 2 * top + high - 1
    rows = torch.stack([wide * cosine, -wide * sine, across, high * sine, high * cosine, down], dim=1)
    grid = F.affine_grid(rows.view(-1, 2, 3), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _recoloured(pictures: Tensor, factors: Tensor) -> Tensor:
    """Brightness, contrast about the mean grey, saturation about each pixel's grey (grey pictures have none)."""
    brightness, contrast, saturation = factors.view(-1, 3, 1, 1, 1).unbind(1)
    pictures = (pictures * brightness).clamp(0, 255)
    pictures = _blended(pictures, _grey(pictures).mean(dim=(1, 2, 3), keepdim=True), contrast)
    return _blended(pictures, _grey(pictures), saturation) if pictures.shape[1] == 3 else pictures


def _grey(pictures: Tensor) -> Tensor:
    if pictures.shape[1] != 3:
        return pictures.mean(dim=1, keepdim=True)
    return sum(weight * channel for weight, channel in zip(LUMA, pictures.unbind(1)))[:, None]


def _blended(pictures: Tensor, other: Tensor, share: Tensor) -> Tensor:
    return (share * pictures + (1 - share) * other).clamp(0, 255)


def _covered(pictures: Tensor, centre: Tensor, side: int, fill: Tensor) -> Tensor:
    """A square, cut off where it leaves the picture: its first pixel is its centre less half its side."""
    height, width = pictures.shape[2:]
    first = (centre * torch.tensor([height, width], device=centre.device)).long() - side // 2
    row = torch.arange(height, device=pictures.device) - first[:, :1]
    column = torch.arange(width, device=pictures.device) - first[:, 1:]
    hole = ((row >= 0) & (row < side))[:, None, :, None] & ((column >= 0) & (column < side))[:, None, None, :]
    return torch.where(hole, fill.view(1, -1, 1, 1), pictures)
