"""What an operation did, in sentences."""

from collections.abc import Mapping, Sequence

from ..number_text import percent
from .measurement import uncertainty

CODE = """import torch
from resnet_viz import checkpoints
from resnet_viz.analysis import surgery

checkpoint = checkpoints.read(checkpoints.find({name!r}))
model = checkpoints.model(checkpoint)
with surgery.operated(model, {scales!r}), torch.no_grad():
    logits = model(pictures)  # normalised, [N, {channels}, {size}, {size}]

# what it does to a block, in PyTorch:
{hook}"""
RESIDUAL_HOOK = """model.{block}.add.register_forward_pre_hook(lambda add, parts: ({a:g} * parts[0], parts[1]))  # a F(x), x"""
PLAIN_HOOK = """model.{block}.register_forward_hook(lambda block, x, out: {a:g} * out + (1 - {a:g}) * around(x[0]))"""
WAYS = {"identity": "x", "padding": "x, thinned and padded with zeros", "projection": "x through the 1 × 1 convolution of its shortcut",
        "none": "what came in: a plain block has no way around it"}


def code(name: str, scales: Mapping[str, float], way: str, channels: int, size: int) -> str:
    """The lines that operate on the named checkpoint, and what they do to the first of its blocks."""
    block, a = next(iter(scales.items()))
    stage, _, place = block.partition(".")
    hook = (PLAIN_HOOK if way == "none" else RESIDUAL_HOOK).format(block=f"{stage}[{place}]" if place else stage, a=a)
    return CODE.format(name=name, scales=dict(scales), channels=channels, size=size, hook=hook)


def operation(chosen: Sequence[str], scale: float) -> str:
    """What was done, as the start of a sentence: "Without layer2.1", "With half of F(x) in 3 blocks"."""
    if not chosen or scale == 1:
        return "Whole"
    which = chosen[0] if len(chosen) == 1 else " and ".join(chosen) if len(chosen) == 2 else f"{len(chosen)} blocks"
    return f"Without {which}" if scale == 0 else f"With {scale:g} F(x) in {which}"


def finding(name: str, whole: float, alone: Mapping[str, float], labelled: bool, images: int) -> str:
    """What the blocks of one network are worth, one at a time: the least and the most needed, and how many cost little.

    whole, alone  shares 0..1 of right answers, or of answers kept
    """
    most, least = min(alone, key=alone.get), max(alone, key=alone.get)
    before = f"is right in {percent(whole)}; " if labelled else ""
    kept = "it is still right in" if labelled else "still gives the same answer in"
    cheap = 0.05 + uncertainty(whole, images)
    small = sum(whole - share <= cheap for share in alone.values())
    many = f" {small} of {len(alone)} blocks alone cost less than {100 * cheap:.0f} points." if small else ""
    return f"{name} {before}without {least} alone {kept} {percent(alone[least])}, without {most} in {percent(alone[most])}.{many}"


def rows(alone: Mapping[str, Mapping[str, float]], whole: Mapping[str, float], ways: Mapping[str, str], images: int) -> list[dict]:
    """One row a block: what is left of it, and each network's share without it, with what chance alone does to it.

    alone, whole  by the network's name; without a whole there is no row for it
    images        how many were asked
    """
    found = [{"block": "none", "what is left": "all", **_columns(whole, images)}] if whole else []
    for block, way in ways.items():
        shares = {name: by_block[block] for name, by_block in alone.items() if block in by_block}
        found.append({"block": block, "what is left": WAYS[way], **_columns(shares, images)})
    return found


def _columns(shares: Mapping[str, float], images: int) -> dict[str, float]:
    return {column: value for name, share in shares.items()
            for column, value in ((name, share), (f"± of {name}", uncertainty(share, images)))}
