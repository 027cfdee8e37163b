"""What a training run teaches, in words, formulas and code: made from its config and its metrics."""

import json
import math
import shlex

import numpy as np

from ..number_text import percent

Metrics = dict[str, dict[str, np.ndarray]]  # split -> column -> values, as runs.Metrics reads them
FEW_ROWS = 20  # of training rows: their mean stands for "now"


def story(config: dict, metrics: Metrics, classes: int | None) -> list[str]:
    """What the curves say, as sentences; only what is seen in the numbers."""
    train, val, test = (metrics.get(split) for split in ("train", "val", "test"))
    if train is None:
        return [
            "No batch has been learned from yet. The first point will say how wrong the network is before it knows"
            " anything"
            + (f": about ln {classes} = {math.log(classes):.2f}, as good as guessing." if classes else ".")
        ]
    now_loss, now_accuracy = (float(np.mean(train[column][-FEW_ROWS:])) for column in ("loss", "accuracy"))
    steps = int(train["step"][-1])
    went = (
        f"went from {train['loss'][0]:.2f} to {now_loss:.2f}" if len(train["loss"]) > 1 else f"begins at {now_loss:.2f}"
    )
    sentences = [
        f"The network has learned from {int(train['images'][-1]):,} pictures in {steps:,}"
        f" step{'s' if steps > 1 else ''}. Its training loss {went}: on average it now gives the right class a"
        f" probability of about exp(−{now_loss:.2f}) = {percent(math.exp(-now_loss))}."
    ]
    if classes:
        sentences.append(
            f"Guessing among {classes:,} classes would give a loss of ln {classes:,} = {math.log(classes):.2f} and"
            f" {percent(1 / classes)} right answers."
        )
    sentences.append(
        "Each thin point is the mean over a few batches, and every batch is other pictures: that is why the line jumps."
    )
    if val is not None:
        best = int(np.argmax(val["accuracy"]))
        sentences.append(
            f"Validation pictures are never learned from. There {percent(val['accuracy'][-1])} are right now; the best"
            f" was {percent(val['accuracy'][best])} after epoch {int(val['epoch'][best]):,}."
        )
        if len(val["loss"]) >= 3:
            sentences.append(_gap(now_accuracy, val, config))
    if test is not None:
        sentences.append(f"The test pictures were asked once, at the end: {percent(test['accuracy'][-1])} right.")
    return sentences


def _gap(train_accuracy: float, val: dict[str, np.ndarray], config: dict) -> str:
    """Overfitting, as far as the curves show it."""
    gap = train_accuracy - float(val["accuracy"][-1])
    if gap > 0.03:
        ahead = f"Training is {100 * gap:.1f} percentage points ahead of validation"
        if val["loss"][-1] > 1.1 * val["loss"].min():
            return (
                f"{ahead} and the validation loss has turned up again: the network learns its own pictures by heart"
                " (overfitting)."
            )
        return (
            f"{ahead}: part of what the network has learned holds for its own pictures only. The validation loss has"
            " not turned up."
        )
    if gap < -0.02:
        return (
            "Validation is ahead of training: the training pictures are "
            + ("mirrored or shifted at random, and " if config.get("flip") or config.get("crop_padding") else "")
            + "asked while the network is still changing."
        )
    return "Training and validation stay together: no sign of overfitting."


def formulas(config: dict, metrics: Metrics) -> list[str]:
    """LaTeX lines with the run's own numbers: the loss, the step, the rate of now."""
    train = metrics.get("train")
    rate = float(train["lr"][-1]) if train is not None else float(config["lr"])
    n = config["batch_size"]
    now = rf" = {train['loss'][-1]:.3f}" if train is not None else ""
    loss = [rf"L = -\frac{{1}}{{{n}}}\sum_{{i=1}}^{{{n}}} \ln p_i(\text{{right class}}){now}"]
    if config.get("label_smoothing"):
        loss.append(_smoothed(config["label_smoothing"]))
    decay, eta = _latex(config["weight_decay"]), _latex(rate)
    sign = rf" + {_latex(config['l1'])}\,\operatorname{{sign}}(w)" if config.get("l1") else ""
    if config["optimizer"] in ("adam", "adamw"):
        through = config["weight_decay"] and config["optimizer"] == "adam"  # AdamW's decay does not pass m and v
        beside = rf" - {eta} \cdot {decay}\,w" if config["weight_decay"] and not through else ""
        step = [
            r"g = \nabla_w L" + (rf" + {decay}\,w" if through else "") + sign,
            r"m \leftarrow 0.9\,m + 0.1\,g,\qquad v \leftarrow 0.999\,v + 0.001\,g^2",
            rf"w \leftarrow w - {eta}\,\frac{{\hat m}}{{\sqrt{{\hat v}} + 10^{{-8}}}}" + beside,
        ]
    else:
        momentum = f"{config['momentum']:g}"
        direction = rf"\left(g + {momentum}\,m\right)" if config.get("nesterov") and config["momentum"] else "m"
        step = [
            r"g = \nabla_w L" + (rf" + {decay}\,w" if config["weight_decay"] else "") + sign,
            rf"m \leftarrow {momentum}\,m + g",
            rf"w \leftarrow w - {eta}\,{direction}",
        ]
    return loss + step


def _smoothed(share: float) -> str:
    """What label smoothing puts in the place of the right class's probability."""
    return rf"\ln p_i \;\to\; {1 - share:g}\,\ln p_i(\text{{right}}) + {share:g}\,\tfrac1K\sum_{{k=1}}^{{K}} \ln p_i(k)"


def _latex(value: float) -> str:
    """0.05, or 1.45 times a power of ten."""
    digits, _, power = f"{value:.3g}".partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if power else digits


def code(config: dict) -> str:
    """The PyTorch lines of one epoch of this recipe, without the bookkeeping."""
    if config["optimizer"] in ("adam", "adamw"):
        kind = {"adam": "Adam", "adamw": "AdamW"}[config["optimizer"]]
        optimiser = (
            f"torch.optim.{kind}(model.parameters(), lr={config['lr']:g}, weight_decay={config['weight_decay']:g})"
        )
    else:
        optimiser = (
            f"torch.optim.SGD(model.parameters(), lr={config['lr']:g}, momentum={config['momentum']:g}, "
            f"nesterov={config['nesterov']}, weight_decay={config['weight_decay']:g})"
        )
    smoothing = f", label_smoothing={config['label_smoothing']:g}" if config.get("label_smoothing") else ""
    after = _between_backward_and_step(config)
    return f"""from resnet_viz.networks import zoo

torch.manual_seed({config['seed']})
model = zoo.build({config['network']!r}, {config['arguments']})
optimizer = {optimiser}

for pictures, labels in batches:              # {config['batch_size']} pictures each, in an order drawn from the seed
    loss = F.cross_entropy(model(pictures), labels{smoothing})
    optimizer.zero_grad()
    loss.backward()                           # the gradient of the loss for every weight
{after}    optimizer.step()                          # every weight a little against its gradient
    schedule.step()                           # {config['schedule']} learning rate"""


def _between_backward_and_step(config: dict) -> str:
    """The lines that change the gradient before it is used."""
    lines = ""
    if config.get("clip_norm"):
        lines += f"    torch.nn.utils.clip_grad_norm_(model.parameters(), {config['clip_norm']:g})\n"
    if config.get("l1"):
        lines += (
            "    for weight in (p for p in model.parameters() if p.ndim > 1):\n"
            f"        weight.grad += {config['l1']:g} * weight.detach().sign()\n"
        )
    return lines


def command(config: dict, defaults: dict, machine: bool = False) -> str:
    """The same run on the command line; only what differs from the defaults is said.

    machine   also say on what device and how many threads: of a recipe they are wishes, of a run where it happened to be
    """
    network, data = shlex.quote(config["network"]), shlex.quote(config["data"])
    words = [f"python -m resnet_viz train --network {network} --data {data} --epochs {config['epochs']}"]
    said = ("network", "data", "epochs", "version", *(() if machine else ("device", "threads")))
    settings = {key: value for key, value in config.items() if key not in (*said, "arguments") and value != defaults.get(key)}
    settings |= {f"arguments.{key}": value for key, value in config["arguments"].items()}
    for key, value in settings.items():
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        words.append(f"--set {shlex.quote(f'{key}={text}')}")
    return " \\\n    ".join([*words, "--out runs/my-run"])
