"""Where in a picture the network looked: thirteen methods that say how much each pixel spoke for a class.

attribute() gives one map, gradcams() Grad-CAM of many pictures, reasons() what a network cannot bear. The methods
themselves are in attribution_methods.py, which loads captum and is imported only when a map is wanted.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from ..as_found import evaluating
from ..networks.resnet import ACTIVATIONS
from ..problems import Problem, one_of
from .attribution_costs import Speed, batch_of, passes

ACTIVATION_TYPES = tuple(type(make()) for make in ACTIVATIONS.values())
TEXT = "pictures through the network"


@dataclass(frozen=True)
class Method:
    """One way to ask which pixels speak for a class.

    explanation   one line for a person who has not heard of it
    paper         where it comes from
    signed        False where the map says how much, not whether for or against: nothing in it is negative
    of_layer      it asks about one layer's maps, and needs to know which
    one_relu      it works on the activations as modules: one a call, not in place
    needs_relu    it changes what a ReLU passes back, so the network must have some
    complete      the numbers of the map add up to the score above that of a flat grey picture, or should
    """

    title: str
    explanation: str
    paper: str
    signed: bool = True
    of_layer: bool = False
    one_relu: bool = False
    needs_relu: bool = False
    complete: bool = False


METHODS = {
    "saliency": Method(
        "Saliency", "How much the score moves when a pixel changes a little: the size of the gradient.",
        "Simonyan, Vedaldi, Zisserman 2013, section 3", signed=False),
    "input-x-gradient": Method(
        "Input × gradient", "The gradient times the pixel itself: what a pixel adds to the score, if the network were "
        "a straight line.", "Shrikumar et al. 2016"),
    "integrated-gradients": Method(
        "Integrated gradients", "Gradients on the way from a grey picture to this one, added up: what each pixel "
        "contributed.", "Sundararajan, Taly, Yan 2017", complete=True),
    "smoothgrad": Method(
        "SmoothGrad", "The mean gradient of many noisy copies, so that what is left is not chance.",
        "Smilkov et al. 2017", signed=False),
    "guided-backprop": Method(
        "Guided backprop", "The gradient, but each ReLU passes back only what speaks for the class: sharp edges, of "
        "the picture more than of the class.", "Springenberg et al. 2014", one_relu=True, needs_relu=True),
    "deconvolution": Method(
        "Deconvolution", "The network run backwards from the class to the pixels; each ReLU passes back what is above "
        "0.", "Zeiler, Fergus 2014", one_relu=True, needs_relu=True),
    "deeplift": Method(
        "DeepLift", "Every neuron's difference from its value for a grey picture, shared out among its inputs.",
        "Shrikumar, Greenside, Kundaje 2017", one_relu=True, complete=True),
    "gradient-shap": Method(
        "Gradient SHAP", "Gradients at random places between flat pictures (dark, middle, bright) and noisy copies of "
        "this one.", "Lundberg, Lee 2017; Captum"),
    "occlusion": Method(
        "Occlusion", "A grey square slides over the picture: where it covers, how far does the score fall?",
        "Zeiler, Fergus 2014, section 4.2"),
    "feature-ablation": Method(
        "Feature ablation", "One patch of similar pixels after the other is painted grey: how far does the score fall?",
        "Captum; patches by SLIC, Achanta et al. 2012"),
    "gradcam": Method(
        "Grad-CAM", "A layer's feature maps, each weighted by how much it speaks for the class: coarse, but about the "
        "class.", "Selvaraju et al. 2017", of_layer=True),
    "guided-gradcam": Method(
        "Guided Grad-CAM", "Guided backprop, kept only where Grad-CAM is above 0.", "Selvaraju et al. 2017",
        of_layer=True, one_relu=True, needs_relu=True),
    "layer-conductance": Method(
        "Layer conductance", "Integrated gradients, but of what flows through one layer: where in its maps the score "
        "came from.", "Dhamdhere, Sundararajan, Yan 2018", of_layer=True),
}


# What the network is, as far as the methods care


@dataclass(frozen=True)
class Anatomy:
    """Found by one forward pass.

    layers  modules with maps of more than one pixel -> (height, width), in the order in which they end
    reused  activations that answer more than once, or in place
    relu    whether there is a ReLU module; other = the names of what stands in its place
    """

    layers: dict[str, tuple[int, int]]
    reused: tuple[str, ...]
    relu: bool
    other: tuple[str, ...]


def anatomy(model: nn.Module, inputs: Tensor) -> Anatomy:
    """What the methods need to know of a network; `inputs` [N, C, H, W] of which the first picture is run."""
    calls, shapes = Counter(), {}

    def note(name: str):
        def hook(module, arguments, output):
            calls[name] += 1
            if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2] * output.shape[3] > 1:
                shapes.pop(name, None)
                shapes[name] = tuple(output.shape[2:])
        return hook

    with evaluating(model), torch.no_grad():
        for name, module in model.named_modules():
            module.register_forward_hook(note(name))
        model(inputs[:1].to(next(model.parameters()).device))
    activations = {name: module for name, module in model.named_modules() if isinstance(module, ACTIVATION_TYPES)}
    reused = tuple(name for name, module in activations.items() if calls[name] > 1 or getattr(module, "inplace", False))
    kinds = {type(module).__name__ for module in activations.values()}
    layers = {name: shape for name, shape in shapes.items() if name and calls[name] == 1}
    return Anatomy(layers, reused, "ReLU" in kinds, tuple(sorted(kinds - {"ReLU"})))


def reasons(found: Anatomy) -> dict[str, str]:
    """The methods that this network cannot bear, each with one sentence why."""
    why = {}
    for name, method in METHODS.items():
        if method.of_layer and not found.layers:
            why[name] = "No layer of this network has a map of more than one pixel."
        elif method.one_relu and found.reused:
            why[name] = (f"{method.title} needs a module of its own for every call of an activation; here "
                         f"{found.reused[0]} answers several times or in place.")
        elif method.needs_relu and not found.relu:
            instead = ", ".join(found.other) or "no activation module"
            why[name] = f"{method.title} changes what a ReLU passes back; this network has {instead}."
    return why


_known: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], Anatomy]] = WeakKeyDictionary()


def _anatomy_of(model: nn.Module, inputs: Tensor) -> Anatomy:
    """The same, found once for a network and a size of pictures: a pass saved for every map."""
    found, size = _known.setdefault(model, {}), tuple(inputs.shape[1:])
    if size not in found:
        found[size] = anatomy(model, inputs)
    return found[size]


def speed(model: nn.Module, inputs: Tensor) -> Speed:
    """How fast pictures like `inputs` [1, C, H, W] go through, each the best of two times."""
    def best(pictures: Tensor) -> float:
        times = []
        for _ in range(2):
            started = time.perf_counter()
            model(pictures)
            times.append(time.perf_counter() - started)
        return min(times)

    number = min(4, batch_of(*inputs.shape[2:]))
    device = next(model.parameters()).device
    with evaluating(model), torch.no_grad():
        first = best(inputs.to(device))
        several = best(inputs.to(device).repeat(1 + number, 1, 1, 1))
    return Speed(first, max(several - first, 0.1 * first) / number)


def default_layer(found: Anatomy) -> str:
    """The last layer that still has a place for things: what Selvaraju et al. advise (section 3)."""
    if not found.layers:
        raise Problem("No layer of this network has a map of more than one pixel; choose a method without a layer.")
    return list(found.layers)[-1]


# The maps


def attribute(model: nn.Module, inputs: Tensor, method: str, target: int, layer: str | None = None,
              progress: Callable | None = None) -> np.ndarray:
    """How much each pixel speaks for a class: float32 [H, W], the sum over the channels, signed (see Method.signed).

    inputs    float [1, C, H, W], normalised as the network expects; 0 is the grey that stands for "nothing there"
    target    index among all outputs; its logit is explained, not its probability
    layer     for methods of a layer; None takes the last that has maps. Others ignore it
    progress  called with (pictures done, of how many, words); what it raises ends the work
    The model is left as found, also then. Problem for an unknown method, layer or class, and for what cannot be borne.
    """
    kind = METHODS[one_of("method", method, METHODS)]
    _check(inputs, 1)
    found = _anatomy_of(model, inputs) if kind.one_relu or kind.of_layer else None
    if found and method in (why := reasons(found)):
        raise Problem(f"{why[method]} Choose another method.")
    module = _layer(model, found, layer) if kind.of_layer else None
    total = passes(method, *inputs.shape[2:])
    forward = _counted(model, total, progress)
    maps = _explain(model, inputs, method, _target(model, target), module, forward)
    if progress:
        progress(total, total, TEXT)
    return maps.sum(1)[0]


def gradcams(model: nn.Module, inputs: Tensor, targets, layer: str | None = None,
             progress: Callable | None = None) -> np.ndarray:
    """Grad-CAM of many pictures: float32 [N, H, W], signed; `targets` one class for each, otherwise as attribute()."""
    _check(inputs, len(targets))
    if not len(inputs):
        return np.zeros((0, *inputs.shape[-2:]), np.float32)
    module = _layer(model, _anatomy_of(model, inputs), layer)
    forward = _counted(model, len(inputs), progress)
    targets = torch.tensor([_target(model, int(target)) for target in targets])
    size = batch_of(*inputs.shape[2:])
    parts = [_explain(model, inputs[i:i + size], "gradcam", targets[i:i + size], module, forward)
             for i in range(0, len(inputs), size)]
    return np.concatenate(parts)[:, 0]


def _explain(model, inputs, method, target, layer, forward) -> np.ndarray:
    """The method's own answer, float32 [N, C or 1, H, W]."""
    from .attribution_methods import FUNCTIONS

    device = next(model.parameters()).device
    with evaluating(model), torch.inference_mode(False), torch.enable_grad():
        # a tensor of its own: the caller's keeps its gradient, and one of inference mode could not carry any
        own = inputs.detach().clone().float().to(device).requires_grad_()
        target = target.to(device) if isinstance(target, Tensor) else target
        maps = FUNCTIONS[method](model, own, target, layer, forward)
    return maps.detach().cpu().numpy().astype(np.float32)


def _counted(model: nn.Module, total: int, progress: Callable | None) -> Callable:
    """The network as a function that says how many pictures have gone through it."""
    done = 0

    def forward(pictures: Tensor) -> Tensor:
        nonlocal done
        if progress:
            progress(min(done, total), total, TEXT)
        done += len(pictures)
        return model(pictures)

    return forward


def _check(inputs: Tensor, number: int) -> None:
    if inputs.ndim != 4 or len(inputs) != number:
        raise Problem(f"Give {number:,} normalised picture(s) [N, C, H, W], not a tensor of {tuple(inputs.shape)}.")


def _layer(model: nn.Module, found: Anatomy, layer: str | None) -> nn.Module:
    return model.get_submodule(one_of("layer", layer, found.layers) if layer else default_layer(found))


def _target(model: nn.Module, target: int) -> int:
    outputs = [module for module in model.modules() if isinstance(module, nn.Linear)][-1].out_features
    if not 0 <= target < outputs:
        raise Problem(f"There is no class {target:,}; this network has {outputs:,}, numbered from 0; choose one of them.")
    return target
