"""What is said of depth: of gradients before the first step, and of two depths in training."""

from collections.abc import Sequence

from ..number_text import percent, plain
from . import depth
from .depth import Learned, Way
from .gradient_probe import NAMES
from .gradient_words import LEAST, MOST, number, tex

CURES = {(False, False): "alone", (True, False): "+ batch norm", (False, True): "+ shortcuts", (True, True): "+ both"}


def short_name(way: Way, with_depth: bool = False) -> str:
    """"ReLU alone", "Sigmoid + batch norm", "ReLU + both", or "20 layers" where only the depth tells them apart."""
    if with_depth:
        return f"{way.depth} layers"
    one = way.probed.combination
    return f"{NAMES[one.activation]} {CURES[one.norm, one.skip]}"


def share(value: float) -> str:
    """As a person says it: "43 %", "2.4e−7 of it", "a 3,860-fold"."""
    if value == 0:
        return "nothing that float32 could hold"
    if value < 0.01:
        return f"{number(value)} of it"
    return f"{100 * value:.0f} % of it" if value < 2 else f"{number(float(f'{value:.2g}'))} times as much"


def said(ways: Sequence[Way], names: Sequence[str], back: int) -> str:
    """What each network has left so many layers back."""
    if back == 0:
        return "At the last convolution: its pull counts as 1 in every network. The gradient sets out for the pictures."
    left = "; ".join(f"{name}: {share(way.share(back))}" for way, name in zip(ways, names) if back < len(way.shares))
    return f"What is left of the pull {back:,} layer{'s' * (back > 1)} further back. {left}."


def finding(ways: Sequence[Way], names: Sequence[str]) -> str:
    """The whole picture in a sentence or two, for who cannot see it."""
    return "Of the last convolution's pull this arrives at the first layer: " + "; ".join(
        f"{name}: {share(way.shares[-1])}" for way, name in zip(ways, names)) + "."


def story(ways: Sequence[Way], names: Sequence[str]) -> list[str]:
    """Sentences that hold for these very measurements."""
    lines = ["A weight far from the loss hears of it only through all the layers in between, and every one of them "
             "multiplies. A factor of a half over 100 layers leaves 8e−31, one of 1.1 makes 13,800 of 1. Only "
             "factors close "
             "to 1 survive depth."]
    sigmoids = [(way, name) for way, name in zip(ways, names) if way.probed.combination.activation == "sigmoid"]
    lines += [_of_sigmoid(way, name) for way, name in sigmoids[:1]]
    lines += [f"**{name}**: {factor_text(way)} a layer; {_end(way)}." for way, name in zip(ways, names)
              if name != (sigmoids or [(None, None)])[0][1]]
    lines.append("All weights were drawn as PyTorch draws them unless \"First weights\" says He; nothing has been "
                 "learned. Another draw moves these numbers, not their order of magnitude.")
    return lines


def _of_sigmoid(way: Way, name: str) -> str:
    last = len(way.shares) - 1
    bound, left = float(depth.quarter(last)), way.shares[-1]
    measured = number(left) if left else "0, for float32 has no number below 1.4e−45"
    begin = (f"**{name}**: {factor_text(way)} a layer. A sigmoid's slope is at most 0.25, and 0.25 to the power of "
             f"{last} is "
             f"{number(bound)}; measured is {measured}.")
    if left < bound:  # also where nothing is left
        return (f"{begin} That is less: the weights between the sigmoids multiply too, and are small. The quarter is "
                "not the whole factor.")
    cures = way.probed.combination
    why = " and ".join(word for word, on in (
        ("batch norm, which divides by the small spread that the sigmoids leave and so multiplies the gradient",
         cures.norm),
        ("the shortcut, which adds 1 to the block's own slope before the sigmoid behind the sum takes its part",
         cures.skip))
        if on) or "the weights, which are large here"
    return f"{begin} That is more than the sigmoids alone could leave: the rest is due to {why}."


def factor_text(way: Way) -> str:
    """The mean factor of the whole way, or until nothing is left."""
    if way.lost is not None:
        return f"about {plain(way.factor(way.lost - 1))}" if way.lost > 1 else "nothing"
    return plain(way.factor(len(way.shares) - 1))


def _end(way: Way) -> str:
    if way.lost is not None:
        return f"{way.lost} layers back float32 has nothing left"
    left = way.shares[-1]
    words = "too little" if left < LEAST else "too much, it explodes" if left > MOST else "it arrives"
    return f"of the last convolution's pull the first layer gets {share(left)}: {words}"


def formulas(ways: Sequence[Way], names: Sequence[str], back: int) -> list[str]:
    """The product with the numbers of the moment."""
    lines = [r"\frac{\partial L}{\partial x_1} = \frac{\partial L}{\partial x_n} \prod_{l} "
             r"\frac{\partial x_{l+1}}{\partial x_l} \qquad \sigma'(z) = \sigma(z)(1 - \sigma(z)) \le \tfrac14 \qquad "
             rf"\left(\tfrac14\right)^{{{back}}} = {tex(float(depth.quarter(back)))}"]
    for way, name in zip(ways, names):
        if 0 < back < len(way.shares):
            left = way.share(back)
            mean = rf" \;=\; {tex(way.factor(back))}^{{\,{back}}}" if left else r"\quad (\text{below } 10^{-45})"
            lines.append(rf"\text{{{name}:}}\quad \frac{{g_{{n-{back}}}}}{{g_n}} = {tex(left)}{mean}")
    return [*lines, r"x_{l+1} = x_l + F(x_l) \;\Rightarrow\; \frac{\partial x_{l+1}}{\partial x_l} = 1 + F'(x_l)"]


def code(way: Way, data: str, seed: int, start: str) -> str:
    """The lines that measure one of these networks."""
    one = way.probed.combination
    return ("from resnet_viz.analysis.depth import way\n"
            "from resnet_viz.analysis.gradient_probe import Combination, batch, probe\n\n"
            f"pictures, labels = batch({data!r}, seed={seed})\n"
            f"network = Combination({one.activation!r}, norm={one.norm}, skip={one.skip})\n"
            f"found = probe(network, {way.depth}, pictures, labels, seed={seed}, start={start!r})  # loss.backward()\n"
            "print(way(found).shares)  # weight.grad.norm() of each layer / that of the last convolution")


# Two depths in training


def title(one: Learned) -> str:
    """Plain 20, residual 56."""
    return f"{'plain' if one.network.startswith('plain') else 'residual'} {one.depth}"


def learned_said(found: Sequence[Learned], index: int) -> str:
    """The errors after one epoch."""
    errors = "; ".join(f"{title(one)}: {percent(one.train[index])} in training, {percent(one.held_out[index])} on "
                       "pictures "
                       "kept back" for one in found)
    return f"Wrong after epoch {int(found[0].epochs[index])}: {errors}."


def learned_finding(found: Sequence[Learned]) -> str:
    return "Training error at the end: " + ", ".join(f"{title(one)} {percent(one.train[-1])}" for one in found) + "."


def learned_story(pairs: dict[str, tuple[Learned, Learned]]) -> list[str]:
    """What is the matter with the deeper one of each pair, from the numbers."""
    lines = []
    for shallow, deep in pairs.values():
        found = depth.verdicts(shallow, deep)
        lines.append(_compared(shallow, deep, found))
        if found["degradation"] and not found["overfitting"]:
            lines.append("**It is not overfitting.** Who learns by heart is right on what it learned and wrong on the "
                         f"rest. {title(deep).capitalize()} is wrong on its own training pictures too; its error on "
                         f"pictures kept back is {_signed(deep.gap)} points from that in training ({title(shallow)}: "
                         f"{_signed(shallow.gap)}).")
        if found["degradation"] and not found["vanishing"]:
            low, high = float(deep.reach.min()), float(deep.reach.max())
            lines.append("**Nor are its gradients gone.** It has batch norm. All through the run its first layer was "
                         f"pulled at {number(low)} to {number(high)} times as strongly as its last convolution "
                         f"(a vanishing signal would be below {LEAST:g}).")
    lines.append("So the deeper plain network could do what the shallower one does (copy its layers, let the others "
                 "pass "
                 "everything on), and the optimiser does not find it. A shortcut makes passing on the easy case: the "
                 "block "
                 "has only to add something to it (He et al. 2016, section 1 and 4.1).")
    lines.append("One run of each, 12 epochs of 13,500 pictures, CIFAR-10 (JPEG); the errors while learning are "
                 "those on "
                 "cropped and flipped pictures. The paper trained on for 64,000 steps, and found the same.")
    return lines


def _compared(shallow: Learned, deep: Learned, found: dict[str, bool]) -> str:
    begin = (f"**{title(shallow).capitalize()} against {deep.depth}**: training error {percent(shallow.train[-1])} "
             "against "
             f"{percent(deep.train[-1])}, test error {percent(shallow.test)} against {percent(deep.test)}.")
    if found["degradation"]:
        return f"{begin} More layers, and worse at both: this is called degradation."
    train, test = deep.train[-1] - shallow.train[-1], deep.test - shallow.test
    doubts = [depth.doubt(shallow, deep, which) for which in ("train", "test")]
    if abs(train) < doubts[0] and abs(test) < doubts[1]:
        return (f"{begin} Less apart than chance alone would put them ({100 * doubts[0]:.1f} and {100 * doubts[1]:.1f} "
                "points): no degradation, and in so short a run no gain yet.")
    return f"{begin} No degradation."


def _signed(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def learned_formulas(pairs: dict[str, tuple[Learned, Learned]], index: int) -> list[str]:
    """Errors of this epoch and their differences."""
    lines = [r"\text{error} = \frac{\text{pictures answered wrongly}}{\text{pictures}}"]
    for word, (shallow, deep) in pairs.items():
        a, b = 100 * float(shallow.train[index]), 100 * float(deep.train[index])
        lines.append(rf"\text{{{word}, training:}}\quad e_{{{deep.depth}}} - e_{{{shallow.depth}}} = {b:.1f} - "
                     rf"{a:.1f} = "
                     rf"{b - a:+.1f}\ \text{{points}}")
    shallow, deep = pairs["residual"]
    return [*lines, r"\text{plain: } y = \mathrm{ReLU}\big(F(x)\big) \qquad \text{residual: } "
            r"y = \mathrm{ReLU}\big(F(x) + x\big), \quad F = 0 \Rightarrow y = x"]
