"""What is said of the operations: the story, the formulas with the numbers of now, and PyTorch's lines."""

import math

import numpy as np

from ..number_text import plain, signed
from . import activations, calculators
from .operations import EPS, Setting, Worked, statistics, written

TERMS = 12  # of a sum that is written out in a formula


# The story


def story(operation: str, worked: Worked, setting: Setting) -> list[str]:
    """A few sentences in plain words."""
    return STORIES[operation](worked, setting)


def _convolution(worked: Worked, setting: Setting) -> list[str]:
    outputs, (height, width) = worked.output.size, worked.window
    found = [f"The kernel is a small table of {height} × {width} weights. It lies on the input, each weight is "
             f"multiplied by the "
             f"number under it, and the products are added: one number of the output. Then it moves on by the stride, "
             f"{setting.stride}. All {outputs:,} outputs use the same weights.",
             "Strictly this is a cross-correlation: mathematics turns the kernel by 180° first. Networks learn their "
             "kernels, so it makes no difference, and everybody calls it convolution."]
    if worked.parts is not None:
        found.append("**Kernel and filter**: each input channel has a kernel of its own. All kernels of one output "
                     "together are "
                     "a filter. Each channel gives a share, and the shares are added, cell by cell.")
    if setting.padding:
        found.append(f"Padding puts {setting.padding} {'row' if setting.padding == 1 else 'rows'} of zeros around the "
                     f"input, so that "
                     f"the kernel can stand at the border. To keep the size at stride 1, a kernel of {height} needs "
                     f"({height} − 1) / 2 = {(height - 1) / 2:g} a side; the slides pad by {height} − 1 = "
                     f"{height - 1}, which enlarges the output.")
    return found + _unused(worked)


def _unused(worked: Worked) -> list[str]:
    rows, columns = worked.unused
    if not rows and not columns:
        return []
    last = " and ".join(f"the last {n if n > 1 else ''} {what}{'s' if n > 1 else ''}".replace("  ", " ")
                        for n, what in ((rows, "row"), (columns, "column")) if n)
    return [f"The output's size is rounded down, so {last} of the input (hatched) "
            f"{'are' if rows and columns else 'is'} in no window."]


def _max_pooling(worked: Worked, setting: Setting) -> list[str]:
    return [f"Of each window of {setting.size} × {setting.size} only the largest number is kept: "
            f"{worked.inputs[0].size:,} cells become "
            f"{worked.output.size:,}. It says that something was found here, no longer exactly where.",
            "There is nothing to learn: no weights. Each channel is pooled by itself.",
            "If no stride is given, PyTorch takes the window's own size, so that windows do not overlap. Padding "
            "counts as "
            "minus infinity: it never wins."] + _unused(worked)


def _average_pooling(worked: Worked, setting: Setting) -> list[str]:
    return [f"Each window of {setting.size} × {setting.size} becomes its mean: a blurred, smaller picture. Residual "
            f"networks end with one "
            "average over the whole map, which leaves one number a channel.",
            "There is nothing to learn. The zeros of a padding count into PyTorch's mean."] + _unused(worked)


def _activation(worked: Worked, setting: Setting) -> list[str]:
    kind = activations.ACTIVATIONS[setting.kind]
    _, _, slope = activations.curve(setting.kind)
    return ["Every number goes through the same curve, alone. Without such a bend, any number of layers would be one "
            "single "
            "weighted sum.", kind.note,
            f"Training needs the slope: the gradient that comes back is multiplied by it. Here it is at most "
            f"{plain(float(slope.max()))}."]


def _softmax(worked: Worked, setting: Setting) -> list[str]:
    shares = worked.output.reshape(-1)
    return [f"The logits, any numbers, become positive shares that add up to 1. The largest logit has "
            f"{shares.max():.1%} here.",
            "Only differences count: add the same number to all logits, and nothing changes.",
            "The derivatives beside it: if one logit rises a little, its own share rises by p (1 − p) of that, and "
            "every other "
            "share falls. Each row adds up to 0, because the shares always add up to 1."]


def _batch_norm(worked: Worked, setting: Setting) -> list[str]:
    mean, variance = statistics(worked.inputs, setting.mode)
    said = {"train": f"In training the mean {plain(mean)} and the variance {plain(variance)} come from these "
                     f"{worked.inputs[0].size} numbers "
                     "themselves: a picture's output depends on the other pictures of its batch.",
            "evaluation": f"In evaluation it takes the running statistics instead: mean {plain(mean)} and variance "
                          f"{plain(variance)}, "
                          "here those of a fresh layer that has seen this one batch. It is not switched off."}
    return ["All numbers of one channel, of all pictures of the batch, are brought to mean 0 and variance 1. Then "
            "comes a scale "
            "γ (at first 1) and a shift β (at first 0), which are learned.", said[setting.mode],
            "The normalisation divides by n (biased variance); the running variance learns from the one divided by n "
            "− 1."]


def _dropout(worked: Worked, setting: Setting) -> list[str]:
    if setting.mode == "evaluation":
        return ["In evaluation nothing is silenced and nothing is scaled: the output is the input.",
                "The slides do it the other way round: nothing is scaled in training, and in testing everything is "
                "multiplied by 1 − p. "
                "The expected value is the same."]
    silenced = int((worked.factors == 0).sum())
    return [f"Each number is silenced by chance, with probability {plain(setting.p)}. This time {silenced} of "
            f"{worked.output.size}: "
            "the count differs from draw to draw, it is not fixed.",
            f"What is left is multiplied by 1 / (1 − {plain(setting.p)}) = {plain(1 / (1 - setting.p))}, so that the "
            f"expected value stays. (The slides "
            "scale by 1 − p in testing instead, with the same expectation.)",
            "Beside batch norm it does harm: the variance in training is not the one in evaluation."]


def _flatten(worked: Worked, setting: Setting) -> list[str]:
    return [f"The {worked.output.size} numbers are written into one row, row by row. Nothing is computed; what is "
            f"lost is which "
            "numbers were neighbours.", "It stands before the fully connected layer, which has no notion of rows and "
                                        "columns."]


def _fully_connected(worked: Worked, setting: Setting) -> list[str]:
    outputs, inputs = worked.output.size, worked.inputs.size
    return [f"Every output is a weighted sum of all {inputs} inputs, with weights of its own: {outputs} × {inputs} = "
            f"{outputs * inputs} weights, "
            "and usually a bias for each output. With an activation behind it, that is a layer of neurons.",
            "Nothing is shared: compare the convolution, which uses its few weights at every place."]


STORIES = {"convolution": _convolution, "max pooling": _max_pooling, "average pooling": _average_pooling,
           "activation": _activation, "softmax": _softmax, "batch norm": _batch_norm, "dropout": _dropout,
           "flatten": _flatten, "fully connected": _fully_connected}


# The formulas


def formulas(operation: str, worked: Worked, setting: Setting, at: int) -> list[str]:
    """LaTeX: the operation in general, and the same with the numbers of the window at place `at`."""
    row, column = divmod(at, worked.output.shape[1])
    general = {
        "convolution": r"y_{r,c} = b + \sum_{i,\,j,\,k} w_{i,j,k} \; x_{i,\;s r + j - p,\;s c + k - p}",
        "max pooling": r"y_{r,c} = \max \text{ of the window}", "average pooling": r"y_{r,c} = \frac{1}{k^2} \sum "
            r"\text{ of the window}",
        "activation": rf"f(x) = {activations.ACTIVATIONS[setting.kind].formula} \qquad f'(x) = "
                      rf"{activations.ACTIVATIONS[setting.kind].derivative}",
        "softmax": r"p_i = \frac{e^{z_i}}{\sum_j e^{z_j}} \qquad \frac{\partial p_i}{\partial z_j} = p_i \, "
                   r"(\mathbb{1}[i = j] - p_j)",
        "batch norm": r"y = \gamma \, \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta",
        "dropout": r"y = x \cdot \frac{m}{1 - p}, \quad m = 0 \text{ with probability } p \text{, else } 1",
        "flatten": r"y_{\,W r + c} = x_{r,c}", "fully connected": r"y_j = b_j + \sum_i w_{j,i} \, x_i"}[operation]
    found = [general, rf"y_{{{row},{column}}} = {_with_numbers(operation, worked, setting, row, column)}"]
    if operation == "convolution" or "pooling" in operation:
        found += _sizes(worked, setting)
    return found


def _with_numbers(operation: str, worked: Worked, setting: Setting, row: int, column: int) -> str:
    patch, result = worked.patch(row, column), _tex(worked.output[row, column])
    x = float(patch[0, 0, 0])
    if operation in ("convolution", "fully connected"):
        return f"{_sum(worked, setting, row, column)} = {result}"
    if operation == "max pooling":
        return rf"\max({', '.join(_tex(v) for v in patch.flat)}) = {result}"
    if operation == "average pooling":
        return rf"\frac{{{' + '.join(_tex(v, True) for v in patch.flat)}}}{{{patch.size}}} = {result}"
    if operation == "batch norm":
        mean, variance = statistics(worked.inputs, setting.mode)
        quotient = rf"\frac{{{_tex(x)} - {_tex(mean, True)}}}{{\sqrt{{{_tex(variance)} + {EPS:.5f}}}}}"
        return rf"{_tex(setting.scale, True)} \cdot {quotient} + {_tex(setting.shift, True)} = {result}"
    if operation == "softmax":
        z = float(worked.inputs[0, row, column])
        terms = [rf"e^{{{_tex(v)}}}" for v in worked.inputs.flat]
        below = " + ".join([*terms[:TERMS], "…"] if len(terms) > TERMS else terms)
        return rf"\frac{{e^{{{_tex(z)}}}}}{{{below}}} = {result}"
    if operation == "activation":
        slope = float(activations.ACTIVATIONS[setting.kind].slope(np.array(x)))
        return rf"f({_tex(x)}) = {result}, \qquad f'({_tex(x)}) = {_tex(slope)}"
    if operation == "dropout" and worked.factors is not None:
        return rf"{_tex(x)} \cdot {_tex(worked.factors[row * worked.output.shape[1] + column, 0, 0, 0])} = {result}"
    return rf"{_tex(x)}"


def _sum(worked: Worked, setting: Setting, row: int, column: int) -> str:
    """Products where they are few, else the channels' shares."""
    patch = worked.patch(row, column)
    factors = worked.factors[min(row * worked.output.shape[1] + column, len(worked.factors) - 1)]
    if worked.parts is not None:
        return " + ".join(_tex(part, True) for part in worked.parts[:, row, column])
    if patch.size <= TERMS:
        return " + ".join(rf"{_tex(a, True)} \cdot {_tex(b, True)}" for a, b in zip(patch.flat, factors.flat))
    products = (patch * factors).reshape(-1)
    return rf"\underbrace{{{_tex(products[products > 0].sum())}}}_{{\text{{products above 0}}}} + " \
           rf"\underbrace{{{_tex(products[products < 0].sum(), True)}}}_{{\text{{below 0}}}}"


def _sizes(worked: Worked, setting: Setting) -> list[str]:
    """floor((n + 2p − k) / s) + 1 for the output's height and width; of a crop nothing, whose size is our choice."""
    if worked.parts is not None:
        return []
    stride, k = setting.stride or setting.size, worked.window[0]
    rows, columns = (n - 2 * setting.padding for n in worked.inputs.shape[1:])
    return [rf"\left\lfloor \frac{{n + 2p - k}}{{s}} \right\rfloor + 1 = \left\lfloor "
            rf"\frac{{{n} + 2 \cdot {setting.padding} - {window}}}{{{stride}}} "
            rf"\right\rfloor + 1 = {count} \text{{ {what}}}"
            for n, window, count, what in ((rows, k, worked.output.shape[0], "rows"), (columns, worked.window[1],
                worked.output.shape[1], "columns"))]


def _tex(value: float, inside: bool = False) -> str:
    if math.isinf(value):
        return r"-\infty"
    return (signed if inside else plain)(float(value)).replace("−", "-").replace(",", "{,}")


# The lines, the table


def code(operation: str, setting: Setting, layer: str = "") -> str:
    """The PyTorch that does the same; `layer` where the kernel is the loaded network's."""
    if layer:
        return (f"conv = model.get_submodule({layer!r})\nx = ...  # what arrives at it, [1, channels, height, width]\n"
                f"y = F.conv2d(x, conv.weight, conv.bias, stride={setting.stride}, padding={setting.padding})")
    call = {
        "convolution": f"F.conv2d(x, kernel, stride={setting.stride}, padding={setting.padding})",
        "max pooling": f"F.max_pool2d(x, {setting.size}, stride={setting.stride or setting.size}, "
                       f"padding={setting.padding})",
        "average pooling": f"F.avg_pool2d(x, {setting.size}, stride={setting.stride or setting.size}, "
                           f"padding={setting.padding})",
        "activation": activations.ACTIVATIONS[setting.kind].code, "softmax": "F.softmax(x.flatten(), dim=0)",
        "batch norm": f"F.batch_norm(x, running_mean, running_var, weight=torch.tensor([{setting.scale:.4}]), "
                      f"bias=torch.tensor([{setting.shift:.4}]), "
                      f"training={setting.mode == 'train'})",
        "dropout": f"F.dropout(x, p={setting.p:g}, training={setting.mode == 'train'})",
        "flatten": "x.flatten(start_dim=1)", "fully connected": "F.linear(x.flatten(start_dim=1), weights)"}[operation]
    lines = ["x = ...  # [1, 1, height, width]"]
    if setting.weights is not None:
        numbers = setting.weights[0] if operation == "convolution" else setting.weights
        name, view = ("kernel", "[None, None]") if operation == "convolution" else ("weights", "")
        lines.append(f"{name} = torch.tensor({numbers.tolist()}){view}  # {written(numbers)}")
    if operation == "batch norm":
        lines.append("running_mean, running_var = torch.zeros(1), torch.ones(1)")
        if setting.mode == "evaluation":
            lines.append("F.batch_norm(x, running_mean, running_var, training=True)  # one batch moves them by a tenth")
    return "\n".join([*lines, f"y = {call}"])


def rows(worked: Worked) -> list[dict]:
    """One row an output: its place and how it came about."""
    return [{"row": row, "column": column, "output": float(worked.output[row, column]), "how": said}
            for (row, column), said in zip(np.ndindex(worked.output.shape), worked.said)]


def counts(operation: str) -> list[dict]:
    """LeNet's and AlexNet's first layer, with and without shared weights, of the operations that this concerns."""
    if operation not in ("convolution", "fully connected"):
        return []
    found = []
    for name, layer, printed in (
            ("LeNet: 28 × 28 × 1, 6 filters 5 × 5", calculators.convolution(1, 28, 28, 6, 5), "the lab calls 89,856 "
             "one unit's; it is the whole layer's"),
            ("AlexNet: 227 × 227 × 3, 96 filters 11 × 11, stride 4", calculators.convolution(3, 227, 227, 96, 11,
                stride=4),
             "one line of the lab prints 105,415,600")):
        found.append({"layer": name, "output": " × ".join(f"{n:,}" for n in (*layer.output[1:], layer.output[0])),
                      "units": layer.units,
                      "weights, shared": layer.shared, "weights, unshared": layer.unshared, "the source": printed})
    return found
