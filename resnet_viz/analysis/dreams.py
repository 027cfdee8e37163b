"""A picture made to please a channel: gradient ascent on its frequencies, shaken a little at every step.

Olah, Mordvintsev, Schubert: Feature Visualization (Distill 2017). What is changed are not the pixels but the picture's
frequencies, each scaled as in photographs (about 1 / frequency), in colours that vary independently of each other there
("Preconditioning and better gradients"); at every step the picture moves by a random amount ("Transformation robustness"),
so that no pattern survives that works at one place only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..as_found import evaluating
from ..data.preprocessing import Preprocessing, normalise
from ..problems import one_of
from .channels import Reached, module_of

STEPS = 128
RATE = 0.05  # of Adam, on the frequencies
START = 0.01  # spread of the first frequencies: nearly grey
SHAKE = 1 / 8  # of the picture's side, at most, in every step
GREY = 6.0  # of 255: a picture whose pixels spread less than this shows nothing
# How the colours of photographs vary together, as the root of their covariance; from lucid, the code of the article.
COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
LEAK = 0.1  # what does not answer counts less: light and dark stripes would cancel, but silent spots must learn to answer
GOALS = {  # how a map [N, h, w] becomes the number that grows [N]
    "everywhere": lambda maps: F.leaky_relu(maps, LEAK).mean(dim=(1, 2)),
    "one spot": lambda maps: maps[:, maps.shape[1] // 2, maps.shape[2] // 2],
}


@dataclass(frozen=True)
class Dream:
    """A picture made for a channel.

    pixels   uint8 [H, W, C]
    value    the strongest answer of the channel to these pixels, as a data set's pictures are asked
    trace    float32 [steps + 1]: the number that was to grow, at each step and of the pixels at the end
    reached  whether any gradient came back to the picture; without, it stayed as it began
    """

    channel: int
    pixels: np.ndarray
    value: float
    trace: np.ndarray
    reached: bool


def dreams(model: nn.Module, preprocessing: Preprocessing, layer: str, channels: Sequence[int], goal: str = "everywhere",
           steps: int = STEPS, seed: int = 0, progress: Callable[[int, int], None] | None = None) -> list[Dream]:
    """One picture for each of these channels, worked out together: none depends on the others.

    layer     any layer; one before its activation, for behind a ReLU no gradient comes back from a channel that is silent
    progress  called with (done, all) steps; what it raises ends the work
    The model and the random numbers of the process are left as they were found.
    """
    wanted = GOALS[one_of("goal", goal, GOALS)]
    module, kept = module_of(model, layer), []
    spectrum = torch.stack([_beginning(preprocessing, channel, seed) for channel in channels]).requires_grad_()
    optimiser = torch.optim.Adam([spectrum], lr=RATE)
    shaking = torch.Generator().manual_seed(seed)
    own = torch.arange(len(channels)), torch.as_tensor(channels)

    def keep(module, inputs, output):
        kept.append(output)
        raise Reached

    def maps_of(batch: Tensor) -> Tensor:
        try:
            model(batch)
        except Reached:
            pass
        output = kept.pop()
        return output.reshape(*output.shape[:2], *output.shape[2:] or (1, 1))[own]

    trace, reached = [], torch.zeros(len(channels), dtype=torch.bool)
    with evaluating(model), torch.enable_grad():
        module.register_forward_hook(keep)  # taken off by `evaluating`
        for step in range(steps):
            prepared = _prepared(picture_of(spectrum, preprocessing), preprocessing)
            most = round(SHAKE * preprocessing.size)
            shift = torch.randint(-most, most + 1, (2,), generator=shaking).tolist()
            reward = wanted(maps_of(prepared.roll(shift, dims=(2, 3))))
            spectrum.grad, = torch.autograd.grad(-reward.sum(), spectrum)
            reached |= spectrum.grad.flatten(1).abs().amax(dim=1) > 0
            optimiser.step()
            trace.append(reward.detach())
            if progress:
                progress(step + 1, steps)
        with torch.no_grad():
            pixels = (picture_of(spectrum, preprocessing) * 255).round().to(torch.uint8)
            maps = maps_of(normalise(pixels, preprocessing))
            trace.append(wanted(maps))
    return [Dream(channel, image, float(found.max()), line, bool(came)) for channel, image, found, line, came
            in zip(channels, pixels.permute(0, 2, 3, 1).numpy(), maps, torch.stack(trace).T.numpy(), reached)]


def _beginning(preprocessing: Preprocessing, channel: int, seed: int) -> Tensor:
    """Nearly nothing at all frequencies, drawn for each channel by itself: [C, size, size // 2 + 1, 2]."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + channel)
    size = preprocessing.size
    return START * torch.randn(preprocessing.channels, size, size // 2 + 1, 2, generator=generator)


def picture_of(spectrum: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Frequencies [N, C, size, size // 2 + 1, 2] -> pictures [N, C, size, size], 0..1; all frequencies 0 are mid grey."""
    size = preprocessing.size
    down, right = torch.fft.fftfreq(size)[:, None], torch.fft.rfftfreq(size)[None]
    frequency = (down**2 + right**2).sqrt().clamp(min=1 / size)
    waves = torch.fft.irfft2(torch.view_as_complex(spectrum) / frequency, s=(size, size), norm="ortho") / 4
    if preprocessing.channels == 3:
        mixing = COLOURS / COLOURS.norm(dim=0).max()
        waves = torch.einsum("nchw,dc->ndhw", waves, mixing)
    return torch.sigmoid(waves)


def _prepared(pictures: Tensor, preprocessing: Preprocessing) -> Tensor:
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (preprocessing.mean, preprocessing.std))
    return (pictures - mean) / std


def is_grey(dream: Dream) -> bool:
    """Whether the picture shows nothing: no pixel is far from the others."""
    return float(dream.pixels.std(axis=(0, 1), dtype=np.float64).max()) < GREY


def failure(dream: Dream, best: float | None) -> str | None:
    """One sentence where the picture says little: it stayed grey, or real pictures please the channel more; else None.

    best  the strongest answer among real pictures, None where none were looked through
    """
    if not dream.reached:
        return ("It failed: no gradient reached the picture, so it stayed grey. The channel does not depend on what it "
                "sees, or is cut off.")
    if is_grey(dream):
        return "It failed: the picture stayed grey, its pixels hardly differ. Choose the other goal or a layer before."
    if best is not None and dream.value <= best:
        return (f"Take it with care: the channel answers it with {dream.value:.3g}, and the best real picture with "
                f"{best:.3g}. The real patches tell more.")
    return None
