"""The gradient on its way back through the residual blocks: by the skip, by the layers, and what is left without skips.

With H(x) = F(x) + x the derivative is F'(x) + 1: whatever the layers do to it, the gradient also passes as it is
(He, Zhang, Ren, Sun: Identity Mappings in Deep Residual Networks, ECCV 2016, equation 5). All numbers by autograd.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..as_found import evaluating
from .residual_block import switch_off
from .residual_view import blocks


@dataclass(frozen=True)
class Passage:
    """One block on the gradient's way back; L2 norms over all channels and pixels.

    arriving   of the gradient at the block's output
    skip       what passes by the skip alone, layers: by F alone, both: their sum, at the block's input
    without_arriving, without   at output and input in the network whose skips are all switched off
    """

    block: str
    arriving: float
    skip: float
    layers: float
    both: float
    without_arriving: float
    without: float

    @property
    def cosine(self) -> float:
        """Of the angle between the two parts; nan where one is nothing."""
        if not self.skip or not self.layers:
            return float("nan")
        return (self.both**2 - self.skip**2 - self.layers**2) / (2 * self.skip * self.layers)


def passages(model: nn.Module, tensor: Tensor, label: int) -> tuple[Passage, ...]:
    """The gradient of one class's logit for a picture float32 [1, C, H, W], block by block from the last to the first.

    The model, its gradients too, is left as it was found.
    """
    names = blocks(model)
    with evaluating(model), torch.enable_grad():
        on = _norms(model, tensor, label, names, apart=True)
    with evaluating(model), torch.enable_grad():
        switch_off(model, names)
        off = _norms(model, tensor, label, names, apart=False)
    return tuple(Passage(name, *on[name], off[name][0], off[name][3]) for name in reversed(names))


def _norms(model: nn.Module, tensor: Tensor, label: int, names: list[str], apart: bool) -> dict[str, tuple[float, ...]]:
    """block -> (arriving, by the skip, by the layers, both); the two parts only where asked for, else 0."""
    inputs, parts, sums, ends = {}, {}, {}, {}
    for name in names:
        block = model.get_submodule(name)
        block.register_forward_pre_hook(lambda block, given, name=name: inputs.update({name: given[0]}))
        block.add.register_forward_pre_hook(lambda add, given, name=name: parts.update({name: given}))
        block.add.register_forward_hook(lambda add, given, out, name=name: sums.update({name: out}))
        block.register_forward_hook(lambda block, given, out, name=name: ends.update({name: out}))
    logit = model(tensor.detach().requires_grad_(True))[0, label]

    def back(of, to, gradients=None) -> list[Tensor]:
        return torch.autograd.grad(of, to, gradients, retain_graph=True, materialize_grads=True)

    at_ends, at_inputs = (back(logit, [tensors[name] for name in names]) for tensors in (ends, inputs))
    found = {}
    for name, end, start in zip(names, at_ends, at_inputs):
        by = [torch.zeros(1), torch.zeros(1)]
        if apart:  # the sum hands its gradient to both parts; from there each alone, back to the block's input
            [gradient] = back(logit, [sums[name]])
            by = [gradient if part is inputs[name] else back(part, [inputs[name]], gradient)[0] for part in parts[name]]
        found[name] = tuple(float(gradient.detach().double().norm()) for gradient in (end, by[1], by[0], start))
    return found


def relative(found: tuple[Passage, ...]) -> tuple[np.ndarray, np.ndarray]:
    """(with skips, without): [blocks + 1] the gradient's size on its way back, 1 at the last block's output."""
    kept = np.array([found[0].arriving, *(passage.both for passage in found)])
    lost = np.array([found[0].without_arriving, *(passage.without for passage in found)])
    return kept / (kept[0] or 1.0), lost / (lost[0] or 1.0)
