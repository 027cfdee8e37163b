"""What the lesson on data says of fine-tuning: sentences from the watched runs (training/fine_tuning_film.py)."""

from collections.abc import Sequence

import numpy as np

from ..number_text import percent

CLASSES = 10  # digits


def grouped(layers: Sequence[str], moved: Sequence[Sequence[float]], most: int) -> tuple[list[str], list[list[float]]]:
    """(names, a frame: how far each moved); of more than `most` layers each stage is one, the mean of its layers."""
    if len(layers) <= most:
        return list(layers), [list(frame) for frame in moved]
    stages = list(dict.fromkeys(name.split(".")[0] for name in layers))
    places = [[i for i, name in enumerate(layers) if name.split(".")[0] == stage] for stage in stages]
    values = np.array(moved)
    return stages, [[float(frame[place].mean()) for place in places] for frame in values]


def said(tuned: dict, way: str, frame: int, steps: Sequence[int]) -> str:
    """What a way looks like at one frame."""
    chosen = tuned[way]
    if frame == 0:
        return f"Step 0: nothing has moved. {percent(chosen.accuracy[0])} of the test digits are right, as by dice."
    still = sum(value == 0 for value in chosen.moved[frame])
    moving = [(value, name) for value, name in zip(chosen.moved[frame], chosen.layers) if value > 0]
    most, least = max(moving), min(moving)
    how = f"{most[1]} moved most, by {percent(most[0])} of its length"
    how += f", {least[1]} least, by {percent(least[0])}" if len(moving) > 1 else f"; the other {still} layers did not move at all"
    return f"Step {steps[frame]}: {how}. {percent(chosen.accuracy[frame])} right."


def alt(tuned: dict) -> str:
    ends = ", ".join(f"{way} {percent(one.accuracy[-1])}" for way, one in tuned.items())
    return f"Right at the end: {ends}"


def story(tuned: dict, name: str) -> list[str]:
    everything, head, scratch = tuned.values()
    *body, last = everything.moved[-1]
    return [
        f"{name} knows other pictures. Its last layer, one row a class, is of no use for digits: it is replaced by a new one of "
        f"{everything.new:,} weights that begin by chance. All other {everything.params - everything.new:,} begin as learned.",
        f"**All layers learn**: those that begin as learned move by {percent(min(body))} to {percent(max(body))} of their length, the "
        f"new last one, which knows nothing yet, by {percent(last)}. {percent(everything.accuracy[-1])} right.",
        f"**Only the last layer learns**: the others are frozen, bit by bit, batch norm's statistics included. Cheap, and "
        f"{percent(head.accuracy[-1])} right: what the frozen layers do not see, the last cannot tell.",
        f"**From scratch**: every weight begins by chance; {percent(scratch.accuracy[-1])} right after as many steps.",
        "Which way wins depends on how much data there is, and how like the old pictures the new are. Another number of the dice shows "
        "how much of it is chance.",
    ]


def formulas(chosen, frame: int, steps: Sequence[int]) -> list[str]:
    """How far the first and the last layer have moved."""
    found = [rf"\text{{moved}} = \frac{{\lVert w_\text{{now}} - w_\text{{begun}} \rVert}}{{\lVert w_\text{{begun}} \rVert}} \qquad "
             rf"\text{{step }} {steps[frame]}"]
    for place in (0, -1):
        name = chosen.layers[place].replace("_", r"\_")
        found.append(rf"\text{{{name}: }} {chosen.moved[frame][place]:.4f}")
    found.append(rf"\text{{new: }} {features(chosen)} \cdot {CLASSES} + {CLASSES} = {chosen.new} \text{{ of }} {chosen.params} \text{{ weights, }} "
                 rf"{100 * chosen.new / chosen.params:.2f}\,\%")
    return found


def features(chosen) -> int:
    """Inputs of the last layer."""
    return chosen.new // CLASSES - 1


def rows(tuned: dict, steps: Sequence[int]) -> list[dict]:
    """One row a layer: how far it moved in the end, each way."""
    ways = list(tuned.values())
    return [{"layer": name, **{one.way: one.moved[-1][i] for one in ways}} for i, name in enumerate(ways[0].layers)]


def code(way: str) -> str:
    """The lines of PyTorch that begin this way."""
    begin = "model.load_state_dict(torch.load('weights.pth', weights_only=True))\nmodel.fc = nn.Linear(model.fc.in_features, 10)  # new\n"
    lines = {
        "all layers": begin + "optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)\nmodel.train()\n",
        "only the last": begin + "for name, weight in model.named_parameters():\n"
        "    weight.requires_grad_(name.startswith('fc.'))\n"
        "optimiser = torch.optim.SGD(model.fc.parameters(), lr=0.05, momentum=0.9)\n"
        "model.eval()       # else batch norm's statistics would move although nothing learns\nmodel.fc.train()\n",
        "from scratch": "optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)  # no weights are read\nmodel.train()\n",
    }[way]
    return "import torch\nfrom torch import nn\n\n" + lines
