"""A picture that is turned, shifted, blurred, brightened, speckled and partly covered: how long does the answer hold?

What is disturbed are the pixels that the network reads, so that undisturbed is exactly what it was asked before.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

SMALLEST_BOX = 0.01  # of the side: a click without dragging covers nothing


@dataclass(frozen=True)
class Slider:
    """One way to disturb: its range with the value that changes nothing, and how that is said."""

    name: str
    title: str
    low: float
    high: float
    step: float
    neutral: float
    unit: str
    explained: str


SLIDERS = (
    Slider("turn", "Turn", -180, 180, 1, 0, "°", "about the middle, anticlockwise"),
    Slider("across", "Shift across", -50, 50, 1, 0, "%", "of the width, to the right"),
    Slider("down", "Shift down", -50, 50, 1, 0, "%", "of the height"),
    Slider("blur", "Blur", 0, 10, 0.25, 0, "%", "of the side: standard deviation of the Gaussian"),
    Slider("brightness", "Brightness", 0, 300, 5, 100, "%", "of what it was; what would be over white is white"),
    Slider("noise", "Noise", 0, 100, 1, 0, "levels", "of 255: standard deviation, of every pixel for itself"),
)


@dataclass(frozen=True)
class Disturbance:
    """Values of SLIDERS in their units, and the covered box (left, top, right, bottom) in fractions of the side."""

    turn: float = 0.0
    across: float = 0.0
    down: float = 0.0
    blur: float = 0.0
    brightness: float = 100.0
    noise: float = 0.0
    box: tuple[float, float, float, float] | None = None


NONE = Disturbance()


def wanted(values: dict) -> Disturbance:
    """From what a browser or a link says: numbers are brought into their ranges, what is no number changes nothing."""
    found = {}
    for slider in SLIDERS:
        value = _number(values.get(slider.name))
        found[slider.name] = slider.neutral if value is None else min(slider.high, max(slider.low, value))
    box = values.get("box")
    edges = [_number(edge) for edge in box] if isinstance(box, (list, tuple)) else []
    if len(edges) == 4 and None not in edges:
        left, top, right, bottom = (min(1.0, max(0.0, edge)) for edge in edges)
        if min(right - left, bottom - top) >= SMALLEST_BOX:
            found["box"] = (left, top, right, bottom)
    return Disturbance(**found)


def _number(value) -> float | None:
    return float(value) if type(value) in (int, float) and math.isfinite(value) else None


def as_text(disturbance: Disturbance) -> str:
    """What differs from undisturbed, for a link: "turn:30,box:0.1:0.2:0.5:0.6"; "" for nothing."""
    parts = [f"{s.name}:{getattr(disturbance, s.name):g}" for s in SLIDERS if getattr(disturbance, s.name) != s.neutral]
    if disturbance.box:
        parts.append("box:" + ":".join(f"{edge:.3g}" for edge in disturbance.box))
    return ",".join(parts)


def from_text(text: str) -> Disturbance:
    """The inverse; whatever a link holds that is none of it changes nothing."""
    values: dict = {}
    for part in text.split(","):
        name, *numbers = part.split(":")
        try:
            found = [float(number) for number in numbers]
        except ValueError:
            continue
        values[name] = found if name == "box" else found[0] if len(found) == 1 else None
    return wanted(values)


def disturbed(pixels: np.ndarray, disturbance: Disturbance, fill: tuple[float, ...]) -> np.ndarray:
    """uint8 [H, W, C] -> the same shape: turned and shifted, then blurred, brightened, speckled, covered.

    What comes in over an edge is mirrored. The noise is the same pattern each time, only stronger or weaker.

    fill  of the covered box, one value 0..255 a channel: the mean of training, which the network reads as 0
    """
    d = disturbance
    if d == NONE:
        return pixels
    picture = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float()
    if (d.turn, d.across, d.down) != (0, 0, 0):
        picture = _moved(picture, d)
    if d.blur:
        picture = _blurred(picture, d.blur / 100 * picture.shape[-1])
    picture = picture * (d.brightness / 100)
    if d.noise:
        picture = picture.clamp(0, 255)  # white cannot hide brightness that noise would bring back
        picture = picture + d.noise * torch.randn(picture.shape, generator=torch.Generator().manual_seed(0))
    result = picture.clamp(0, 255).round().to(torch.uint8)[0].permute(1, 2, 0).contiguous().numpy()
    if d.box:
        height, width = result.shape[:2]
        left, right = (round(edge * width) for edge in d.box[::2])
        top, bottom = (round(edge * height) for edge in d.box[1::2])
        result[top:bottom, left:right] = np.round(fill).astype(np.uint8)
    return result


def _moved(picture: torch.Tensor, d: Disturbance) -> torch.Tensor:
    """Turned about the middle, then shifted; bilinear."""
    angle = math.radians(d.turn)
    across, down = 2 * d.across / 100, 2 * d.down / 100
    cos, sin = math.cos(angle), math.sin(angle)
    # where each pixel comes from: the shift undone, then the turn (the y axis points down)
    back = torch.tensor([[cos, -sin, -cos * across + sin * down], [sin, cos, -sin * across - cos * down]])
    grid = F.affine_grid(back[None], list(picture.shape), align_corners=False)
    return F.grid_sample(picture, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def _blurred(picture: torch.Tensor, sigma: float) -> torch.Tensor:
    radius = min(math.ceil(4 * sigma), picture.shape[-1] - 1)
    at = torch.arange(-radius, radius + 1)
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = (kernel / kernel.sum()).expand(picture.shape[1], 1, 1, -1)
    for pad, weight in (((radius, radius, 0, 0), kernel), ((0, 0, radius, radius), kernel.transpose(2, 3))):
        picture = F.conv2d(F.pad(picture, pad, mode="reflect"), weight, groups=picture.shape[1])
    return picture
