"""What training costs, in sentences, in arithmetic with the numbers put in, and as the PyTorch lines that count it."""

from ..networks import zoo
from ..problems import Problem
from . import resources, saved_tensors
from .arithmetic import size
from .resources import ALLOWANCES, OPTIMIZER_NAMES, OPTIMIZERS, PARTS, Demand



def largest_part(parts: dict[str, int]) -> tuple[str, float]:
    """(name of the largest part, its share of the whole)."""
    part = max(parts, key=parts.get)
    return PARTS[part], parts[part] / sum(parts.values())


def describe(found: Demand, batch: int, optimizer: str, memory: int, name: str) -> str:
    """The finding of the bar in one sentence, also for who cannot see it."""
    parts = resources.parts(found, batch, optimizer)
    total = sum(parts.values())
    largest, share = largest_part(parts)
    fits = "fits into" if total <= memory else "does not fit into"
    return (f"Training {found.network} on a batch of {batch:,} takes {size(total)} and {fits} {size(memory)} ({name}); "
            f"{share:.0%} of it: {largest}.")


def story(found: Demand, arguments: dict, batch: int, optimizer: str, memory: int, name: str) -> list[str]:
    """What the bar says, in sentences with its own numbers."""
    lines = [_activations(found, batch, optimizer), _optimizers(found), _batch(found, optimizer, memory, name)]
    lines += _larger_pictures(found, arguments, optimizer, memory)
    lines += [_precision(found, arguments, batch, optimizer)]
    lines += [_in_place(found, batch)] if any(one.kind == "ReLU" for one in found.saved) else []
    allowance = ALLOWANCES[found.device]
    return [*lines, f"Grey is an allowance, not a count: {allowance.words}. Shapes cannot tell it; **Measure** can."]


def _activations(found: Demand, batch: int, optimizer: str) -> str:
    parts = resources.parts(found, batch, optimizer)
    share = parts["activations"] / sum(parts.values())
    return (f"**Stored activations: {size(parts['activations'])}, {share:.0%} of it all.** The forward pass keeps what "
            "the backward pass will need, once for each picture of the batch. Looking at pictures without training "
            "keeps none of it.")


def _optimizers(found: Demand) -> str:
    states = ", ".join(f"{OPTIMIZER_NAMES[name]} {size(resources.optimizer_bytes(found, name))}" for name in OPTIMIZERS)
    return (f"**Weights {size(resources.FLOAT_BYTES * found.params)}, and as much again for their gradients.** On top "
            f"comes what the optimiser remembers of every weight: {states}.")


def _batch(found: Demand, optimizer: str, memory: int, name: str) -> str:
    most = resources.largest_batch(found, optimizer, memory)
    words = f"at most {most:,} fit" if most else "no batch fits"
    words += f" into {size(memory)} ({name})"
    return (f"**Each further picture costs {size(resources.per_picture(found))}**, so {words}. More parameters, deeper "
            "networks and larger pictures mean a smaller batch: memory decides it.")


def _larger_pictures(found: Demand, arguments: dict, optimizer: str, memory: int) -> list[str]:
    side = 2 * found.input_shape[-1]
    try:
        larger = resources.demand(found.network, arguments, side, found.precision, found.device)
    except Problem:  # a network of one picture size, or beyond the largest
        return []
    times = resources.per_picture(larger) / resources.per_picture(found)
    most = resources.largest_batch(larger, optimizer, memory)
    return [f"At {side:,} × {side:,} pixels a picture costs {times:.2g} times as much, and "
            f"{f'{most:,} fit' if most else 'none fits'}."]


def _precision(found: Demand, arguments: dict, batch: int, optimizer: str) -> str:
    """What 16 bits change, or would change."""
    full, half = (resources.demand(found.network, arguments, found.input_shape[-1], precision, found.device)
                  for precision in ("fp32", "bf16"))
    before, after = (sum(resources.parts(one, batch, optimizer).values()) for one in (full, half))
    saved = full.stored_per_picture - half.stored_per_picture - half.picture_bytes
    even = -(-half.copies_bytes // saved) if saved > 0 else None
    return (f"**16 bits (autocast) halve the maps, not the weights**: a picture keeps {size(half.stored_per_picture)} "
            f"instead of {size(full.stored_per_picture)}, but the convolutions keep 16-bit copies of their weights, "
            f"{size(half.copies_bytes)}" + (f": it pays from a batch of {even:,}" if even else "") +
            f". At this batch the whole is {size(after)} instead of {size(before)}.")


def _in_place(found: Demand, batch: int) -> str:
    """torchvision's ReLU overwrites batch norm's output; what is kept is the same, as batch norm needs its input."""
    return ("torchvision's networks let ReLU overwrite its input; here every ReLU has an output of its own, so that it "
            "can be looked at. Autograd keeps the same bytes either way, because batch norm's backward pass needs its "
            "input and not what was overwritten. The price is one more map for a moment: at most "
            f"{size(found.largest_output * batch)} at this batch.")


# Arithmetic

def formulas(found: Demand, batch: int, optimizer: str, memory: int) -> list[tuple[str, str]]:
    """(quantity, its arithmetic with the numbers put in) for every part, the whole, and the largest batch."""
    parts, copies = resources.parts(found, batch, optimizer), OPTIMIZERS[optimizer]
    steps = f" + 4 × {found.tensors:,} step counters" if optimizer == "adam" else ""
    allowance = ALLOWANCES[found.device]
    fixed, one = resources.fixed(found, optimizer), resources.per_picture(found)
    once = f" + {found.stored_fixed:,} bytes once" if found.stored_fixed else ""
    scratch = f"{allowance.maps} × {size(found.largest_output)} × {batch:,} + {size(allowance.workspace_bytes)}"
    scratch += f" + {allowance.weights:g} × {size(parts['weights'])} of weights" if allowance.weights else ""
    lines = {
        "weights": f"{found.params:,} × 4 bytes",
        "gradients": f"{found.trainable:,} × 4 bytes",
        "optimizer": f"{copies} × {found.trainable:,} × 4 bytes{steps}",
        "buffers": "mean, variance and a counter of each batch norm",
        "copies": f"{found.copies_bytes // 2:,} × 2 bytes",
        "activations": f"{found.stored_per_picture:,} bytes × {batch:,}{once}",
        "batch": f"{found.picture_bytes:,} bytes × {batch:,}",
        "workspace": scratch,
        "process": "a rule of thumb",
    }
    rows = [(PARTS[part], f"{lines[part]} = {size(parts[part])}") for part in PARTS if parts[part]]
    most = resources.largest_batch(found, optimizer, memory)
    return [*rows, ("together", f"{size(sum(parts.values()))}"),
            ("the largest batch", f"⌊(memory − what is there without a picture) / a picture⌋ = "
                                  f"⌊({size(memory)} − {size(fixed)}) / {size(one)}⌋ = {most:,}")]


def code(found: Demand, arguments: dict, batch: int) -> str:
    """The PyTorch lines that count what autograd keeps for this network."""
    channels, height, width = found.input_shape
    dtype, heads = saved_tensors.PRECISIONS[found.precision], tuple(zoo.heads_of(found.network, arguments))
    forward = "model(pictures)" if found.precision == "fp32" else \
        f"torch.autocast('cpu', {dtype})(model)(pictures)"
    return f"""import torch
from resnet_viz.evaluation import loss_of
from resnet_viz.networks import zoo

model = zoo.build({found.network!r}, {arguments})
pictures = torch.randn({batch}, {channels}, {height}, {width})
labels = torch.zeros({batch}, {len(heads)}, dtype=torch.long)
known = {{t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}}
kept = {{}}

def note(tensor):
    storage = tensor.untyped_storage()
    if storage.data_ptr() not in known:
        kept[storage.data_ptr()] = storage.nbytes()
    return tensor.detach()  # not the tensor itself: an output would keep its own graph for ever

with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
    loss = loss_of({forward}, labels, {heads})
print(sum(kept.values()) / 2**20, "MiB")  # {found.stored(batch) / 2**20:,.2f}"""


def command(found: Demand, arguments: dict, batch: int, optimizer: str, memory_gib: float | None) -> str | None:
    """The command line of this page; None for a network that the command cannot build."""
    if arguments or found.network not in zoo.NETWORKS:
        return None
    gib = f" --memory-gib {memory_gib:g}" if memory_gib else ""
    return (f"python -m resnet_viz resources {found.network} --batch-size {batch} --input-size {found.input_shape[-1]} "
            f"--optimizer {optimizer} --precision {found.precision}{gib}")
