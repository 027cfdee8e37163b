"""How strongly each layer is pulled at: gradient norms and the size of an update against the weight it changes."""

import torch
from torch import Tensor, nn


def weights_of(model: nn.Module) -> dict[str, nn.Parameter]:
    """Layer name -> weight of every convolution and linear layer, in the order they were made (the input first)."""
    return {name: module.weight for name, module in model.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))}


def norms(model: nn.Module) -> Tensor:
    """L2 norm of each weight's gradient, float32 [layers], in the order of weights_of; 0 where there is none."""
    gradients = [weight.grad if weight.grad is not None else torch.zeros_like(weight) for weight in weights_of(model).values()]
    return torch.stack(torch._foreach_norm(gradients)).float()


def copies(model: nn.Module) -> list[Tensor]:
    """The weights as they are now, to be compared after the update."""
    return [weight.detach().clone() for weight in weights_of(model).values()]


def update_ratios(model: nn.Module, before: list[Tensor]) -> Tensor:
    """|w - before| / |before| of each weight, float32 [layers]; 0 for a weight that was all zeros."""
    moved = torch._foreach_norm(torch._foreach_sub([w.detach() for w in weights_of(model).values()], before))
    sizes = torch.stack(torch._foreach_norm(before))
    return torch.where(sizes > 0, torch.stack(moved) / sizes, 0.0).float()
