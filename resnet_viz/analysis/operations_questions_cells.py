"""Questions on activations, softmax, batch norm and dropout, made from the numbers on the screen."""

from random import Random

import numpy as np

from ..number_text import plain
from . import activations
from .number_questions import ask_number, output_by_chance
from .operations import Setting, Worked, statistics
from .questions import Question, ask


def activated(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    name = random.choice(list(activations.ACTIVATIONS))
    value = random.choice([-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0])
    right = float(activations.ACTIVATIONS[name].of(np.array(value)))
    wrong = [
        (float(other.of(np.array(value))), f"That is what {label} gives.")
        for label, other in activations.ACTIVATIONS.items()
    ]
    random.shuffle(wrong)
    return ask_number(
        random,
        f"What does {name} make of {plain(value)}?",
        right,
        wrong,
        f"{activations.ACTIVATIONS[name].say(value, right)}.",
    )


def slope(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    name = random.choice(["ReLU", "leaky ReLU", "ELU", "sigmoid", "tanh", "step"])
    value = random.choice([-2.0, -1.0, 1.0, 2.0])
    kind = activations.ACTIVATIONS[name]
    right = float(kind.slope(np.array(value)))
    return ask_number(
        random,
        f"How steep is {name} at {plain(value)}: what is its derivative there?",
        right,
        [
            (float(kind.of(np.array(value))), "That is its value, not its slope."),
            (-right, "The function does not fall there."),
            (0.25, "That is the sigmoid's at 0."),
            (1.0, "That is ReLU's above 0."),
        ],
        f"Its derivative at {plain(value)} is {plain(right)}. {kind.note}",
    )


def depth(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    layers = random.choice([3, 5, 8, 10])
    return ask_number(
        random,
        f"A gradient goes back through {layers} sigmoids. By what factor, at best, is it "
        f"multiplied by their slopes alone?",
        0.25**layers,
        [
            (0.25 * layers, "Slopes are multiplied, not added."),
            (0.25, "That is one sigmoid."),
            (1.0, "That would be ReLU above 0."),
            (0.5**layers, "0.5 is the sigmoid's value at 0; its slope is 0.25."),
        ],
        f"Each slope is at most 0.25: 0.25 to the power {layers} is {plain(0.25**layers)}.",
    )


def share(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    row, column, _, right, said = output_by_chance(worked, random)
    logits, z = worked.inputs[0], float(worked.inputs[0, row, column])
    return ask_number(
        random,
        f"What is softmax's share of the logit {plain(z)} at row {row}, column {column}?",
        right,
        [
            (
                z / float(logits.sum()) if logits.sum() else 0.5,
                "That divides the logits themselves; softmax divides their powers of e.",
            ),
            (1 / logits.size, "That is the share if all logits were equal."),
            (float(activations.sigmoid(np.array(z))), "That is the sigmoid, which ignores the other logits."),
            (float(worked.output.max()), "That is the share of the largest logit."),
        ],
        f"{said}.",
    )


def shifted(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    by = random.choice([1, 5, 10, 100])
    return ask(
        f"{by} is added to every logit. What happens to the shares?",
        "Nothing",
        {
            f"All grow by a factor of e^{by}": "The powers do, but so does their sum, and the shares are the quotient.",
            "The largest comes closer to 1": "That happens when logits are multiplied, not when the same is added.",
            "All become equal": "Differences between the logits stay as they were.",
        },
        "Numerator and denominator are multiplied by the same power: only differences count.",
        random,
    )


def own_slope(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    shares = worked.output.reshape(-1)
    i = random.randrange(len(shares))
    p = float(shares[i])
    return ask_number(
        random,
        f"A share is {plain(p)}. If its own logit rises by a very small d, how many times d does the share rise?",
        p * (1 - p),
        [
            (p, "That forgets that the sum below grows too."),
            (1 - p, "It is p times that."),
            (-p * p, "That is how another, equal share would change."),
            (1.0, "Shares do not rise as fast as logits."),
        ],
        f"p (1 − p) = {plain(p)} × {plain(1 - p)} = {plain(p * (1 - p))}.",
    )


# Batch norm, dropout


def normalised(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    row, column, patch, right, said = output_by_chance(worked, random)
    value, (mean, variance) = float(patch[0, 0, 0]), statistics(worked.inputs, setting.mode)
    return ask_number(
        random,
        f"Mean {plain(mean)}, variance {plain(variance)}, γ {plain(setting.scale)}, β "
        f"{plain(setting.shift)}: what becomes of {plain(value)}?",
        right,
        [
            (
                (value - mean) / max(variance, 1e-5) * setting.scale + setting.shift,
                "That divides by the variance; it is its square root.",
            ),
            (value - mean, "That only takes off the mean."),
            (-right, "The sign is turned round."),
            (value / max(variance, 1e-5) ** 0.5, "That forgets the mean."),
        ],
        f"{said}.",
    )


def average(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    images, channels, side = random.choice([2, 4, 8, 32]), random.choice([3, 16, 64]), random.choice([2, 4, 8])
    return ask_number(
        random,
        f"A batch of {images} pictures with {channels} channels of {side} × {side}. Over how "
        f"many numbers does batch norm take each mean?",
        images * side * side,
        [
            (side * side, "That is one picture alone; it goes over the whole batch."),
            (images * channels * side * side, "Channels are kept apart."),
            (images, "Rows and columns count too."),
            (channels * side * side, "That is layer norm: one picture, all channels."),
        ],
        f"{images} pictures × {side} × {side} = {images * side * side:,}; each of the {channels} channels has a mean "
        f"of its own.",
    )


def two_moods(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    right = "It uses the running mean and variance that training collected"
    return ask(
        "What does batch norm do in evaluation?",
        right,
        {
            "Nothing: it is switched off": "That is what the lecture says; but without it the layers behind would meet "
            "numbers of another size.",
            "It uses the batch's own mean and variance": "That is training: a picture's answer would depend on "
            "the other pictures.",
            "It learns γ and β": "Nothing is learned in evaluation.",
        },
        "So a picture gets the same answer whatever batch it is in.",
        random,
    )


def kept(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    p, value = random.choice([0.2, 0.5, 0.75]), random.choice([2.0, 3.0, 6.0, 10.0])
    return ask_number(
        random,
        f"Dropout with p = {p:g} in training: a {plain(value)} is kept. What does PyTorch put out?",
        value / (1 - p),
        [
            (value, "The slides leave it unscaled, and scale by 1 − p in testing; PyTorch scales in training."),
            (value * (1 - p), "That is the slides' scaling, which belongs to testing."),
            (value / p, "It is divided by 1 − p, not by p."),
        ],
        f"{plain(value)} / (1 − {p:g}) = {plain(value / (1 - p))}, so that the expected value stays {plain(value)}.",
    )


def silenced(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    n, p = random.choice([12, 20, 100]), random.choice([0.25, 0.5])
    return ask(
        f"Dropout with p = {p:g} on {n} numbers. How many are silenced?",
        f"It varies; {plain(n * p)} on average",
        {
            f"Always {plain(n * p)}": "Each is drawn by itself: it is not the slides' \"fixed-size batch\".",
            f"Always {plain(n * (1 - p))}" if p != 0.5 else "All or none": "Each is drawn by itself.",
            f"It varies; {plain(n * (1 - p) if p != 0.5 else n / 4)} on average": "p is the share that is silenced."
            if p != 0.5
            else "Half of them, on average.",
        },
        "Every number is silenced independently of the others.",
        random,
    )


def evaluated(x: np.ndarray, worked: Worked, setting: Setting, random: Random) -> Question:
    p, value = random.choice([0.2, 0.5]), random.choice([3.0, 4.0, 10.0])
    return ask_number(
        random,
        f"The same layer, p = {p:g}, after model.eval(): what becomes of {plain(value)}?",
        value,
        [
            (value * (1 - p), "The slides scale in testing; PyTorch has already scaled in training."),
            (value / (1 - p), "That is training."),
            (0.0, "Nothing is silenced in evaluation."),
        ],
        "In evaluation PyTorch's dropout passes everything on.",
    )
