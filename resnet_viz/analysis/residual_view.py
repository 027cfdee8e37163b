"""What a residual block adds: x, F(x), their sum and what the activation leaves of it, and how large F(x) is beside x.

He, Zhang, Ren, Sun (CVPR 2016), section 3.1 and figure 7: the layers of a residual network answer small, so each block
only changes a little of what arrives.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..as_found import evaluating
from ..networks.resnet import Add, PadShortcut
from ..problems import Problem, one_of

NO_SHORTCUTS = (
    "This network has no shortcuts: nothing goes around its layers, so there is no F(x) beside an x. "
    "Choose a residual network."
)


@dataclass(frozen=True)
class Share:
    """One block on one picture: L2 norms over all channels and pixels.

    residual, shortcut  |F(x)| and |x|; x as it is added, so behind a projection where there is one
    ratio               residual / shortcut; inf where x is all zero
    cosine              of the angle between both; nan where one is all zero
    way                 identity, padding (shortcut A) or projection (shortcut B)
    """

    block: str
    way: str
    residual: float
    shortcut: float
    ratio: float
    cosine: float


@dataclass(frozen=True)
class Parts:
    """One block on one picture, float32 [channels, height, width] each: x as it is added, F(x), x + F(x), and what the
    activation makes of it (None where the block ends with the sum)."""

    block: str
    way: str
    shortcut: np.ndarray
    residual: np.ndarray
    total: np.ndarray
    after: np.ndarray | None

    def named(self) -> dict[str, np.ndarray]:
        """By the words of the screen, in the order of the arithmetic."""
        found = {"x": self.shortcut, "F(x)": self.residual, "x + F(x)": self.total}
        return found if self.after is None else found | {"after": self.after}


class _Reached(Exception):
    """The block has answered; what comes after it is not needed."""


def blocks(model: nn.Module) -> list[str]:
    """Names of the residual blocks in forward order; a Problem for a network without."""
    found = [name for name, module in model.named_modules() if isinstance(getattr(module, "add", None), Add)]
    if not found:
        raise Problem(NO_SHORTCUTS)
    return found


def way_of(block: nn.Module) -> str:
    """The way around a residual block: identity, padding or projection."""
    if block.downsample is None:
        return "identity"
    return "padding" if isinstance(block.downsample, PadShortcut) else "projection"


def shares(model: nn.Module, tensor: Tensor) -> tuple[Share, ...]:
    """How much every block adds to a picture float32 [1, C, H, W]. The model is left as it was found."""
    found = []

    def measure(name: str, block: nn.Module, inputs: tuple[Tensor, Tensor]) -> None:
        residual, shortcut = (part[0].double().flatten() for part in inputs)
        sizes = float(residual.norm()), float(shortcut.norm())
        ratio = sizes[0] / sizes[1] if sizes[1] else math.inf
        cosine = float(residual @ shortcut) / (sizes[0] * sizes[1]) if all(sizes) else math.nan
        found.append(Share(name, way_of(block), *sizes, ratio, cosine))

    with evaluating(model), torch.no_grad():
        for name in blocks(model):
            block = model.get_submodule(name)
            block.add.register_forward_pre_hook(
                lambda module, inputs, name=name, block=block: measure(name, block, inputs)
            )
        model(tensor)
    return tuple(found)


def parts(model: nn.Module, tensor: Tensor, block: str) -> Parts:
    """The arithmetic of one block on a picture float32 [1, C, H, W]. The model is left as it was found."""
    one_of("block", block, blocks(model))
    module, seen = model.get_submodule(block), []

    def keep_sum(add, inputs, output):
        seen.extend(part[0].detach().clone() for part in (*inputs, output))

    def keep_end(whole, inputs, output):
        seen.append(output[0].detach().clone())
        raise _Reached

    try:
        with evaluating(model), torch.no_grad():
            module.add.register_forward_hook(keep_sum)
            module.register_forward_hook(keep_end)
            model(tensor)
    except _Reached:
        pass
    residual, shortcut, total, end = (part.float().numpy() for part in seen)
    after = None if list(module.children())[-1] is module.add else end
    return Parts(block, way_of(module), shortcut, residual, total, after)


def describe(found: tuple[Share, ...]) -> str:
    """The finding over depth, in one sentence."""
    most, least = (choose(found, key=lambda share: share.ratio) for choose in (max, min))
    small = sum(share.ratio < 1 for share in found)
    return (
        f"F(x) is shorter than x in {small:,} of {len(found):,} blocks: "
        f"longest in {most.block} ({most.ratio:.2f} times x), "
        f"shortest in {least.block} ({least.ratio:.2f})."
    )


def rows(found: tuple[Share, ...]) -> list[dict]:
    """One row a block, as plain values."""
    return [
        {
            "block": s.block,
            "shortcut": s.way,
            "|F(x)|": s.residual,
            "|x|": s.shortcut,
            "ratio": s.ratio,
            "cosine": s.cosine,
        }
        for s in found
    ]
