"""Files of tensors from anywhere, opened so that nothing in them can run and little memory is spent."""

import json
import pickle
import struct
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .problems import Problem

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "ema", "module")  # keys under which people store a state_dict
HEADER_LIMIT_BYTES = 100 * 2**20
SLACK_BYTES = 2**20  # what tensors may take beyond the size of their file: some share a few numbers
REFUSED = ("it holds more than tensors, or is damaged, and opening such a file could run code; "
           "save only the state_dict: torch.save(model.state_dict(), 'weights.pth')")


@dataclass(frozen=True)
class TensorFile:
    """Tensors by name, and what the file says of itself.

    metadata  the safetensors header's free text; empty for other formats
    format    "safetensors", "state_dict", or "state_dict under 'model'" and so on
    """

    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    format: str


def read(path: Path) -> TensorFile:
    """Open a safetensors file or a torch.save file of tensors; Problem with one sentence for anything else."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            start = file.read(16)
        size = path.stat().st_size
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror or error}.") from error
    if size == 0:
        raise Problem(f"{path.name} is empty (0 bytes); save or download it again.")
    if len(start) > 8 and start[8:9] == b"{":
        file = _read_safetensors(path, start, size)
    else:
        if start[:4] == b"PK\x03\x04":
            _inspect_zip(path, size)
        elif start[:1] != b"\x80":
            raise Problem(f"{path.name} is not a weights file: it is neither safetensors nor written by torch.save.")
        file = _read_torch(path)
    _check_plain(path, file.tensors, size)
    return file


def _read_safetensors(path: Path, start: bytes, size: int) -> TensorFile:
    from safetensors import SafetensorError, safe_open

    announced = struct.unpack("<Q", start[:8])[0]
    if announced > min(size - 8, HEADER_LIMIT_BYTES):
        raise Problem(f"{path.name} is damaged: its header announces {announced:,} bytes, the file has {size:,}; download it again.")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            return TensorFile(tensors, file.metadata() or {}, "safetensors")
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError) as error:
        raise Problem(f"{path.name} is a damaged safetensors file ({_short(error)}); save or download it again.") from error


def _inspect_zip(path: Path, size: int) -> None:
    """torch.save stores tensors uncompressed: whatever unpacks to more than the file itself is a bomb or damage."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Problem(f"{path.name} is truncated or damaged ({_short(error)}); save or download it again.") from error
    if any("constants.pkl" in entry.filename or "/code/" in entry.filename for entry in entries):
        raise Problem(f"{path.name} is a TorchScript archive, a program and not only weights; save the state_dict instead.")
    if not any(entry.filename.endswith("data.pkl") for entry in entries):
        raise Problem(f"{path.name} is a zip file, but not one written by torch.save.")
    if sum(entry.file_size for entry in entries) > size + SLACK_BYTES:
        raise Problem(f"{path.name} would unpack to more than its own size; torch.save never writes that, so it is not opened.")


def _read_torch(path: Path) -> TensorFile:
    # weights_only: the unpickler knows tensors and plain containers, and nothing that could run.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's remarks on odd files: what matters becomes a Problem below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise Problem(f"{path.name} is not opened: {REFUSED}.") from error
    except (RuntimeError, EOFError, IndexError, OSError, ValueError, KeyError, TypeError, AttributeError,
            UnicodeDecodeError, AssertionError, MemoryError, struct.error) as error:
        raise Problem(f"{path.name} is truncated or damaged; save or download it again.") from error
    return _unwrap(path, content)


def _check_plain(path: Path, tensors: dict[str, Tensor], size: int) -> None:
    """Every tensor is made of numbers that lie in the file: a shape costs nothing to write, its network gigabytes."""
    if not tensors:
        raise Problem(f"{path.name} holds no tensors; save the state_dict again.")
    odd = next((name for name, t in tensors.items()
                if t.layout != torch.strided or t.device.type != "cpu" or t.is_quantized or t.is_complex()), None)
    if odd is not None:
        raise Problem(f"{path.name} is not used: {odd:.80} is sparse, quantised, complex or without data; "
                      "save plain float tensors.")
    announced = sum(t.numel() * t.element_size() for t in tensors.values())
    if announced > size + SLACK_BYTES:
        raise Problem(f"{path.name} is not used: its tensors announce {announced:,} bytes, the file has {size:,}; "
                      "save the state_dict again.")


def _unwrap(path: Path, content) -> TensorFile:
    kind = "state_dict"
    for _ in range(len(WRAPPERS)):  # a hostile dictionary can contain itself
        key = next((k for k in WRAPPERS if isinstance(content, dict) and isinstance(content.get(k), dict)), None)
        if _is_state_dict(content) or key is None:
            break
        content, kind = content[key], f"state_dict under {key!r}"
    if not isinstance(content, dict) or not content:
        raise Problem(f"{path.name} holds no named tensors; save the state_dict: torch.save(model.state_dict(), 'weights.pth').")
    if not _is_state_dict(content):
        raise Problem(f"{path.name} holds a dictionary, but not of tensors: {_names(content)}; save the state_dict alone.")
    return TensorFile(dict(content), {}, kind)


def _is_state_dict(content) -> bool:
    return (isinstance(content, dict) and bool(content)
            and all(isinstance(key, str) and isinstance(value, Tensor) for key, value in content.items()))


def _names(content: dict) -> str:
    return ", ".join(str(key)[:40] for key in list(content)[:4])


def _short(error: Exception) -> str:
    """The first sentence of an error, for a person: torch's run to thousands of characters."""
    lines = str(error).strip().splitlines()
    return (lines[0][:120].rstrip(" .:") if lines else type(error).__name__) or type(error).__name__


def header_of(metadata: dict[str, str]) -> dict | None:
    """This project's own header (JSON under the key `resnet_viz`), or None for a stranger's file."""
    try:
        header = json.loads(metadata["resnet_viz"])
    except (KeyError, ValueError, TypeError, RecursionError):
        return None
    return header if isinstance(header, dict) else None
