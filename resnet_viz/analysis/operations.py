"""What each operation of a network does to a few numbers: every window, every output, and a line on each.

All operations have one signature and one result, because all are the same movement: a window of the input, something
done with the numbers in it, one number of the output. A convolution's window slides; an activation's is a single cell;
a fully connected layer's is the whole input. Worked out in plain NumPy, number by number; the tests hold it to torch.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..number_text import joined, plain, signed
from ..problems import Problem, one_of
from . import activations
from .layer_shapes import windows

MOST = 16  # rows and columns that can still be read
EPS = 1e-5  # nn.BatchNorm2d's own
MOMENTUM = 0.1  # nn.BatchNorm2d's own
NO_PADDING = (0, 0, 0, 0)


@dataclass(frozen=True)
class Setting:
    """What an operation needs beside its input; each takes what concerns it.

    weights   a convolution's filter [C, k, k], or a fully connected layer's weights [outputs, inputs]
    bias      one number an output channel, or one an output
    size      a pooling's window; 0 stride is that window, as in PyTorch
    kind      name of the activation
    mode      "train" or "evaluation", of batch norm and dropout
    scale, shift   batch norm's gamma and beta
    p         share of the numbers that dropout silences
    seed      which of them
    """

    weights: np.ndarray | None = None
    bias: tuple[float, ...] = (0.0,)
    size: int = 2
    stride: int = 1
    padding: int = 0
    kind: str = "ReLU"
    mode: str = "train"
    scale: float = 1.0
    shift: float = 0.0
    p: float = 0.5
    seed: int = 0


@dataclass(frozen=True)
class Worked:
    """One operation, worked out.

    inputs   [C, H, W] with the padding around it; infinite where a maximum must not find the padding
    padding  rows of it above and below, columns left and right
    names    of the input's channels; one more than C where `parts` sums channels that are not shown
    window   (height, width) of what one output sees
    places   [rows, columns, 2] top and left of each output's window in `inputs`
    output   [rows, columns]
    factors  [1 or outputs, C, h, w] what the window's numbers are multiplied by; None where nothing is
    parts    [C or C + 1, rows, columns] each channel's share of the output before they are added; None with one
    said     for each output, in reading order, how it came about
    unused   (rows, columns) at the end of the padded input that no window reaches
    factor   what the factors are called: "Kernel", "Weights" ...
    """

    inputs: np.ndarray
    padding: tuple[int, int, int, int]
    names: tuple[str, ...]
    window: tuple[int, int]
    places: np.ndarray
    output: np.ndarray
    said: tuple[str, ...]
    factors: np.ndarray | None = None
    parts: np.ndarray | None = None
    unused: tuple[int, int] = (0, 0)
    factor: str = "Kernel"

    def patch(self, row: int, column: int) -> np.ndarray:
        """[C, h, w]: what this output sees."""
        (top, left), (height, width) = self.places[row, column], self.window
        return self.inputs[:, top:top + height, left:left + width]


def matrix(text: str) -> np.ndarray:
    """The numbers a person typed, [rows, columns]: a row after each "/" or line, numbers apart by blanks or commas."""
    lines = [line.replace(",", " ").replace("−", "-").split() for line in text.replace("\n", "/").split("/")]
    try:
        rows = [[float(word) for word in line] for line in lines if line]
    except ValueError as error:
        raise Problem("Write numbers apart by blanks, and a / between rows, such as 1 0 2 / 3 1 0.") from error
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise Problem("Every row needs as many numbers as the first; write them as 1 0 2 / 3 1 0.")
    if max(len(rows), len(rows[0])) > MOST:
        raise Problem(f"Write at most {MOST} rows and {MOST} columns: more cannot be read in one picture.")
    found = np.array(rows)
    if not np.isfinite(found).all() or np.abs(found).max() >= 1e6:
        raise Problem("Write finite numbers below a million.")
    return found


def written(numbers: np.ndarray) -> str:
    """A matrix as a person types it; the inverse of `matrix`."""
    return " / ".join(" ".join(f"{value:g}" for value in row) for row in numbers)


# The window slides


def convolution(x: np.ndarray, setting: Setting) -> Worked:
    """Window times kernel, added up (what PyTorch calls a convolution: the kernel is not turned round).

    x  [C, H, W]; setting.weights [C, k, k]
    """
    weights = np.asarray(setting.weights, dtype=float)
    if len(weights) != len(x):
        raise Problem(f"A filter has a kernel for each of the {len(x):,} input channels, not {len(weights):,}.")
    padded, places, unused = slide(x, weights.shape[1:], setting.stride, setting.padding, 0.0)
    parts = _each(padded, places, weights.shape[1:], lambda patch: (patch * weights).sum(axis=(1, 2)))
    output = parts.sum(axis=0) + setting.bias[0]
    said = tuple(_sum_of_products(padded, places, weights, parts, output, setting.bias[0]))
    names = ("input",) if len(x) == 1 else tuple(f"channel {i}" for i in range(len(x)))
    return Worked(padded, (setting.padding,) * 4, names, weights.shape[1:], places, output, said, weights[None],
                  parts if len(x) > 1 else None, unused)


def _sum_of_products(padded, places, weights, parts, output, bias):
    height, width = weights.shape[1:]
    for row, column in np.ndindex(output.shape):
        if len(weights) == 1:
            top, left = places[row, column]
            patch = padded[0, top:top + height, left:left + width]
            terms = [f"{plain(a)} × {signed(b)}" for a, b in zip(patch.flat, weights[0].flat)]
            terms = terms if len(terms) <= 25 else [signed(parts[0, row, column])]
        else:
            terms = [signed(part) for part in parts[:, row, column]]
        yield f"{joined(terms + [signed(bias)] * bool(bias))} = {plain(output[row, column])}"


def max_pooling(x: np.ndarray, setting: Setting) -> Worked:
    """The largest number of each window; padding never wins, as it stands for minus infinity."""
    return _pooling(x, setting, -np.inf, np.max, lambda patch, found: f"largest of {_listed(patch)} = {plain(found)}")


def average_pooling(x: np.ndarray, setting: Setting) -> Worked:
    """The mean of each window; the zeros of the padding count, as in PyTorch."""
    def say(patch, found):
        return f"({joined([signed(v) for v in patch.flat])}) / {patch.size} = {plain(found)}"

    return _pooling(x, setting, 0.0, np.mean, say)


def _pooling(x: np.ndarray, setting: Setting, fill: float, reduce: Callable, say: Callable) -> Worked:
    size, stride = setting.size, setting.stride or setting.size
    if 2 * setting.padding > size:
        raise Problem(f"A padding of {setting.padding} is more than half the window of {size}, which PyTorch refuses; lower it.")
    padded, places, unused = slide(x[:1], (size, size), stride, setting.padding, fill)
    patches = [padded[0, top:top + size, left:left + size] for top, left in places.reshape(-1, 2)]
    output = np.array([reduce(patch) for patch in patches]).reshape(places.shape[:2])
    said = tuple(say(patch, found) for patch, found in zip(patches, output.flat))
    return Worked(padded, (setting.padding,) * 4, ("input",), (size, size), places, output, said, unused=unused)


def _listed(patch: np.ndarray) -> str:
    return ", ".join(plain(value) for value in patch.flat)


def slide(x: np.ndarray, window, stride: int, padding: int, fill: float):
    """(padded input [C, H, W], places [rows, columns, 2], (rows, columns) unused); Problem if it does not fit."""
    counts = [windows(n, k, stride, padding) for n, k in zip(x.shape[1:], window)]
    if min(counts) < 1:
        raise Problem(f"A window of {window[0]} × {window[1]} is larger than the padded input of "
                      f"{x.shape[1] + 2 * padding} × {x.shape[2] + 2 * padding}; enlarge the padding or the input.")
    padded = np.pad(x.astype(float), ((0, 0), (padding, padding), (padding, padding)), constant_values=fill)
    places = np.stack(np.meshgrid(*(np.arange(n) * stride for n in counts), indexing="ij"), axis=-1)
    unused = tuple(n - ((count - 1) * stride + k) for n, count, k in zip(padded.shape[1:], counts, window))
    return padded, places, unused


def _each(padded: np.ndarray, places: np.ndarray, window, of: Callable) -> np.ndarray:
    """[C, rows, columns]: `of` each window [C, h, w]."""
    height, width = window
    found = [of(padded[:, top:top + height, left:left + width]) for top, left in places.reshape(-1, 2)]
    return np.stack(found, axis=-1).reshape(len(padded), *places.shape[:2])


# The window is one cell


def activation(x: np.ndarray, setting: Setting) -> Worked:
    """A function of each number by itself."""
    kind = activations.ACTIVATIONS[one_of("activation", setting.kind, activations.ACTIVATIONS)]
    return _cells(x[0], kind.of(x[0]), lambda value, found: kind.say(value, found))


def batch_norm(x: np.ndarray, setting: Setting) -> Worked:
    """One channel of a batch, all its numbers together: mean 0 and variance 1, then times gamma plus beta.

    In training with the mean and the biased variance of these numbers; in evaluation with running statistics, here
    those of a fresh layer (mean 0, variance 1) after this one batch, at PyTorch's momentum of 0.1.
    """
    mean, variance = statistics(x, one_of("mode", setting.mode, ("train", "evaluation")))
    found = (x[0] - mean) / np.sqrt(variance + EPS) * setting.scale + setting.shift
    end = ("" if setting.scale == 1 else f" × {signed(setting.scale)}") + (
        "" if setting.shift == 0 else f" + {signed(setting.shift)}")

    def say(value, result):
        return f"({plain(value)} − {signed(mean)}) / √({plain(variance)} + 0.00001){end} = {plain(result)}"

    return _cells(x[0], found, say)


def statistics(x: np.ndarray, mode: str) -> tuple[float, float]:
    """(mean, variance) that batch norm takes; the running variance learns from the unbiased one (n − 1)."""
    mean, variance = float(x[0].mean()), float(x[0].var())
    if mode == "train":
        return mean, variance
    if x[0].size < 2:
        raise Problem("Batch norm needs at least two numbers a channel to learn a variance from; write more.")
    return MOMENTUM * mean, (1 - MOMENTUM) * 1.0 + MOMENTUM * float(x[0].var(ddof=1))


def dropout(x: np.ndarray, setting: Setting) -> Worked:
    """Each number silenced with probability p, the others times 1 / (1 − p); in evaluation nothing happens."""
    if not 0 <= setting.p < 1:
        raise Problem(f"The share of silenced numbers is at least 0 and below 1, not {setting.p:g}.")
    if one_of("mode", setting.mode, ("train", "evaluation")) == "evaluation":
        return _cells(x[0], x[0].astype(float), lambda value, found: f"{plain(value)}: in evaluation every number "
                      f"passes")
    kept = np.random.default_rng(setting.seed).random(x[0].shape) >= setting.p
    factors = kept / (1 - setting.p)

    def say(value, factor):
        done = "silenced this time" if factor == 0 else f"kept, and times 1 / (1 − {setting.p:g})"
        return f"{plain(value)} × {plain(factor)} = {plain(value * factor)}: {done}"

    worked = _cells(x[0], x[0] * factors, lambda value, found: "")
    said = tuple(say(value, factor) for value, factor in zip(x[0].flat, factors.flat))
    return Worked(worked.inputs, NO_PADDING, worked.names, (1, 1), worked.places, worked.output, said,
                  factors.reshape(-1, 1, 1, 1), factor="Mask")


def flatten(x: np.ndarray, setting: Setting) -> Worked:
    """The rows one after another; no number changes."""
    rows, columns = x.shape[1:]
    output = x[0].reshape(1, -1).astype(float)
    places = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1).reshape(1, -1, 2)
    said = tuple(f"row {at // columns}, column {at % columns} goes to place {at} = {at // columns} × {columns} + "
                 f"{at % columns}: {plain(value)}" for at, value in enumerate(output.flat))
    return Worked(x[:1].astype(float), NO_PADDING, ("input",), (1, 1), places, output, said)


def _cells(x: np.ndarray, output: np.ndarray, say: Callable[[float, float], str]) -> Worked:
    places = np.stack(np.meshgrid(*map(np.arange, x.shape), indexing="ij"), axis=-1)
    said = tuple(say(float(value), float(found)) for value, found in zip(x.flat, output.flat))
    return Worked(x[None].astype(float), NO_PADDING, ("input",), (1, 1), places, np.asarray(output, dtype=float), said)


# The window is everything


def softmax(x: np.ndarray, setting: Setting) -> Worked:
    """Every number becomes a positive share of 1; its factors are the derivatives dp_i/dz_j = p_i (1[i = j] − p_j)."""
    logits = x[0].astype(float)
    powers = np.exp(logits - logits.max())  # the largest taken off first, so that nothing overflows; the shares stay
    shares = powers / powers.sum()
    flat = shares.reshape(-1)
    derivatives = np.diag(flat) - np.outer(flat, flat)
    total = float(np.exp(logits).sum()) if logits.max() < 700 else float("inf")
    said = tuple(f"e^{signed(z)} / (sum of all e^z = {plain(total)}) = {plain(share)}"
                 for z, share in zip(logits.flat, flat))
    places = np.zeros((*logits.shape, 2), dtype=int)
    return Worked(logits[None], NO_PADDING, ("logits",), logits.shape, places, shares, said,
                  derivatives.reshape(-1, 1, *logits.shape), factor="How it changes with each logit")


def fully_connected(x: np.ndarray, setting: Setting) -> Worked:
    """Every output its own weighted sum of all inputs, plus its bias: a layer of neurons before their activation.

    x  [1, H, W], flattened row by row; setting.weights [outputs, H * W]; setting.bias one an output, or one for all
    """
    flat, weights = x[0].reshape(-1).astype(float), np.asarray(setting.weights, dtype=float)
    if weights.shape[1] != flat.size:
        raise Problem(f"Each row of weights needs {flat.size} numbers, one for each input, not {weights.shape[1]}.")
    bias = np.broadcast_to(np.asarray(setting.bias, dtype=float), (len(weights),))
    output = weights @ flat + bias
    said = []
    for row, offset, found in zip(weights, bias, output):
        terms = [f"{plain(a)} × {signed(b)}" for a, b in zip(flat, row)] + [signed(offset)] * bool(offset)
        said.append(f"{joined(terms)} = {plain(found)}")
    places = np.zeros((1, len(weights), 2), dtype=int)
    return Worked(flat.reshape(1, 1, -1), NO_PADDING, ("input",), (1, flat.size), places, output[None], tuple(said),
                  weights.reshape(len(weights), 1, 1, -1), factor="Weights")


OPERATIONS: dict[str, Callable[[np.ndarray, Setting], Worked]] = {
    "convolution": convolution,
    "max pooling": max_pooling,
    "average pooling": average_pooling,
    "activation": activation,
    "softmax": softmax,
    "batch norm": batch_norm,
    "dropout": dropout,
    "flatten": flatten,
    "fully connected": fully_connected,
}


def work(operation: str, x: np.ndarray, setting: Setting) -> Worked:
    """The operation of this name on x [C, H, W]; an unknown name raises Problem."""
    return OPERATIONS[one_of("operation", operation, OPERATIONS)](x, setting)
