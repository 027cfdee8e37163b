"""What is said of learning by hand: sentences and formulas with the numbers of one moment put in."""

import math
from collections.abc import Sequence

import numpy as np

from . import learning, learning_optimisers
from .learning import Chain, State

PRINTED = (37, 288, 32)  # the slides' gradients of their example, and
PRINTED_AFTER = 13.339  # f after the step; with the right gradients it is 14.008
BEHAVIOUR = {
    "crawls": "far too small: the mistake is still there after many steps",
    "falls": "about right: the loss falls in every step",
    "overshoots": "large: along the steepest way every step crosses the valley, and still comes nearer",
    "diverges": "too large: along the steepest way every step lands further up on the other side",
}


def short(value: float, digits: int = 4) -> str:
    """At most so many significant digits, thousands parted: 12345.6 -> "12,350", -0.00012 -> "−0.00012"."""
    return _digits(value, digits).replace("-", "\u2212")


def _digits(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return "∞"
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6 or size < 1e-4:
        text, exponent = f"{value:.{min(digits, 3) - 1}e}".split("e")
        return f"{text} × 10^{int(exponent)}"
    places = max(digits - 1 - math.floor(math.log10(size)), 0)
    rounded = f"{round(value, digits - 1 - math.floor(math.log10(size))):,.{places}f}"
    return rounded.rstrip("0").rstrip(".") if "." in rounded else rounded


def tex(value: float, digits: int = 4) -> str:
    """The same for a formula, a negative one in brackets."""
    text = _digits(value, digits).replace(",", r"{,}").replace(" × 10^", r"\cdot 10^{")
    text = text + "}" if "10^{" in text else text.replace("∞", r"\infty")
    return f"({text})" if value < 0 else text


# Descent


def descent_said(state: State, samples: np.ndarray, rate: float) -> str:
    """What one moment of a descent is, and what its next step does."""
    moves = ", ".join(f"{name} by {short(-rate * slope, 3)}" for name, slope in zip(learning.NAMES, state.gradient))
    if len(samples) == 1:
        here = f"f = {short(state.outputs[0])}, the target is {short(samples[0, 2])}: loss {short(state.loss)}."
    else:
        here = f"Mean loss of the {len(samples):,} samples: {short(state.loss)}."
    return f"{here} The next step moves {moves}."


def rate_said(rate: float, samples: np.ndarray) -> str:
    """Whether a learning rate is small, right or too large for these samples."""
    largest = learning.largest_rate(samples)
    does = BEHAVIOUR[learning.behaviour(rate, samples)]
    return f"A rate of {short(rate)} is {does}. From {short(largest)} on it diverges."


def descent_formula(state: State, samples: np.ndarray, rate: float) -> list[str]:
    """f, the loss, its three slopes and the step, with this moment's numbers; of many samples the batch's first."""
    a, b, target = samples[state.batch[0]]
    x, y, z = state.weights
    f, mistake = state.outputs[0], state.outputs[0] - target
    many = len(state.batch) > 1
    found = [
        rf"f = a x + b y + z = {tex(a)} \cdot {tex(x)} + {tex(b)} \cdot {tex(y)} + {tex(z)} = {tex(f)}",
        rf"L = (f - t)^2 = ({tex(f)} - {tex(target)})^2 = {tex(mistake**2)}",
    ]
    for name, factor, letter in zip(learning.NAMES, (a, b, 1.0), (r"\cdot a", r"\cdot b", "")):
        times = rf" \cdot {tex(factor)}" if letter else ""
        found.append(rf"\frac{{\partial L}}{{\partial {name}}} = 2\,(f - t) {letter} = 2 \cdot {tex(mistake)}{times} = "
                     rf"{tex(2 * mistake * factor)}")
    mean = rf"\text{{mean of {len(state.batch)}}}\ " if many else ""
    steps = [rf"{name} \leftarrow {name} - \eta\,{mean}\tfrac{{\partial L}}{{\partial {name}}} = {tex(w)} - "
             rf"{tex(rate)} \cdot {tex(g)} "
             rf"= {tex(w - rate * g, 5)}" for name, w, g in zip(learning.NAMES, state.weights, state.gradient)]
    return found + steps


def descent_code(samples: np.ndarray, weights: Sequence[float], rate: float, steps: int, batch: int | None) -> str:
    values = ", ".join(repr(float(w)) for w in weights)
    a, b, target = map(float, samples[0])
    data = (f"inputs = torch.tensor([[{a}, {b}, 1.0]])\ntargets = torch.tensor([{target}])\n"
            if len(samples) == 1 else
            "from resnet_viz.analysis.learning import made_samples\n\n"
            f"a, b, targets = torch.from_numpy(made_samples({len(samples)})).float().T\n"
            "inputs = torch.stack([a, b, torch.ones_like(a)], dim=1)\n")
    loop = ("    loss = ((inputs @ w - targets) ** 2).mean()\n" if batch is None else
            f"    if step % {len(samples) // batch} == 0:\n        order = torch.randperm({len(samples)})  # every "
            f"epoch a new one\n"
            f"    chosen = order[step * {batch} % {len(samples)}:][:{batch}]\n"
            "    loss = ((inputs[chosen] @ w - targets[chosen]) ** 2).mean()\n")
    return (f"import torch\n\n{data}w = torch.tensor([{values}], requires_grad=True)  # x, y, z\n"
            f"optimiser = torch.optim.SGD([w], lr={rate:g})\n\nfor step in range({steps}):\n{loop}"
            "    optimiser.zero_grad()\n    loss.backward()   # w.grad: the three slopes\n    optimiser.step()  # w "
            "-= lr * w.grad")


# Slope and chain


def tangent_said(x: float) -> str:
    if x == 0:
        return "At x = 0 both tangents lie flat: the slope is 0, and there is nowhere further down."
    side = "left" if x > 0 else "right"
    return (f"At x = {short(x)} the slope is 2x = {short(2 * x)}, at x = {short(-x)} it is {short(-2 * x)}: one step "
            f"against the "
            f"slope goes {side} from the one, and {'right' if x > 0 else 'left'} from the other. Both go to 0.")


def tangent_formula(x: float, h: float) -> list[str]:
    return [
        r"y = x^2 \qquad \frac{dy}{dx} = \lim_{h \to 0} \frac{(x + h)^2 - x^2}{h} = \lim_{h \to 0} (2x + h) = 2x",
        rf"\text{{at }} x = {tex(x)}: \quad \frac{{dy}}{{dx}} = 2 \cdot {tex(x)} = {tex(2 * x)} \qquad "
        rf"h = {tex(h)}: \quad \frac{{({tex(x)} + {tex(h)})^2 - {tex(x)}^2}}{{{tex(h)}}} = "
        rf"{tex(learning.secant_slope(x, h))}",
        rf"\text{{tangent: }} y = {tex(x * x)} + {tex(2 * x)} \cdot (x - {tex(x)})",
    ]


def chain_said(c: Chain, frame: int) -> str:
    """One sentence for each of the seven moments: four numbers forward, then three slopes back."""
    return (
        f"We begin with w = {short(c.w)}.",
        f"x = w² = {short(c.w)}² = {short(c.x)}.",
        f"y = 2x³ = 2 · {short(c.x)}³ = {short(c.y)}.",
        f"z = 4y² = 4 · {short(c.y)}² = {short(c.z)}. Forward is done: z is what we want smaller.",
        f"Back over the last link: dz/dy = 8y = 8 · {short(c.y)} = {short(c.dz_dy)}.",
        f"Times this link's slope dy/dx = 6x² = {short(c.dy_dx)}: dz/dx = {short(c.dz_dy)} · {short(c.dy_dx)} = "
        f"{short(c.dz_dx)}.",
        f"Times dx/dw = 2w = {short(c.dx_dw)}: dz/dw = {short(c.dz_dx)} · {short(c.dx_dw)} = {short(c.dz_dw)}. To "
        f"make z smaller, "
        + ("w cannot tell where to go: its slope is "
           "0." if c.dz_dw == 0 else f"w has to go {'down' if c.dz_dw > 0 else 'up'}."),
    )[frame]


def chain_formula(c: Chain) -> list[str]:
    return [
        r"z = 4y^2 = 4\,(2x^3)^2 = 16\,x^6 = 16\,w^{12}",
        rf"\frac{{dz}}{{dw}} = \frac{{dz}}{{dy}} \cdot \frac{{dy}}{{dx}} \cdot \frac{{dx}}{{dw}} = 8y \cdot 6x^2 "
        rf"\cdot 2w = "
        rf"{tex(c.dz_dy)} \cdot {tex(c.dy_dx)} \cdot {tex(c.dx_dw)} = {tex(c.dz_dw)}",
        rf"\frac{{dz}}{{dy}} = 8y = {tex(c.dz_dy)} \qquad \frac{{dz}}{{dx}} = 96\,x^5 = {tex(c.dz_dx)} \qquad "
        rf"\frac{{dz}}{{dw}} = 192\,w^{{11}} = {tex(c.dz_dw)}",
    ]


# Ways downhill


def optimiser_formula(name: str, rate: float, momentum: float) -> list[str]:
    """Each optimiser's rule for one weight."""
    return {
        "plain descent": [rf"w \leftarrow w - {tex(rate)}\, g"],
        "momentum": [rf"v \leftarrow {tex(momentum)}\, v + g \qquad w \leftarrow w - {tex(rate)}\, v"],
        "Adam": [rf"m \leftarrow {tex(momentum)}\, m + {tex(1 - momentum)}\, g \qquad s \leftarrow 0.999\, s + "
                 rf"0.001\, g^2 \qquad "
                 rf"w \leftarrow w - {tex(rate)}\, \frac{{m / (1 - {tex(momentum)}^t)}}{{\sqrt{{s / (1 - 0.999^t)}} + "
                 rf"10^{{-8}}}}"],
    }[name]


def race_said(paths: dict[str, np.ndarray], ground: learning_optimisers.Ground, step: int) -> str:
    """Each optimiser's loss at one step, the lowest first."""
    losses = sorted((ground.loss(path[step]), name) for name, path in paths.items())
    return f"Loss after {step:,} step{'' if step == 1 else 's'}: " + ", ".join(f"{name} "
        f"{short(value, 3)}" for value, name in losses) + "."
