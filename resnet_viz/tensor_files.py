"""Files of tensors from anywhere, opened so that nothing in them can run and little memory is spent."""

import io
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

from . import pickle_work
from .problems import Problem

# keys under which people store a state_dict, the likeliest first
WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "ema", "module", "model_state", "network", "weights",
            "model_ema", "state_dict_ema", "ema_state_dict", "shadow", "student", "teacher")
HEADER_LIMIT_BYTES = 16 * 2**20
MOST_TENSORS = 30_000  # a network of a thousand blocks has 18,000
LONGEST_NAME = 300
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
    *(f"{module}.{kind}" for module in ("pathlib", "pathlib._local")  # _local: as Python 3.13 writes them
      for kind in ("Path", "PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath")),
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
            _check_names(path, file.keys())
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
    lower = [entry.filename.lower() for entry in entries]  # torch takes no notice of capitals when it looks for one
    if len(set(lower)) < len(lower) or sum(name.endswith("data.pkl") for name in lower) > 1 or not _one_table(path, archive):
        raise Problem(f"{path.name} holds one thing twice, which torch.save never writes, so it is not opened; save the state_dict again.")
    if sum(entry.file_size for entry in entries) > size + SLACK_BYTES:
        raise Problem(f"{path.name} would unpack to more than its own size; torch.save never writes that, so it is not opened: save the state_dict again.")
    return all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)


def _one_table(path: Path, archive: zipfile.ZipFile) -> bool:
    """Whether the zip's table is where its end says: Python looks before the end, torch goes where it is sent."""
    with open(path, "rb") as file:
        file.seek(-22, 2)
        end = file.read(22)
        at, = struct.unpack("<I", end[16:20])
        if at == 2**32 - 1:  # of a large file: its end has another before it, with numbers of 64 bits
            file.seek(-42, 2)
            before, = struct.unpack("<Q", file.read(20)[8:16])
            file.seek(min(before + 48, 2**62))
            at, = struct.unpack("<Q", file.read(8).ljust(8, b"\0"))
    return end[:4] == b"PK\x05\x06" and end[20:] == b"\0\0" and at == archive.start_dir


def _check_work(path: Path) -> None:
    """An UnpicklingError for a pickle that asks for more than the file holds, before torch does what it asks for."""
    with open(path, "rb") as file:
        zipped, harmless = file.read(2) == b"PK", frozenset(name for _, name in HARMLESS)
        file.seek(0)
        if zipped:  # by torch's own reader of zips: what is checked is what will be opened
            pickle_work.check(io.BytesIO(torch._C.PyTorchFileReader(str(path)).get_record("data.pkl")), 1, harmless)
        else:  # before 1.6: a mark, a version, the system, the content, the storages' keys
            pickle_work.check(file, 5, harmless)


def _read_torch(path: Path, in_place: bool) -> TensorFile:
    # weights_only: the unpickler knows tensors and plain containers, and nothing that could run.
    # mmap: pages of the file become memory only when a number is looked at.
    try:
        with _LOADING, warnings.catch_warnings(), torch.serialization.safe_globals(HARMLESS):
            warnings.simplefilter("ignore")  # torch's remarks on odd files: what matters becomes a Problem below
            _check_work(path)
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=in_place)
    except pickle_work.OddTensors as error:
        raise Problem(f"{path.name} is not used: it holds sparse or quantised tensors, or some without data; save plain float tensors.") from error
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


def _check_names(path: Path, names) -> None:
    """Names as networks give them: not too many, not too long, nothing that could not be shown."""
    if len(names) > MOST_TENSORS:
        raise Problem(f"{path.name} is not used: it names {len(names):,} tensors, and no network here has more than {MOST_TENSORS:,}; "
                      "save the state_dict alone.")
    if odd := next((name for name in names if len(name) > LONGEST_NAME or not name.isprintable()), None):
        raise Problem(f"{path.name} is not used: {odd[:40]!r} is no tensor's name; save the state_dict again.")


def _check_plain(path: Path, tensors: dict[str, Tensor], size: int) -> None:
    """Every tensor is made of numbers that lie in the file: a shape costs nothing to write, its network gigabytes."""
    if not tensors:
        raise Problem(f"{path.name} holds no tensors; save the state_dict again.")
    _check_names(path, tensors)
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


def _state_dicts(content: dict) -> dict[tuple[str, ...], dict[str, Tensor]]:
    """Every dictionary of named tensors, by the keys that lead to it; each dictionary is looked into once.

    A hostile one can contain itself under hundreds of names.
    """
    found, known, level = {}, {}, [((), content)]
    for _ in range(DEPTH + 1):
        deeper = []
        for keys, values in level:
            if new := id(values) not in known:
                tensors = {key: value for key, value in values.items() if isinstance(key, str) and isinstance(value, Tensor)}
                # a few other values beside the tensors, such as an epoch, do no harm
                known[id(values)] = tensors if 2 * len(tensors) > len(values) else None
            if known[id(values)] is not None:
                found[keys] = known[id(values)]
            elif new:
                deeper += [((*keys, key), value) for key, value in values.items() if isinstance(key, str) and isinstance(value, dict)]
        level = deeper
    return found


def _rank(keys: tuple[str, ...], tensors: dict[str, Tensor]) -> tuple:
    """Known keys in their order, then the one with the most tensors."""
    place = min((WRAPPERS.index(key) for key in keys if key in WRAPPERS), default=0 if not keys else len(WRAPPERS))
    return place, len(keys), -len(tensors)


def _names(content: dict) -> str:
    return ", ".join(key[:40] if isinstance(key, str) else type(key).__name__ for key in list(content)[:4])


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
