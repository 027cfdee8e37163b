"""What gradients say, in words, formulas and code: of a run (gradient_history) and at initialisation (gradient_probe)."""

import math
from collections.abc import Sequence

import numpy as np

from .gradient_history import History, reach
from .gradient_probe import Combination, Probed

NAMES = {"norm": "gradient norm", "update_ratio": "update / weight"}
LEAST, MOST = 1e-3, 1e2  # first layer / last convolution: below it the signal vanishes, above it it explodes
HOW_TO_READ = (
    "Every column is one moment of the run, every row one layer, the pictures' end on top. A row that turns dark is no "
    "longer told what to change; a column that turns dark means that the whole network has nothing to learn from "
    "those pictures. The colours mean the same in every run: a healthy network is not stretched until it looks ill.")
RULE_OF_THUMB = 1e-3  # update / weight (Stanford's course CS231n, notes on "Learning", 2015)
# First / last convolution, PyTorch's default initialisation: one run, measured before this page was made. A yardstick
# for the order of magnitude, since batch and draw differ.
ANOTHER_RUN = {
    (20, Combination("sigmoid", False, False)): 9e-17,
    (20, Combination("sigmoid", False, True)): 7e-7,
    (20, Combination("relu", False, False)): 3e-7,
    (20, Combination("relu", False, True)): 0.7,
    (20, Combination("sigmoid", True, False)): 8.5e-3,
    (20, Combination("sigmoid", True, True)): 1.1e-2,
    (56, Combination("relu", True, False)): 190.0,
}


def number(value: float) -> str:
    """0.183, 12.4, 3.4e-5, 0: three significant digits at most."""
    if not math.isfinite(value):
        return "not known"
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}".replace("-", "\u2212")


def tex(value: float) -> str:
    """The same for a formula: 3.4 \\cdot 10^{-5}."""
    text = number(value)
    if text == "not known":
        return r"\text{not known}"
    mantissa, _, exponent = text.replace("\u2212", "-").replace(",", r"{,}").partition("e")
    return rf"{mantissa} \cdot 10^{{{exponent}}}" if exponent else mantissa


VERDICTS = {  # short -> as a sentence's end
    "vanishes": "the signal vanishes on its way back to the first layer",
    "explodes": "the signal explodes on its way back to the first layer",
    "arrives": "the signal reaches the first layer",
}


def verdict(ratio: float) -> str:
    """What first layer / last convolution means, a key of VERDICTS; NaN: nothing is left of either."""
    if math.isnan(ratio) or ratio < LEAST:
        return "vanishes"
    return "explodes" if ratio > MOST else "arrives"


# Of a run

def finding(history: History, reading: str) -> str:
    """One sentence for those who cannot see the map, and the line under it for those who can."""
    values, last, step = history.reading(reading), history.last_convolution, int(history.steps[-1])
    if reading == "update_ratio":
        typical = float(np.nanmedian(values[:, -1]))
        return (f"Step {step:,}: a layer's weights moved by {number(100 * typical)} % of their length (median of "
                f"{len(history.layers)} layers; from {number(100 * float(np.nanmin(values[:, -1])))} to "
                f"{number(100 * float(np.nanmax(values[:, -1])))} %). A rule of thumb: {100 * RULE_OF_THUMB:g} %.")
    ratio = reach(values, 0, last)
    return (f"Step {step:,}: the first layer's gradient is {number(values[0, -1])}, the last convolution's "
            f"{number(values[last, -1])}. {_against('Over the run the first', ratio)}")


def _against(whose: str, ratio: float) -> str:
    if math.isnan(ratio):
        return f"{whose} or the last had none at all: {VERDICTS[verdict(ratio)]}."
    return f"{whose} had {number(float(f'{ratio:.2g}'))} times the last's: {VERDICTS[verdict(ratio)]}."


def story(history: History) -> list[str]:
    """What one map shows, as sentences; only what is seen in the numbers."""
    norm, steps = history.norm, history.steps
    total = np.sqrt(np.nansum(norm ** 2, axis=0))
    most = int(np.nanargmax(total))
    ratios = history.update_ratio
    begin = reach(norm[:, :1], 0, history.last_convolution)
    sentences = [
        f"At step {int(steps[0]):,} the first layer's gradient is {number(float(norm[0, 0]))}, the last convolution's "
        f"{number(float(norm[history.last_convolution, 0]))}. {_against('In this step the first', begin)}",
        _of_the_first(history),
    ]
    if most not in (0, len(steps) - 1) and total[most] > 3 * np.nanmedian(total):
        sentences.append(f"All layers together were pulled at most strongly at step {int(steps[most]):,}: "
                         f"{number(float(total[most]))}, against {number(float(np.nanmedian(total)))} in the median.")
    # np.median is several times faster, and every look asks for it
    typical = np.median(ratios, axis=0) if np.isfinite(ratios).all() else np.nanmedian(ratios, axis=0)
    fastest = int(np.nanargmax(typical))
    sentences.append(
        f"The weights moved fastest at step {int(steps[fastest]):,}: by {number(100 * float(typical[fastest]))} % of "
        f"their length in one step (median of the layers). {finding(history, 'update_ratio')}")
    dead = [history.layers[i] for i in range(len(history.layers)) if not (norm[i] > 0).any()]
    if dead:
        sentences.append(f"{', '.join(dead[:5])}{' and others' if len(dead) > 5 else ''} never had a gradient: frozen, "
                         "or nothing reached them.")
    return sentences


def _of_the_first(history: History) -> str:
    """Where the first layer's gradient was least and most."""
    values, steps = history.norm[0], history.steps
    if not np.isfinite(values).any():
        return f"Of {history.layers[0]}, the first layer, nothing is known."
    least, most = int(np.nanargmin(values)), int(np.nanargmax(values))
    return (f"{history.layers[0]}, the first of {len(history.layers)} layers, was pulled at with at least "
            f"{number(float(values[least]))} (step {int(steps[least]):,}) and at most {number(float(values[most]))} "
            f"(step {int(steps[most]):,}).")


def formulas(history: History) -> list[str]:
    """Both readings with the numbers of the first layer in the newest moment."""
    return [
        r"g_l = \left\lVert \frac{\partial L}{\partial w_l} \right\rVert_2 \qquad g_1 = "
        + tex(float(history.norm[0, -1])),
        r"u_l = \frac{\lVert \Delta w_l \rVert_2}{\lVert w_l \rVert_2} \qquad u_1 = "
        + tex(float(history.update_ratio[0, -1])),
        r"\frac{\partial L}{\partial x_1} = \frac{\partial L}{\partial x_n} \prod_{l=2}^{n} "
        r"\frac{\partial x_l}{\partial x_{l-1}} \qquad \text{with a shortcut: } "
        r"\frac{\partial x_{l}}{\partial x_{l-1}} = 1 + F_l'(x_{l-1})",
    ]


CODE = """loss = F.cross_entropy(model(pictures), labels)   # the mean over the batch, without penalties
loss.backward()
weights = [m.weight for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
norms = [w.grad.norm() for w in weights]            # before clipping and weight decay
before = [w.detach().clone() for w in weights]
optimizer.step()
ratios = [(w.detach() - b).norm() / b.norm() for w, b in zip(weights, before)]"""


# At initialisation

def comparison(probed: Sequence[Probed], depth: int, start: str) -> list[dict]:
    """One row a network: the first and last convolution's gradient, their ratio, and what another run had measured."""
    return [{"network": one.combination.name, "first layer": number(one.first), "last convolution": number(one.last),
             "first / last": number(one.reach), "the signal": verdict(one.reach),
             "another run": number(ANOTHER_RUN[depth, one.combination])
             if start == "pytorch" and (depth, one.combination) in ANOTHER_RUN else ""} for one in probed]


def statements(probed: Sequence[Probed]) -> list[tuple[str, bool, str]]:
    """(what is taught, whether these measurements say so, the numbers) of the eight networks."""
    found = {one.combination: (one.reach if one.first else 0.0) for one in probed}
    claims = (
        ("Sigmoid without batch norm dies with depth, with or without shortcuts",
         [("sigmoid", False, False), ("sigmoid", False, True)], lambda ratio: ratio < LEAST),
        ("The ReLU residual network does not, even without batch norm", [("relu", False, True)],
         lambda ratio: ratio >= LEAST),
        ("With batch norm the plain network does not vanish either: that plain networks get worse with depth has "
         "another reason", [("relu", True, False), ("sigmoid", True, False)], lambda ratio: ratio >= LEAST),
    )
    rows = []
    for words, switches, holds in claims:
        ratios = [found[Combination(*one)] for one in switches]
        names = " and ".join(number(ratio) for ratio in ratios)
        rows.append((words, all(map(holds, ratios)), f"first\u00a0/\u00a0last\u00a0= {names}"))
    return rows


def probe_finding(probed: Sequence[Probed], depth: int) -> str:
    """What the chart shows, in one sentence."""
    lowest = min(probed, key=lambda one: one.first)
    highest = max(probed, key=lambda one: one.first)
    return (f"Gradient of every layer of eight networks of {depth} layers before the first step: in the first layer "
            f"from {number(lowest.first)} ({lowest.combination.name}) to {number(highest.first)} "
            f"({highest.combination.name}).")


def probe_formulas(probed: Sequence[Probed], depth: int) -> list[str]:
    """Why a product over depth dies, with this depth's numbers."""
    found = {one.combination: one for one in probed}
    plain = found[Combination("sigmoid", False, False)]
    bound = 0.25 ** (depth - 2)
    return [
        r"\sigma'(z) = \sigma(z)\,(1 - \sigma(z)) \le \tfrac14 \qquad "
        rf"\left(\tfrac14\right)^{{{depth - 2}}} = {tex(bound)}",
        rf"\frac{{g_1}}{{g_{{{depth - 1}}}}} = \frac{{{tex(plain.first)}}}{{{tex(plain.last)}}} = {tex(plain.reach)}"
        r"\quad \text{measured: sigmoid, no batch norm, plain}",
        r"x_{l+1} = x_l + F(x_l) \;\Rightarrow\; \frac{\partial x_{l+1}}{\partial x_l} = 1 + F'(x_l) \qquad "
        r"x_{l+1} = \sigma\big(x_l + F(x_l)\big) \;\Rightarrow\; \frac{\partial x_{l+1}}{\partial x_l} = "
        r"\sigma'(\cdot)\,\big(1 + F'(x_l)\big) \le \tfrac14 \big(1 + F'(x_l)\big)",
    ]


def probe_code(depth: int, data: str, seed: int, start: str) -> str:
    """The lines that measure one of the eight."""
    return ("from resnet_viz.analysis.gradient_probe import Combination, batch, probe\n\n"
            f"pictures, labels = batch({data!r}, seed={seed})\n"
            'network = Combination("sigmoid", norm=False, skip=True)  # or "relu"; with batch norm; plain: skip=False\n'
            f"found = probe(network, {depth}, pictures, labels, seed={seed}, start={start!r})\n"
            "for layer, norm in zip(found.layers, found.norms):\n"
            '    print(f"{layer:20} {norm:.3g}")')


