"""Questions of the lesson on the residual block, from the numbers on the screen."""

from functools import partial
from random import Random

import numpy as np

from ..number_text import plain, signed
from .number_questions import ask_number
from .questions import Maker, Question, ask
from .residual_block import Walk
from .residual_block_gradients import Passage, relative
from .residual_block_words import at_place

STAGES = {"conv3_x": (256, 512), "conv4_x": (512, 1024), "conv5_x": (1024, 2048)}  # of ResNet-50, 101 and 152
SLIDES = "The slides say so of every projection; conv2_x only widens, its maps stay as large."


def of_block(found: Walk, place: int) -> list[Maker]:
    makers = [
        partial(the_sum, found, place),
        partial(normalised, found, place),
        projection,
        nothing_learned,
        weights_of_projection,
    ]
    return makers if any(step.norm for step in found.layers) else [makers[0], *makers[2:]]


def the_sum(found: Walk, place: int, random: Random) -> Question:
    """F(x) + x at the place, or at another one where both count."""
    both = np.minimum(np.abs(found.residual), np.abs(found.shortcut)).ravel()
    telling = np.flatnonzero(both > both.max() / 20).tolist()
    place = random.choice([place, random.choice(telling)]) if telling else place
    columns = found.total.shape[1]
    residual, x = (at_place(steps[-1], place, columns) for steps in (found.layers, found.around))
    total, right = float(found.total.flat[place]), float(found.end.flat[place])
    follows = f", and then {found.activation}" if found.after is not None else ""
    return ask_number(
        random,
        f"F(x) = {plain(residual)} and x = {plain(x)}. The block adds them{follows}. What comes out?",
        right,
        [
            (total, "Then comes the activation."),
            (float(found.without.flat[place]), "That is F(x) alone, with the skip off."),
            (max(residual, 0) + max(x, 0), "First the sum, then the activation."),
            (residual * x, "They are added, not multiplied."),
            (residual - x, "They are added."),
        ],
        f"{signed(residual)} + {signed(x)} = {plain(total)}"
        + (f", and {found.activation} makes {plain(right)} of it." if follows else "."),
    )


def normalised(found: Walk, place: int, random: Random) -> Question:
    """One of the block's batch norms, with the numbers of the place."""
    columns = found.total.shape[1]
    pairs = [(before, step) for before, step in zip(found.layers, found.layers[1:]) if step.norm]
    before, step = random.choice(pairs)
    x, right, n = at_place(before, place, columns), at_place(step, place, columns), step.norm
    return ask_number(
        random,
        f"{found.block}.{step.name}, channel {step.channel}: x = {plain(x)}, running mean "
        f"{plain(n.mean)}, running variance "
        f"{plain(n.variance)}, γ = {plain(n.scale)}, β = {plain(n.shift)}. What comes out?",
        right,
        [
            ((x - n.mean) / (n.variance + n.eps) * n.scale + n.shift, "Divide by the root of the variance."),
            ((x - n.mean) / (n.variance + n.eps) ** 0.5, "Then come γ and β."),
            (x, "In evaluation batch norm is not switched off."),
            (x * n.scale + n.shift, "First the mean and the variance."),
        ],
        f"({plain(x)} − {signed(n.mean)}) / √{plain(n.variance)} · {signed(n.scale)} + {signed(n.shift)} "
        f"= {plain(right)}.",
    )


def projection(random: Random) -> Question:
    """The erratum of the slides: stride and width of a bottleneck network's projections."""
    network = random.choice(("ResNet-50", "ResNet-101", "ResNet-152"))
    if random.random() < 0.5:
        return ask(
            f"The first block of conv2_x in {network} has a projection. Which?",
            "stride 1, 64 to 256 channels",
            {
                "stride 2, 64 to 128 channels": SLIDES,
                "stride 2, 64 to 256 channels": "The max pool has just halved the maps; conv2_x keeps 56 × 56.",
                "none: x is added as it is": "64 channels cannot be added to 256.",
            },
            "A bottleneck ends with four times its width, so already the first stage needs one; its maps stay 56 × 56.",
            random,
        )
    stage, (before, after) = random.choice(sorted(STAGES.items()))
    return ask(
        f"The first block of {stage} in {network} gets {before:,} channels. Which projection has it?",
        f"stride 2, to {after:,} channels",
        {
            f"stride 1, to {after:,} channels": "The maps are halved here too.",
            f"stride 2, to {4 * before:,} channels": "Four times its own width, which is twice what arrives.",
            "none: x is added as it is": "Neither size nor width would fit.",
        },
        "Half as large, twice as many channels: from conv3_x on.",
        random,
    )


def nothing_learned(random: Random) -> Question:
    """If F(x) is 0."""
    x = random.choice((0.5, 1.25, 2, 3))
    return ask(
        f"All weights of a block's last batch norm are 0, so F(x) = 0. Behind a ReLU x = {plain(x)} arrives, "
        f"and the skip is the identity. What leaves the block?",
        plain(x),
        {
            "0": "That is what a plain block would give.",
            plain(2 * x): "x comes once.",
            plain(x + 1): "The 1 is in the derivative, not in the sum.",
        },
        "H(x) = 0 + x, and ReLU leaves what is not negative. Some networks start so on purpose: every block "
        "begins as the identity.",
        random,
    )


def weights_of_projection(random: Random) -> Question:
    """Parameters of a projection with its batch norm."""
    before, after = random.choice(((16, 32), (64, 128), (64, 256), (256, 512)))
    return ask_number(
        random,
        f"A projection takes {before} channels to {after}: a 1 × 1 convolution without bias and "
        f"a batch norm. How many parameters has it?",
        before * after + 2 * after,
        [
            (9 * before * after + 2 * after, "A 1 × 1 kernel has one weight, not nine."),
            (before * after, "The batch norm has a scale and a shift a channel."),
            (before + after, "Every output channel has a weight for every input channel."),
        ],
        f"{before} · {after} weights, and {after} scales and {after} shifts.",
    )


# Gradients


def of_gradients(found: tuple[Passage, ...], frame: int) -> list[Maker]:
    return [partial(by_which, found), compounded, partial(how_small, found), derivative]


def by_which(found: tuple[Passage, ...], random: Random) -> Question:
    """Whether more came by the skip."""
    passage = random.choice(found)
    more, less = ("skip", "layers") if passage.skip >= passage.layers else ("layers", "skip")
    sizes = {"skip": passage.skip, "layers": passage.layers}
    return ask(
        f"The gradient {plain(passage.arriving)} arrives at {passage.block}. {plain(passage.skip)} of it comes "
        f"by the skip, {plain(passage.layers)} by the layers "
        f"(their lengths), and the sum of both has length **{plain(passage.both)}**. Why not "
        f"{plain(passage.skip + passage.layers)}?",
        "They point in different directions",
        {
            "The sum was measured in another network": "It is the same; both parts are its own.",
            "Batch norm takes the rest": "It is part of the layers, and counted there.",
            "The larger one wins": f"Both count; here the {more} gave {plain(sizes[more])} and the {less} "
            f"{plain(sizes[less])}.",
        },
        f"Gradients are vectors: the cosine between these two is "
        f"{plain(round(passage.cosine, 2)) if passage.cosine == passage.cosine else 'undefined'}.",
        random,
    )


def compounded(random: Random) -> Question:
    """Many blocks in a row."""
    slope, blocks = random.choice((0.1, 0.2, 0.25, 0.5)), random.choice((3, 5, 9))
    return ask_number(
        random,
        f"Each of {blocks} blocks has F′(x) = {slope:g}. By how much is a gradient multiplied on "
        f"its way back through all, **with** skips?",
        (1 + slope) ** blocks,
        [
            (slope**blocks, "That is without skips."),
            (1 + blocks * slope, "The blocks follow one another: multiply."),
            (1.0, "The layers add theirs."),
        ],
        f"(1 + {slope:g})^{blocks}; without skips {slope:g}^{blocks} = {plain(slope**blocks)}.",
    )


def how_small(found: tuple[Passage, ...], random: Random) -> Question:
    """What was measured without skips."""
    kept, lost = relative(found)
    at = random.randrange(1, len(kept))
    return ask_number(
        random,
        f"With skips the gradient is {plain(kept[at])} times as large after {at} "
        f"block{'s' * (at > 1)} on the way back as at the last block's output. "
        "Which was measured with the same weights and all skips off?",
        float(lost[at]),
        [
            (float(kept[at]), "That is with skips."),
            (float(kept[at]) * 2, "Without the 1 in F′(x) + 1 it does not grow."),
            (float(1 / kept[at]) if kept[at] else 2.0, "The two are not each other's inverse."),
        ],
        "Every block multiplies by F′(x) alone.",
    )


def derivative(random: Random) -> Question:
    slope = random.choice((-0.75, -0.2, 0, 0.1, 0.6))
    return ask_number(
        random,
        f"At some place F′(x) = {plain(slope)}. What is H′(x) of H(x) = F(x) + x there?",
        1 + slope,
        [
            (slope, "x has a derivative too."),
            (slope * 2, "The derivative of x is 1."),
            (1.0, "That is the skip alone."),
        ],
        f"{signed(slope)} + 1.",
    )
