"""A neuron and a layer by numbers: the last layer of a network, product by product, for one picture."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from ..as_found import evaluating
from .learning_words import short, tex

MOST = 10  # neurons of a layer that are looked at: those that answer loudest
ONE_BY_ONE = 14  # inputs that are added alone; all others come in one go


@dataclass(frozen=True)
class Layer:
    """Neurons on the same inputs.

    names    what each neuron stands for
    inputs   float64 [D]: what all of them are given
    weights  float64 [n, D], biases float64 [n]
    size     neurons of the whole layer, of which n are here
    """

    names: tuple[str, ...]
    inputs: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)
    biases: np.ndarray = field(repr=False)
    size: int

    @property
    def products(self) -> np.ndarray:
        """Weight times input: float64 [n, D]."""
        return self.weights * self.inputs

    @property
    def logits(self) -> np.ndarray:
        return self.products.sum(axis=1) + self.biases


def last_layer(model: nn.Module, picture: Tensor, classes: Sequence[str] | None) -> Layer:
    """The last linear layer while the network looks at a picture [1, C, H, W]: its MOST loudest neurons.

    classes  names of all its neurons; where their number does not fit, neurons are numbered
    """
    given, last = [], [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    with evaluating(model), torch.no_grad():
        last.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0].detach().flatten(1)))
        model(picture.to(next(model.parameters()).device))
    inputs, weights = given[-1][0].double().cpu().numpy(), last.weight.detach().double().cpu().numpy()
    biases = np.zeros(len(weights)) if last.bias is None else last.bias.detach().double().cpu().numpy()
    loudest = np.argsort(-(weights @ inputs + biases), kind="stable")[:MOST]
    known = classes if classes is not None and len(classes) == len(weights) else [f"neuron "
        f"{i}" for i in range(len(weights))]
    return Layer(tuple(known[i] for i in loudest), inputs, weights[loudest], biases[loudest], len(weights))


@dataclass(frozen=True)
class Sum:
    """How a neuron's logit comes about, one step a moment; moment 0 is before the first.

    order    numbers of the inputs that are added alone, those with the largest products first
    parts    float64 [moments - 1]: what each step adds to the neuron (products, the rest, the bias)
    totals   float64 [moments, n]: where every neuron of the layer is
    """

    order: np.ndarray
    parts: np.ndarray
    totals: np.ndarray


def add_up(layer: Layer, neuron: int) -> Sum:
    """Add the neuron's products one by one; the layer's other neurons add theirs of the same inputs."""
    products = layer.products
    order = np.argsort(-np.abs(products[neuron]), kind="stable")
    alone, rest = order[:ONE_BY_ONE], order[ONE_BY_ONE:]
    columns = [products[:, i] for i in alone] + ([products[:, rest].sum(axis=1)] if len(rest) else []) + [layer.biases]
    steps = np.array(columns)
    return Sum(alone, steps[:, neuron], np.concatenate([np.zeros((1, len(layer.names))), np.cumsum(steps, axis=0)]))


def part_names(layer: Layer, added: Sum) -> list[str]:
    """What each step adds, for the labels."""
    rest = len(layer.inputs) - len(added.order)
    return [f"input {i}" for i in added.order] + ([f"{rest:,} others"] if rest else []) + ["bias"]


def said(layer: Layer, neuron: int, added: Sum, moment: int) -> str:
    """One sentence for one moment."""
    name = layer.names[neuron]
    if moment == 0:
        return f"{name}: {len(layer.inputs):,} inputs wait, each with a weight of its own. The sum begins at 0."
    total, leader = added.totals[moment, neuron], layer.names[int(added.totals[moment].argmax())]
    part, end = added.parts[moment - 1], f" = {short(total)}; loudest so far: {leader}."
    if moment <= len(added.order):
        i = added.order[moment - 1]
        weight, given = short(layer.weights[neuron, i], 3), short(layer.inputs[i], 3)
        return f"{name}: weight {weight} × input {given} = {short(part, 3)}. Sum{end}"
    if moment < len(added.parts):
        rest = len(layer.inputs) - len(added.order)
        return f"{name}: the {rest:,} smaller products together: {short(part, 3)}. Sum{end}"
    chance = float(np.exp(layer.logits[neuron] - layer.logits.max()))
    compared = "it is the loudest" if chance == 1 else f"e^logit is {short(chance, 3)} of the loudest one's"
    return f"{name}: and the bias {short(part, 3)}: the logit is {short(total)}, and {compared}."


def formula(layer: Layer, neuron: int, added: Sum) -> list[str]:
    """The weighted sum with its three largest products put in."""
    first = added.order[:3]
    terms = " + ".join(rf"{tex(layer.weights[neuron, i], 3)} \cdot {tex(layer.inputs[i], 3)}" for i in first)
    return [
        r"\text{neuron:}\quad a\Big(\sum_i w_i x_i + b\Big) \qquad \text{layer:}\quad a(W x + b)",
        rf"{terms} + \dots + {tex(layer.biases[neuron], 3)} = {tex(layer.logits[neuron])}",
        r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \quad \text{the activation of the last layer: softmax}",
    ]
