"""A model is left as it was found, whatever was done to it in between: mode, hooks, gradients, attributes."""

from contextlib import contextmanager

from torch import nn

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks",
         "_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs", "_forward_hooks_always_called")


@contextmanager
def evaluating(model: nn.Module):
    """The model in evaluation mode; afterwards, also after an exception, every module is as it was before.

    Put back: each module's mode, its hooks of every kind, attributes that a library hung on it, and each parameter's
    gradient. Weights are not copied: who changes them works on a copy of the model.
    """
    modules = list(model.modules())
    modes = [module.training for module in modules]
    hooks = [{kind: dict(getattr(module, kind)) for kind in HOOKS} for module in modules]
    attributes = [set(vars(module)) for module in modules]
    gradients = [(parameter, parameter.grad) for parameter in model.parameters()]
    try:
        model.eval()
        yield
    finally:
        for module, mode, kinds, names in zip(modules, modes, hooks, attributes):
            module.training = mode
            for kind, known in kinds.items():
                getattr(module, kind).clear()
                getattr(module, kind).update(known)
            for name in set(vars(module)) - names:
                delattr(module, name)
        for parameter, gradient in gradients:
            parameter.grad = gradient
