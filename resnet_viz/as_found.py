"""A model is left as it was found, whatever was done to it in between: mode, hooks, gradients, attributes."""

from contextlib import contextmanager

from torch import nn

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks",
         "_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs", "_forward_hooks_always_called")


@contextmanager
def in_evaluation_mode(model: nn.Module):
    """Afterwards every module is in the mode it was in: a frozen part of a network in training stays frozen."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def evaluating(model: nn.Module):
    """The model in evaluation mode; afterwards, also after an exception, every module is as it was before.

    Put back: each module's mode, its hooks of every kind, attributes that a library hung on it, and each parameter's
    gradient. Weights are not copied: who changes them works on a copy of the model.
    """
    modules = list(model.modules())
    hooks = [{kind: dict(getattr(module, kind)) for kind in HOOKS} for module in modules]
    attributes = [set(vars(module)) for module in modules]
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    try:
        with in_evaluation_mode(model):
            yield
    finally:
        for module, kinds, names in zip(modules, hooks, attributes):
            for kind, known in kinds.items():
                getattr(module, kind).clear()
                getattr(module, kind).update(known)
            for name in set(vars(module)) - names:
                delattr(module, name)
        for parameter, gradient in gradients:
            parameter.grad = gradient
