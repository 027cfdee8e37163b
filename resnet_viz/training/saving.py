"""What a run leaves behind: snapshots to look at, weights to use, and one file to continue from."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from .. import checkpoints, evaluation, familiarity, runs
from ..data.preprocessing import normalise
from ..problems import Problem
from . import config as recipe_config
from .update import Update
from .work import Work

EVALUATION_PIXELS = 500 * 96 * 96  # of one batch: large pictures are asked in smaller ones, so that they fit where they train
SNAPSHOT_VAL_PICTURES = 500  # asked in the middle of the first epoch, where an evaluation of all would hold up the class


@dataclass
class Position:
    """How far a run is. step: finished updates; epoch: finished epochs; elapsed_s: seconds spent in training steps."""

    step: int = 0
    epoch: int = 0
    images: int = 0
    elapsed_s: float = 0.0
    best_accuracy: float = -1.0
    best_epoch: int | None = None


def write_snapshot(run: Path, work: Work, position: Position, lr: float, confusion=None) -> None:
    """Kernels of the first two convolutions, the answers on ten fixed pictures, and the validation confusion."""
    from safetensors.torch import save

    work.model.eval()
    with torch.no_grad(), evaluation.mixed_precision(work.device.type, work.config.precision):
        logits = work.model(normalise(work.fixed.images, work.preprocessing))
    work.model.train()
    tensors = {"probabilities": evaluation.probabilities(logits, work.heads).cpu().contiguous()}
    val_images = len(work.val)
    if confusion is None and len(work.val):
        # evenly through the split, which is sorted by class where the files are
        some = torch.linspace(0, len(work.val) - 1, min(SNAPSHOT_VAL_PICTURES, len(work.val)), device=work.device).long()
        confusion, val_images = evaluate(work, work.val.images[some], work.val.labels[some]).confusion, len(some)
    if confusion is not None:
        tensors["confusion"] = confusion
    for name, module in list((n, m) for n, m in work.model.named_modules() if isinstance(m, nn.Conv2d))[:2]:
        tensors[f"{name}.weight"] = module.weight.detach().half().cpu().contiguous()
    header = {"epoch": position.epoch, "step": position.step, "images": position.images, "lr": lr, "val_images": val_images}
    data = save(tensors, metadata={key: str(value) for key, value in header.items()})
    runs.write_atomic(run / "snapshots" / f"{position.step:08d}.safetensors", data)


def evaluate(work: Work, images, labels) -> evaluation.Evaluation:
    batch = min(500, max(1, EVALUATION_PIXELS // work.preprocessing.size**2))
    return evaluation.evaluate(work.model, images, labels, work.heads, work.preprocessing, batch, work.config.precision)


def write_weights(path: Path, work: Work, position: Position, metrics: dict, half: bool = False) -> None:
    header = {**work.header(), "epoch": position.epoch, "step": position.step, "metrics": metrics}
    checkpoints.write(path, work.model.state_dict(), header, half)


def keeps_weights(work: Work) -> bool:
    wanted = work.config.keep_weights
    if wanted is not None:
        return wanted
    return sum(p.numel() for p in work.model.parameters()) < recipe_config.KEEP_WEIGHTS_BELOW  # frozen ones fill the disk too


def write_fixed_pictures(run: Path, work: Work) -> None:
    """The ten pictures themselves (uint8) with their labels, so that a page can show them without the data set."""
    from safetensors.torch import save

    runs.write_atomic(run / "pictures.safetensors",
                      save({"images": work.fixed.images.cpu().contiguous(), "labels": work.fixed.labels.cpu().contiguous()}))


def write_resume(run: Path, update: Update, position: Position) -> None:
    """All that a continuation needs, in one file and one replace: an older state survives any crash in between."""
    work = update.work
    tensors = {f"model.{name}": tensor for name, tensor in work.model.state_dict().items()}
    tensors |= {f"update.{name}": tensor for name, tensor in update.state().items()}
    for index, values in update.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": value for key, value in values.items() if isinstance(value, torch.Tensor)}
    tensors["rng.cpu"] = torch.get_rng_state()
    if work.device.type == "cuda":
        tensors["rng.cuda"] = torch.cuda.get_rng_state(work.device)
    checkpoints.write(run / "resume.safetensors", tensors, {**work.header(), "position": asdict(position)})


def restore(run: Path, update: Update) -> Position:
    """Bring network, optimiser and random numbers to where resume.safetensors, else initial.safetensors, left them."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    work, optimizer, path = update.work, update.optimizer, run / "resume.safetensors"
    if not path.exists():
        if initial := runs.weights_file(run, "initial"):
            work.model.load_state_dict(load_file(initial))
        update.load({})
        return Position()
    try:
        tensors, header = load_file(path), _header(path)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise Problem(f"{path.name} of this run is damaged; delete it to continue from the initial weights.") from error
    work.model.load_state_dict({name[6:]: t for name, t in tensors.items() if name.startswith("model.")})
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    states: dict[int, dict] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            like = parameters[int(index)]
            # in the parameter's own memory layout: another order of the same sums would round differently
            states.setdefault(int(index), {})[key] = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
    update.load({name[7:]: tensor for name, tensor in tensors.items() if name.startswith("update.")})
    torch.set_rng_state(tensors["rng.cpu"])
    if work.device.type == "cuda" and "rng.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["rng.cuda"], work.device)
    return Position(**header["position"])


def _header(path: Path) -> dict:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["resnet_viz"])


def finish_weights(path: Path, work: Work, record) -> None:
    """Evaluate the weights in `path` on the test pictures, tell `record`, and write the result into their header.

    Beside them comes what strange pictures are told by, for these very weights.
    """
    from safetensors.torch import load_file

    if not path.exists():  # no epoch at all was asked for: the initial weights are the last
        write_weights(path, work, Position(), {})
    work.model.load_state_dict(load_file(path))
    result = evaluate(work, work.test.images, work.test.labels)
    record(result)
    header = _header(path)
    header["metrics"] = {**header["metrics"], "test_loss": result.loss, "test_accuracy": result.accuracy}
    checkpoints.write(path, work.model.state_dict(), header)
    write_familiarity(path.parent, work)


def write_familiarity(run: Path, work: Work) -> None:
    """What pictures of the classes do inside the network as it is now; nothing where too few were held out."""
    splits = (work.train.images, work.val.images, work.test.images)
    familiar = familiarity.fit(work.model, work.preprocessing, *splits)
    if familiar is not None:
        familiarity.write(run, familiar)
