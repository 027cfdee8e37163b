"""Beginning from weights that others have learned: a new last layer where the classes differ, all or only it trained.

The weights are read once, when the run begins, into its own initial.safetensors: after that the run needs nobody else's
file.
"""

import os
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from .. import checkpoints, pretrained
from ..checkpoints import Checkpoint
from ..networks import zoo
from ..problems import Problem, one_of
from .config import Config

HEAD = "fc"  # what every network of the zoo calls its last layer
NO_TENSORS = ("heads", "dropout")  # of a ResNet's spec: these may differ between the weights and the run


def find(config: Config) -> str:
    """`start_from` as it stands in config.json, a path made absolute; Problem where the weights do not exist or fit.

    Published weights are not downloaded here, only looked up.
    """
    reference = config.start_from
    if "_Weights." in reference and not os.path.exists(reference):
        entry = pretrained.PRETRAINED()[one_of("pretrained weights", reference, pretrained.PRETRAINED())]
        _same_network(reference, entry.network, config.network)
        return reference
    checkpoint = checkpoints.read(checkpoints.find(reference))
    model = zoo.build(config.network, config.arguments, device="meta")
    _taken(model, checkpoint, reference, config.network)
    return str(Path(reference).absolute()) if os.path.exists(reference) else reference


def begin(model: nn.Module, config: Config, classes: tuple[str, ...], heads: tuple[int, ...], progress=None) -> str:
    """Give the network the weights of `start_from`; its last layer only where the classes are the same. Says which.

    progress(done, total, text) is called during a download. torch's random numbers are left as they were.
    """
    with torch.random.fork_rng(devices=[]):
        checkpoint = checkpoints.read(checkpoints.find(config.start_from, progress))
    taken = _taken(model, checkpoint, config.start_from, config.network)
    same = checkpoint.heads == heads and checkpoint.classes in (None, classes)
    if not same:
        taken = {name: tensor for name, tensor in taken.items() if not name.startswith(f"{HEAD}.")}
    model.load_state_dict({**model.state_dict(), **taken})
    learned = (
        "all layers"
        if same
        else f"all layers but the last, which is new for {' + '.join(f'{n:,}' for n in heads)} classes"
    )
    return f"begun from {config.start_from}: {learned}"


def _taken(model: nn.Module, checkpoint: Checkpoint, reference: str, network: str) -> dict:
    """The checkpoint's tensors that the network has; all but those of the last layer must be there."""
    _same_spec(model, checkpoint, reference, network)
    own = {name: tensor.shape for name, tensor in model.state_dict().items()}
    taken = {name: tensor for name, tensor in checkpoint.state.items() if own.get(name) == tensor.shape}
    counters = ("num_batches_tracked",)  # old files lack them, and nothing depends on them
    for name in sorted(own.keys() | checkpoint.state.keys()):
        if name not in taken and not name.startswith(f"{HEAD}.") and not name.endswith(counters):
            raise Problem(
                f"The weights {reference} are of {checkpoint.network} and do not fit this {network} ({name} differs); "
                f"choose the network and the arguments they were learned with."
            )
    return taken


def _same_network(reference: str, theirs: str, ours: str) -> None:
    if theirs != ours:
        raise Problem(f"{reference} are weights of {theirs}, not of {ours}; choose network={theirs}.")


def _same_spec(model: nn.Module, checkpoint: Checkpoint, reference: str, network: str) -> None:
    """What leaves no trace in the tensors, e.g. the activation, must be the same too."""
    theirs = zoo.build(checkpoint.network, checkpoint.arguments, device="meta")
    if not hasattr(model, "spec") or not hasattr(theirs, "spec"):
        return _same_network(reference, checkpoint.network, network)
    for key, value in asdict(theirs.spec).items():
        own = getattr(model.spec, key)
        meaningless = key in NO_TENSORS or (key in ("variant", "expansion") and theirs.spec.block == "basic")
        if own != value and not meaningless:
            raise Problem(
                f"The weights {reference} are of {checkpoint.network} with {key} {value}, not {own}; "
                f"choose the network and the arguments they were learned with."
            )


def freeze(model: nn.Module, train_part: str) -> None:
    """With "head", only the last layer learns."""
    if train_part == "head":
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name.startswith(f"{HEAD}."))


def set_mode(model: nn.Module, train_part: str) -> None:
    """Training mode for what learns: batch norm in a frozen part keeps the statistics it was learned with."""
    model.train(train_part == "all")
    model.get_submodule(HEAD).train()
    if getattr(model, "dropout", None) is not None:
        model.dropout.train()
