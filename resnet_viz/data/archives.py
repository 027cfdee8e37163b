"""A folder or a zip as the same thing: a list of files inside train/, test/ and val/, and a way to read each."""

import os
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..problems import Problem
from .sources import SPLITS

MAX_FILE_BYTES = 64 * 2 ** 20       # of one picture file or table
MAX_ZIP_BYTES = 16 * 2 ** 30        # of all members of a zip, as declared
MAX_DEPTH = 100                     # folders within a class folder
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what unpacks piece by piece, never more at once than asked for


@dataclass(frozen=True)
class Store:
    """A folder or zip as a flat list: file names with "/" from the root, and a reader of one file's bytes."""

    path: Path
    files: tuple[str, ...]
    read: Callable[[str], bytes]


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    if path.is_dir():
        try:
            root, files = _folder_files(path)
        except OSError as error:
            raise Problem(f"The folder {error.filename} cannot be read ({error.strerror}); allow it, or choose another one.") from error
        yield Store(path, files, lambda name: _read_file(root / name))
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, struct.error, ValueError, NotImplementedError) as error:
        raise Problem(f"{path.name} is neither a folder nor a readable zip; give a folder or a .zip of "
                      "train/<class>/ and test/<class>/ pictures.") from error
    with archive:
        members = _safe_members(path.name, archive)
        root = _enclosing({name.split("/")[0] for name in members if "/" in name})
        yield Store(path, tuple(sorted(name[len(root):] for name in members if name.startswith(root))),
                    lambda name: _read_member(archive, members[root + name]))


def reader(path: Path) -> Callable[..., bytes]:
    """read(name, first=None): the bytes, or the first so many, of a file of the folder or zip, without listing it anew."""
    return _reader(path, os.getpid())  # an open zip must not be shared with another process: both would move its one position


@lru_cache(maxsize=4)
def _reader(path: Path, process: int) -> Callable[..., bytes]:
    if path.is_dir():
        root = _root(path)
        return lambda name, first=None: _read_file(root / name, first)
    archive = zipfile.ZipFile(path)
    members = _safe_members(path.name, archive)
    root = _enclosing({name.split("/")[0] for name in members if "/" in name})

    def read(name: str, first: int | None = None) -> bytes:
        return _read_member(archive, members[root + name], first)

    return read


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, first: int | None = None) -> bytes:
    """The bytes that the zip says there are: read without a number, all that they unpack to would lie in memory first."""
    with archive.open(info) as file:
        data = file.read(info.file_size if first is None else min(first, info.file_size))
        if first is None:
            file.read(1)  # at the end the checksum is compared
        return data


def _root(path: Path) -> Path:
    return path / _enclosing({p.name for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")})


def _folder_files(path: Path) -> tuple[Path, tuple[str, ...]]:
    """Where train/ and test/ are, and every file in them; only these are searched, `path` may be a whole disk."""
    root = _root(path)
    files = []
    for entry in os.scandir(root):
        if entry.is_dir():
            files += _walk(entry.path, entry.name + "/", 1) if entry.name in SPLITS else [entry.name + "/"]
        else:
            files.append(entry.name)
    return root, tuple(sorted(files))


def _walk(folder: str, inside: str, depth: int) -> Iterator[str]:
    """Every file below; a linked class folder is entered, a linked folder inside it is not: it could be a loop."""
    for entry in os.scandir(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=depth < 2):
            if depth > MAX_DEPTH:
                raise Problem(f"{folder[:60]}... holds folders in folders without end; give train/<class>/ and test/<class>/ pictures.")
            yield from _walk(entry.path, inside + entry.name + "/", depth + 1)
        elif entry.is_file():
            yield inside + entry.name


def _enclosing(tops: set[str]) -> str:
    """"" where train/, test/ or val/ are among the top folders, "name/" where all is inside one enclosing folder."""
    return tops.pop() + "/" if len(tops) == 1 and not tops & set(SPLITS) else ""


def _read_file(path: Path, first: int | None = None) -> bytes:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise ValueError("file too large")
    with open(path, "rb") as file:
        return file.read(first)


def _safe_members(archive_name: str, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members by name, or a Problem for a zip that no honest tool makes of a folder of pictures."""
    members, total = {}, 0
    for info in archive.infolist():
        name = info.filename.replace("\\", "/")
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        total += info.file_size
        why = None
        if not name:
            why = "has no name"
        elif name.startswith("/") or ".." in parts or (parts and ":" in parts[0]):
            why = "has a name that points outside the zip"
        elif stat.S_ISLNK(info.external_attr >> 16):
            why = "is a symbolic link"
        elif info.flag_bits & 0x1:
            why = "is encrypted"
        elif info.compress_type not in PACKED:
            why = "is packed in a way that is not read here"
        elif members.get("/".join(parts), info) is not info:
            why = "is there twice"
        elif info.file_size > MAX_FILE_BYTES:
            why = f"unpacks to {info.file_size:,} bytes, more than the {MAX_FILE_BYTES:,} allowed for one file"
        elif total > MAX_ZIP_BYTES:
            why = f"brings the zip to more than the {MAX_ZIP_BYTES:,} bytes allowed"
        if why:
            raise Problem(f"{archive_name} was not read: its member {name[:80]!r} {why}; "
                          "pack the train/ and test/ folders again with an ordinary zip tool.")
        if not info.is_dir() and parts and parts[0] != "__MACOSX" and not any(p.startswith(".") for p in parts):
            members["/".join(parts)] = info
    return members
