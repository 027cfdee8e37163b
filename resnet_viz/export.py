"""A checkpoint in the form that another program reads: safetensors, a state_dict, or ONNX."""

import io
import json
import threading
import warnings
from pathlib import Path

import torch
from torch import Tensor

from . import checkpoints, leavings
from .checkpoints import Checkpoint
from .problems import Problem, one_of

OPSET = 18  # of ONNX: the oldest that PyTorch's exporter writes without converting, read by onnxruntime since 1.14
INPUT, OUTPUT = "pictures", "logits"
ENDINGS = {"safetensors": ".safetensors", "state-dict": ".pth", "onnx": ".onnx"}
_one_at_a_time = threading.Lock()  # PyTorch's exporter patches the process while it traces


def header(checkpoint: Checkpoint) -> dict:
    """What this project's safetensors say of themselves, so that the file opens here without assumptions."""
    return {"network": checkpoint.network, "arguments": checkpoint.arguments, "heads": list(checkpoint.heads),
            "classes": list(checkpoint.classes) if checkpoint.classes else None,
            "preprocessing": checkpoint.preprocessing.to_dict(), "epoch": checkpoint.epoch,
            "metrics": checkpoint.metrics, "data": checkpoint.data, "seed": checkpoint.seed}


def _state(checkpoint: Checkpoint) -> dict[str, Tensor]:
    """All tensors of the network in its order and by torchvision's names, none a part of another's memory.

    A tensor that shares its storage would be refused by safetensors, and torch.save would write all of the storage.
    """
    found, seen = {}, set()
    for name, tensor in checkpoints.model(checkpoint).state_dict().items():
        storage = tensor.untyped_storage()
        alone = storage.nbytes() == tensor.nbytes and storage.data_ptr() not in seen
        found[name] = tensor if alone else tensor.clone()
        seen.add(storage.data_ptr())
    return found


def _safetensors(checkpoint: Checkpoint, path: Path) -> None:
    checkpoints.write(path, _state(checkpoint), header(checkpoint))


def _state_dict(checkpoint: Checkpoint, path: Path) -> None:
    packed = io.BytesIO()  # not into the file: of a full disk torch's writer says "unexpected pos", and not why
    torch.save(_state(checkpoint), packed)
    path.write_bytes(packed.getbuffer())


def _onnx(checkpoint: Checkpoint, path: Path) -> None:
    """pictures [batch, channels, size, size] float32, normalised -> logits [batch, outputs], any batch.

    The metadata say in JSON what the graph does not: classes, heads and preprocessing.
    """
    try:
        import onnx  # noqa: F401  both are what PyTorch's exporter needs
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise Problem("ONNX needs the packages onnx and onnxscript: install them with pip install -r requirements.txt.") from error
    model, recipe = checkpoints.model(checkpoint), checkpoint.preprocessing
    example = torch.zeros(2, recipe.channels, recipe.size, recipe.size)  # a batch of one would be taken for a constant
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's remarks on itself
        program = torch.onnx.export(
            model, (example,), dynamo=True, opset_version=OPSET, verbose=False, input_names=[INPUT],
            output_names=[OUTPUT], dynamic_shapes=({0: torch.export.Dim("batch")},))
    for key, value in header(checkpoint).items():
        program.model.metadata_props[key] = value if isinstance(value, str) else json.dumps(value)
    program.model.producer_name = "ResNet Viz"
    program.save(path, external_data=False)


FORMATS = {"safetensors": _safetensors, "state-dict": _state_dict, "onnx": _onnx}


def export(checkpoint: Checkpoint, format: str, path: Path) -> None:
    """Write a checkpoint to `path` in one of FORMATS; an older file there is replaced as a whole, or stays.

    Raises Problem for an unknown format and a path that cannot be written.
    """
    write = FORMATS[one_of("format", format, FORMATS)]
    path = Path(path)
    if path.is_dir():
        raise Problem(f"{path} is a directory; give the name of a file, e.g. {path / 'weights'}{ENDINGS[format]}.")
    try:
        with leavings.replacing(path) as temporary:
            temporary.touch()  # ONNX takes seconds to make: a place that cannot be written is refused before
            write(checkpoint, temporary)
    except OSError as error:
        raise Problem(f"{path} cannot be written ({error.strerror or error}); choose another place.") from error


def as_bytes(checkpoint: Checkpoint, format: str) -> bytes:
    """The same file in memory, for a browser's download."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"weights{ENDINGS[one_of('format', format, FORMATS)]}"
        export(checkpoint, format, path)
        return path.read_bytes()
