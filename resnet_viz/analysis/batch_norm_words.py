"""What is said of batch norm: sentences, formulas and PyTorch lines with the numbers of one moment put in."""

import numpy as np

from ..number_text import percent
from .batch_norm import Channel, Running, Wobble, spread
from .learning_words import short, tex

GENERAL = r"y = \gamma \, \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta"
NOT_OFF = (
    "In **evaluation** batch norm is not switched off, as one of the lectures has it: it uses its running "
    "statistics, which training left behind."
)


def others(count: int) -> str:
    return "one other picture" if count == 1 else f"{count} others"


# Two moods


def mood_said(found: Wobble, still: np.ndarray, label: int, names: tuple[str, ...], frame: int) -> str:
    """One shuffle in a sentence."""
    answer = found.answers[frame]
    best = int(answer.argmax())
    turned = "" if best == label else f" It would answer {names[best]} ({percent(answer[best])})."
    return (
        f"Among {others(found.size - 1)}, in training mode, {names[label]} has {percent(answer[label])}; in "
        f"evaluation always {percent(still[label])}.{turned}"
    )


def mood_finding(found: Wobble, still: np.ndarray, label: int, names: tuple[str, ...]) -> str:
    low, high = found.answers[:, label].min(), found.answers[:, label].max()
    other = int((found.answers.argmax(1) != label).sum())
    return (
        f"The same picture among {len(found.answers)} times other batch mates: {names[label]} from {percent(low)} "
        f"to "
        f"{percent(high)} in training mode, another answer {other} times; in evaluation always "
        f"{percent(still[label])}"
    )


def spread_finding(by_size: dict[int, Wobble], label: int) -> str:
    return (
        "Spread of the probability by batch size: "
        + ", ".join(f"{size}: {100 * spread(found.answers, label):.1f}" for size, found in by_size.items())
        + " points"
    )


def mood_story(
    by_size: dict[int, Wobble],
    size: int,
    still: np.ndarray,
    label: int,
    names: tuple[str, ...],
    mates: str,
    learned: str | None,
) -> list[str]:
    """mates  what the other pictures are; learned  the training data's title, None where they are of its kind"""
    found, sizes = by_size[size], sorted(by_size)
    told = [
        f"Nothing about the picture changes, and no weight. In **training** mode each of the batch norms takes "
        f"mean and "
        f"variance from the batch that it is given: with {others(size - 1)} around it, {names[label]} got between "
        f"{percent(found.answers[:, label].min())} and {percent(found.answers[:, label].max())}.",
        f"{NOT_OFF} So it says {percent(still[label])}, alone and in any company.",
        f"The batch mates are {mates}. {spread_finding(by_size, label)}. A probability cannot go beyond 0 and 100 "
        f"%, so its "
        f"spread need not fall evenly. The mean that the first batch norm takes does: its spread is "
        f"{short(by_size[sizes[0]].first.mean.std(), 2)} at batch size {sizes[0]} and "
        f"{short(by_size[sizes[-1]].first.mean.std(), 2)} at "
        f"{sizes[-1]}. Means over n pictures differ by about 1 / √n.",
    ]
    gathered, far = float(by_size[sizes[-1]].answers[:, label].mean()), ""
    if abs(gathered - still[label]) > 0.02:
        why = f": these mates are not what it learned from ({learned}), so their mean is not the running mean"
        why = why if learned else ""
        far = (
            f"Even at batch size {sizes[-1]} the answers gather around {percent(gathered)}, not around "
            f"{percent(still[label])}{why}. "
        )
    return told + [f"{far}Who forgets `model.eval()` gets the answers of training mode, and finds out late."]


def mood_formula(found: Wobble, channel: Channel, frame: int) -> list[str]:
    first = found.first
    x, mean, variance = (float(part[frame]) for part in (first.value, first.mean, first.variance))
    count = f"{first.count:,}".replace(",", "{,}")
    return [
        GENERAL,
        rf"\text{{{channel.layer}, channel 0, the middle of its map; training takes the mean of }} {count} \text{{ "
        rf"numbers}}",
        rf"\text{{training:}}\quad {_with(channel, x, mean, variance)}",
        rf"\text{{evaluation:}}\quad {_with(channel, x, channel.mean, channel.variance)}",
    ]


def _with(channel: Channel, x: float, mean: float, variance: float) -> str:
    eps = f"{channel.eps:.8f}".rstrip("0")
    return (
        rf"{tex(channel.scale)} \cdot \frac{{{tex(x).strip('()')} - {tex(mean)}}}"
        rf"{{\sqrt{{{tex(variance)} + {eps}}}}} + {tex(channel.shift)} = "
        rf"{tex(channel.normalise(x, mean, variance)).strip('()')}"
    )


def mood_code(reference: str, size: int) -> str:
    return f'''import copy
from resnet_viz import checkpoints

model = checkpoints.model(checkpoints.read(checkpoints.find("{reference}")))
alone = model.eval()(picture).softmax(1)         # evaluation: running statistics, the same in any company
practised = copy.deepcopy(model).train()         # a copy: in training mode every call moves the running statistics
batch = torch.cat([picture, others])             # {size} pictures, the one that we look at first
among = practised(batch).softmax(1)[0]           # its answer now depends on the {others(size - 1)}'''


def mood_rows(by_size: dict[int, Wobble], still: np.ndarray, label: int, names: tuple[str, ...]) -> list[dict]:
    name = names[label]
    return [
        {
            "batch size": size,
            "shuffles": len(found.answers),
            f"mean of {name}": float(found.answers[:, label].mean()),
            "spread": spread(found.answers, label),
            "lowest": float(found.answers[:, label].min()),
            "highest": float(found.answers[:, label].max()),
            "in evaluation": float(still[label]),
            "spread of the first mean": float(found.first.mean.std()),
        }
        for size, found in by_size.items()
    ]


# Running statistics


def running_said(found: Running, step: int) -> str:
    if step == 0:
        return (
            f"A fresh layer: running mean 0, running variance 1. All the data have mean {short(found.mean)} and "
            f"variance "
            f"{short(found.variance)}."
        )
    return (
        f"This batch has mean {short(found.batch_means[step - 1])} and variance "
        f"{short(found.batch_variances[step - 1])}. "
        f"The running mean goes from {short(found.means[step - 1])} to {short(found.means[step])}, the running "
        f"variance from "
        f"{short(found.variances[step - 1])} to {short(found.variances[step])}."
    )


def weight(found: Running, step: int) -> float:
    """What the batch of this step (1, 2, ...) counts."""
    return 1 / step if found.momentum is None else found.momentum


def running_formula(found: Running, step: int) -> list[str]:
    step = max(step, 1)
    m, left = weight(found, step), 1 - weight(found, step)
    return [
        r"\mu_{t} = (1 - m)\,\mu_{t-1} + m\,\mu_{\text{batch}} \qquad \sigma^2_{t} = (1 - m)\,\sigma^2_{t-1} + "
        r"m\,\frac{n}{n - 1}\,\sigma^2_{\text{batch}}",
        rf"\mu_{{{step}}} = {tex(left)} \cdot {tex(found.means[step - 1])} + {tex(m)} \cdot "
        rf"{tex(found.batch_means[step - 1])} = {tex(found.means[step])}",
        rf"\sigma^2_{{{step}}} = {tex(left)} \cdot {tex(found.variances[step - 1])} + {tex(m)} \cdot "
        rf"{tex(found.batch_variances[step - 1])} = {tex(found.variances[step])}",
    ]


def running_story(found: Running, channel: Channel, size: int, number: int, learned: str | None) -> list[str]:
    if found.momentum is None:
        pace = "Without a momentum (`momentum=None`) all batches so far count alike: the mean of the means."
    else:
        steps = int(np.ceil(np.log(0.1) / np.log(1 - found.momentum))) if found.momentum < 1 else 1
        pace = (
            f"With momentum {found.momentum:g} every batch counts {percent(found.momentum)} and all before it the "
            f"rest: after "
            f"{steps:,} step{'s' * (steps > 1)} nine tenths of the way are gone. A larger momentum is there "
            f"sooner, and jumps more."
        )
    own = f" ({learned})" if learned else ""
    return [
        "Evaluation needs a mean and a variance that belong to no batch. So in training the layer keeps running "
        "ones, and every "
        "batch moves them a little. A fresh layer starts at 0 and 1.",
        pace,
        "What the optimisers call momentum is the share that is *kept*; here it is the share that is *new*. The "
        "running variance learns "
        "from the unbiased one (divided by n − 1), although the batch itself is normalised with the biased one "
        "(by n).",
        f"Channel {number} of {channel.layer} really has mean {short(channel.mean)} and variance "
        f"{short(channel.variance)} in this checkpoint, "
        f"from the batches that it was trained on{own}; {size} of the pictures here at a time lead to "
        f"{short(found.means[-1])} and "
        f"{short(found.variances[-1])}.",
    ]


def running_code(momentum: float | None, size: int) -> str:
    return (
        f"import torch\nfrom torch import nn\n\nlayer = nn.BatchNorm2d(1, momentum={momentum}).train()\n"
        f"for batch in values.split({size}):          # [{size}, 1, height, width]: one channel of what arrives "
        f"there\n"
        "    layer(batch)                          # the answer is not used: every call moves the running "
        "statistics\n"
        "    print(layer.running_mean, layer.running_var)"
    )


def running_rows(found: Running) -> list[dict]:
    return [
        {
            "step": step,
            "running mean": float(found.means[step]),
            "running variance": float(found.variances[step]),
            "mean of the batch": float(found.batch_means[step - 1]) if step else None,
            "variance of the batch": float(found.batch_variances[step - 1]) if step else None,
        }
        for step in range(len(found.means))
    ]
