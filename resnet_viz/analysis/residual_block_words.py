"""What is said of a residual block by numbers: sentences, formulas and PyTorch lines with the numbers of one place."""

import numpy as np

from ..number_text import percent
from .learning_words import short, tex
from .residual_block import Step, Walk
from .residual_block_gradients import Passage, relative

WAYS = {
    "identity": "goes around as it is",
    "padding": "goes around by every second pixel, with empty channels put beside it, for here the maps get smaller "
    "and more",
    "projection": "goes around through a 1 × 1 convolution of its own, which brings it to the new shape",
}
SHORT = {"identity": "identity", "padding": "padded", "projection": "1 × 1 projection"}


def at_place(step: Step, place: int, columns: int) -> float:
    """The step's number for a place of the block's output, in reading order."""
    row, column = divmod(place, columns)
    return float(step.map[row * step.scale, column * step.scale])


def telling_place(found: Walk) -> int:
    """Where both F(x) and x count most and something is left, in reading order; where possible not at the border."""
    smaller = np.minimum(np.abs(found.residual), np.abs(found.shortcut)) * (found.end != 0)
    if min(smaller.shape) > 2:
        smaller = smaller * np.pad(np.ones([side - 2 for side in smaller.shape]), 1)
    return int(np.nan_to_num(smaller if smaller.any() else np.abs(found.residual)).argmax())


def stride_of(steps: tuple[Step, ...]) -> int:
    return steps[0].scale


def projection(found: Walk, inputs: int) -> str:
    """What the 1x1 does, and what the slides say of it."""
    stride = stride_of(found.around)
    told = (
        f"Its 1 × 1 convolution has stride {stride} and makes {found.channels:,} channels of {inputs:,}: each new "
        f"channel is a weighted sum "
        f"of all old ones at one place."
    )
    if stride == 1:
        return told + (
            " The slides say that a projection always has stride 2 and doubles the width. Here is the "
            "exception: the first stage of a "
            "bottleneck network only widens, by four."
        )
    return told


def story(found: Walk, inputs: int, answer: tuple[str, float, float] | None, skip: bool) -> list[str]:
    """answer  (class, its probability with the skip, without it); None where nobody trained the network"""
    size = {name: float(np.abs(part).mean()) for name, part in (("F", found.residual), ("x", found.shortcut))}
    told = [
        f"Two ways lead through **{found.block}**. On one the layers work out F(x); on the other x "
        f"{WAYS[found.way]}. Their sum is "
        f"H(x) = F(x) + x"
        + (f", and {found.activation} follows." if found.activation else ".")
        + f" In channel {found.channel} the numbers of F(x) have a mean size of {short(size['F'], 3)}, those of x "
        f"{short(size['x'], 3)}.",
        "So the layers need not rebuild what has arrived: they only work out what has to be *changed*. Were F(x) 0 "
        "everywhere, x would pass.",
    ]
    if answer:
        name, on, off = answer
        told.append(
            f"Switch the skip of this one block off, and {name} goes from {percent(on)} to {percent(off)}"
            f"{'' if skip else ', as it is now'}. No weight has changed; the layers behind it get numbers that "
            f"they do not know."
        )
    if found.way == "projection":
        told.append(projection(found, inputs))
    if found.way == "padding" and not found.shortcut.any():
        told.append(f"Channel {found.channel} is one of the new ones: its x is 0, and H(x) is F(x) alone.")
    return told + [
        "A convolution adds up *all* its input channels. Shown is the one that gives most; what the others "
        "give stands under the window "
        "as one number. The coloured frame in a window is the place that is followed."
    ]


def formula(found: Walk, place: int, skip: bool) -> list[str]:
    columns = found.total.shape[1]
    value = {step.name: at_place(step, place, columns) for step in found.layers}
    lines = [r"H(x) = F(x) + x \qquad \frac{\partial H}{\partial x} = \frac{\partial F}{\partial x} + 1"]
    for before, step in zip(found.layers, found.layers[1:]):
        lines.append(_line(step, value[before.name], value[step.name], place, columns))
    x, residual = at_place(found.around[-1], place, columns), at_place(found.layers[-1], place, columns)
    total = float(found.total.flat[place])
    behind = "" if found.after is None else rf" \qquad \text{{{found.activation}}}: "
    end, cut = (behind and behind + tex(float(part.flat[place]), 3) for part in (found.end, found.without))
    if not skip:
        return [*lines, rf"\text{{skip off:}} \quad H(x) = F(x) = {tex(residual, 3)}{cut}"]
    return [*lines, rf"H(x) = {tex(residual, 3)} + {tex(x, 3)} = {tex(total, 3)}{end}"]


def _line(step: Step, before: float, value: float, place: int, columns: int) -> str:
    named = rf"\text{{{step.name}}}: \quad "
    if step.conv:
        row, column = divmod(place, columns)
        share = float(step.conv.share[row * step.scale, column * step.scale])
        rest = value - share - step.conv.bias
        parts = [rf"\underbrace{{{tex(share, 3)}}}_{{\text{{channel {step.conv.source}}}}}"]
        parts += [rf"\underbrace{{{tex(rest, 3)}}}_{{\text{{{step.conv.others} others}}}}"] if step.conv.others else []
        parts += [tex(step.conv.bias, 3)] if step.conv.bias else []
        return named + f"{' + '.join(parts)} = {tex(value, 3)}"
    if step.norm:
        n = step.norm
        return named + (
            rf"{tex(n.scale, 3)} \cdot \frac{{{tex(before, 3)} - "
            rf"{tex(n.mean, 3)}}}{{\sqrt{{{tex(n.variance, 3)} + \varepsilon}}}} + "
            rf"{tex(n.shift, 3)} = {tex(value, 3)}"
        )
    return named + rf"{tex(before, 3)} \mapsto {tex(value, 3)}"


def code(found: Walk) -> str:
    """The block as PyTorch calls, with its own names."""
    call = "x"
    for step in found.layers[1:]:
        call = f"block.{step.name}({call})"
    around = "x" if found.way == "identity" else "block.downsample(x)"
    behind = "" if found.after is None else f"\ny = block.{_last(found)}(h)"
    return (
        f'block = model.get_submodule("{found.block}")\nf = {call}\nh = f + {around}          # with the skip off: '
        f"h = f{behind}"
    )


def _last(found: Walk) -> str:
    acts = [step.name for step in found.layers if step.kind == "activation"]
    return f"act{len(acts) + 1}"


def rows(found: Walk, place: int) -> list[dict]:
    columns, made = found.total.shape[1], []
    for way, steps in (("F(x)", found.layers), ("x", found.around)):
        made += [
            {
                "way": way,
                "operation": step.name,
                "kind": step.kind,
                "channel": step.channel,
                "here": at_place(step, place, columns),
                "lowest": float(step.map.min()),
                "highest": float(step.map.max()),
            }
            for step in steps
        ]
    ends = {"F(x) + x": found.total} | ({} if found.after is None else {f"after {found.activation}": found.after})
    return made + [
        {
            "way": "H(x)",
            "operation": name,
            "kind": "sum" if name == "F(x) + x" else "activation",
            "channel": found.channel,
            "here": float(part.flat[place]),
            "lowest": float(part.min()),
            "highest": float(part.max()),
        }
        for name, part in ends.items()
    ]


# Gradients


def gradient_said(found: tuple[Passage, ...], frame: int) -> str:
    if frame == 0:
        return "The gradient has come to the last block's output; in both networks it counts as 1 there."
    kept, lost = relative(found)
    passage = found[frame - 1]
    return (
        f"Back through {passage.block}: {short(passage.skip, 3)} came by the skip and {short(passage.layers, 3)} "
        f"by the layers, together "
        f"{short(passage.both, 3)}. Since the last block it is {short(kept[frame], 3)} times as large; without any "
        f"skip {short(lost[frame], 3)} times."
    )


def gradient_finding(found: tuple[Passage, ...]) -> str:
    kept, lost = relative(found)
    return (
        f"The gradient on its way back through {len(found)} blocks: {short(kept[-1], 3)} times as large at the "
        f"first with the skips, "
        f"{short(lost[-1], 3)} times without them"
    )


def gradient_story(found: tuple[Passage, ...]) -> list[str]:
    kept, lost = relative(found)
    weaker = sum(passage.layers < passage.skip for passage in found)
    return [
        f"With H(x) = F(x) + x the derivative is F′(x) + 1. Whatever the layers do to a gradient, it also passes "
        f"as it is: in {weaker} of {len(found)} "
        "blocks here more of it came by the skip than by the layers.",
        f"{gradient_finding(found)}. Without skips each block multiplies it by F′(x) alone, and {len(found)} "
        f"factors in a row decide. "
        f"That is a factor of {short(kept[-1] / lost[-1], 2) if lost[-1] else 'infinity'} between the two.",
        "Both are the same trained weights; only the skips are switched off, all at once. A plain network that was "
        "*trained* without skips has other "
        "weights, and with batch norm its gradients need not vanish: the lesson on depth measures that.",
        "What is followed is the gradient of the answer's logit, measured by autograd. The ReLU after each sum "
        "takes its part too: so less may come "
        "by the skip than arrived.",
    ]


def gradient_formula(found: tuple[Passage, ...], frame: int) -> list[str]:
    passage = found[max(frame, 1) - 1]
    return [
        r"\frac{\partial L}{\partial x} = \frac{\partial L}{\partial H} \left( \frac{\partial F}{\partial x} + 1 "
        r"\right)",
        rf"\text{{{passage.block}:}} \quad \lVert \text{{skip}} \rVert = {tex(passage.skip, 3)}, \quad \lVert "
        rf"\text{{layers}} \rVert = "
        rf"{tex(passage.layers, 3)}, \quad \lVert \text{{skip}} + \text{{layers}} \rVert = {tex(passage.both, 3)}",
        rf"\text{{all skips off:}} \quad {tex(passage.without_arriving, 3)} \to {tex(passage.without, 3)}",
    ]


GRADIENT_CODE = """x = x.detach().requires_grad_(True)            # what arrives at the block
logit = rest_of_the_network(block(x))[0, label]
logit.backward()
print(x.grad.norm())                           # with the skip

block.add.register_forward_pre_hook(lambda add, parts: (parts[0], torch.zeros_like(parts[1])))   # the skip off"""


def gradient_rows(found: tuple[Passage, ...]) -> list[dict]:
    kept, lost = relative(found)
    return [
        {
            "block": p.block,
            "arriving": p.arriving,
            "by the skip": p.skip,
            "by the layers": p.layers,
            "together": p.both,
            "since the last block": float(kept[i + 1]),
            "without skips": float(lost[i + 1]),
        }
        for i, p in enumerate(found)
    ]
