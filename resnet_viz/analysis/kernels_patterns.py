"""What pattern a kernel is: the direction of its lines, its colour, and which frequencies it lets through.

Kernels are [n, 3, k, k] (red, green, blue) or [n, k, k]. A kernel as a filter of frequencies: Gonzalez and Woods,
Digital Image Processing, chapter 4; the direction is that of the structure tensor (Bigün and Granlund 1987).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SIZE = 33  # frequencies along a side: the kernel is surrounded with zeros up to that many pixels; odd, so that each has
#            its opposite
MIDDLE = SIZE // 2  # where a flat area stands in a Response
NOISES, SHARE = 2_000, 0.99  # a kernel is called oriented if it is more so than that share of as many kernels of noise
COLOURED = 0.5  # share of colour from which a kernel counts as coloured; noise has 2/3 of it, a grey edge 0
GREY, WARM, COOL = np.array([[1, 1, 1] / np.sqrt(3), [2, -1, -1] / np.sqrt(6), [0, 1, -1] / np.sqrt(2)])


@dataclass(frozen=True)
class Patterns:
    """One entry a kernel.

    angle      degrees 0..180 of its lines, counter-clockwise from horizontal (90 = upright)
    coherence  0 = no direction, 1 = the weights change across the lines only
    oriented   whether 99 of 100 kernels of noise of that shape have a smaller coherence
    hue        degrees 0..360 on the colour circle (0 red, 120 green, 240 blue) of its strongest colour; None without colours
    colour     share 0..1 of its weights' energy that is colour, the rest is light and dark; None without colours
    """

    angle: np.ndarray
    coherence: np.ndarray
    oriented: np.ndarray
    hue: np.ndarray | None
    colour: np.ndarray | None

    @property
    def coloured(self) -> np.ndarray | None:
        return None if self.colour is None else self.colour >= COLOURED


@dataclass(frozen=True)
class Response:
    """How strongly a kernel answers to waves of every direction and fineness.

    magnitude  float32 [SIZE, SIZE]: |sum of weights x wave|; the middle is a flat area, one step is 1 / SIZE cycles a pixel
    peak       (down, right) cycles a pixel of the wave that it answers most, right >= 0; (0, 0) = a flat area
    """

    magnitude: np.ndarray
    peak: tuple[float, float]

    @property
    def period(self) -> float:
        """Pixels from one light stripe to the next of that wave; inf for a flat area."""
        length = float(np.hypot(*self.peak))
        return 1 / length if length else np.inf

    @property
    def angle(self) -> float:
        """Degrees 0..180 of that wave's stripes, counter-clockwise from horizontal."""
        down, right = self.peak
        return float(np.degrees(np.arctan2(right, down)) % 180)


def patterns(kernels: np.ndarray) -> Patterns:
    """Direction and colour of each kernel; a kernel of zeros has neither."""
    slices = kernels if kernels.ndim == 4 else kernels[:, None]
    angle, coherence = _direction(slices)
    colour = _colour(kernels) if kernels.ndim == 4 else (None, None)
    return Patterns(angle, coherence, coherence > _noise(slices.shape[1:]), *colour)


@lru_cache(maxsize=64)
def _noise(shape: tuple[int, int, int]) -> float:
    """The coherence that kernels of noise stay below, of a shape [c, k, k]; small ones look directed by chance."""
    noise = np.random.default_rng(0).normal(size=(NOISES, *shape))
    return float(np.quantile(_direction(noise)[1], SHARE))


def _spectrum(kernels: np.ndarray) -> np.ndarray:
    return np.fft.fft2(kernels.astype(np.float64), s=(SIZE, SIZE))


def _direction(kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[n, c, k, k] -> angle of the lines and coherence: where the energy lies around the middle of the frequencies.

    Each slice's mean is taken away first (a flat area has no direction), and coarse waves weigh more than fine ones,
    for those look alike in all directions on a grid of pixels.
    """
    if kernels.shape[-2:] == (1, 1):
        return np.zeros(len(kernels)), np.zeros(len(kernels))
    energy = np.abs(_spectrum(kernels - kernels.mean(axis=(2, 3), keepdims=True))) ** 2
    down, right = np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE), indexing="ij")
    fine = np.hypot(down, right)
    fine[0, 0] = np.inf
    energy = energy.sum(axis=1) / fine
    turned = (energy * np.exp(2j * np.arctan2(down, right))).sum(axis=(1, 2))  # opposite waves are the same: double angle
    total = energy.sum(axis=(1, 2))
    coherence = np.divide(np.abs(turned), total, out=np.zeros_like(total), where=total > 1e-20)
    return (90 - np.degrees(np.angle(turned)) / 2) % 180, coherence


def _colour(kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[n, 3, k, k] -> hue and share of colour. Of a pair of opposite colours the one of the strongest pixel counts."""
    pixels = kernels.reshape(len(kernels), 3, -1).astype(np.float64)
    warm, cool = np.einsum("c,ncp->np", WARM, pixels), np.einsum("c,ncp->np", COOL, pixels)
    axis = np.arctan2(2 * (warm * cool).sum(axis=1), (warm**2 - cool**2).sum(axis=1)) / 2
    along = warm * np.cos(axis)[:, None] + cool * np.sin(axis)[:, None]
    strongest = np.take_along_axis(along, np.abs(along).argmax(axis=1)[:, None], axis=1)[:, 0]
    hue = np.degrees(axis + np.where(strongest < 0, np.pi, 0)) % 360
    energy, chroma = (pixels**2).sum(axis=(1, 2)), (warm**2 + cool**2).sum(axis=1)
    return hue, np.divide(chroma, energy, out=np.zeros_like(chroma), where=energy > 0)


def responses(kernel: np.ndarray) -> list[Response]:
    """One for each slice of a kernel [c, k, k]; of several slices first that of their sum: what a grey picture gets."""
    slices = kernel if len(kernel) == 1 else np.concatenate([kernel.sum(axis=0, keepdims=True), kernel])
    return [_response(magnitude) for magnitude in np.fft.fftshift(np.abs(_spectrum(slices)), axes=(1, 2))]


def _response(magnitude: np.ndarray) -> Response:
    half = magnitude.copy()
    half[:, :MIDDLE] = half[MIDDLE + 1:, MIDDLE] = -1  # a real kernel answers the opposite wave alike
    down, right = np.unravel_index(int(half.argmax()), half.shape)
    return Response(magnitude.astype(np.float32), (float(down - MIDDLE) / SIZE, float(right - MIDDLE) / SIZE))
