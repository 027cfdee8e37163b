"""Questions on the operations, made from the numbers on the screen; wrong options are mistakes that people make.

MAKERS: operation -> (x, worked, setting) -> list of makers, each (random) -> Question.
"""

from functools import partial
from random import Random

import numpy as np

from ..number_text import plain
from . import operations_questions_cells as cells
from .calculators import convolution as count
from .number_questions import ask_number, output_by_chance
from .operations import Setting, Worked
from .questions import Maker, Question, ask

# Convolution


def convolved(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    row, column, patch, right, said = output_by_chance(worked, random)
    kernel = worked.factors[0]
    if worked.parts is not None:
        return _shared_sum(worked, row, column, right, said, random)
    turned = float((patch * kernel[:, ::-1, ::-1]).sum())
    return ask_number(
        random,
        f"The window stands at row {row}, column {column} of the output. What comes out?",
        right,
        [
            (turned, "That turns the kernel by 180° first, as mathematics' convolution does; networks do not."),
            (float(patch.sum()), "That adds the window without the kernel."),
            (float((patch * kernel).max()), "That takes the largest product; they are all added."),
            (float((patch * kernel.transpose(0, 2, 1)).sum()), "That swaps the kernel's rows and columns."),
        ],
        f"{said}.",
    )


def _shared_sum(worked: Worked, row: int, column: int, right: float, said: str, random: Random) -> Question:
    shares = worked.parts[:, row, column]
    told = ", ".join(f"{name}: {plain(share)}" for name, share in zip(worked.names, shares))
    return ask_number(
        random,
        f"At row {row}, column {column} the channels' shares are {told}. What comes out?",
        right,
        [
            (float(shares.mean()), "That is their mean; a filter adds."),
            (float(shares.max()), "That is the largest share; a filter adds them all."),
            (float(np.abs(shares).sum()), "That drops the signs."),
        ],
        f"The shares are added: {said}.",
    )


def size(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    k, s, p = random.choice([1, 3, 5, 7]), random.choice([1, 2, 3]), random.choice([0, 1, 2])
    n = random.randrange(max(k, 6), 33)
    right, cut = (n + 2 * p - k) // s + 1, (n + 2 * p - k) % s
    return ask_number(
        random,
        f"An input of {n} × {n}, a window of {k} × {k}, stride {s}, padding {p} on each side. "
        f"How many rows has the output?",
        right,
        [
            (
                n - 2 * (k - 1),
                "That is n − 2 (k − 1), which the slides print: it takes away too much, and knows neither "
                "padding nor stride.",
            ),
            (right - 1, "That forgets the + 1: the first window stands before any step."),
            (
                right + 1 if cut else right - 2,
                "That rounds up: a window that does not fit entirely is not used."
                if cut
                else "That counts two too few.",
            ),
            ((n + p - k) // s + 1, "That pads one side only."),
        ],
        f"⌊({n} + 2 × {p} − {k}) / {s}⌋ + 1 = {right}.",
    )


def same(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    k = random.choice([3, 5, 7, 9, 11])
    return ask_number(
        random,
        f"Stride 1, a kernel of {k} × {k}. How much padding on each side keeps the size?",
        (k - 1) // 2,
        [
            (k - 1, f"That is k − 1, which the slides print: it makes the output {k - 1} larger."),
            (k, "That is the kernel's size."),
            (0, "Without padding the output shrinks."),
        ],
        f"The output has n + 2p − {k} + 1 rows; that is n for p = ({k} − 1) / 2 = {(k - 1) // 2}.",
    )


def kernels(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    inputs, filters, k = random.choice([3, 16, 64]), random.choice([6, 32, 96, 128]), random.choice([3, 5])
    return ask_number(
        random,
        f"{inputs} input channels, {filters} filters of {k} × {k}. How many kernels (tables of {k} × {k}) are there?",
        inputs * filters,
        [
            (filters, "That counts filters; each filter has a kernel for every input channel."),
            (inputs, "That is the kernels of one filter."),
            (inputs * filters * k * k, "That counts weights."),
        ],
        f"{filters} filters × {inputs} kernels = {inputs * filters:,}.",
    )


def unshared(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    name, layer, side, k, wrong = random.choice(
        [
            (
                "AlexNet",
                count(3, 227, 227, 96, 11, stride=4),
                "227 × 227 × 3",
                "11 × 11 × 3",
                (105_415_600, "One line of the lab prints this; the product is 105,705,600."),
            ),
            (
                "LeNet",
                count(1, 28, 28, 6, 5),
                "28 × 28 × 1",
                "5 × 5 × 1",
                (26, "That is one unit's; the lab calls 89,856 one unit's, but it is the whole layer's."),
            ),
        ]
    )
    filters, rows, columns = layer.output
    text = (
        f"{name}'s first layer turns {side} into {rows} × {columns} × {filters} with filters of {k}. How many "
        "weights and biases, if no unit shared its own?"
    )
    mistakes = [wrong, (layer.shared, "That is with sharing."), (layer.units, "That is the number of units.")]
    why = f"{layer.units:,} units × ({k} + 1) = {layer.unshared:,}; shared it is {layer.shared:,}."
    return ask_number(random, text, layer.unshared, mistakes, why)


# Pooling


def pooled(operation: str, x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    row, column, patch, right, said = output_by_chance(worked, random)
    real = patch[np.isfinite(patch)]
    return ask_number(
        random,
        f"What comes out at row {row}, column {column}?",
        right,
        [
            (float(real.mean()), "That is the mean; max pooling keeps the largest.")
            if operation == "max pooling"
            else (float(real.max()), "That is the largest; average pooling takes the mean."),
            (float(real.sum()), "That is the sum."),
            (float(real.min()), "That is the smallest."),
            (float(real[0]), "That is the window's first number."),
        ],
        f"{said}.",
    )


def pool_stride(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    k = random.choice([2, 3, 4])
    n = k * random.randrange(3, 9) + random.randrange(0, k)
    return ask_number(
        random,
        f"nn.MaxPool2d({k}) on {n} × {n}: how many rows has the output?",
        n // k,
        [
            (n - k + 1, "That is stride 1; without one PyTorch takes the window's size."),
            (-(-n // k), "That rounds up; the rest is left out."),
            (n, "The size changes."),
        ],
        f"The stride is the window's size, {k}: ⌊({n} − {k}) / {k}⌋ + 1 = {n // k}.",
    )


def pool_weights(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    channels = random.choice([16, 64, 256])
    k = setting.size
    return ask_number(
        random,
        f"How many weights does this pooling learn for {channels} channels?",
        0,
        [
            (k * k, "A kernel would have that many; pooling has none."),
            (channels * k * k, "That would be a kernel for each channel."),
            (channels, "Not one a channel either."),
        ],
        "Pooling takes the largest or the mean: there is nothing to learn.",
    )


# Flatten, fully connected


def index(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    rows, columns = random.randrange(2, 9), random.randrange(2, 9)
    row, column = random.randrange(1, rows), random.randrange(columns)
    return ask_number(
        random,
        f"A table of {rows} rows and {columns} columns is flattened. At which place (from 0) is "
        f"row {row}, column {column}?",
        row * columns + column,
        [
            (column * rows + row, "That goes column by column; PyTorch goes row by row."),
            (row * columns + column + 1, "Places count from 0."),
            (row + column, "Each row before takes a whole row's places."),
        ],
        f"{row} full rows of {columns} before it, and {column} more: {row} × {columns} + {column} = "
        f"{row * columns + column}.",
    )


def length(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    channels, side = random.choice([16, 64, 256]), random.choice([4, 7, 8])
    return ask_number(
        random,
        f"{channels} channels of {side} × {side} are flattened. How many numbers for each picture?",
        channels * side * side,
        [
            (channels + side * side, "They are multiplied, not added."),
            (channels, "That is what average pooling over the whole map leaves."),
            (side * side, "All channels are kept."),
        ],
        f"{channels} × {side} × {side} = {channels * side * side:,}.",
    )


def learned(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    return ask(
        "Which of these has weights to learn?",
        "Fully connected",
        {
            "Flatten": "It only rearranges.",
            "Max pooling": "It only picks.",
            "ReLU": "It has none.",
            "Dropout": "It only draws by chance.",
        },
        "Fully connected and convolution learn weights, batch norm a scale and a shift.",
        random,
    )


def weighted(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    row, column, patch, right, said = output_by_chance(worked, random)
    weights = worked.factors[column]
    return ask_number(
        random,
        f"What is output {column} (from 0)?",
        right,
        [
            (
                float((patch * worked.factors[(column + 1) % len(worked.factors)]).sum()),
                "That uses another output's weights.",
            ),
            (float(patch.sum()), "That adds the inputs without weights."),
            (float((patch * weights).max()), "That is the largest product."),
            (float(np.maximum(patch * weights, 0).sum()), "That leaves out the products below 0."),
        ],
        f"{said}.",
    )


def connections(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    inputs, outputs = random.choice([(4096, 10), (512, 10), (2048, 1000), (784, 3456)])
    return ask_number(
        random,
        f"A fully connected layer from {inputs:,} to {outputs:,}, with biases. How many numbers does it learn?",
        inputs * outputs + outputs,
        [
            (inputs * outputs, "That forgets the biases, one an output."),
            (inputs * outputs + inputs, "Biases belong to outputs, not to inputs."),
            (inputs + outputs, "Every input is connected with every output."),
        ],
        f"{outputs:,} × ({inputs:,} + 1) = {inputs * outputs + outputs:,}.",
    )


_OF = {
    "convolution": [convolved, size, same, kernels, unshared],
    "max pooling": [partial(pooled, "max pooling"), pool_stride, pool_weights, size],
    "average pooling": [partial(pooled, "average pooling"), pool_stride, pool_weights, size],
    "activation": [cells.activated, cells.slope, cells.depth],
    "softmax": [cells.share, cells.shifted, cells.own_slope],
    "batch norm": [cells.normalised, cells.average, cells.two_moods],
    "dropout": [cells.kept, cells.silenced, cells.evaluated],
    "flatten": [index, length, learned],
    "fully connected": [weighted, connections, unshared, learned],
}


def _makers(asked: list, x: np.ndarray, worked: Worked, setting: Setting) -> list[Maker]:
    return [partial(question, x, worked, setting) for question in asked]


MAKERS = {operation: partial(_makers, asked) for operation, asked in _OF.items()}
