"""From a photograph to the numbers a network reads, and back.

A network was trained on pictures of one size whose channels were shifted and scaled in one way. That recipe
travels with its weights, so that an uploaded photograph meets the network in the form it learned from.
"""

import re
from dataclasses import asdict, dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional as F

from ..problems import Problem

# name -> (mean, std) of each channel, for pixel values in 0..1. The first five are statistics of the training sets.
NORMALISATIONS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
    "mnist": ((0.1307,), (0.3081,)),
    "fashion-mnist": ((0.2860,), (0.3530,)),
    "half": ((0.5,), (0.5,)),  # -1..1
    "unit": ((0.0,), (1.0,)),  # 0..1
    "none": ((0.0,), (1 / 255,)),  # the bytes themselves, 0..255
}
MAX_SIZE = 1024  # pixels a side; a CIFAR ResNet-50 makes 1 GiB of one layer's output from that


@dataclass(frozen=True)
class Preprocessing:
    """What is done to a picture before the network sees it.

    size    pixels a side of the network's input
    resize  pixels of the picture's shorter side before the centre crop of `size` (256 for 224 in the ImageNet recipe)
    mean    one number a channel, for pixel values in 0..1
    std     likewise; (pixel - mean) / std is what the network reads
    """

    size: int
    resize: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self):
        object.__setattr__(self, "mean", tuple(float(m) for m in self.mean))
        object.__setattr__(self, "std", tuple(float(s) for s in self.std))
        if len(self.mean) != len(self.std) or not self.mean:
            raise Problem(f"A normalisation needs as many means as standard deviations, not {len(self.mean)} and {len(self.std)}.")
        if not all(abs(m) <= 1e6 for m in self.mean) or not all(1e-6 <= s <= 1e6 for s in self.std):
            raise Problem("The standard deviations of a normalisation must lie between 1e-6 and 1e6, the means between -1e6 and 1e6.")
        whole = type(self.size) is int and type(self.resize) is int
        if not whole or not 1 <= self.size <= MAX_SIZE or not self.size <= self.resize <= 4 * MAX_SIZE:
            raise Problem(f"Pictures cannot be brought to {self.size!r:.20} pixels through {self.resize!r:.20}; choose a size of "
                          f"at most {MAX_SIZE:,} and a resize from there to {4 * MAX_SIZE:,}.")

    @property
    def channels(self) -> int:
        return len(self.mean)

    def to_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Seen:
    """A picture on its way into a network.

    crop_box  (left, top, right, bottom) in pixels of the original: the part that the network gets to see
    cropped   that part, in the original's resolution (PIL)
    resized   the network's own pixels, size x size (PIL)
    tensor    float32 [1, channels, size, size], normalised
    """

    crop_box: tuple[int, int, int, int]
    cropped: object
    resized: object
    tensor: Tensor


def spread(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    """One value a channel: a single one is repeated, three are averaged for one channel."""
    if len(values) == channels:
        return tuple(values)
    if len(values) == 1:
        return tuple(values) * channels
    if channels == 1:
        return (sum(values) / len(values),)
    raise Problem(f"A normalisation of {len(values)} channels does not fit pictures of {channels}; give {channels} means and stds.")


def normalisation(text: str, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(mean, std) of each channel from a name or from a list.

    text  a key of NORMALISATIONS, or numbers parted by commas: first the means, then as many standard deviations,
          e.g. "0.5,0.25" or "0.49,0.48,0.45,0.25,0.24,0.26"; brackets, semicolons and spaces may part them too.
    """
    if text in NORMALISATIONS:
        mean, std = NORMALISATIONS[text]
        return spread(mean, channels), spread(std, channels)
    try:
        numbers = [float(part) for part in re.split(r"[\s,;/\[\]()]+", text) if part]
    except ValueError:
        numbers = []
    if not numbers or len(numbers) % 2:
        raise Problem(f"Unknown normalisation {text!r:.60}; choose one of {', '.join(NORMALISATIONS)}, or give means and as many "
                      "standard deviations parted by commas.")
    half = len(numbers) // 2
    return spread(tuple(numbers[:half]), channels), spread(tuple(numbers[half:]), channels)


def enlarge(images: Tensor, size: int) -> Tensor:
    """Smaller square pictures uint8 [N, C, H, H] brought to `size` x `size` (bilinear); others are returned as they are.

    Data sets lie in memory as they are, and are enlarged batch by batch: 50,000 pictures of 224 pixels would be 7 GB.
    """
    if images.shape[2] != images.shape[3] or images.shape[2] >= size:
        return images
    if images.device.type == "cpu":  # torch works in whole numbers there, as Pillow does
        return F.interpolate(images, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    enlarged = F.interpolate(images.float(), size=(size, size), mode="bilinear", align_corners=False)
    return enlarged.round().to(torch.uint8)


def normalise(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Pixels uint8 [N, C, H, W] -> float32 of the same shape: (pixel / 255 - mean) / std.

    Written as pixel x scale + shift, one pass over the memory; differs from the two-step form by rounding only.
    """
    scale, shift = _scale_and_shift(preprocessing, images.device)
    return torch.addcmul(shift, images.float(), scale)


@lru_cache(maxsize=64)
def _scale_and_shift(preprocessing: Preprocessing, device: torch.device) -> tuple[Tensor, Tensor]:
    """Kept on the device: copying them there in every step would make the host wait for all that the device has to do."""
    with torch.inference_mode(False):  # whoever asks first must not decide whether gradients may pass
        scale = torch.tensor([1 / (255 * s) for s in preprocessing.std], device=device).view(1, -1, 1, 1)
        shift = torch.tensor([-m / s for m, s in zip(preprocessing.mean, preprocessing.std)], device=device).view(1, -1, 1, 1)
    return scale, shift


@lru_cache(maxsize=64)
def mean_colour(preprocessing: Preprocessing, device: torch.device) -> Tensor:
    """float32 [C], 0..255: what becomes 0 when it is normalised; kept on the device like the above."""
    with torch.inference_mode(False):
        return 255 * torch.tensor(preprocessing.mean, device=device)


def denormalise(tensor: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The inverse of `normalise`: float [N, C, H, W] -> uint8, rounded and clipped to 0..255."""
    mean = torch.tensor(preprocessing.mean, device=tensor.device).view(1, -1, 1, 1)
    std = torch.tensor(preprocessing.std, device=tensor.device).view(1, -1, 1, 1)
    return ((tensor * std + mean) * 255).round().clamp(0, 255).to(torch.uint8)


def see(picture, preprocessing: Preprocessing) -> Seen:
    """Shorter side to `resize`, centre crop of `size`, normalised: torchvision's evaluation recipe on a PIL picture.

    picture  PIL image, RGB, any size; for a network of one channel it is turned grey (ITU-R 601 luma)
    """
    import numpy as np
    from PIL import Image

    if preprocessing.channels not in (1, 3):
        raise Problem(f"This network reads {preprocessing.channels} channels; a photograph has 3, or 1 when turned grey; choose a network that reads those.")
    picture = picture.convert("L" if preprocessing.channels == 1 else "RGB")
    width, height = picture.size
    scale = preprocessing.resize / min(width, height)
    # torchvision's rounding: the longer side is cut off, not rounded
    inner = (preprocessing.resize, int(preprocessing.resize * height / width)) if width <= height else \
            (int(preprocessing.resize * width / height), preprocessing.resize)
    left, top = (round((side - preprocessing.size) / 2) for side in inner)
    resized = picture.resize(inner, Image.Resampling.BILINEAR).crop((left, top, left + preprocessing.size, top + preprocessing.size))
    box = tuple(round(side / scale) for side in (left, top, left + preprocessing.size, top + preprocessing.size))
    box = (min(box[0], width - 1), min(box[1], height - 1), min(box[2], width), min(box[3], height))
    box = (*box[:2], max(box[2], box[0] + 1), max(box[3], box[1] + 1))  # of a picture of one or two pixels, at least one
    pixels = np.array(resized, dtype=np.uint8).reshape(preprocessing.size, preprocessing.size, -1)
    tensor = normalise(torch.from_numpy(pixels).permute(2, 0, 1)[None], preprocessing)
    return Seen(box, picture.crop(box), resized, tensor)
