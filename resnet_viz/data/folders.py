"""Read a person's own pictures from a folder or a zip.

Two forms are understood, in a folder or in a zip of it (one enclosing folder is allowed):

1. One label: `train/<class>/*` and `test/<class>/*` or `val/<class>/*`. The classes are the sorted folder names.
2. Several labels: a table `labels.csv` beside train/ and test/, or one inside each of them. Its first line names the
   columns: `file`, then one column a head, e.g. `file,root,vowel,consonant`. `file` is the picture's path from the
   table's own folder; in a table beside train/ and test/ its first folder is the split. The classes of a head are its
   sorted values (sorted as numbers where all are whole numbers).

Members of a zip are read in memory and never extracted.
"""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..problems import Problem
from . import picture_files, uploads
from .archives import Store, opened, reader
from .sources import SPLITS, Pictures, Progress

MAX_BYTES = 2 * 2 ** 30             # of one split, decoded
MOST_COLUMNS = 100                  # of a table
LONGEST_LINE = 10_000               # characters of it
MOST_LINES = 3_000_000
MAX_PIXELS = 50_000_000             # of one picture
LARGEST_KEPT = 256                  # square pictures all of one size up to this side are kept as they are
HEADER_BYTES = 2 ** 16              # in them, a picture file says what it is
USUAL_SIZE = 224                    # larger or unequal ones are brought to this side at most

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")      # none that starts another program
SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
UNREADABLE = (*uploads.BROKEN, zipfile.BadZipFile, Image.DecompressionBombError, Problem)


@dataclass(frozen=True)
class Listing:
    """The labelled files of one split: names, labels [N][heads], and the class names of each head."""

    files: list[str]
    labels: list[tuple[int, ...]]
    classes: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def read(path: Path, split: str, progress: Progress | None = None, size: int | None = None) -> Pictures:
    """Read one split of a folder or zip.

    size: the side in pixels that every picture is brought to (shorter side resized, middle square kept); pictures that
    all have one smaller square size are kept as they are, because whoever shows them can enlarge them. None keeps
    pictures that all have one square size of at most 256, and brings others to their most common shorter side, at
    most 224. The tensor is grey if every picture is, else RGB.
    Raises Problem: no such layout, fewer than two classes, an unsafe zip, nothing readable, more than 2 GiB decoded.
    """
    if size is not None and size < 1:
        raise Problem(f"The picture size must be at least 1 pixel, not {size}.")
    with opened(path) as store:
        listing = _listing(store, split)
        arrays, kept, unreadable = _decoded(store, listing.files, size, progress)
    labels = torch.tensor([listing.labels[i] for i in kept], dtype=torch.int64)
    return Pictures(torch.from_numpy(arrays), labels, tuple(name for head in listing.classes for name in head),
                    tuple(len(head) for head in listing.classes), path.resolve().stem if path.is_file()
                    else path.resolve().name, listing.notes + _told(unreadable, len(listing.files)))


def listed(path: Path, split: str) -> tuple[Listing, int]:
    """What a split holds, and the side its pictures would be brought to going by the first; none is decoded."""
    with opened(path) as store:
        listing = _listing(store, split)
        return listing, min(USUAL_SIZE, _first_side(store, listing.files))


def readable(path: Path, files: list[str], progress: Progress | None) -> tuple[list[int], tuple[str, ...]]:
    """The indices of the files that begin like a picture, and the notes that name the others."""
    kept, unreadable, read = [], [], reader(path)
    for index, name in enumerate(files):
        if progress and index % 500 == 0:
            progress(index, len(files), f"checking {path.name}")
        try:
            _beginning(read, name)
        except UNREADABLE:
            unreadable.append(name)
            continue
        kept.append(index)
    if not kept:
        raise Problem(f"None of the {len(files):,} pictures of {path.name} could be read; give PNG, JPEG or WebP pictures.")
    return kept, _told(unreadable, len(files))


def _beginning(read, name: str) -> None:
    try:
        _image(read(name, HEADER_BYTES))
    except UNREADABLE:
        _image(read(name))              # a long preface, e.g. a preview inside the EXIF data


def open_picture(path: Path, name: str) -> Image.Image:
    """One picture of a folder or zip, upright and in its own resolution, grey or RGB; raises one of UNREADABLE."""
    data = reader(path)(name)
    image = _image(data)
    if image.mode not in ("L", "RGB") or "exif" in image.info or "transparency" in image.info:
        image = uploads.decode(data, "picture").image
    image.load()
    return image


# ---------------------------------------------------------------- which files, which labels

def _listing(store: Store, split: str) -> Listing:
    tables = [name for name in ("labels.csv", *(f"{part}/labels.csv" for part in SPLITS)) if name in store.files]
    rows = _table_rows(store, tables) if tables else _folder_rows(store)
    here = [part for part in SPLITS if any(row[0] == part for row in rows)]
    if not here:
        found = sorted({name.split("/")[0] + ("/" if "/" in name else "") for name in store.files})
        raise Problem(f"{store.path.name} holds no pictures in train/<class>/, test/<class>/ or val/<class>/ "
                      f"({'found only ' + _few(found) if found else 'it is empty'}); arrange it so and try again.")
    used, notes = _stand_in(store.path.name, split, here)
    learned = "train" if "train" in here else used      # the classes are those that can be learned
    heads = len(rows[0][2])
    classes = tuple(_sorted_names({row[2][head] for row in rows if row[0] == learned}, bool(tables))
                    for head in range(heads))
    for head, names in enumerate(classes):
        strange = sorted({row[2][head] for row in rows if row[0] == used} - set(names))
        if strange:
            raise Problem(f"{used}/ of {store.path.name} has the class{'es' if len(strange) > 1 else ''} "
                          f"{_few(strange)}, which train/ lacks; give both the same classes.")
        if len(names) < 2:
            raise Problem(f"{store.path.name} has only one class ({names[0]:.60}) in {learned}/; "
                          "a network needs at least two to tell apart: add another.")
    places = [{name: index for index, name in enumerate(names)} for names in classes]
    mine = [row for row in rows if row[0] == used]
    labels = [tuple(place[value] for place, value in zip(places, row[2])) for row in mine]
    return Listing([row[1] for row in mine], labels, classes, notes)


def _folder_rows(store: Store) -> list[tuple[str, str, tuple[str, ...]]]:
    """(split, file, (class,)) of every picture at train/<class>/..., test/<class>/... and val/<class>/..."""
    rows = []
    for name in store.files:
        parts = name.split("/")
        if len(parts) >= 3 and parts[0] in SPLITS and name.lower().endswith(SUFFIXES):
            rows.append((parts[0], name, (parts[1],)))
    return rows


def _table_rows(store: Store, tables: list[str]) -> list[tuple[str, str, tuple[str, ...]]]:
    """(split, file, one value a head) of every line of the tables."""
    rows, files, header = [], set(store.files), None
    for table in tables:
        folder = table[:-len("labels.csv")]
        lines = _lines(store, table)
        columns = [column.strip() for column in next(lines, (1, []))[1]]
        if not 2 <= len(columns) <= MOST_COLUMNS or columns[0] != "file" or (header and columns != header):
            raise Problem(f"The first line of {table} must be file, then one column a label, the same in every "
                          f"table; it is {','.join(columns)[:80]!r}.")
        header = columns
        for number, line in lines:
            values = tuple(value.strip() for value in line)
            name = folder + values[0]
            if len(values) != len(columns) or "" in values:
                raise Problem(f"Line {number:,} of {table} needs {len(columns)} values ({', '.join(columns)[:80]}); correct it.")
            if name not in files or name.split("/")[0] not in SPLITS:
                raise Problem(f"Line {number:,} of {table} names {values[0][:80]!r}, which is no picture of train/, test/ or "
                              f"val/ in {store.path.name}, or stands in a line before; correct the line or add the picture.")
            files.remove(name)
            rows.append((name.split("/")[0], name, values[1:]))
    return rows


def _lines(store: Store, table: str) -> Iterator[tuple[int, list[str]]]:
    """(number, values) of each line that is not empty; never all of them at once: a small zip can hold a table of millions."""
    try:
        for number, line in enumerate(io.StringIO(store.read(table).decode("utf-8-sig")), 1):
            if len(line) > LONGEST_LINE or number > MOST_LINES:
                raise Problem(f"{table} of {store.path.name} has a line of {len(line):,} characters, or more than {MOST_LINES:,} "
                              "lines; save it as CSV with one short line a picture.")
            if not line.isspace():
                yield number, next(csv.reader([line]))
    except (UnicodeDecodeError, csv.Error, *uploads.BROKEN, zipfile.BadZipFile) as error:
        raise Problem(f"{table} of {store.path.name} is not a readable table; save it as CSV in UTF-8.") from error


def _stand_in(name: str, split: str, here: list[str]) -> tuple[str, tuple[str, ...]]:
    """The split to read: val/ stands for test/ where there is none and the reverse, and a note says so."""
    if split in here:
        return split, ()
    other = {"test": "val", "val": "test"}.get(split)
    if other in here:
        return other, (f"{name} has no {split}/ folder; its {other}/ pictures stand for it",)
    raise Problem(f"{name} has no pictures in {split}/, only in {_few([h + '/' for h in here])}; "
                  f"add {split}/<class>/ or choose another split.")


def _sorted_names(names: set[str], numbers_allowed: bool) -> tuple[str, ...]:
    if numbers_allowed and all(name.isdecimal() and len(name) < 19 for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def _few(names: list[str], shown: int = 5) -> str:
    return ", ".join(f"{name:.60}" for name in names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")


def _told(unreadable: list[str], total: int) -> tuple[str, ...]:
    if not unreadable:
        return ()
    left_out = "was left out" if len(unreadable) == 1 else "were left out"
    names = _few([name.split("/", 1)[1] for name in unreadable])
    return (f"{len(unreadable):,} of {total:,} pictures could not be read and {left_out}: {names}",)


# ---------------------------------------------------------------- decoding

class _Unequal(Exception):
    """A picture has another size than the first, where all were hoped to be of one."""


def _decoded(store: Store, files: list[str], size: int | None, progress: Progress | None):
    """uint8 [N, C, H, W], the indices of the files that could be read, and the names of those that could not."""
    side = _first_side(store, files)
    if side <= min(LARGEST_KEPT, size or LARGEST_KEPT):  # small pictures are most often of one size: try that, and save a pass
        try:
            return _decode_all(store, files, side, True, progress)
        except _Unequal:
            pass
    return _decode_all(store, files, size or _common_side(store, files, progress), False, progress)


def _decode_all(store: Store, files: list[str], size: int, equal: bool, progress: Progress | None):
    _check_bytes(store.path.name, len(files), size)
    out, kept, unreadable = np.empty((len(files), 1, size, size), np.uint8), [], []
    for index, name in enumerate(files):
        if progress and index % 500 == 0:
            progress(index, len(files), f"reading {store.path.name}")
        try:
            array = _decode(store.read(name), size, equal)
        except UNREADABLE:
            unreadable.append(name)
            continue
        if array.shape[0] == 3 and out.shape[1] == 1:       # the first picture in colour: all become RGB
            out = _in_colour(out, len(kept))
        out[len(kept)] = array                              # a grey picture repeats over the three channels
        kept.append(index)
    if not kept:
        raise Problem(f"None of the {len(files):,} pictures of {store.path.name} could be read; "
                      "give PNG, JPEG or WebP pictures.")
    if progress:
        progress(len(files), len(files), f"reading {store.path.name}")
    return out[:len(kept)], kept, unreadable


def _in_colour(grey: np.ndarray, used: int) -> np.ndarray:
    colour = np.empty((grey.shape[0], 3, *grey.shape[2:]), np.uint8)
    colour[:used] = grey[:used]
    return colour


def _check_bytes(name: str, pictures: int, size: int) -> None:
    needed = pictures * size * size * 3
    if needed > MAX_BYTES:
        fits = int((MAX_BYTES / pictures / 3) ** 0.5)
        raise Problem(f"{name} would need {needed / 2 ** 30:.1f} GiB as {pictures:,} pictures of {size} x {size}, more "
                      f"than the {MAX_BYTES / 2 ** 30:.0f} GiB allowed; choose a size of at most {fits}.")


def _first_side(store: Store, files: list[str]) -> int:
    """The shorter side of the first picture that can be read."""
    for name in files:
        try:
            return min(_image(store.read(name)).size)
        except UNREADABLE:
            continue                    # named when it is decoded
    return 1


def _common_side(store: Store, files: list[str], progress: Progress | None) -> int:
    """The most common shorter side of the pictures, at most 224."""
    sides = Counter()
    for index, name in enumerate(files):
        if progress and index % 500 == 0:
            progress(index, len(files), f"measuring {store.path.name}")
        try:
            sides[min(_image(store.read(name)).size)] += 1
        except UNREADABLE:
            continue
    return min(USUAL_SIZE, sides.most_common(1)[0][0]) if sides else 1


def _image(data: bytes) -> Image.Image:
    image = picture_files.opened(data, FORMATS)       # the header only
    if image.width * image.height > MAX_PIXELS or max(image.size) > 50 * min(image.size):
        raise ValueError("too many pixels, or a strip that would have too many once its short side is enlarged")
    return image


def _decode(data: bytes, size: int, equal: bool) -> np.ndarray:
    """uint8 [1 or 3, size, size]: upright, shorter side brought to `size`, middle square; `equal`: it must be so."""
    image = _image(data)
    if equal and image.size != (size, size):
        raise _Unequal
    if min(image.size) > 2 * size:
        image.draft(None, (2 * size, 2 * size))     # a JPEG can be decoded at 1/2, 1/4 or 1/8 of its size
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode not in ("L", "RGB") or "exif" in image.info or "transparency" in image.info:
        image = uploads.decode(data, "picture").image       # the rare ones: palettes, 16 bits, CMYK, turned cameras
    if image.size != (size, size):
        scale = size / min(image.size)
        wide = max(size, round(image.width * scale)), max(size, round(image.height * scale))
        image = image.resize(wide, Image.Resampling.BILINEAR)
        left, top = (wide[0] - size) // 2, (wide[1] - size) // 2
        image = image.crop((left, top, left + size, top + size))
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
