"""What is said of landscapes: sentences, formulas and code with the numbers of those on the screen put in."""

import re

import numpy as np

from ..data.sources import SOURCES
from ..number_text import duration, percent
from . import landscape
from .landscape import Landscape
from .learning_words import short, tex

NAMES = {"random": ("1st direction", "2nd direction"), "path": ("1st component", "2nd component")}
KNOWN_DATA = {"cifar10-jpeg": "CIFAR-10 (JPEG)"}  # a zip's name is not what its pictures are called
TRAINED = {
    "optimizer": "",
    "lr": "learning rate",
    "schedule": "schedule",
    "batch_size": "batch size",
    "train_limit": "pictures",
    "seed": "seed",
}
NEAR = 0.5  # where the slopes are compared, in lengths of every filter


def title(one: Landscape) -> str:
    """ "Plain 56", "ResNet 20"; the checkpoint's name where the network is of another family."""
    found = re.fullmatch(r"(plain|resnet)(\d+)", one.recipe["network"])
    return f"{'Plain' if found[1] == 'plain' else 'ResNet'} {found[2]}" if found else one.recipe["checkpoint"]


def data_title(one: Landscape) -> str:
    name = one.recipe["data"]
    return KNOWN_DATA.get(name) or (SOURCES[name].title if name in SOURCES else name)


def worst(one: Landscape) -> float:
    return float(one.loss[one.finite].max(initial=0.0))


def alt(one: Landscape) -> str:
    """The finding in one sentence, for who cannot see it."""
    if not one.done.any():
        return f"{title(one)}: no point is computed yet."
    lost = int((one.done & ~one.finite).sum())
    broken = f", {lost:,} points are no finite number" if lost else ""
    return (
        f"{title(one)}: loss {short(landscape.middle_loss(one), 3)} in the middle, up to {short(worst(one), 3)}; on "
        f"{percent(landscape.share_below(one, landscape.guessing(one)))} of {_known(one)} it beats guessing{broken}."
    )


def _known(one: Landscape) -> str:
    return "the plane" if one.complete else f"the {int(one.done.sum()):,} points computed so far"


def source(found: list[Landscape]) -> str:
    """Where the numbers come from, one line: pictures, grid, command, time."""
    recipe, many = found[0].recipe, "the same " if len(found) > 1 else ""
    took = " and ".join(duration(one.recipe["seconds"]) for one in found) + ("" if found[0].complete else " so far")
    drawn = f"directions of seed {recipe['seed']}, " if recipe["plane"] == "random" else ""
    return (
        f"Mean loss on {many}{recipe['images']:,} {recipe['split']} pictures of {data_title(found[0])} at every one of "
        f"{found[0].grid:,} × {found[0].grid:,} points; {drawn}computed in {took} by `{recipe['command']}`"
        + (f" and the same for {found[1].recipe['checkpoint']}." if len(found) > 1 else ".")
    )


def near(one: Landscape) -> float:
    """The mean loss at the four places NEAR from the network along both random directions; NaN where one is unknown."""
    if one.path is not None:
        return float("nan")
    places = [int(np.abs(one.x - side).argmin()) for side in (-NEAR, NEAR)]
    lines = landscape.slices(one)
    return float(np.mean([line[place] for line in lines.values() for place in places]))


def story(found: list[Landscape]) -> list[str]:
    return _path_story(found[0]) if found[0].path is not None else _random_story(found)


def _random_story(found: list[Landscape]) -> list[str]:
    first = found[0]
    told = [
        "A network is one point in a space with a direction for every weight. Here two directions are drawn by chance; "
        "every "
        "place of the plane is a network whose weights are a little different, and its height is that network's loss.",
        "Along each direction every filter is moved by up to its own length (Li et al. 2018, section 4). Without that "
        "a "
        "network with large weights would look flat only because a step of 1 is small for it; batch norm lets weights "
        "be "
        "of any size.",
        *(_finding(one) for one in found),
    ]
    if len(found) == 2 and all(one.complete for one in found):
        told.append(_compared(*found))
    told += [
        f"Dashed in the cross-section: ln {first.recipe['heads'][0]:,} = {short(landscape.guessing(first), 3)}, the "
        "loss of "
        "who gives every class the same probability."
        if len(first.recipe["heads"]) == 1
        else f"Guessing would give a loss of {short(landscape.guessing(first), 3)}.",
        "It is a cut through hundreds of thousands of directions, and another seed shows another one. Biases, and "
        "batch "
        "norm with its running statistics, stay those of the trained network, as in the authors' code.",
        "Source B takes the jitter of its test accuracy (50.69, 55.14, 71.15, 55.72 % ...) for hopping towards a "
        "global "
        "minimum. It does not show that: large steps and batch norm's running statistics make such jitter in any "
        "valley.",
    ]
    return told


def _finding(one: Landscape) -> str:
    hollows = landscape.hollows(one) if one.complete else None
    valleys = (
        "" if hollows is None else f" {hollows:,} point{'s are' if hollows != 1 else ' is'} lower than all neighbours."
    )
    close = near(one)
    said = f", {short(close, 3)} on average {NEAR:g} away along the two directions" if np.isfinite(close) else ""
    return (
        f"**{title(one)}**: loss {short(landscape.middle_loss(one), 3)} in the middle{said}, {short(worst(one), 3)} at "
        "worst. "
        f"It beats guessing on {percent(landscape.share_below(one, landscape.guessing(one)))} of "
        f"{_known(one)}.{valleys}"
    )


def _compared(one: Landscape, other: Landscape) -> str:
    """What tells two complete landscapes apart: their hollows, else how much of the plane is any good."""
    same = " Both have the same shapes, so the same seed draws the same directions." if _twins(one, other) else ""
    hollows = [landscape.hollows(each) for each in (one, other)]
    if hollows[0] != hollows[1]:
        many, few = (one, other) if hollows[0] > hollows[1] else (other, one)
        return (
            f"The surface of {title(many)} has {max(hollows):,} hollows, that of {title(few)} {min(hollows):,}: from a "
            "hollow that is "
            f"not the lowest one, every small step leads up.{same}"
        )
    shares = [landscape.share_below(each, landscape.guessing(each)) for each in (one, other)]
    wide = one if shares[0] > shares[1] else other
    return (
        f"Both have {hollows[0]:,} hollow{'s' * (hollows[0] != 1)}; "
        + (
            f"that of {title(wide)} is the wider one: it beats guessing on "
            f"{percent(max(shares))} of the plane, the other on {percent(min(shares))}."
            if shares[0] != shares[1]
            else "they beat guessing on the same share of the plane."
        )
        + same
    )


def _twins(one: Landscape, other: Landscape) -> bool:
    numbers = [re.fullmatch(r"(?:plain|resnet)(\d+)", each.recipe["network"]) for each in (one, other)]
    return all(numbers) and numbers[0][1] == numbers[1][1] and one.recipe["seed"] == other.recipe["seed"]


def _path_story(one: Landscape) -> list[str]:
    explained, path = one.recipe.get("explained", [0.0, 0.0]), one.path
    trained = one.recipe.get("trained", {})
    how = ", ".join(f"{name} {trained[key]}".strip() for key, name in TRAINED.items() if trained.get(key) is not None)
    return [
        f"The orange dots are one training run{f' ({how})' if how else ''}: its weights before training, then after "
        "each of "
        f"{int(path.epoch.max()):,} epochs. "
        "The plane is the one that holds most of that path: its first two principal components (Li et al. 2018, "
        "section 7.2).",
        f"The first component holds {percent(explained[0])} of the path's variance, the second "
        f"{percent(explained[1])}. Random "
        "directions would show next to nothing of it: in so many dimensions they stand at right angles to almost "
        "everything.",
        f"The dots are the path's shadow on the plane: its moments lie up to {short(path.left.max(), 3)} beside it, "
        "while the "
        f"beginning is {short(np.hypot(path.x[0], path.y[0]), 3)} away from the end within it (lengths of all moved "
        "weights).",
        _finding(one),
        "The height under an early dot is not the loss the run had there: what is moved are the weights of the last "
        "moment, "
        "with its biases and its batch-norm statistics.",
    ]


def formulas(one: Landscape) -> list[str]:
    """Short lines: a telephone shows them whole."""
    recipe, images = one.recipe, f"{one.recipe['images']:,}".replace(",", "{,}")
    lines = [
        r"L(\alpha, \beta) = \frac{1}{N} \sum_{i=1}^{N} \ell\left(f(x_i;\ \theta + \alpha\,\delta + \beta\,\eta),\ "
        r"y_i\right)",
        rf"N = {images},\qquad L(0, 0) = {tex(landscape.middle_loss(one))}",
    ]
    if example := recipe.get("example"):
        factor = example["weights"] / example["drawn"] if example["drawn"] else 0.0
        layer = str(example["layer"]).removesuffix(".weight").replace("_", r"\_")
        lines += [
            r"\delta_j \leftarrow \frac{\lVert \theta_j \rVert}{\lVert \delta_j \rVert}\, \delta_j \quad \text{for "
            r"every filter } j",
            rf"\text{{filter 0 of {layer}: }} \frac{{{tex(example['weights'])}}}{{{tex(example['drawn'])}}} = "
            rf"{tex(factor)}",
        ]
    if one.path is not None:
        shares = " + ".join(tex(share, 3) for share in recipe.get("explained", []))
        lines += [
            r"\delta, \eta: \text{ principal components of } \left[\theta_0 - \theta_n, \ldots\right]",
            rf"\text{{variance in the plane: }} {shares}",
        ]
    return [
        *lines,
        r"w' = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}}\,(w + \alpha\,\delta + \beta\,\eta) \quad \text{(batch norm "
        r"folded)}",
    ]


CODE = """import torch
from torch.func import functional_call
from torch.nn.functional import cross_entropy

weights = {{name: w for name, w in sorted(model.named_parameters()) if w.ndim > 1}}  # no biases, no batch norm
{directions}

def loss(alpha, beta):
    moved = {{name: w + alpha * first[name] + beta * second[name] for name, w in weights.items()}}
    with torch.no_grad():
        return cross_entropy(functional_call(model.eval(), moved, (pictures,)), labels)  # running statistics stay

losses = [[loss(alpha, beta) for alpha in {along}] for beta in {across}]
"""
RANDOM = """generator = torch.Generator().manual_seed({seed})

def direction():
    drawn = {{name: torch.randn(w.shape, generator=generator) for name, w in weights.items()}}
    for name, d in drawn.items():                  # every filter as long as the network's own
        factor = weights[name].flatten(1).norm(dim=1) / d.flatten(1).norm(dim=1)
        d.mul_(factor.view(-1, *[1] * (d.ndim - 1)))
    return drawn

first, second = direction(), direction()"""
PATH = """differences = ({{name: moment[name] - w for name, w in weights.items()}} for moment in moments)  # state dicts
flat = torch.stack([torch.cat([d.flatten() for d in each.values()]) for each in differences])
_, _, components = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
parts = [component.split([w.numel() for w in weights.values()]) for component in components[:2]]
first, second = ({{name: p.view(w.shape) for p, (name, w) in zip(part, weights.items())}} for part in parts)"""


def code(one: Landscape) -> str:
    directions = (PATH if one.path is not None else RANDOM).format(seed=one.recipe["seed"])
    return CODE.format(directions=directions, along=_axis_code(one.x), across=_axis_code(one.y))


def _axis_code(axis: np.ndarray) -> str:
    return f"torch.linspace({float(axis[0]):.6g}, {float(axis[-1]):.6g}, {len(axis)})"


def rows(found: list[Landscape]) -> list[dict]:
    """Every known point: network, place, loss, accuracy, in the order of the grid."""
    return [
        {
            "network": title(one),
            NAMES[one.recipe["plane"]][0]: float(one.x[j]),
            NAMES[one.recipe["plane"]][1]: float(one.y[i]),
            "loss": float(one.loss[i, j]),
            "accuracy": float(one.accuracy[i, j]),
        }
        for one in found
        for i, j in zip(*np.nonzero(one.done))
    ]


def path_labels(one: Landscape) -> list[str]:
    """A word at the beginning and at the end of a path, nothing between."""
    epochs = one.path.epoch
    words = [""] * len(epochs)
    words[-1], words[0] = f"epoch {int(epochs[-1]):,}", "before training"
    return words
