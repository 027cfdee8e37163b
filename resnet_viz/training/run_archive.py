"""A run as a zip, to be sent to somebody: written from its directory, and read into the folder of runs.

Reading trusts nothing: no name in the zip is ever used as a path before it is one that the contract of a run directory
knows, and nothing stands among the runs before all of it was read and found to be a run.
"""

import errno
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from .. import leavings, runs
from ..problems import Problem
from . import run_contents

MAX_FILES = 5_000
MAX_BYTES = 4 * 2**30  # of all files, unpacked
MAX_TEXT_BYTES = 128 * 2**20  # of one that is not weights
MAX_RATIO = 100  # unpacked by packed, beyond the first megabyte: weights and logs do not come near
PIECE_BYTES = 2**20
MOST_AT_ONCE = 100  # imports of the same name, by several servers
INCOMING = ".incoming-"  # folders in the runs folder, while an import is read
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
IGNORED = re.compile(r"(.*/)?(__MACOSX/.*|\.DS_Store|Thumbs\.db)")  # what desktops add when they pack a folder
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError)


# Out


def export(run: Path, target) -> None:
    """Write the run into `target`, a path or a binary file: its record and its weights, in one folder of its name.

    resume.safetensors goes along only with a run that can be continued; logs, locks and orders stay at home, and so
    does where the process was.
    """
    if not runs.is_run(run):
        raise Problem(f"The run {run.name} is not there any more; choose another one.")
    if isinstance(target, str | os.PathLike):
        try:
            with leavings.replacing(Path(target)) as temporary, open(temporary, "wb") as file:
                return export(run, file)
        except OSError as error:
            raise Problem(f"{target} cannot be written ({error.strerror}); choose another place.") from error
    continues = runs.state(run) != "finished"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(run.rglob("*")):
            name = path.relative_to(run).as_posix()
            if not path.is_file() or not run_contents.known(name) or (name == "resume.safetensors" and not continues):
                continue
            tensors = name.endswith(".safetensors")
            how = zipfile.ZIP_STORED if tensors else zipfile.ZIP_DEFLATED  # weights hardly shrink
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue  # replaced this moment, by a run that goes on
            if name == "config.json" and not continues:
                data = _without_places(data)
            archive.writestr(_member(f"{run.name}/{name}"), data if tensors else _cleaned(run.name, name, data), how)


def _member(name: str) -> zipfile.ZipInfo:
    """Without the time of day: the same run gives the same bytes, and a clock that stands before 1980 stops no export."""
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o644 << 16
    return info


def _without_places(config: bytes) -> bytes:
    """A recipe whose data and first weights are called by their names: folders of this machine tell nobody anything."""
    values = run_contents.dictionary(config)
    named = {key: Path(values[key]).name for key in ("data", "start_from")
             if isinstance(values.get(key), str) and os.path.isabs(values[key])}
    return json.dumps({**values, **named}).encode()


# In


def add(source, title: str) -> Path:
    """Read a zip that `export` made, or one like it, into the folder of runs; returns the new run's directory.

    source  a path or a binary file; title is its name on screen. Problem where it is not one run, and nothing else.
    """
    leavings.clear_folders(runs.root(), INCOMING)
    try:
        with _opened(source, title) as archive:
            members, name = _members(archive, title)
            with leavings.new_folder(runs.root(), INCOMING) as folder:
                for inside, info in members.items():
                    _unpack(archive, info, folder, inside, title)
                return _settle(folder, name or Path(title).stem)
    except OSError as error:
        raise Problem(f"{title:.80} cannot be kept in {runs.root()} ({error.strerror}); make room and try again.") from error


def _opened(source, title: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except BROKEN as error:
        raise Problem(f"{title:.80} is not a zip that can be read; export the run again.") from error


def _members(archive: zipfile.ZipFile, title: str) -> tuple[dict[str, zipfile.ZipInfo], str]:
    """(name in the run directory -> member, name of the folder around them or ""); Problem for anything that is no run."""
    found, seen, total, packed = {}, set(), 0, sum(info.compress_size for info in archive.infolist())
    if len(archive.infolist()) > MAX_FILES:
        raise Problem(f"{title:.80} was not read: it holds more than {MAX_FILES:,} files; export the run again.")
    for info in archive.infolist():
        _check_member(info, title)
        if info.is_dir() or IGNORED.fullmatch(info.filename):
            continue
        total += info.file_size
        if info.filename.lower() in seen:  # as disks see it that know no capitals
            raise Problem(f"{title:.80} was not read: it holds {info.filename[:60]!r} twice; export the run again.")
        seen.add(info.filename.lower())
        found[info.filename] = info
    if total > MAX_BYTES or total > PIECE_BYTES + MAX_RATIO * packed:
        raise Problem(f"{title:.80} was not read: it would unpack to {total:,} bytes, which no run needs; export the run again.")
    around = {name.split("/")[0] for name in found if "/" in name}
    name = around.pop() if "config.json" not in found and len(around) == 1 else ""
    inside = {full.removeprefix(f"{name}/" if name else ""): info for full, info in found.items()}
    if "config.json" not in inside:
        raise Problem(f"{title:.80} is not a run: there is no config.json at its top, or in its only folder; choose what Export gave.")
    for part in inside:
        if not run_contents.known(part):
            raise Problem(f"{title:.80} was not read: {part[:60]!r} is no file of a run; export the run again.")
    return inside, name


def _check_member(info: zipfile.ZipInfo, title: str) -> None:
    """Of one member: that its name stays inside, and that it is a plain file that can be unpacked."""
    name, parts = info.filename, PurePosixPath(info.filename.replace("\\", "/")).parts
    kind = stat.S_IFMT(info.external_attr >> 16)
    why = next((why for wrong, why in (
        (not name, "has no name"),
        (name.startswith(("/", "\\")) or ".." in parts or ":" in name or "\\" in name, "has a name that points elsewhere"),
        (kind not in (0, stat.S_IFREG, stat.S_IFDIR), "is not a plain file but a link or a device"),
        (info.flag_bits & 0x1, "is encrypted"),
        (info.compress_type not in PACKED, "is packed in a way that is not read here"),
    ) if wrong), None)
    if why:
        raise Problem(f"{title:.80} was not read: its member {name[:60]!r} {why}; export the run again.")


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path, name: str, title: str) -> None:
    """One member into the folder, cleaned or checked; its bytes are counted, whatever the zip says of them."""
    path, tensors = folder / name, name.endswith(".safetensors")
    if not tensors and info.file_size > MAX_TEXT_BYTES:
        raise Problem(f"{title:.80} was not read: {name} holds more than {MAX_TEXT_BYTES:,} bytes; export the run again.")
    path.parent.mkdir(exist_ok=True)
    left = info.file_size
    try:
        with archive.open(info) as source, open(path, "wb") as target:
            while piece := source.read(PIECE_BYTES):
                left -= len(piece)
                if left < 0:
                    raise Problem(f"{title:.80} was not read: {name} is longer than the zip says; export the run again.")
                target.write(piece)
    except BROKEN as error:
        raise Problem(f"{title:.80} is damaged: {name} cannot be unpacked; export the run again.") from error
    if not tensors:
        path.write_bytes(_cleaned(title, name, path.read_bytes()))
        return
    try:
        run_contents.check_tensors(path, name)
    except Problem as problem:
        raise Problem(f"{title:.80} was not read: its {name} {problem}; export the run again.") from problem


def _cleaned(title: str, name: str, data: bytes) -> bytes:
    try:
        return run_contents.CLEANERS[name](data)
    except Problem as problem:
        said = str(problem).rstrip(".")
        raise Problem(f"{title:.80} was not read: its {name} {said}; export the run again.") from problem


def _settle(folder: Path, wish: str) -> Path:
    """Give the run its place: a name that is free, in one move, so that nobody sees half of it."""
    name = re.sub(r"[^A-Za-z0-9.=,_+-]+", "-", wish).strip("-.")[:100] or "imported"
    taken = {path.name.lower() for path in runs.root().iterdir()}
    for free in (name, *(f"{name}-{n}" for n in range(2, len(taken) + MOST_AT_ONCE))):
        try:
            if free.lower() not in taken:
                os.rename(folder, runs.root() / free)
                return runs.root() / free
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            # another process has just taken that name
    raise Problem(f"There are too many runs named {name}; delete some, then import it again.")
