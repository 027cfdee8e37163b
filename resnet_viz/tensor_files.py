"""Files of tensors from anywhere, opened so that nothing in them can run and little memory is spent."""

import json
import pickle
import re
import struct
import threading
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .problems import Problem

# keys under which people store a state_dict, the likeliest first
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "ema", "module", "model_state", "network", "weights",
            "model_ema", "state_dict_ema", "ema_state_dict", "shadow", "student", "teacher")
HEADER_LIMIT_BYTES = 100 * 2**20
DEPTH = 4  # dictionaries within dictionaries
SLACK_BYTES = 2**20  # what tensors may take beyond the size of their file: some share a few numbers
CURE = "save only the state_dict: torch.save(model.state_dict(), 'weights.pth')"
_LOADING = threading.Lock()  # what torch's unpickler may create is a list of the process, not of a call


class Inert:
    """Stands for an object beside the tensors (a date, a number of NumPy, command-line options): created, never read."""

    def __new__(cls, *args, **kwargs):
        return object.__new__(cls)

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        pass


def plain_dict(*args) -> dict:
    """Stands for collections.defaultdict, which would be given a function to call."""
    return {}


# What trainers store beside the weights. The unpickler gets our empty object or a plain dict instead of the class.
HARMLESS = [(Inert, name) for name in (
    "argparse.Namespace", "builtins.list", "datetime.date", "datetime.datetime",
    "datetime.timedelta", "numpy.dtype", "numpy.ndarray", "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar", "numpy.core.multiarray._reconstruct", "numpy.core.multiarray.scalar",
    "pathlib.Path", "pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib.WindowsPath",
)] + [(plain_dict, "collections.defaultdict")] + [(dict, name) for name in (
    "lightning.fabric.utilities.data.AttributeDict", "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
)]


@dataclass(frozen=True)
class TensorFile:
    """Tensors by name, and what the file says of itself.

    metadata  the safetensors header's free text; empty for other formats
    format    "safetensors", "state_dict", or "state_dict under 'model'" and so on
    others    keys of further weights in the same file, e.g. ("ema",)
    """

    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    format: str
    others: tuple[str, ...] = ()


def read(path: Path) -> TensorFile:
    """Open a safetensors file or a torch.save file of tensors; Problem with one sentence for anything else."""
    path = Path(path)
    try:
        with open(path, "rb") as file:
            start = file.read(16)
        size = path.stat().st_size
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror or error}; choose another file.") from error
    if size == 0:
        raise Problem(f"{path.name} is empty (0 bytes); save or download it again.")
    if len(start) > 8 and start[8:9] == b"{":
        file = _read_safetensors(path, start, size)
    elif start[:4] == b"PK\x03\x04":
        file = _read_torch(path, in_place=_inspect_zip(path, size))
    elif start[:1] == b"\x80":
        file = _read_torch(path, in_place=False)
    else:
        raise Problem(f"{path.name} is not a weights file: it is neither safetensors nor written by torch.save; choose another file.")
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


def _inspect_zip(path: Path, size: int) -> bool:
    """Whether the tensors can be used where they lie in the file; a Problem for a zip that is no weights file.

    torch.save stores tensors uncompressed: whatever unpacks to more than the file itself is a bomb or damage.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Problem(f"{path.name} is truncated or damaged ({_short(error)}); save or download it again.") from error
    if any("constants.pkl" in entry.filename or "/code/" in entry.filename for entry in entries):
        raise Problem(f"{path.name} is a TorchScript archive, a program and not only weights; save the state_dict instead.")
    if not any(entry.filename.endswith("data.pkl") for entry in entries):
        raise Problem(f"{path.name} is a zip file, but not one written by torch.save; unpack it, or save the state_dict.")
    if sum(entry.file_size for entry in entries) > size + SLACK_BYTES:
        raise Problem(f"{path.name} would unpack to more than its own size; torch.save never writes that, so it is not opened: save the state_dict again.")
    return all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)


def _read_torch(path: Path, in_place: bool) -> TensorFile:
    # weights_only: the unpickler knows tensors and plain containers, and nothing that could run.
    # mmap: pages of the file become memory only when a number is looked at.
    try:
        with _LOADING, warnings.catch_warnings(), torch.serialization.safe_globals(HARMLESS):
            warnings.simplefilter("ignore")  # torch's remarks on odd files: what matters becomes a Problem below
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=in_place)
    except pickle.UnpicklingError as error:
        raise Problem(f"{path.name} is not opened: {_reason(path, error)}; {CURE}.") from error
    except (RuntimeError, EOFError, IndexError, OSError, ValueError, KeyError, TypeError, AttributeError,
            UnicodeDecodeError, AssertionError, MemoryError, OverflowError, RecursionError, struct.error) as error:
        raise Problem(f"{path.name} is truncated or damaged; save or download it again.") from error
    return _unwrap(path, content)


def _reason(path: Path, error: Exception) -> str:
    """Why the unpickler stopped, with the name of what it met."""
    try:
        strange = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError, IndexError, KeyError, AssertionError,
            AttributeError, TypeError, UnicodeDecodeError, struct.error):  # the old format, or damage
        strange = []
    met = re.search(r"GLOBAL ([\w.]+)", str(error))
    names = ([met[1]] if met else []) + [name for name in strange if name not in {known for _, known in HARMLESS}]
    if any(name.startswith(("torch.nn.modules.", "torchvision.models.")) for name in names):
        return f"it holds a whole pickled network ({names[0]:.60}), and creating one could run code"
    if names:
        return f"it holds more than tensors ({names[0]:.60}), and creating that could run code"
    return "it holds more than tensors, or is damaged, and opening such a file could run code"


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
    """The state_dict inside of whatever dictionaries are around it."""
    if isinstance(content, Tensor) or not isinstance(content, dict) or not content:
        raise Problem(f"{path.name} holds no named tensors; {CURE}.")
    found = _state_dicts(content)
    if not found:
        raise Problem(f"{path.name} holds a dictionary, but not of tensors: {_names(content)}; save the state_dict alone.")
    keys = min(found, key=lambda keys: _rank(keys, found[keys]))
    others = tuple(".".join(other) for other in found if other != keys)
    kind = f"state_dict under {'.'.join(keys)!r:.60}" if keys else "state_dict"
    return TensorFile(found[keys], {}, kind, others)


def _state_dicts(content: dict, keys: tuple[str, ...] = ()) -> dict[tuple[str, ...], dict[str, Tensor]]:
    """Every dictionary of named tensors, by the keys that lead to it; a hostile one can contain itself, so not deep."""
    tensors = {key: value for key, value in content.items() if isinstance(key, str) and isinstance(value, Tensor)}
    if 2 * len(tensors) > len(content):  # a few other values beside the tensors, such as an epoch, do no harm
        return {keys: tensors}
    found = {}
    for key, value in content.items():
        if isinstance(key, str) and isinstance(value, dict) and len(keys) < DEPTH:
            found |= _state_dicts(value, (*keys, key))
    return found


def _rank(keys: tuple[str, ...], tensors: dict[str, Tensor]) -> tuple:
    """Known keys in their order, then the one with the most tensors."""
    place = min((WRAPPERS.index(key) for key in keys if key in WRAPPERS), default=0 if not keys else len(WRAPPERS))
    return place, len(keys), -len(tensors)


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
